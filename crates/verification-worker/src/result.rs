//! The result of a verification, schema `verification.result/1`.
//!
//! The JSON Schema beside the sources, [`SCHEMA`], is what clients may rely on; a test holds every result against it.
//! A field is never renamed, retyped or given another meaning within version 1.

use assay_detectors::{FindingStatus, Segment, Task};
use assay_forensics::{CoverageItem, Evidence, Fact, Implies, LimitHit, Perceptual, Verdict};
use assay_provenance::{Action, Code, Relationship, Signals, Signer};
use serde::Serialize;

use crate::analyst::{AbortReason, StageOutcome, StageReport};

/// What `schema` says in every result of this version.
pub const SCHEMA_NAME: &str = "verification.result/1";
/// The JSON Schema (draft 2020-12) of results.
pub const SCHEMA: &str = include_str!("../schema/verification.result.v1.json");
/// The version of the rules by which findings weigh. Another figure or rule is another version.
pub const RULESET: &str = "2026.4";

/// What is known about one file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VerificationResult {
    /// [`SCHEMA_NAME`].
    pub schema: &'static str,
    /// The job that made it.
    pub job_id: String,
    /// What was looked at.
    pub content: ContentSummary,
    /// What follows from all evidence.
    pub verdict: Verdict,
    /// What is said about the origin, with and without a signature.
    pub provenance: Provenance,
    /// All evidence that was weighed.
    pub evidence: Vec<Evidence>,
    /// What the file tells of its history. Never weighed.
    pub history: Vec<Fact>,
    /// What was tested and what was not. Never empty.
    pub coverage: Vec<CoverageItem>,
    /// The detectors outside of Assay that were to be asked, in the order of their names.
    pub detectors: Vec<DetectorReport>,
    /// Bounds that were reached.
    pub limits: LimitsHit,
    /// The stages of the analysis and how they ended.
    pub stages: Vec<StageSummary>,
    /// What made this result.
    pub engine: Engine,
}

/// The file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContentSummary {
    /// SHA-256, 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Media type by the bytes.
    pub mime: String,
    /// Width in pixels, as the header declares it.
    pub width: Option<u32>,
    /// Height in pixels, as the header declares it.
    pub height: Option<u32>,
    /// How a viewer turns the picture, as EXIF numbers it (tag 274): 1 to 8. Left out if the file does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orientation: Option<u32>,
    /// What similar pictures are found by.
    pub fingerprint: Option<Perceptual>,
}

/// What is said about the origin.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Provenance {
    /// Content Credentials.
    pub c2pa: C2paSummary,
    /// What metadata and credentials declare.
    pub declared: Vec<Declaration>,
}

/// The credential in the file. The default is what stands there if the stage answered nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct C2paSummary {
    /// Whether one was read.
    pub present: bool,
    /// How it stands; nothing if the stage had no result.
    pub state: Option<String>,
    /// Why it stands so, where there is more to say.
    pub reason: Option<String>,
    /// The trust lists in force.
    pub trust_lists: Vec<TrustListSummary>,
    /// Who signed.
    pub signer: Option<Signer>,
    /// Software or device that made the credential, as it says itself.
    pub claim_generator: Option<String>,
    /// Title given by the signer.
    pub title: Option<String>,
    /// Signals of the active manifest, in the words of the C2PA asset rubrics.
    pub signals: Option<Signals>,
    /// Declared actions.
    pub actions: Vec<Action>,
    /// What the media was made from, parents before what they were made from.
    pub ingredients: Vec<IngredientSummary>,
    /// Validation results.
    pub codes: Vec<Code>,
    /// Whether a list was cut at its bound.
    pub cut: bool,
}

/// One thing that the media was made from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IngredientSummary {
    /// 1 for what the media itself was made from.
    pub depth: u32,
    /// Title given by the signer above.
    pub title: Option<String>,
    /// Media type given by the signer above.
    pub format: Option<String>,
    /// What it is to the media above.
    pub relationship: Relationship,
    /// Whether it has a credential of its own.
    pub has_credential: bool,
    /// Who signed that, by name.
    pub signer: Option<String>,
    /// Whether a check of it failed, now or when it was taken in.
    pub broken: bool,
    /// The names of the checks that failed.
    pub failures: Vec<String>,
    /// Signals of its own manifest.
    pub signals: Signals,
}

