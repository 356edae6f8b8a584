//! Compiles `proto/assay/v1` without a protoc binary.

use std::error::Error;
use std::path::PathBuf;

const INCLUDE: &str = "../../proto";
/// What servers of ours serve, and tell of.
const SERVED: [&str; 4] = [
    "assay/v1/admin.proto",
    "assay/v1/content.proto",
    "assay/v1/jobs.proto",
    "assay/v1/payload.proto",
];
/// What others serve, and we call.
const CALLED: [&str; 1] = ["assay/v1/detector.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={INCLUDE}");
    let mut compiler = protox::Compiler::new([INCLUDE])?;
    compiler
        .include_imports(true)
        .include_source_info(true)
        .open_files(SERVED)?;

    let out_dir = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    let descriptors = compiler.encode_file_descriptor_set();
    std::fs::write(out_dir.join("descriptors.bin"), descriptors)?;

    compiler.open_files(CALLED)?;
    tonic_prost_build::configure()
        // Chunks and results are handed on without a copy.
        .bytes(".")
        // One order of entries, so that equal messages have equal bytes: a payload's bytes are compared
        // when a request is repeated.
        .btree_map(".")
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}
