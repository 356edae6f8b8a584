//! From scores to a verdict, with the right to abstain.
//!
//! `authentic` needs positive proof: no trace found is `inconclusive`. The prior alone never decides.

mod headline;

use serde::{Deserialize, Serialize};

use crate::evidence::Evidence;
use crate::fusion::{Fusion, Priors, Score, fuse};

/// Evidence that says less (log10 LR, and log10 posterior odds) does not carry a verdict.
pub const DECISION_LOG10_MIN: f64 = 1.0;
/// Sums of tenths are not exact; what misses the bound by less than this reaches it.
const ROUNDING: f64 = 1e-9;

/// What is known about the media.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// There is positive proof, e.g. a trusted capture credential.
    Authentic,
    /// Made wholly or partly by a generator.
    Synthetic,
    /// Changed in places after capture.
    Manipulated,
    /// A signature was valid for other bytes than these.
    AlteredAfterSigning,
    /// No verdict; see the reason.
    Inconclusive,
}

/// Why there is no verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The tests that apply found too little.
    NoEvidence,
    /// No test applies to such a file.
    NotApplicable,
    /// Two kinds of evidence contradict each other.
    Conflict,
    /// Too small, too flat or too damaged to be judged.
    InsufficientQuality,
    /// Detectors that were asked for did not answer.
    DetectorsUnavailable,
}

/// The verdict of one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// What is known.
    pub label: Label,
    /// Why not more: with `inconclusive` only.
    pub reason: Option<Reason>,
    /// One sentence for people.
    pub headline: String,
    /// Wholly or partly synthetic.
    pub synthetic: Score,
    /// Locally manipulated after capture.
    pub manipulated: Score,
}

/// What the verdict must know besides the evidence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Circumstances {
    /// A signature over the content was found not to fit these bytes.
    pub binding_failed: bool,
    /// No analysis applies to such a file.
    pub not_applicable: bool,
    /// The media is too poor for the analyses that would apply.
    pub quality_insufficient: bool,
    /// A detector that was asked for did not answer.
    pub detectors_unavailable: bool,
}

/// Judges.
#[must_use]
pub fn judge(evidence: &[Evidence], priors: Priors, circumstances: Circumstances) -> Verdict {
    let fusion = fuse(evidence, priors);
    let label = label(&fusion, circumstances);
    let reason = match label {
        Label::Inconclusive => Some(reason(&fusion, circumstances)),
        Label::Authentic | Label::Synthetic | Label::Manipulated | Label::AlteredAfterSigning => {
            None
        }
    };
    Verdict {
        label,
        reason,
        headline: headline::write(label, reason, &fusion),
        synthetic: fusion.synthetic,
        manipulated: fusion.manipulated,
    }
}

fn label(fusion: &Fusion, circumstances: Circumstances) -> Label {
    if circumstances.binding_failed {
        return Label::AlteredAfterSigning;
    }
    if fusion.conflict {
        return Label::Inconclusive;
    }
    let synthetic = is_supported(&fusion.synthetic);
    let manipulated = is_supported(&fusion.manipulated);
    // With both, the stronger finding names the verdict; the scores show the other.
    if manipulated && (!synthetic || fusion.manipulated.log10_lr > fusion.synthetic.log10_lr) {
        return Label::Manipulated;
    }
    if synthetic {
        return Label::Synthetic;
    }
    if is_proven_authentic(fusion) {
        return Label::Authentic;
    }
    Label::Inconclusive
}

fn reason(fusion: &Fusion, circumstances: Circumstances) -> Reason {
    if fusion.conflict {
        Reason::Conflict
    } else if circumstances.not_applicable {
        Reason::NotApplicable
    } else if circumstances.quality_insufficient {
        Reason::InsufficientQuality
    } else if circumstances.detectors_unavailable {
        Reason::DetectorsUnavailable
    } else {
        Reason::NoEvidence
    }
}

/// Both the evidence and the posterior: a high prior must not turn weak evidence into a verdict.
fn is_supported(score: &Score) -> bool {
    let reaches = |log10: f64| log10 + ROUNDING >= DECISION_LOG10_MIN;
    reaches(score.log10_lr) && reaches(log10_odds(score))
}

fn is_refuted(score: &Score) -> bool {
    let reaches = |log10: f64| log10 - ROUNDING <= -DECISION_LOG10_MIN;
    reaches(score.log10_lr) && reaches(log10_odds(score))
}

fn is_proven_authentic(fusion: &Fusion) -> bool {
    let reaches = |log10: f64| log10 - ROUNDING <= -DECISION_LOG10_MIN;
    reaches(fusion.proof.synthetic)
        && reaches(fusion.proof.manipulated)
        && is_refuted(&fusion.synthetic)
        && is_refuted(&fusion.manipulated)
}

fn log10_odds(score: &Score) -> f64 {
    score.log10_lr + (score.prior / (1.0 - score.prior)).log10()
}

#[cfg(test)]
mod tests;
