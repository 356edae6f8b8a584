//! The parts of a result that the page shows. Read leniently: one of another version shows what we know of it.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A result of a verification, schema `verification.result/1`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ResultView {
    pub(super) schema: String,
    pub(super) job_id: String,
    pub(super) content: Content,
    pub(super) verdict: Verdict,
    pub(super) provenance: Provenance,
    pub(super) evidence: Vec<Evidence>,
    pub(super) history: Vec<Fact>,
    pub(super) coverage: Vec<Coverage>,
    pub(super) detectors: Vec<Detector>,
    pub(super) limits: Limits,
    pub(super) stages: Vec<Stage>,
    pub(super) engine: Engine,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Content {
    pub(super) sha256: String,
    pub(super) bytes: u64,
    pub(super) mime: String,
    /// Pixels as stored.
    pub(super) width: Option<u32>,
    /// Pixels as stored.
    pub(super) height: Option<u32>,
    /// How a viewer turns the picture, as EXIF numbers it: 1 to 8.
    pub(super) orientation: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Verdict {
    pub(super) label: String,
    pub(super) reason: Option<String>,
    pub(super) headline: String,
    pub(super) synthetic: Score,
    pub(super) manipulated: Score,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Score {
    pub(super) log10_lr: f64,
    pub(super) verbal: String,
    pub(super) prior: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Provenance {
    pub(super) c2pa: Credential,
    pub(super) declared: Vec<Declaration>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Credential {
    pub(super) state: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) trust_lists: Vec<TrustList>,
    pub(super) signer: Option<Signer>,
    pub(super) claim_generator: Option<String>,
    pub(super) title: Option<String>,
    pub(super) signals: Option<Signals>,
    pub(super) actions: Vec<Action>,
    pub(super) ingredients: Vec<Ingredient>,
    pub(super) codes: Vec<Code>,
    pub(super) cut: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TrustList {
    pub(super) label: String,
    pub(super) certificates: u64,
    pub(super) sha256: String,
    pub(super) warning: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Signer {
    pub(super) issuer: Option<String>,
    pub(super) common_name: Option<String>,
    pub(super) serial_number: Option<String>,
    pub(super) algorithm: Option<String>,
    pub(super) time: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Signals {
    pub(super) inception: Vec<String>,
    pub(super) transformation: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Action {
    pub(super) action: String,
    pub(super) digital_source_type: Option<String>,
    pub(super) when: Option<String>,
    pub(super) software_agent: Option<String>,
    pub(super) description: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Ingredient {
    /// 1 for what the media itself was made from.
    pub(super) depth: u32,
    pub(super) title: Option<String>,
    pub(super) format: Option<String>,
    pub(super) relationship: String,
    pub(super) has_credential: bool,
    pub(super) signer: Option<String>,
    pub(super) broken: bool,
    pub(super) failures: Vec<String>,
    pub(super) signals: Signals,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Code {
    pub(super) code: String,
    pub(super) level: String,
    pub(super) explanation: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Declaration {
    pub(super) rule: String,
    pub(super) location: String,
    pub(super) value: String,
    pub(super) implies: Option<String>,
    pub(super) signed: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Evidence {
    pub(super) id: String,
    pub(super) family: String,
    pub(super) applicable: bool,
    pub(super) log10_lr: Ratios,
    pub(super) cap: f64,
    pub(super) calibration: Option<Calibration>,
    pub(super) metrics: BTreeMap<String, f64>,
    /// The picture of a document that it is about; nothing if it is about the file.
    pub(super) picture: Option<PicturePlace>,
    pub(super) regions: Vec<Region>,
    /// Content id of a map.
    pub(super) artifact: Option<String>,
    pub(super) explain: String,
    pub(super) caveats: Vec<String>,
    pub(super) version: String,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(default)]
pub(super) struct Ratios {
    pub(super) synthetic: f64,
    pub(super) manipulated: f64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Calibration {
    pub(super) n_clean: u64,
    pub(super) fp: u64,
}

/// A picture of a document.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(default)]
pub(super) struct PicturePlace {
    pub(super) object: u32,
    pub(super) offset: u64,
}

/// A rectangle in pixels as stored, from the upper left.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Region {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) w: u32,
    pub(super) h: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fact {
    pub(super) fact: String,
    pub(super) detail: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Coverage {
    pub(super) question: String,
    pub(super) status: String,
    pub(super) why: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Detector {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) status: String,
    pub(super) why: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Limits {
    pub(super) hit: Vec<LimitHit>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LimitHit {
    pub(super) limit: String,
    pub(super) max: u64,
    pub(super) detail: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Stage {
    pub(super) stage: String,
    pub(super) status: String,
    pub(super) reason: Option<String>,
    pub(super) cost_ms: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Engine {
    pub(super) version: String,
    pub(super) ruleset: String,
    pub(super) duration_ms: u64,
    pub(super) calibration: Option<CalibratedBy>,
}

/// The operator's files over which findings were counted.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CalibratedBy {
    pub(super) name: String,
    pub(super) made_at: String,
    pub(super) sha256: String,
    pub(super) authentic: u64,
    pub(super) manipulated: u64,
    pub(super) synthetic: u64,
}

impl ResultView {
    /// Reads a result.
    ///
    /// # Errors
    /// When it is no JSON document of a verification.
    pub(crate) fn read(json: &serde_json::Value) -> Result<Self, serde_json::Error> {
        Self::deserialize(json)
    }

    /// SHA-256 of the file, in hexadecimal digits.
    pub(crate) fn sha256(&self) -> &str {
        &self.content.sha256
    }

    /// Media type of the file, by its bytes.
    pub(crate) fn mime(&self) -> &str {
        &self.content.mime
    }

    /// Width and height as stored, if both are known and none is zero.
    pub(crate) fn size(&self) -> Option<(u32, u32)> {
        let size = (self.content.width?, self.content.height?);
        (size.0 > 0 && size.1 > 0).then_some(size)
    }

    /// Whether what the metadata does not say is known to be missing.
    pub(super) fn metadata_was_read(&self) -> bool {
        let mut stages = self.stages.iter();
        stages.any(|stage| stage.stage == "metadata" && stage.status == "ok")
    }

    /// What applies to the file, with the number under which the page speaks of it.
    pub(super) fn findings(&self) -> impl Iterator<Item = (usize, &Evidence)> {
        let applicable = self.evidence.iter().filter(|evidence| evidence.applicable);
        (1..).zip(applicable)
    }
}
