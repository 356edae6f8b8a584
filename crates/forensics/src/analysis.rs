//! All stages together: what one file shows.

use serde::{Deserialize, Serialize};

use crate::coverage::{self, CoverageItem, CoverageStatus};
use crate::evidence::{Evidence, Fact, Family, LimitHit};
use crate::fingerprint::{Fingerprint, Missing, Picture, fingerprint, sha256};
use crate::limits::Limits;
use crate::marker::{Markers, markers};
use crate::metadata::{Exif, Metadata, Xmp, metadata};
use crate::refusal::Refusal;
use crate::sniff::{Format, Hints, Sniff, detect, sniff};
use crate::structure::{Layout, Structure, structure};
use crate::verdict::Circumstances;

/// What the file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// SHA-256 in hex.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Media type by magic bytes.
    pub mime: String,
    /// Width in pixels, if it is a picture whose header we read.
    pub width: Option<u32>,
    /// Height in pixels.
    pub height: Option<u32>,
}

/// Everything that this crate found in one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// What the file is.
    pub content: Content,
    /// Why the analysis ended early, if it did. What was found until then stands below.
    pub refusal: Option<Refusal>,
    /// Its format's particulars.
    pub layout: Option<Layout>,
    /// EXIF fields.
    pub exif: Option<Exif>,
    /// XMP properties.
    pub xmp: Option<Xmp>,
    /// Marks of generators, editors, cameras.
    pub markers: Markers,
    /// Fingerprint of what it looks like.
    pub fingerprint: Option<Fingerprint>,
    /// Findings for the verdict.
    pub evidence: Vec<Evidence>,
    /// Facts for the reader.
    pub history: Vec<Fact>,
    /// What was tested and what was not.
    pub coverage: Vec<CoverageItem>,
    /// Bounds that were hit.
    pub limits: Vec<LimitHit>,
}

/// The outputs of the stages, as far as they were reached.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Stages {
    /// Of [`sniff()`].
    pub sniff: Option<Sniff>,
    /// Of [`structure()`].
    pub structure: Option<Structure>,
    /// Of [`metadata()`].
    pub metadata: Option<Metadata>,
    /// Of [`markers()`].
    pub markers: Option<Markers>,
    /// Of [`fingerprint()`].
    pub fingerprint: Option<Fingerprint>,
    /// Of the stage that ended the analysis.
    pub refusal: Option<Refusal>,
}

/// Runs all stages.
#[must_use]
pub fn analyze(bytes: &[u8], hints: &Hints, limits: &Limits) -> Analysis {
    let mut stages = Stages::default();
    if let Err(refusal) = run(bytes, hints, limits, &mut stages) {
        stages.refusal = Some(refusal);
    }
    Analysis::assemble(bytes, stages)
}

fn run(bytes: &[u8], hints: &Hints, limits: &Limits, stages: &mut Stages) -> Result<(), Refusal> {
    let sniff = stages.sniff.insert(sniff(bytes, hints, limits)?);
    let structure = stages.structure.insert(structure(bytes, sniff, limits)?);
    let metadata = stages
        .metadata
        .insert(metadata(bytes, sniff, structure, limits));
    stages.markers = Some(markers(metadata));
    stages.fingerprint = Some(fingerprint(bytes, sniff, structure, limits));
    Ok(())
}

impl Analysis {
    /// Puts the outputs together. A stage that is missing is `aborted` in the coverage.
    #[must_use]
    pub fn assemble(bytes: &[u8], stages: Stages) -> Self {
        let format = stages
            .sniff
            .as_ref()
            .map_or_else(|| detect(bytes), |sniff| sniff.format);
        let coverage = cover(format, &stages);
        let evidence = collect_evidence(format, &stages);
        let content = content(bytes, format, &stages);
        let Stages {
            sniff,
            structure,
            metadata,
            markers,
            fingerprint,
            refusal,
        } = stages;
        let structure = structure.unwrap_or_default();
        let metadata = metadata.unwrap_or_default();
        let markers = markers.unwrap_or_default();
        let mut history = sniff.map(|sniff| sniff.facts).unwrap_or_default();
        history.extend(structure.facts);
        history.extend(metadata.facts);
        history.extend(markers.facts.iter().cloned());
        let mut hits = structure.limits;
        hits.extend(metadata.limits);
        Self {
            content,
            refusal,
            layout: structure.layout,
            exif: metadata.exif,
            xmp: metadata.xmp,
            markers,
            fingerprint,
            evidence,
            history,
            coverage,
            limits: hits,
        }
    }

    /// What this analysis contributes to the circumstances of a verdict. Provenance and detectors add theirs.
    #[must_use]
    pub fn circumstances(&self) -> Circumstances {
        let damaged = self.fingerprint.as_ref().is_some_and(|fingerprint| {
            matches!(fingerprint.missing, Some(Missing::Damaged { .. }))
        });
        Circumstances {
            not_applicable: self.evidence.iter().all(|evidence| !evidence.applicable),
            quality_insufficient: damaged,
            ..Circumstances::default()
        }
    }
}

