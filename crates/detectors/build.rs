//! Compiles `proto/open_inference.proto` without a protoc binary.

use std::error::Error;

const INCLUDE: &str = "proto";
const FILE: &str = "open_inference.proto";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={INCLUDE}");
    let descriptors = protox::compile([FILE], [INCLUDE])?;
    tonic_prost_build::configure()
        .bytes(".")
        .compile_fds(descriptors)?;
    Ok(())
}
