//! The stages that children run: each a function of the bytes alone, so that any child can run any of them.
//!
//! A stage looks again at what stages before it have looked at. That is cheap, and keeps a stage that was given up
//! from taking the others with it.

mod thumbnail;

use assay_forensics::{
    Evidence, Fact, Fingerprint, Format, Found, Inspection, Markers, Metadata, Refusal, Sniff,
    Structure, declared, fingerprint, inspect as inspect_pixels, sniff, structure,
};
use assay_provenance::{Report, TrustLists, inspect};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::analyst::{Stage, Work};

/// What the bytes are.
pub const SNIFF: &str = "sniff";
/// How the file is built.
pub const STRUCTURE: &str = "structure";
/// What metadata says.
pub const METADATA: &str = "metadata";
/// What a credential says, and whether it holds.
pub const PROVENANCE: &str = "provenance";
/// What the picture looks like.
pub const FINGERPRINT: &str = "fingerprint";

/// Traces of a compression before the last one.
pub const DOUBLE_QUANTISATION: &str = "double_quantisation";
/// The grid of blocks of an earlier compression.
pub const GRID: &str = "grid";
/// Parts of the picture copied within it.
pub const COPY_MOVE: &str = "copy_move";
/// The embedded small picture against the large one.
pub const THUMBNAIL: &str = "thumbnail";
/// Invisible marks with a public key.
pub const WATERMARK: &str = "watermark";

/// All stages, in their order.
pub const ALL: [Stage; 10] = [
    Stage {
        name: SNIFF,
        run: |work, bytes| form(&first_look(work, bytes)),
    },
    Stage {
        name: STRUCTURE,
        run: |work, bytes| form(&walk(work, bytes).map(|(_, structure)| structure)),
    },
    Stage {
        name: METADATA,
        run: |work, bytes| form(&read_metadata(work, bytes)),
    },
    Stage {
        name: PROVENANCE,
        run: |work, bytes| form(&check_credential(work, bytes)),
    },
    Stage {
        name: FINGERPRINT,
        run: |work, bytes| form(&take_fingerprint(work, bytes)),
    },
    Stage {
        name: DOUBLE_QUANTISATION,
        run: |work, bytes| form(&look_at_pixels(Inspection::DoubleQuantisation, work, bytes)),
    },
    Stage {
        name: GRID,
        run: |work, bytes| form(&look_at_pixels(Inspection::Grid, work, bytes)),
    },
    Stage {
        name: COPY_MOVE,
        run: |work, bytes| form(&look_at_pixels(Inspection::CopyMove, work, bytes)),
    },
    Stage {
        name: THUMBNAIL,
        run: |work, bytes| form(&thumbnail::compare(work, bytes)),
    },
    Stage {
        name: WATERMARK,
        run: |work, bytes| form(&look_at_pixels(Inspection::Watermark, work, bytes)),
    },
];

/// The stage that an inspection is.
pub(crate) fn of_inspection(inspection: Inspection) -> &'static str {
    match inspection {
        Inspection::DoubleQuantisation => DOUBLE_QUANTISATION,
        Inspection::Grid => GRID,
        Inspection::CopyMove => COPY_MOVE,
        Inspection::Thumbnail => THUMBNAIL,
        Inspection::Watermark => WATERMARK,
    }
}

/// What [`SNIFF`] answers.
pub(crate) type SniffOutput = Result<Sniff, Refusal>;
/// What [`STRUCTURE`] answers.
pub(crate) type StructureOutput = Result<Structure, Refusal>;
/// What [`METADATA`] answers; nothing if the file was refused before.
pub(crate) type MetadataOutput = Option<MetadataFound>;
/// What [`PROVENANCE`] answers; nothing if the file was refused before.
pub(crate) type ProvenanceOutput = Option<CredentialFound>;
/// What [`FINGERPRINT`] answers; nothing if the file was refused before.
pub(crate) type FingerprintOutput = Option<Fingerprint>;
/// What the stages that look at pixels answer; nothing if the file was refused before.
pub(crate) type PixelOutput = Option<Vec<PixelFinding>>;

/// One finding in the pixels, with its map as a picture: cells as numbers would be long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PixelFinding {
    pub(crate) evidence: Evidence,
    pub(crate) facts: Vec<Fact>,
    /// PNG, in base64.
    pub(crate) map: Option<String>,
}

/// Metadata and the marks in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct MetadataFound {
    /// Without its texts: the marks are all that is wanted of them, and they are large.
    pub(crate) metadata: Metadata,
    pub(crate) markers: Markers,
}

/// The answer about a credential.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CredentialFound {
    /// It was looked for; the report says what came of it.
    Report(Box<Report>),
    /// It could not be looked for, or not read.
    Unread(Unread),
}

/// Why a credential was not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unread {
    pub(crate) class: UnreadClass,
    /// One sentence.
    pub(crate) why: String,
}

/// Whose doing it is that a credential was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum UnreadClass {
    /// The container cannot be walked, so there may be one or not.
    Container,
    /// There is one, too damaged to be read.
    Credential,
    /// The file asks for more than a bound allows.
    Limit,
    /// Ours: the validator's or the trust folder's.
    Machine,
}

/// Why the file cannot be analysed, if that is what the stage found.
pub(crate) fn refusal(stage: &str, output: &Value) -> Option<Refusal> {
    let judges = [SNIFF, STRUCTURE].contains(&stage);
    let refusal = output.get("Err").filter(|_| judges)?;
    Refusal::deserialize(refusal).ok()
}

