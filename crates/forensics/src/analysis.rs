//! All stages together: what one file shows.

mod cover;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::coverage::CoverageItem;
use crate::document::declared;
use crate::evidence::{Evidence, Fact, Family, LimitHit};
use crate::fingerprint::{Fingerprint, Missing, Picture, fingerprint, sha256};
use crate::limits::Limits;
use crate::marker::Markers;
use crate::metadata::{Exif, Metadata, Xmp};
use crate::pixels::{Found, Inspection, inspect};
use crate::refusal::Refusal;
use crate::sniff::{Format, Hints, MediaKind, Sniff, detect, sniff};
use crate::structure::{Layout, Structure, after_signature, structure};
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
    /// Of [`inspect()`], each by itself.
    pub inspections: BTreeMap<Inspection, Vec<Found>>,
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
    let sniff = stages.sniff.as_ref();
    let format = sniff.map_or_else(|| detect(bytes), |sniff| sniff.format);
    let content = Content {
        sha256: sha256(bytes),
        bytes: crate::bytes::count(bytes.len()),
        mime: format.mime().to_owned(),
        width: sniff.and_then(|sniff| sniff.size).map(|size| size.width),
        height: sniff.and_then(|sniff| sniff.size).map(|size| size.height),
    };
    Analysis::assemble(content, format, stages)
}

fn run(bytes: &[u8], hints: &Hints, limits: &Limits, stages: &mut Stages) -> Result<(), Refusal> {
    let sniff = stages.sniff.insert(sniff(bytes, hints, limits)?);
    let structure = stages.structure.insert(structure(bytes, sniff, limits)?);
    let (metadata, markers) = declared(bytes, sniff, structure, limits);
    stages.metadata = Some(metadata);
    stages.markers = Some(markers);
    stages.fingerprint = Some(fingerprint(bytes, sniff, structure, limits));
    for inspection in Inspection::ALL {
        let found = inspect(inspection, bytes, sniff, structure, limits);
        stages.inspections.insert(inspection, found);
    }
    Ok(())
}

impl Analysis {
    /// Puts together what the stages found in a file of this format, wherever they ran: the bytes are not needed.
    /// A stage that is missing is `aborted` in the coverage.
    #[must_use]
    pub fn assemble(content: Content, format: Format, stages: Stages) -> Self {
        let coverage = cover::cover(format, &stages);
        let evidence = collect_evidence(format, &stages);
        let Stages {
            sniff,
            structure,
            metadata,
            markers,
            fingerprint,
            inspections,
            refusal,
        } = stages;
        let structure = structure.unwrap_or_default();
        let metadata = metadata.unwrap_or_default();
        let markers = markers.unwrap_or_default();
        let mut history = sniff.map(|sniff| sniff.facts).unwrap_or_default();
        history.extend(structure.facts);
        history.extend(metadata.facts);
        history.extend(markers.facts.iter().cloned());
        let found = inspections.into_values().flatten();
        history.extend(found.flat_map(|found| found.facts));
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

/// Formats whose structure is walked and whose metadata is read.
fn is_walked(format: Format) -> bool {
    match format {
        Format::Jpeg
        | Format::Png
        | Format::Webp
        | Format::Tiff
        | Format::Heif
        | Format::Avif
        | Format::Mp4
        | Format::Mov
        | Format::M4a
        | Format::Avi
        | Format::Wav
        | Format::Mp3
        | Format::Flac
        | Format::Ogg
        | Format::Pdf => true,
        Format::Gif
        | Format::Bmp
        | Format::JpegXl
        | Format::Matroska
        | Format::Zip
        | Format::Text
        | Format::Unknown => false,
    }
}

/// Formats whose metadata speaks of a picture, so that it can contradict it.
fn has_picture_metadata(format: Format) -> bool {
    is_walked(format) && format.kind() == MediaKind::Image
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
        if let Some(Layout::Pdf(layout)) = &structure.layout {
            evidence.extend(after_signature(layout));
        }
    }
    if let Some(markers) = &stages.markers {
        evidence.extend(markers.evidence.iter().cloned());
    }
    let found = stages.inspections.values().flatten();
    evidence.extend(found.map(|found| found.evidence.clone()));
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
        Some(
            Layout::Png(_)
            | Layout::Webp(_)
            | Layout::Tiff(_)
            | Layout::Iso(_)
            | Layout::Avi(_)
            | Layout::Wav(_)
            | Layout::Mp3(_)
            | Layout::Flac(_)
            | Layout::Ogg(_)
            | Layout::Pdf(_),
        )
        | None => ("structure", Family::Container),
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
    if let Some(Layout::Wav(layout)) = &structure.layout
        && let Some(figures) = layout.figures
    {
        evidence = evidence
            .metric("clipped_ppm", figures.clipped_ppm.into())
            .metric("dc_ppm", figures.dc_ppm.into())
            .metric("peak_ppm", figures.peak_ppm.into())
            .metric("zero_runs", figures.zero_runs.into());
        if let Some(hertz) = layout.bandwidth_hz {
            evidence = evidence.metric("bandwidth_hz", hertz.into());
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

#[cfg(test)]
mod harmless;
#[cfg(test)]
mod tests;
