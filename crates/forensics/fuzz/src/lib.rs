//! What the fuzzer feeds: each parser of assay-forensics, by itself or behind a container that its bytes come in.
//!
//! A [`target`] takes any bytes, and fails if a parser panics, or answers what does not survive the way from a child
//! process to the worker as JSON. That it takes too much time or memory is seen by who runs it (`examples/run.rs`). A
//! target begins with files made by [`seed`].
//!
//! Not here: any parser; the fuzzer itself, which is libFuzzer.

mod container;
pub mod seed;
pub mod target;

/// The files that the unit tests of assay-forensics are made of.
#[path = "../../src"]
#[expect(unused_imports, reason = "tests need one more of them")]
mod made {
    pub(crate) mod samples;
}

pub(crate) use made::samples;
