//! Reads what stages answered. A stage that was given up or left out answered nothing.

use std::collections::BTreeMap;

use assay_forensics::{Found, Inspection, Sniff, Stages};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::analyst::{StageOutcome, StageReport};
use crate::failure::Failure;
use crate::stages::{
    self, CredentialFound, FingerprintOutput, MetadataOutput, PixelOutput, ProvenanceOutput,
    SniffOutput, StructureOutput,
};

/// All answers in their own forms.
#[derive(Debug)]
pub(super) struct Outputs {
    pub(super) sniff: Sniff,
    pub(super) stages: Stages,
    pub(super) credential: Option<CredentialFound>,
    pub(super) maps: Maps,
}

/// Maps as PNG, by the id of their evidence.
pub(crate) type Maps = BTreeMap<String, Bytes>;

/// What the bytes are.
///
/// # Errors
/// The file is refused, or not even a first look at it ended.
pub(crate) fn first_look(reports: &[StageReport]) -> Result<Sniff, Failure> {
    let Some(sniff) = answer::<SniffOutput>(reports, stages::SNIFF)? else {
        return Err(Failure::FirstLook {
            reason: reason_of(reports),
        });
    };
    let sniff = sniff.map_err(Failure::Refused)?;
    match answer::<StructureOutput>(reports, stages::STRUCTURE)? {
        Some(Err(refusal)) => Err(Failure::Refused(refusal)),
        Some(Ok(_)) | None => Ok(sniff),
    }
}

pub(super) fn read(reports: &[StageReport]) -> Result<Outputs, Failure> {
    let sniff = first_look(reports)?;
    let structure = answer::<StructureOutput>(reports, stages::STRUCTURE)?
        .transpose()
        .map_err(Failure::Refused)?;
    let found = answer::<MetadataOutput>(reports, stages::METADATA)?.flatten();
    let (metadata, markers) = found.map(|found| (found.metadata, found.markers)).unzip();
    let fingerprint = answer::<FingerprintOutput>(reports, stages::FINGERPRINT)?.flatten();
    let credential = answer::<ProvenanceOutput>(reports, stages::PROVENANCE)?.flatten();
    let mut maps = Maps::new();
    let mut inspections = BTreeMap::new();
    for inspection in Inspection::ALL {
        if let Some(found) = read_pixels(reports, inspection, &mut maps)? {
            inspections.insert(inspection, found);
        }
    }
    let stages = Stages {
        sniff: Some(sniff.clone()),
        structure,
        metadata,
        markers,
        fingerprint,
        inspections,
        refusal: None,
    };
    Ok(Outputs {
        sniff,
        stages,
        credential,
        maps,
    })
}

/// A map that is no base64 is none: the child that made it has read a stranger's file.
fn read_pixels(
    reports: &[StageReport],
    inspection: Inspection,
    maps: &mut Maps,
) -> Result<Option<Vec<Found>>, Failure> {
    let stage = stages::of_inspection(inspection);
    let Some(findings) = answer::<PixelOutput>(reports, stage)?.flatten() else {
        return Ok(None);
    };
    let mut found = Vec::with_capacity(findings.len());
    for finding in findings {
        let png = finding.map.and_then(|map| STANDARD.decode(map).ok());
        if let Some(png) = png {
            maps.insert(finding.evidence.id.clone(), png.into());
        }
        found.push(Found {
            evidence: finding.evidence,
            facts: finding.facts,
            map: None,
        });
    }
    Ok(Some(found))
}

fn answer<T: DeserializeOwned>(
    reports: &[StageReport],
    stage: &'static str,
) -> Result<Option<T>, Failure> {
    match reports
        .iter()
        .find(|report| report.stage == stage)
        .map(|report| &report.outcome)
    {
        Some(StageOutcome::Ok(output)) => {
            let answer =
                T::deserialize(output).map_err(|source| Failure::StageForm { stage, source })?;
            Ok(Some(answer))
        }
        Some(StageOutcome::Aborted(_)) | None => Ok(None),
    }
}

fn reason_of(reports: &[StageReport]) -> &'static str {
    let first = reports.iter().find(|report| report.stage == stages::SNIFF);
    match first.map(|report| &report.outcome) {
        Some(StageOutcome::Aborted(abort)) => abort.reason.as_str(),
        Some(StageOutcome::Ok(_)) | None => "unknown",
    }
}
