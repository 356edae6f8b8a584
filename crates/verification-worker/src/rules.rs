//! What reports mean: pure rules from what stages found to evidence, facts and coverage.
//!
//! Not here: how anything was found (forensics, provenance), how evidence is weighed against other evidence
//! (`assay_forensics::judge`).

mod claim;
pub(crate) mod credential;

use assay_forensics::{CoverageItem, Evidence, Fact};

/// What one report means.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Findings {
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) history: Vec<Fact>,
    pub(crate) coverage: Vec<CoverageItem>,
    /// A sound signature does not fit these bytes.
    pub(crate) binding_failed: bool,
}

impl Findings {
    fn of(evidence: Evidence, coverage: CoverageItem) -> Self {
        Self {
            evidence: vec![evidence],
            history: Vec::new(),
            coverage: vec![coverage],
            binding_failed: false,
        }
    }
}
