//! Why a job of this kind has no result, and whether another attempt could have one.

use std::io;
use std::time::Duration;

use assay_blob::ContentId;
use assay_detectors::Parked;
use assay_forensics::Refusal;
use assay_worker_runtime::JobError;

use crate::analyst;

/// Codes of refusals: failures that are the file's or the request's own.
pub(crate) const CODES: [&str; 6] = [
    "empty_input",
    "corrupt_media",
    "limit_bytes",
    "limit_pixels",
    "source_not_found",
    "invalid_parameters",
];

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The payload names no content.
    #[error("read field content_id of the payload: it {0}")]
    ContentId(assay_blob::InvalidContentId),
    /// A field of the payload is not what the edge lets through.
    #[error("read field {field} of the payload: it must {must}")]
    Field {
        /// Its name.
        field: &'static str,
        /// What it must be.
        must: &'static str,
    },
    /// An option that does not exist, or a value that it cannot have.
    #[error("read option '{name}' of the payload: {must}")]
    Option {
        /// Its name, bounded by the edge.
        name: String,
        /// What to do.
        must: String,
    },
    /// No such content, or another tenant's.
    #[error("open content {id}: it is not stored; upload it, then submit again")]
    SourceNotFound {
        /// Its name.
        id: ContentId,
    },
    /// The stored bytes are not those that were uploaded.
    #[error(
        "check content {id}: the stored bytes hash to {found}; look at the disk under the blob folder"
    )]
    Checksum {
        /// Its name.
        id: ContentId,
        /// What its bytes would be called.
        found: ContentId,
    },
    /// The file cannot be analysed.
    #[error(transparent)]
    Refused(Refusal),
    /// The blob store did not answer.
    #[error(transparent)]
    Store(assay_blob::Error),
    /// The content could not be read.
    #[error("read content {id}: check the disk under the blob folder")]
    Read {
        /// Its name.
        id: ContentId,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// No child process could do the work.
    #[error(transparent)]
    Analyst(#[from] analyst::Error),
    /// A detector that the job cannot do without is shut off: nobody's fault, and the job waits.
    #[error(transparent)]
    Parked(#[from] Parked),
    /// A detector that the job cannot do without has said nothing.
    #[error("ask detector {name}, which is required: {status} ({why})")]
    Detector {
        /// Its name in the configuration.
        name: String,
        /// How asking it went.
        status: &'static str,
        /// Why.
        why: String,
    },
    /// Not even the first look at the file ended.
    #[error("look at the first bytes of the file: the analyst process gave up ({reason})")]
    FirstLook {
        /// Why.
        reason: &'static str,
    },
    /// A child process answered in a form that no stage has.
    #[error("read the result of stage {stage}")]
    StageForm {
        /// Which.
        stage: &'static str,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
}

impl Failure {
    /// The stable word for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::ContentId(_) | Self::Field { .. } | Self::Option { .. } => "invalid_parameters",
            Self::SourceNotFound { .. } => "source_not_found",
            Self::Checksum { .. } => "content_damaged",
            Self::Refused(refusal) => refusal.class(),
            Self::Store(_) | Self::Read { .. } => "store_unavailable",
            Self::Analyst(_) => "analyst_unavailable",
            Self::Parked(_) => "detector_shut_off",
            Self::Detector { .. } => "detector_unavailable",
            Self::FirstLook { .. } => "analyst_aborted",
            Self::StageForm { .. } => "analyst_disagrees",
        }
    }

    /// Whether every attempt would end like this.
    fn is_permanent(&self) -> bool {
        match self {
            Self::ContentId(_)
            | Self::Field { .. }
            | Self::Option { .. }
            | Self::SourceNotFound { .. }
            | Self::Refused(_) => true,
            // A damaged copy may be put right, a crowded machine may calm down, an update may be half done.
            Self::Checksum { .. }
            | Self::Store(_)
            | Self::Read { .. }
            | Self::Analyst(_)
            | Self::Parked(_)
            | Self::Detector { .. }
            | Self::FirstLook { .. }
            | Self::StageForm { .. } => false,
        }
    }
}

impl From<Failure> for JobError {
    fn from(failure: Failure) -> Self {
        if let Failure::Parked(parked) = &failure {
            Self::breaker_open(Some(Duration::from_millis(parked.after_ms)))
        } else if failure.is_permanent() {
            Self::permanent_from(failure.code(), &failure)
        } else {
            Self::transient_from(failure.code(), &failure)
        }
    }
}

#[cfg(test)]
mod tests {
    use assay_core::retry::FailureClass;

    use super::*;

    #[test]
    fn the_files_own_faults_are_permanent_and_have_a_known_code() {
        let id = ContentId::of(b"");
        let invalid = "x".parse::<ContentId>().unwrap_err();
        let own = [
            Failure::ContentId(invalid),
            Failure::Field {
                field: "x",
                must: "be short",
            },
            Failure::Option {
                name: "x".into(),
                must: "leave it out".to_owned(),
            },
            Failure::SourceNotFound { id },
            Failure::Refused(Refusal::EmptyInput),
        ];
        for failure in own {
            assert!(
                failure.is_permanent() && CODES.contains(&failure.code()),
                "{failure}"
            );
        }
        let ours = [
            Failure::Checksum { id, found: id },
            Failure::FirstLook { reason: "timeout" },
            Failure::Detector {
                name: "acme".to_owned(),
                status: "timeout",
                why: String::new(),
            },
        ];
        for failure in ours {
            assert!(
                !failure.is_permanent() && !CODES.contains(&failure.code()),
                "{failure}"
            );
        }
    }

    #[test]
    fn a_detector_that_is_shut_off_has_the_job_wait_and_one_that_fails_has_it_tried_again() {
        let parked = Parked {
            detector: "acme".to_owned(),
            until_ms: 31_000,
            after_ms: 30_000,
        };
        let thirty_seconds = Some(Duration::from_secs(30));
        assert_eq!(
            JobError::from(Failure::Parked(parked)),
            JobError::breaker_open(thirty_seconds)
        );
        let failed = Failure::Detector {
            name: "acme".to_owned(),
            status: "timeout",
            why: "no answer came in time".to_owned(),
        };
        let JobError::Failed(failure) = JobError::from(failed) else {
            panic!("it fails");
        };
        assert_eq!(failure.class, FailureClass::Transient);
        let message = "ask detector acme, which is required: timeout (no answer came in time)";
        assert_eq!(failure.message, message);
    }
}
