//! How findings did on files whose story somebody knows, and what they may weigh therefore.
//!
//! A [`Tally`] counts for each of [`FINDINGS`] how often it was raised: on authentic files, where that is a false alarm,
//! and on those of the class that it speaks for. What follows from the counts is in [`Counts`]; a [`Record`] keeps them as
//! a document that weighs evidence in place of the figures that are built in.
//!
//! The figures hold for files like those that were counted, and no others: who chooses the files chooses what a finding
//! is evidence of.
//!
//! Not here: files, folders, the time of day; who looks at the files.

mod counts;
mod finding;
mod measure;
mod record;
mod tally;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use counts::{Counts, Trials};
pub use finding::{Basis, FINDINGS, Finding};
pub use measure::{Group, cllr};
pub use record::{
    DOCUMENT_BYTES_MAX, Error, FILES_MAX, FORMAT, NAME_CHARS_MAX, Record, Row, TIME_CHARS_MAX,
};
pub use tally::Tally;

/// What somebody who knows says about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Nobody changed what it shows.
    Authentic,
    /// It was manipulated locally after capture.
    Manipulated,
    /// It is wholly or partly synthetic.
    Synthetic,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Authentic, Self::Manipulated, Self::Synthetic];

    /// Its name, as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Authentic => "authentic",
            Self::Manipulated => "manipulated",
            Self::Synthetic => "synthetic",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests;