fn first_look(work: &Work, bytes: &[u8]) -> SniffOutput {
    sniff(bytes, &work.hints, &work.limits)
}

fn walk(work: &Work, bytes: &[u8]) -> Result<(Sniff, Structure), Refusal> {
    let sniff = first_look(work, bytes)?;
    let structure = structure(bytes, &sniff, &work.limits)?;
    Ok((sniff, structure))
}

/// As [`walk`], for stages that look at pixels: in a file of a format that is not decoded and that holds no pictures
/// either, there is nothing behind the first look for them, and walking a large recording again for each would cost more than all the rest.
fn walk_to_pixels(work: &Work, bytes: &[u8]) -> Result<(Sniff, Structure), Refusal> {
    let sniff = first_look(work, bytes)?;
    if !sniff.format.is_decoded() && sniff.format != Format::Pdf {
        return Ok((sniff, Structure::default()));
    }
    let structure = structure(bytes, &sniff, &work.limits)?;
    Ok((sniff, structure))
}

fn read_metadata(work: &Work, bytes: &[u8]) -> MetadataOutput {
    let (sniff, structure) = walk(work, bytes).ok()?;
    let (mut metadata, markers) = declared(bytes, &sniff, &structure, &work.limits);
    metadata.texts.clear();
    Some(MetadataFound { metadata, markers })
}

fn check_credential(work: &Work, bytes: &[u8]) -> ProvenanceOutput {
    let sniff = first_look(work, bytes).ok()?;
    let lists = match &work.trust_folder {
        Some(folder) => TrustLists::from_folder(folder),
        None => Ok(TrustLists::default()),
    };
    let report = lists.and_then(|lists| inspect(bytes, &sniff.mime, &lists));
    Some(match report {
        Ok(report) => CredentialFound::Report(Box::new(report)),
        Err(error) => CredentialFound::Unread(Unread {
            class: class_of(&error),
            why: error.to_string(),
        }),
    })
}

fn class_of(error: &assay_provenance::Error) -> UnreadClass {
    use assay_provenance::Error;
    if matches!(error, Error::CorruptMedia { .. }) {
        UnreadClass::Container
    } else if matches!(error, Error::UnreadableCredential { .. }) {
        UnreadClass::Credential
    } else if matches!(error, Error::OverLimit { .. }) {
        UnreadClass::Limit
    } else {
        UnreadClass::Machine
    }
}

fn take_fingerprint(work: &Work, bytes: &[u8]) -> FingerprintOutput {
    let (sniff, structure) = walk_to_pixels(work, bytes).ok()?;
    Some(fingerprint(bytes, &sniff, &structure, &work.limits))
}

fn look_at_pixels(inspection: Inspection, work: &Work, bytes: &[u8]) -> PixelOutput {
    let (sniff, structure) = walk_to_pixels(work, bytes).ok()?;
    let found = inspect_pixels(inspection, bytes, &sniff, &structure, &work.limits);
    Some(found.into_iter().map(PixelFinding::from).collect())
}

impl From<Found> for PixelFinding {
    fn from(found: Found) -> Self {
        let png = found.map.and_then(|map| map.png());
        Self {
            evidence: found.evidence,
            facts: found.facts,
            map: png.map(|png| STANDARD.encode(png)),
        }
    }
}

/// Outputs are structs and texts: all of them have a JSON form. Were one without, the parent would find `null` where
/// no stage answers so, and say so.
fn form<T: Serialize>(output: &T) -> Value {
    serde_json::to_value(output).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str, bytes: &[u8]) -> Value {
        let stage = ALL.iter().find(|stage| stage.name == name).unwrap();
        (stage.run)(&Work::default(), bytes)
    }

    #[test]
    fn every_stage_answers_in_its_form_whatever_the_bytes() {
        let (empty, text): (&[u8], &[u8]) = (b"", b"just some words");
        let sound =
            b"RIFF\x28\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0\
            data\x04\0\0\0\x01\0\x02\0";
        for bytes in [empty, text, sound] {
            assert!(serde_json::from_value::<SniffOutput>(run(SNIFF, bytes)).is_ok());
            assert!(serde_json::from_value::<StructureOutput>(run(STRUCTURE, bytes)).is_ok());
            for inspection in Inspection::ALL {
                let found: PixelOutput =
                    serde_json::from_value(run(of_inspection(inspection), bytes)).unwrap();
                assert_eq!(found.is_none(), bytes.is_empty());
            }
            let refused = bytes.is_empty();
            let metadata: MetadataOutput = serde_json::from_value(run(METADATA, bytes)).unwrap();
            let provenance: ProvenanceOutput =
                serde_json::from_value(run(PROVENANCE, bytes)).unwrap();
            let fingerprint: FingerprintOutput =
                serde_json::from_value(run(FINGERPRINT, bytes)).unwrap();
            assert_eq!(
                (
                    metadata.is_none(),
                    provenance.is_none(),
                    fingerprint.is_none()
                ),
                (refused, refused, refused)
            );
        }
    }

    #[test]
    fn a_broken_trust_folder_is_ours() {
        let work = Work {
            trust_folder: Some("/nowhere/trust".into()),
            ..Work::default()
        };
        let found = check_credential(&work, b"just some words");
        let Some(CredentialFound::Unread(unread)) = found else {
            panic!("{found:?}")
        };
        assert_eq!(unread.class, UnreadClass::Machine);
        assert!(
            unread.why.starts_with("read /nowhere/trust"),
            "{}",
            unread.why
        );
    }
}
