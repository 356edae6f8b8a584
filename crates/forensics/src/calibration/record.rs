//! The document that keeps what was counted.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::finding::Finding;
use super::{Class, Counts};
use crate::evidence::{Evidence, Weight};
use crate::text::clip;

/// What `format` says in every document of this version.
pub const FORMAT: &str = "assay.calibration/1";
/// The largest document that is read, in bytes.
pub const DOCUMENT_BYTES_MAX: usize = 64 * 1024;
/// The most files that a class may have.
pub const FILES_MAX: u64 = 10_000_000;
/// The longest name, in characters.
pub const NAME_CHARS_MAX: usize = 100;
/// The longest time, in characters.
pub const TIME_CHARS_MAX: usize = 40;
/// Hexadecimal digits of a SHA-256.
const SHA256_DIGITS: usize = 64;
/// Figures are computed from the counts again; those that are written may differ by their rounding.
const FIGURE_TOLERANCE: f64 = 1e-6;

/// What was counted, and over which files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// [`FORMAT`].
    pub format: String,
    /// The version of the rules whose findings were counted.
    pub ruleset: String,
    /// What people call it.
    pub name: String,
    /// When it was made, for people.
    pub made_at: String,
    /// How many files of each class were looked at.
    pub files: BTreeMap<Class, u64>,
    /// SHA-256 of the sorted lines `class hash`, one for each file.
    pub contents_sha256: String,
    /// One per finding that applied to an authentic file.
    pub findings: Vec<Row>,
}

/// How one finding did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The id of its evidence.
    pub id: String,
    /// What it speaks for.
    pub speaks_for: Class,
    /// How often it was raised.
    pub counts: Counts,
    /// What it weighs (log10) where it is raised.
    pub log10_lr: f64,
    /// The most that it may weigh (log10).
    pub cap: f64,
    /// [`Counts::cllr`].
    pub cllr: Option<f64>,
}

/// Why a document is not used. Each sentence says how to mend it.
#[derive(Debug, Error)]
pub enum Error {
    /// More bytes than [`DOCUMENT_BYTES_MAX`].
    #[error("it has more than {DOCUMENT_BYTES_MAX} bytes, so `assay calibrate` did not make it")]
    TooLong,
    /// No JSON, or another form.
    #[error("it is no calibration as `assay calibrate` makes them ({0})")]
    Form(serde_json::Error),
    /// Of another version of the format.
    #[error(
        "it has the format {found:?} and this program reads {FORMAT:?}: make it anew with `assay calibrate`"
    )]
    Format {
        /// What it says.
        found: String,
    },
    /// The findings of other rules were counted.
    #[error(
        "it was made under the rules {found:?} and this program weighs by {wanted:?}: make it anew with `assay calibrate`"
    )]
    Ruleset {
        /// What it says.
        found: String,
        /// What is in force.
        wanted: String,
    },
    /// Something in it cannot be.
    #[error("{what}, so somebody has changed it: make it anew with `assay calibrate`")]
    Wrong {
        /// What.
        what: String,
    },
}

/// What is read first, so that a document of another version is told as such.
#[derive(Deserialize)]
struct Head {
    format: String,
    ruleset: String,
}

impl Row {
    /// What follows for a finding from its counts.
    #[must_use]
    pub fn of(finding: &Finding, counts: Counts) -> Self {
        let log10_lr = counts.log10_lr(finding);
        Self {
            id: finding.id.to_owned(),
            speaks_for: finding.speaks_for,
            counts,
            log10_lr,
            cap: counts.cap(),
            cllr: counts.cllr(log10_lr),
        }
    }

