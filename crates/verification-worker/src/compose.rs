//! From what stages answered to a result. Pure: no file, no clock, no process.

mod credential;
mod opinions;
mod outputs;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use assay_detectors::Opinion;
use assay_forensics::coverage::{
    DECLARED_MARKERS, FILE_STRUCTURE, METADATA_CONSISTENCY, PERCEPTUAL_FINGERPRINT,
};
use assay_forensics::{
    Analysis, Circumstances, Content, CoverageItem, CoverageStatus, Evidence, Exif, Family,
    Fingerprint, Implies, Inspection, Markers, Priors, Stages, judge,
};

use self::outputs::Outputs;
pub(crate) use self::outputs::{Maps, first_look};
use crate::analyst::StageReport;
use crate::calibrated::Calibrated;
use crate::failure::Failure;
use crate::options::Options;
use crate::result::{
    ContentSummary, Declaration, Engine, LimitsHit, Provenance, RULESET, SCHEMA_NAME, StageStatus,
    StageSummary, VerificationResult,
};
use crate::rules::{self, Findings};
use crate::stages::{self, CredentialFound};

/// What EXIF can say about how a picture is turned. Other numbers mean nothing, and viewers turn nothing for them.
const ORIENTATIONS: RangeInclusive<u32> = 1..=8;

/// What the worker knows of a file besides what stages answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Known {
    pub(crate) job_id: String,
    /// 64 hexadecimal digits.
    pub(crate) sha256: String,
    pub(crate) bytes: u64,
    pub(crate) priors: Priors,
    /// Whether there are detectors outside of Assay that could be asked.
    pub(crate) has_detectors: bool,
    /// What they said; nothing if none looks at such files.
    pub(crate) opinions: Vec<Opinion>,
    /// What findings weigh, if not what is built in.
    pub(crate) calibration: Option<Arc<Calibrated>>,
    /// The time of day in seconds since the epoch, for the age of trust lists.
    pub(crate) now_s: i64,
    /// From the opening of the content until now.
    pub(crate) duration_ms: u64,
}

/// A result whose maps are not stored yet.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Composed {
    pub(crate) result: VerificationResult,
    pub(crate) maps: Maps,
}

/// Puts a result together.
///
/// # Errors
/// The file was refused, the first look did not end, or a child answered in no form of ours.
pub(crate) fn compose(
    known: Known,
    reports: &[StageReport],
    options: &Options,
) -> Result<Composed, Failure> {
    let Outputs {
        sniff,
        stages,
        credential,
        mut maps,
    } = outputs::read(reports)?;
    let summaries = summarise(reports, options);
    let content = Content {
        sha256: known.sha256.clone(),
        bytes: known.bytes,
        width: sniff.size.map(|size| size.width),
        height: sniff.size.map(|size| size.height),
        mime: sniff.mime,
    };
    let stage_of = stages_of_pixels(&stages);
    let analysis = Analysis::assemble(content, sniff.format, stages);
    let findings = credential_findings(credential.as_ref(), &summaries);
    let circumstances = with_credential(analysis.circumstances(), &findings);
    let circumstances = opinions::bear_on(circumstances, &known.opinions);
    let declared = declarations(&analysis.markers, credential.as_ref());

    let mut evidence = analysis.evidence;
    if let Some(calibration) = &known.calibration {
        calibration.weigh(&mut evidence);
    }
    evidence.extend(findings.evidence.iter().cloned());
    put_costs(&mut evidence, &stage_of, &summaries);
    evidence.extend(opinions::evidence(&known.opinions));
    maps.extend(opinions::maps(&known.opinions));
    let mut history = analysis.history;
    history.extend(findings.history);
    let mut coverage = analysis.coverage;
    explain_gaps(&mut coverage, &summaries);
    coverage.extend(findings.coverage);
    cover_detectors(&mut coverage, &known);

    let result = VerificationResult {
        schema: SCHEMA_NAME,
        job_id: known.job_id,
        content: summarise_content(
            analysis.content,
            analysis.exif.as_ref(),
            analysis.fingerprint,
        ),
        verdict: judge(&evidence, known.priors, circumstances),
        provenance: Provenance {
            c2pa: credential::summarise(credential, known.now_s),
            declared,
        },
        evidence,
        history,
        coverage,
        detectors: opinions::list(&known.opinions),
        limits: LimitsHit {
            hit: analysis.limits,
        },
        stages: summaries,
        engine: engine(
            &known.opinions,
            known.calibration.as_deref(),
            known.duration_ms,
        ),
    };
    Ok(Composed { result, maps })
}

