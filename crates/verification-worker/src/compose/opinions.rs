//! What detectors outside of Assay said becomes evidence, coverage and grounds of the verdict, and is listed. Pure.

use std::collections::BTreeSet;

use assay_detectors::{Finding, Opinion, Status, coverage};
use assay_forensics::coverage::needs_detector;
use assay_forensics::evidence::EVIDENCE_ITEMS_MAX;
use assay_forensics::{Circumstances, CoverageItem, CoverageStatus, Evidence};

use super::outputs::Maps;
use crate::result::{DetectorFinding, DetectorReport, DetectorVersion};

/// Largest map of a detector that is kept, in bytes: what a page about a file has room for.
const MAP_BYTES_MAX: usize = 2 * 1024 * 1024;

/// What the detectors found, each a family of its own.
pub(super) fn evidence(opinions: &[Opinion]) -> impl Iterator<Item = Evidence> {
    opinions.iter().filter_map(Opinion::evidence)
}

/// The maps of what weighs most, by the id of their evidence.
pub(super) fn maps(opinions: &[Opinion]) -> Maps {
    let map = |opinion: &Opinion| {
        let map = opinion.heaviest()?.map_png.clone()?;
        let id = opinion.evidence()?.id;
        (map.len() <= MAP_BYTES_MAX).then_some((id, map))
    };
    opinions.iter().filter_map(map).collect()
}

/// Puts what detectors tested, and which of them were not heard, in place of what the analyses say of their questions:
/// those say that there are no detectors.
pub(super) fn cover(items: &mut Vec<CoverageItem>, opinions: &[Opinion]) {
    let of_detectors = coverage(opinions);
    let answered: BTreeSet<&str> = of_detectors
        .iter()
        .map(|item| item.question.as_str())
        .collect();
    items.retain(|item| !answered.contains(item.question.as_str()));
    for item in items
        .iter_mut()
        .filter(|item| needs_detector(&item.question))
    {
        let why = why_unanswered(opinions);
        *item = CoverageItem::new(&item.question, CoverageStatus::NotTested, why);
    }
    items.extend(of_detectors);
}

/// Why a question that only detectors answer is open, if none of them says something of it itself.
fn why_unanswered(opinions: &[Opinion]) -> &'static str {
    let passes =
        |opinion: &Opinion| opinion.status == Status::NotApplicable && opinion.findings.is_empty();
    if opinions.is_empty() {
        "no detector takes this kind of file"
    } else if opinions.iter().all(passes) {
        // Each says why under its own name: for its kind, for its size.
        "no detector takes this file"
    } else {
        "no detector that was heard looks for it"
    }
}

/// What detectors change about the grounds of a verdict.
pub(super) fn bear_on(circumstances: Circumstances, opinions: &[Opinion]) -> Circumstances {
    let says_something = evidence(opinions).any(|evidence| evidence.applicable);
    Circumstances {
        not_applicable: circumstances.not_applicable && !says_something,
        detectors_unavailable: opinions.iter().any(Opinion::is_missing),
        ..circumstances
    }
}

/// All that were asked.
pub(super) fn list(opinions: &[Opinion]) -> Vec<DetectorReport> {
    let report = |opinion: &Opinion| DetectorReport {
        name: opinion.name.clone(),
        version: opinion.version.clone(),
        model_sha256: opinion.model_sha256.clone(),
        status: opinion.status.as_str().to_owned(),
        why: Some(opinion.why.clone()).filter(|why| !why.is_empty()),
        required: opinion.required,
        score: opinion.score,
        log10_lr: opinion.log10_lr,
        cap: opinion.cap,
        latency_ms: opinion.latency_ms,
        findings: opinion.findings.iter().map(finding).collect(),
    };
    opinions.iter().map(report).collect()
}

/// Those that had a part in the result. One that was not heard has none, and no version either.
pub(super) fn versions(opinions: &[Opinion]) -> Vec<DetectorVersion> {
    let heard = opinions.iter().filter(|one| !one.version.is_empty());
    let version = |opinion: &Opinion| DetectorVersion {
        name: opinion.name.clone(),
        version: opinion.version.clone(),
        model_sha256: opinion.model_sha256.clone(),
    };
    heard.map(version).collect()
}

fn finding(finding: &Finding) -> DetectorFinding {
    let segments = finding.segments.iter().take(EVIDENCE_ITEMS_MAX);
    DetectorFinding {
        task: finding.task,
        status: finding.status,
        score: finding.score,
        log10_lr: finding.log10_lr,
        segments: segments.copied().collect(),
        explanation: finding.explanation.clone(),
        warnings: finding.warnings.clone(),
    }
}

#[cfg(test)]
mod tests;