    /// The same with its figures computed again: what is written is believed only if it follows from the counts.
    fn checked(&self, files: &BTreeMap<Class, u64>) -> Result<Self, Error> {
        let wrong = |what: &str| wrong(format!("the row {:?} {what}", clip(&self.id)));
        let finding =
            Finding::of(&self.id).ok_or_else(|| wrong("is of no finding that is counted"))?;
        let sides = [
            (Class::Authentic, self.counts.authentic),
            (finding.speaks_for, self.counts.labelled),
        ];
        for (class, trials) in sides {
            let all = files.get(&class).copied().unwrap_or_default();
            if trials.raised > trials.files || trials.files > all {
                return Err(wrong("counts more than there was"));
            }
        }
        if self.counts.authentic.files == 0 {
            return Err(wrong("counts no authentic file"));
        }
        let row = Self::of(finding, self.counts);
        let figures = |row: &Self| [row.log10_lr, row.cap, row.cllr.unwrap_or_default()];
        let agree = figures(&row)
            .into_iter()
            .zip(figures(self))
            .all(|(one, other)| (one - other).abs() <= FIGURE_TOLERANCE);
        if !agree || row.cllr.is_some() != self.cllr.is_some() || row.speaks_for != self.speaks_for
        {
            return Err(wrong("has figures that do not follow from its counts"));
        }
        Ok(row)
    }
}

impl Record {
    /// Reads a document whose findings are those of `ruleset`.
    ///
    /// # Errors
    /// Why it is not used.
    pub fn read(document: &[u8], ruleset: &str) -> Result<Self, Error> {
        if document.len() > DOCUMENT_BYTES_MAX {
            return Err(Error::TooLong);
        }
        let head: Head = serde_json::from_slice(document).map_err(Error::Form)?;
        if head.format != FORMAT {
            let found = clip(&head.format);
            return Err(Error::Format { found });
        }
        if head.ruleset != ruleset {
            let (found, wanted) = (clip(&head.ruleset), ruleset.to_owned());
            return Err(Error::Ruleset { found, wanted });
        }
        let record: Self = serde_json::from_slice(document).map_err(Error::Form)?;
        record.checked()
    }

    fn checked(mut self) -> Result<Self, Error> {
        if clip_name(&self.name) != self.name || clip_time(&self.made_at) != self.made_at {
            return Err(wrong(
                "its name or its time is longer than a line".to_owned(),
            ));
        }
        if !is_sha256(&self.contents_sha256) {
            return Err(wrong("its contents_sha256 is no SHA-256".to_owned()));
        }
        if self.files(Class::Authentic) == 0 {
            return Err(wrong("it has no authentic file".to_owned()));
        }
        if let Some((class, _)) = self.files.iter().find(|(_, files)| **files > FILES_MAX) {
            return Err(wrong(format!("it has more than {FILES_MAX} {class} files")));
        }
        let ids: BTreeSet<&str> = self.findings.iter().map(|row| row.id.as_str()).collect();
        if ids.len() != self.findings.len() {
            return Err(wrong("a finding has two rows".to_owned()));
        }
        let rows = self.findings.iter().map(|row| row.checked(&self.files));
        self.findings = rows.collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// The document: JSON, one line per field, the same for the same counts.
    ///
    /// # Errors
    /// None that could be brought about: all of it has a JSON form.
    pub fn document(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|json| json + "\n")
    }

    /// How many files of a class were looked at.
    #[must_use]
    pub fn files(&self, class: Class) -> u64 {
        self.files.get(&class).copied().unwrap_or_default()
    }

    /// Has raised findings weigh what was counted. A finding without a row keeps what is built in.
    pub fn weigh(&self, evidence: &mut [Evidence]) {
        for found in evidence {
            let row = self.findings.iter().find(|row| row.id == found.id);
            let Some((row, finding)) = row.zip(Finding::of(&found.id)) else {
                continue;
            };
            if Finding::is_raised(found) {
                found.weight = Weight::new(finding.ratios(row.log10_lr), row.cap);
                found.calibration = Some(row.counts.calibration());
            }
        }
    }
}

fn wrong(what: String) -> Error {
    Error::Wrong { what }
}

fn is_sha256(text: &str) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.len() == SHA256_DIGITS && text.bytes().all(is_digit)
}

/// A name that fits a line.
pub(super) fn clip_name(name: &str) -> String {
    clip(name).chars().take(NAME_CHARS_MAX).collect()
}

/// A time that fits a line.
pub(super) fn clip_time(time: &str) -> String {
    clip(time).chars().take(TIME_CHARS_MAX).collect()
}
