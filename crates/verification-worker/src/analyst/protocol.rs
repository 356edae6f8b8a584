//! What parent and child say to each other: one request as an argument, then lines of JSON.
//!
//! Both ends are one binary, so the form may change with any build. The parent still believes nothing: the child has
//! read a stranger's file.

use std::path::PathBuf;

use assay_detectors::Rendition;
use assay_forensics::{Hints, Limits};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::confine::Confinement;

/// Everything a child is told. Travels as its second argument, so it names no file and no person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Request {
    /// Stages to run, in this order.
    pub(crate) stages: Vec<String>,
    /// Process id of the parent. A child that sees another parent has been orphaned, and ends.
    pub(crate) parent: u32,
    /// What the child forbids itself before it opens the input.
    pub(crate) confinement: Confinement,
    /// What the stages work with.
    pub(crate) work: Work,
}

/// What stages work with besides the bytes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Work {
    /// What the sender says about the file.
    pub hints: Hints,
    /// Bounds on what the file may ask for.
    pub limits: Limits,
    /// Folder of trust lists; without one no signer is checked.
    pub trust_folder: Option<PathBuf>,
    /// What is to be made of a picture, for the stage that shows pictures to detectors.
    pub rendition: Option<Rendition>,
}

/// One line from a child.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Line {
    /// A stage begins.
    Started {
        /// Which.
        stage: String,
    },
    /// The stage that began last has ended.
    Finished {
        /// Which.
        stage: String,
        /// What it found, in the stage's own form.
        output: Value,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_read_back_as_they_were_written() {
        let stage = || "structure".to_owned();
        let lines = [
            Line::Started { stage: stage() },
            Line::Finished {
                stage: stage(),
                output: serde_json::json!({ "a": [1, null] }),
            },
        ];
        for line in lines {
            let json = serde_json::to_string(&line).unwrap();
            assert!(!json.contains('\n'));
            assert_eq!(serde_json::from_str::<Line>(&json).unwrap(), line);
        }
        assert!(
            serde_json::from_str::<Line>(r#"{"event":"started","stage":"a","more":1}"#).is_err()
        );
    }
}
