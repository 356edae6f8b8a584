//! Families: what counts once.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The start of the name of an external detector's family.
const EXTERNAL_PREFIX: &str = "external:";

/// Analyses that look at the same traces. Written as a name, e.g. `jpeg_history` or `external:acme`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Family {
    /// Checked signatures over the content.
    ProvenanceCrypto,
    /// What metadata says without a signature.
    DeclaredMetadata,
    /// Watermarks with a known key.
    Watermark,
    /// Traces of earlier JPEG compression.
    JpegHistory,
    /// Parts of the picture that repeat.
    SelfSimilarity,
    /// The embedded small picture against the large one.
    Thumbnail,
    /// Traces of a sensor.
    Sensor,
    /// The structure of the file.
    Container,
    /// Exact hashes that somebody vouches for.
    Registry,
    /// A detector outside of Assay, by its name.
    External(String),
}

/// A name that is no family's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "read evidence family {name:?}: known are the names of families and \"external:<detector>\""
)]
pub struct FamilyNameError {
    name: String,
}

impl Family {
    /// The families without a detector's name.
    pub const INTERNAL: [Self; 9] = [
        Self::ProvenanceCrypto,
        Self::DeclaredMetadata,
        Self::Watermark,
        Self::JpegHistory,
        Self::SelfSimilarity,
        Self::Thumbnail,
        Self::Sensor,
        Self::Container,
        Self::Registry,
    ];

    /// Whether evidence of this family can prove that media is authentic. What anybody can write cannot.
    #[must_use]
    pub fn can_prove(&self) -> bool {
        match self {
            Self::ProvenanceCrypto | Self::Sensor | Self::Registry => true,
            Self::DeclaredMetadata
            | Self::Watermark
            | Self::JpegHistory
            | Self::SelfSimilarity
            | Self::Thumbnail
            | Self::Container
            | Self::External(_) => false,
        }
    }

    fn internal_name(&self) -> &str {
        match self {
            Self::ProvenanceCrypto => "provenance_crypto",
            Self::DeclaredMetadata => "declared_metadata",
            Self::Watermark => "watermark",
            Self::JpegHistory => "jpeg_history",
            Self::SelfSimilarity => "self_similarity",
            Self::Thumbnail => "thumbnail",
            Self::Sensor => "sensor",
            Self::Container => "container",
            Self::Registry => "registry",
            Self::External(name) => name,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::External(_) = self {
            f.write_str(EXTERNAL_PREFIX)?;
        }
        f.write_str(self.internal_name())
    }
}

impl From<Family> for String {
    fn from(family: Family) -> Self {
        family.to_string()
    }
}

impl TryFrom<String> for Family {
    type Error = FamilyNameError;

    fn try_from(name: String) -> Result<Self, FamilyNameError> {
        if let Some(detector) = name.strip_prefix(EXTERNAL_PREFIX) {
            return Ok(Self::External(detector.to_owned()));
        }
        Self::INTERNAL
            .into_iter()
            .find(|family| family.internal_name() == name)
            .ok_or(FamilyNameError { name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_written() {
        let external = Family::External("acme".to_owned());
        assert_eq!(external.to_string(), "external:acme");
        for family in Family::INTERNAL.into_iter().chain([external]) {
            assert_eq!(Family::try_from(family.to_string()), Ok(family));
        }
        assert!(Family::try_from("hearsay".to_owned()).is_err());
    }
}