/// Says what the detectors outside of Assay looked at, where there are any.
fn cover_detectors(coverage: &mut Vec<CoverageItem>, known: &Known) {
    if known.has_detectors {
        opinions::cover(coverage, &known.opinions);
    }
}

/// What made the result.
fn engine(opinions: &[Opinion], calibration: Option<&Calibrated>, duration_ms: u64) -> Engine {
    Engine {
        version: env!("CARGO_PKG_VERSION"),
        ruleset: RULESET,
        detectors: opinions::versions(opinions),
        duration_ms,
        calibration: calibration.map(Calibrated::summary),
    }
}

/// The evidence of the analyses that look at pixels alone, as they weigh by themselves.
///
/// # Errors
/// As [`compose`].
pub(crate) fn found_in_pixels(reports: &[StageReport]) -> Result<Vec<Evidence>, Failure> {
    let inspections = outputs::read(reports)?.stages.inspections;
    let found = inspections.into_values().flatten();
    Ok(found.map(|found| found.evidence).collect())
}

/// What a credential changes about the grounds of a verdict.
fn with_credential(circumstances: Circumstances, findings: &Findings) -> Circumstances {
    let says_nothing = findings
        .evidence
        .iter()
        .all(|evidence| !evidence.applicable);
    Circumstances {
        binding_failed: findings.binding_failed,
        not_applicable: circumstances.not_applicable && says_nothing,
        ..circumstances
    }
}

fn summarise_content(
    content: Content,
    exif: Option<&Exif>,
    fingerprint: Option<Fingerprint>,
) -> ContentSummary {
    let orientation = exif.and_then(|exif| exif.orientation);
    ContentSummary {
        sha256: content.sha256,
        bytes: content.bytes,
        mime: content.mime,
        width: content.width,
        height: content.height,
        orientation: orientation.filter(|number| ORIENTATIONS.contains(number)),
        fingerprint: fingerprint.and_then(|picture| picture.perceptual),
    }
}

fn credential_findings(
    credential: Option<&CredentialFound>,
    summaries: &[StageSummary],
) -> Findings {
    match credential {
        Some(CredentialFound::Report(report)) => rules::credential::findings(report),
        Some(CredentialFound::Unread(unread)) => rules::credential::unread(unread),
        None => {
            let not_run = || {
                (
                    CoverageStatus::NotTested,
                    "the stage was not run".to_owned(),
                )
            };
            let (status, why) = gap_of(stages::PROVENANCE, summaries).unwrap_or_else(not_run);
            rules::credential::silent("not_tested", &why, status)
        }
    }
}

fn summarise(reports: &[StageReport], options: &Options) -> Vec<StageSummary> {
    let summary = |stage: &'static str| {
        let report = reports.iter().find(|report| report.stage == stage)?;
        Some(StageSummary::of(stage, report))
    };
    let skipped = |stage| StageSummary {
        stage,
        status: StageStatus::Skipped,
        reason: None,
        cost_ms: 0,
    };
    let one = |stage: &'static str| {
        if options.leave_out(stage) {
            Some(skipped(stage))
        } else {
            summary(stage)
        }
    };
    stages::ALL
        .iter()
        .filter_map(|stage| one(stage.name))
        .collect()
}