fn content(bytes: &[u8], format: Format, stages: &Stages) -> Content {
    let size = stages.sniff.as_ref().and_then(|sniff| sniff.size);
    Content {
        sha256: sha256(bytes),
        bytes: crate::bytes::count(bytes.len()),
        mime: format.mime().to_owned(),
        width: size.map(|size| size.width),
        height: size.map(|size| size.height),
    }
}

/// Formats whose structure is walked and whose metadata is read.
fn is_walked(format: Format) -> bool {
    matches!(
        format,
        Format::Jpeg | Format::Png | Format::Webp | Format::Tiff
    )
}

fn collect_evidence(format: Format, stages: &Stages) -> Vec<Evidence> {
    let mime = format.mime();
    if !is_walked(format) {
        let why = format!("{mime} is not read by this analysis");
        return vec![
            Evidence::not_applicable("structure", Family::Container, &why),
            Evidence::not_applicable("markers", Family::DeclaredMetadata, &why),
        ];
    }
    let mut evidence = Vec::new();
    if let Some(structure) = &stages.structure {
        evidence.push(describe_structure(structure, stages.fingerprint.as_ref()));
    }
    if let Some(markers) = &stages.markers {
        evidence.extend(markers.evidence.iter().cloned());
    }
    evidence
}

/// One piece that weighs nothing: the structure's figures, for the reader and for later calibration.
fn describe_structure(structure: &Structure, fingerprint: Option<&Fingerprint>) -> Evidence {
    let explain =
        "How the file is built tells its history; it does not speak for or against its content.";
    let finding = if structure.facts.is_empty() {
        "none"
    } else {
        "facts"
    };
    let (id, family) = match &structure.layout {
        Some(Layout::Jpeg(_)) => ("structure.jpeg", Family::JpegHistory),
        Some(Layout::Png(_) | Layout::Webp(_) | Layout::Tiff(_)) | None => {
            ("structure", Family::Container)
        }
    };
    let mut evidence = Evidence::neutral(id, family, finding, explain);
    if let Some(Layout::Jpeg(layout)) = &structure.layout {
        evidence = evidence.metric("scans", layout.scans.into());
        if let Some(quality) = layout.quality {
            evidence = evidence
                .metric("ijg_quality", quality.quality.into())
                .metric("ijg_distance", quality.distance.into());
        }
    }
    match fingerprint.and_then(|fingerprint| fingerprint.picture) {
        Some(Picture {
            flat_share,
            grey_levels,
            ..
        }) => evidence
            .metric("flat_share", flat_share)
            .metric("grey_levels", grey_levels.into()),
        None => evidence,
    }
}

fn cover(format: Format, stages: &Stages) -> Vec<CoverageItem> {
    let walked = is_walked(format);
    let mut items = vec![
        stage(
            coverage::FILE_STRUCTURE,
            format,
            walked,
            stages.structure.is_some(),
            stages,
        ),
        stage(
            coverage::METADATA_CONSISTENCY,
            format,
            walked,
            stages.metadata.is_some(),
            stages,
        ),
        stage(
            coverage::DECLARED_MARKERS,
            format,
            walked,
            stages.markers.is_some(),
            stages,
        ),
        cover_fingerprint(format, stages),
    ];
    items.extend(coverage::unanswered());
    items
}

fn stage(
    question: &str,
    format: Format,
    applies: bool,
    reached: bool,
    stages: &Stages,
) -> CoverageItem {
    if !applies {
        return coverage::answered(question, format, false, "");
    }
    if !reached {
        return CoverageItem::new(question, CoverageStatus::Aborted, why_aborted(stages));
    }
    let hit = stages.hits().next();
    match hit {
        Some(hit) => CoverageItem::new(
            question,
            CoverageStatus::Aborted,
            format!("{}: {}", hit.limit, hit.detail),
        ),
        None => coverage::answered(question, format, true, "tested; see evidence and history"),
    }
}

fn cover_fingerprint(format: Format, stages: &Stages) -> CoverageItem {
    let question = coverage::PERCEPTUAL_FINGERPRINT;
    let decoded = matches!(format, Format::Jpeg | Format::Png);
    let Some(fingerprint) = &stages.fingerprint else {
        return if decoded {
            CoverageItem::new(question, CoverageStatus::Aborted, why_aborted(stages))
        } else {
            coverage::answered(question, format, false, "")
        };
    };
    match &fingerprint.missing {
        None => coverage::answered(question, format, true, "computed"),
        Some(Missing::NotDecoded { .. }) => coverage::answered(question, format, false, ""),
        Some(Missing::Limit { detail } | Missing::Damaged { detail }) => {
            CoverageItem::new(question, CoverageStatus::Aborted, detail)
        }
    }
}

fn why_aborted(stages: &Stages) -> String {
    stages.refusal.as_ref().map_or_else(
        || "the stage did not come to an end".to_owned(),
        ToString::to_string,
    )
}

impl Stages {
    fn hits(&self) -> impl Iterator<Item = &LimitHit> {
        let structure = self
            .structure
            .iter()
            .flat_map(|structure| &structure.limits);
        structure.chain(self.metadata.iter().flat_map(|metadata| &metadata.limits))
    }
}

#[cfg(test)]
mod tests;
