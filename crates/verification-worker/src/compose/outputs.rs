//! Reads what stages answered. A stage that was given up or left out answered nothing.

use assay_forensics::{Sniff, Stages};
use serde::de::DeserializeOwned;

use crate::analyst::{StageOutcome, StageReport};
use crate::failure::Failure;
use crate::stages::{
    self, CredentialFound, FingerprintOutput, MetadataOutput, ProvenanceOutput, SniffOutput,
    StructureOutput,
};

/// All answers in their own forms.
#[derive(Debug)]
pub(super) struct Outputs {
    pub(super) sniff: Sniff,
    pub(super) stages: Stages,
    pub(super) credential: Option<CredentialFound>,
}

pub(super) fn read(reports: &[StageReport]) -> Result<Outputs, Failure> {
    let Some(sniff) = answer::<SniffOutput>(reports, stages::SNIFF)? else {
        return Err(Failure::FirstLook {
            reason: reason_of(reports),
        });
    };
    let sniff = sniff.map_err(Failure::Refused)?;
    let structure = answer::<StructureOutput>(reports, stages::STRUCTURE)?
        .transpose()
        .map_err(Failure::Refused)?;
    let found = answer::<MetadataOutput>(reports, stages::METADATA)?.flatten();
    let (metadata, markers) = found.map(|found| (found.metadata, found.markers)).unzip();
    let fingerprint = answer::<FingerprintOutput>(reports, stages::FINGERPRINT)?.flatten();
    let credential = answer::<ProvenanceOutput>(reports, stages::PROVENANCE)?.flatten();
    let stages = Stages {
        sniff: Some(sniff.clone()),
        structure,
        metadata,
        markers,
        fingerprint,
        refusal: None,
    };
    Ok(Outputs {
        sniff,
        stages,
        credential,
    })
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
