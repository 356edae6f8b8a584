//! The calibration in force: the document that an operator had made over files of theirs.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use assay_forensics::Evidence;
use assay_forensics::calibration::{Class, DOCUMENT_BYTES_MAX, Error, Record};
use sha2::{Digest as _, Sha256};

use crate::result::{CalibrationSummary, RULESET};

/// A calibration, and the name of its very bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibrated {
    record: Record,
    /// 64 hexadecimal digits.
    sha256: String,
}

/// Why a calibration is not used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("read {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The document in it cannot be used.
    #[error("read {}: {source}", path.display())]
    Document {
        /// Which.
        path: PathBuf,
        /// Why.
        source: Error,
    },
}

impl Calibrated {
    /// Reads the document in a file; it must have been made under [`RULESET`].
    ///
    /// # Errors
    /// Why it is not used, and how to mend that.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        let read = |source| LoadError::Read {
            path: path.to_owned(),
            source,
        };
        let document = read_bounded(path).map_err(read)?;
        let record = Record::read(&document, RULESET).map_err(|source| LoadError::Document {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            record,
            sha256: hex(&document),
        })
    }

    /// Has findings weigh what was counted.
    pub(crate) fn weigh(&self, evidence: &mut [Evidence]) {
        self.record.weigh(evidence);
    }

    /// How results name it.
    #[must_use]
    pub fn summary(&self) -> CalibrationSummary {
        let files = |class| self.record.files(class);
        CalibrationSummary {
            name: self.record.name.clone(),
            made_at: self.record.made_at.clone(),
            sha256: self.sha256.clone(),
            authentic: files(Class::Authentic),
            manipulated: files(Class::Manipulated),
            synthetic: files(Class::Synthetic),
        }
    }
}

/// At most one byte more than a document has: its reader refuses it then.
fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let bytes_max = u64::try_from(DOCUMENT_BYTES_MAX).unwrap_or(u64::MAX);
    let mut document = Vec::new();
    let file = File::open(path)?;
    file.take(bytes_max + 1).read_to_end(&mut document)?;
    Ok(document)
}

fn hex(document: &[u8]) -> String {
    let digits = Sha256::digest(document);
    digits.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use assay_forensics::calibration::Tally;
    use assay_forensics::{Calibration, Family, LogRatios};

    use super::*;

    /// A part of a picture that was copied within it, as the analysis weighs it.
    pub(crate) fn copied() -> Evidence {
        Evidence::neutral("copy_move", Family::SelfSimilarity, "copied", "Twice.").calibrated(
            LogRatios::manipulated(1.0),
            Calibration { n_clean: 40, fp: 0 },
        )
    }

    /// 600 authentic files without an alarm, 20 manipulated ones that are all found.
    pub(crate) fn document(ruleset: &str) -> String {
        let silent = Evidence::neutral("copy_move", Family::SelfSimilarity, "none", "Once.");
        let mut tally = Tally::default();
        for at in 0..600 {
            let hash = ContentHash(at).to_string();
            tally.add(Class::Authentic, &hash, std::slice::from_ref(&silent));
        }
        for at in 600..620 {
            let hash = ContentHash(at).to_string();
            tally.add(Class::Manipulated, &hash, &[copied()]);
        }
        let record = tally.record(ruleset, "press", "2026-11-29T03:00:00Z");
        record.document().unwrap()
    }

    pub(crate) fn file(document: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), document).unwrap();
        file
    }

    struct ContentHash(u32);

    impl std::fmt::Display for ContentHash {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "{:064x}", self.0)
        }
    }

    #[test]
    fn a_calibration_weighs_and_is_named_by_its_bytes() {
        let document = document(RULESET);
        let calibrated = Calibrated::load(file(&document).path()).unwrap();
        let mut evidence = [copied()];
        calibrated.weigh(&mut evidence);
        // At least 88 of 100 are found (Wilson), at most 1 of 200 is a false alarm: 176 to 1.
        let manipulated = evidence[0].log10_lr().manipulated;
        assert!((manipulated - 2.246).abs() < 1e-3, "{manipulated}");
        let summary = calibrated.summary();
        assert_eq!(summary.name, "press");
        assert_eq!(summary.sha256, assay_forensics::sha256(document.as_bytes()));
        let counted = [summary.authentic, summary.manipulated, summary.synthetic];
        assert_eq!(counted, [600, 20, 0]);
    }

    #[test]
    fn what_cannot_be_used_is_told_with_its_name() {
        let error = |document: &str| {
            let file = file(document);
            let error = Calibrated::load(file.path()).unwrap_err().to_string();
            assert!(error.starts_with("read /"), "{error}");
            error
        };
        let other = error(&document("1999.1"));
        assert!(other.contains("made under the rules \"1999.1\""), "{other}");
        let long = error(&" ".repeat(DOCUMENT_BYTES_MAX + 1));
        assert!(long.contains("more than 65536 bytes"), "{long}");
        let error = Calibrated::load(Path::new("/nowhere/c.json")).unwrap_err();
        assert!(matches!(error, LoadError::Read { .. }), "{error}");
    }
}