/// A trust list in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrustListSummary {
    /// Name and date, such as `official@2026-08-21`.
    pub label: String,
    /// How many certificates it holds.
    pub certificates: usize,
    /// SHA-256 of the certificates.
    pub sha256: String,
    /// What the operator should know about its age.
    pub warning: Option<String>,
}

/// Something that the file says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Declaration {
    /// Which rule recognised it.
    pub rule: String,
    /// Where in the file it stands.
    pub location: String,
    /// What it says, cut.
    pub value: String,
    /// What that means for the media, if it is true and we know it.
    pub implies: Option<Implies>,
    /// Whether a signature that holds covers it.
    pub signed: bool,
}

/// What an external detector said.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DetectorReport {
    /// Its name in the configuration.
    pub name: String,
    /// Its version, as it says; empty if it was not heard.
    pub version: String,
    /// The SHA-256 of its model, if it says.
    pub model_sha256: Option<String>,
    /// How asking it went.
    pub status: String,
    /// Why it said nothing, if so.
    pub why: Option<String>,
    /// Whether the job could not have done without it.
    pub required: bool,
    /// Its score, 0..=1, higher means fake: that of the finding that weighs most.
    pub score: Option<f64>,
    /// What that weighs (log10), within `cap`.
    pub log10_lr: Option<f64>,
    /// The most that any of its findings may weigh (log10), by how well it was tried.
    pub cap: f64,
    /// How long it took, in milliseconds.
    pub latency_ms: u64,
    /// By task.
    pub findings: Vec<DetectorFinding>,
}

/// What an external detector said of one task.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DetectorFinding {
    /// Which task.
    pub task: Task,
    /// How it went.
    pub status: FindingStatus,
    /// 0..=1, higher means fake.
    pub score: Option<f64>,
    /// What that weighs (log10); nothing if it must not weigh.
    pub log10_lr: Option<f64>,
    /// Where and when; the first of them, if there are many.
    pub segments: Vec<Segment>,
    /// The detector's words.
    pub explanation: String,
    /// What else may explain the score, and what could not be tried.
    pub warnings: Vec<String>,
}

/// Bounds that were reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LimitsHit {
    /// One entry per bound.
    pub hit: Vec<LimitHit>,
}

/// How one stage ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StageSummary {
    /// Which.
    pub stage: &'static str,
    /// How it ended.
    pub status: StageStatus,
    /// Why it was aborted.
    pub reason: Option<AbortReason>,
    /// Wall time in milliseconds.
    pub cost_ms: u64,
}

impl StageSummary {
    /// The summary of a stage that ran.
    pub(crate) fn of(stage: &'static str, report: &StageReport) -> Self {
        let (status, reason) = match &report.outcome {
            StageOutcome::Ok(_) => (StageStatus::Ok, None),
            StageOutcome::Aborted(abort) => (StageStatus::Aborted, Some(abort.reason)),
        };
        Self {
            stage,
            status,
            reason,
            cost_ms: report.cost_ms,
        }
    }
}

/// How a stage ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StageStatus {
    /// By itself.
    Ok,
    /// It was given up; the result lacks what it would have found.
    Aborted,
    /// It was left out as the job asked.
    Skipped,
}

/// One external detector, as it was when it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DetectorVersion {
    /// Its name in the configuration.
    pub name: String,
    /// Its version, as it says.
    pub version: String,
    /// The SHA-256 of its model, if it says.
    pub model_sha256: Option<String>,
}

/// What made a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Engine {
    /// Version of the software.
    pub version: &'static str,
    /// [`RULESET`].
    pub ruleset: &'static str,
    /// The external detectors that had a part in it.
    pub detectors: Vec<DetectorVersion>,
    /// From the opening of the content to the verdict, in milliseconds.
    pub duration_ms: u64,
    /// What findings weigh by; nothing if by what is built in.
    pub calibration: Option<CalibrationSummary>,
}

/// Files of the operator's over which findings were counted, and weigh what follows from that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CalibrationSummary {
    /// What people call it.
    pub name: String,
    /// When it was made.
    pub made_at: String,
    /// SHA-256 of the document.
    pub sha256: String,
    /// How many authentic files were looked at.
    pub authentic: u64,
    /// How many manipulated ones.
    pub manipulated: u64,
    /// How many synthetic ones.
    pub synthetic: u64,
}
