//! Verifies one piece of media per job: what it is, who vouches for it, what its structure and metadata tell.
//!
//! Contract: every file that can be opened gets a result ([`VerificationResult`], described by the JSON Schema
//! [`result::SCHEMA`]) with a verdict that may abstain, and with a coverage that says what was not tested. Strangers'
//! bytes are parsed in child processes alone ([`analyst`]); a hostile file costs the stage that it breaks, never the
//! worker. Failures that are the file's own (empty, too large, damaged beyond reading) are permanent.
//!
//! A binary that runs the [`handler()`] must begin its `main` as [`analyst::child_main`] says.
//!
//! - [`main`] is the program `verification-worker`, which shares Redis and a folder with the other processes.
//! - [`Settings`]: section `[verification]`. [`handler()`]: the handler for the worker runtime.
//!
//! Detectors outside of Assay are asked after the analyses, if any are configured. Their opinions are evidence among
//! the other; one that is away is named in the coverage, and one that a job cannot do without has it wait.
//!
//! Not here: the analyses themselves (`assay-forensics`, `assay-provenance`), leases, retries and results' storage
//! (`assay-worker-runtime`), how detectors are spoken to and when they are left alone (`assay-detectors`).

pub mod analyst;
mod asked;
mod calibrated;
mod compose;
mod consult;
mod content;
pub mod examine;
mod failure;
mod handler;
#[expect(
    clippy::disallowed_macros,
    reason = "this is the file that holds the names"
)]
mod metric_definitions;
mod options;
mod process;
mod render;
pub mod result;
mod rules;
mod settings;
pub mod stages;
pub mod steps;
mod verify;

pub use calibrated::{Calibrated, LoadError};
pub use failure::Failure;
pub use handler::{Handler, SetUpError, handler};
pub use metric_definitions::{INSTRUMENTS, Meters};
pub use options::WITHOUT;
pub use process::main;
pub use result::VerificationResult;
pub use settings::{
    CALIBRATION_KEY, CHILD_MEMORY_BYTES_MIN, CHILD_OPEN_FILES_MIN, CHILD_OUTPUT_BYTES_MIN,
    CHILDREN_MAX, DEFAULTS, Settings, WALL_MS_LIMIT, check,
};
pub use verify::{Subject, Verifier};
