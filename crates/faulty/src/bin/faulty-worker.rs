//! `probe-worker`, with failpoints.

fn main() -> std::process::ExitCode {
    assay_probe::worker::main()
}