/// Why a stage has no output, if it has none.
fn gap_of(stage: &str, summaries: &[StageSummary]) -> Option<(CoverageStatus, String)> {
    let summary = summaries.iter().find(|summary| summary.stage == stage)?;
    match (summary.status, summary.reason) {
        (StageStatus::Ok, _) => None,
        (StageStatus::Skipped, _) => Some((
            CoverageStatus::NotTested,
            "left out, as the job asked".to_owned(),
        )),
        (StageStatus::Aborted, reason) => {
            let why = reason.map_or("unknown", |reason| reason.as_str());
            Some((
                CoverageStatus::Aborted,
                format!("the analysis was stopped on this file: {why}"),
            ))
        }
    }
}

/// The stage that a question of coverage hangs on.
fn stage_of_question(question: &str) -> Option<&'static str> {
    match question {
        FILE_STRUCTURE => Some(stages::STRUCTURE),
        METADATA_CONSISTENCY | DECLARED_MARKERS => Some(stages::METADATA),
        PERCEPTUAL_FINGERPRINT => Some(stages::FINGERPRINT),
        _ => Inspection::ALL
            .into_iter()
            .find(|inspection| inspection.question() == question)
            .map(stages::of_inspection),
    }
}

/// Which stage found which evidence in the pixels.
fn stages_of_pixels(stages: &Stages) -> BTreeMap<String, &'static str> {
    let of = |(inspection, found): (&Inspection, &Vec<_>)| {
        let stage = stages::of_inspection(*inspection);
        let id = |found: &assay_forensics::Found| (found.evidence.id.clone(), stage);
        found.iter().map(id).collect::<Vec<_>>()
    };
    stages.inspections.iter().flat_map(of).collect()
}

/// Says of each question that was not answered why its stage has no output.
fn explain_gaps(coverage: &mut [CoverageItem], summaries: &[StageSummary]) {
    for item in coverage
        .iter_mut()
        .filter(|item| item.status == CoverageStatus::Aborted)
    {
        let stage = stage_of_question(&item.question);
        if let Some((status, why)) = stage.and_then(|stage| gap_of(stage, summaries)) {
            *item = CoverageItem::new(&item.question, status, why);
        }
    }
}

/// Evidence costs what its stage cost.
fn put_costs(
    evidence: &mut [Evidence],
    stage_of: &BTreeMap<String, &'static str>,
    summaries: &[StageSummary],
) {
    for item in evidence {
        let stage = if let Some(stage) = stage_of.get(&item.id) {
            stage
        } else if item.family == Family::DeclaredMetadata {
            stages::METADATA
        } else if item.family == Family::ProvenanceCrypto {
            stages::PROVENANCE
        } else {
            stages::STRUCTURE
        };
        item.cost_ms = summaries
            .iter()
            .find(|summary| summary.stage == stage)
            .map_or(0, |summary| summary.cost_ms);
    }
}

fn declarations(markers: &Markers, credential: Option<&CredentialFound>) -> Vec<Declaration> {
    let unsigned = markers.hits.iter().map(|hit| Declaration {
        rule: hit.rule_id.clone(),
        location: hit.location.clone(),
        value: hit.excerpt.clone(),
        implies: Some(hit.implies),
        signed: false,
    });
    unsigned
        .chain(credential::declarations(credential))
        .collect()
}

/// What a declared source says, in the words of marks.
pub(crate) fn implied_by(source_type: &str) -> Option<Implies> {
    match source_type.rsplit('/').next()? {
        "trainedAlgorithmicMedia" => Some(Implies::Generated),
        "compositeWithTrainedAlgorithmicMedia" => Some(Implies::PartlyGenerated),
        "digitalCapture" | "computationalCapture" => Some(Implies::Camera),
        "humanEdits" | "algorithmicallyEnhanced" => Some(Implies::Edited),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
