//! Media with known stories, made from seeds, and what the analyses say about them.
//!
//! A [`camera`] takes a photograph of a made-up scene; an [`original::Original`] is such a photograph, or one that was
//! given. A [`recipe`] makes a file of it: harmless, a lie, or one that says a generator made it. A [`cell`] names a
//! recipe and says what should be found. [`look`] asks all analyses about one file.
//!
//! [`report::main`] is the program `forensics-report`: it makes the corpus in memory, looks at every file, and prints
//! what was found, what was not, what was found where nothing is, and what it costs. It exits with 0 only if the
//! verdict of every harmless file is `inconclusive`.
//!
//! Not here: any analysis. Figures from made-up photographs flatter; give the program a folder of real ones as well.

pub mod camera;
pub mod cell;
pub mod declared;
pub mod edit;
mod error;
pub mod exif;
pub mod generated;
pub mod jpeg;
pub mod look;
pub mod original;
pub mod png;
pub mod random;
pub mod recipe;
pub mod report;
pub mod watermark;

pub use error::Error;
