//! Analyses media bytes and says what they show: bytes in, evidence out.
//!
//! The stages [`sniff()`], [`structure()`], [`metadata()`], [`markers()`], [`fingerprint()`] and [`inspect()`] may be called one by one;
//! [`analyze`] calls them all. [`judge`] turns evidence, its own and that of others, into a verdict. Every output
//! serialises, as the stages run in a process of their own. All work is linear in the bytes and within [`Limits`];
//! no input makes it panic. What was not tested stands in [`coverage`].
//!
//! Not here: signed credentials (provenance), detectors with learned weights, the time, files, threads, a runtime. The
//! caller enforces memory and time on top, because the decoders underneath are other people's.

mod analysis;
mod bytes;
pub mod calibration;
pub mod coverage;
pub mod dct;
mod document;
pub mod evidence;
pub mod fingerprint;
pub mod fusion;
pub mod levels;
pub mod limits;
pub mod marker;
pub mod metadata;
pub mod pixels;
pub mod raster;
mod refusal;
#[cfg(test)]
mod samples;
pub mod sniff;
pub mod structure;
mod text;
pub mod verdict;

pub use analysis::{Analysis, Content, Stages, analyze};
pub use coverage::{CoverageItem, CoverageStatus};
pub use document::{PicturePlace, declared};
pub use evidence::{Calibration, Evidence, Fact, Family, LimitHit, LogRatios, Region, Weight};
pub use fingerprint::{Fingerprint, Perceptual, Picture, fingerprint, sha256};
pub use fusion::{Fusion, Priors, Score, Verbal, fuse};
pub use limits::Limits;
pub use marker::{Implies, Marker, Markers, markers};
pub use metadata::{Exif, Metadata, Xmp, metadata};
pub use pixels::{Found, Inspection, Map, inspect, inspect_signed_thumbnail};
pub use refusal::Refusal;
pub use sniff::{Format, Hints, MediaKind, Size, Sniff, sniff};
pub use structure::{Layout, Structure, structure};
pub use text::{TEXT_CHARS_MAX, clip};
pub use verdict::{Circumstances, Label, Reason, Verdict, judge};
