#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| assay_forensics_fuzz::target::markers(bytes));
