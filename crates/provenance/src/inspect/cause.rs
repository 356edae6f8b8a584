//! What the validator's errors mean for the one who asked.

use crate::clip;
use crate::error::Error;
use crate::report::State;

/// Some of the validator's errors are ordinary findings.
#[expect(clippy::wildcard_enum_match_arm, reason = "the rest is sorted below")]
pub(super) fn state_without_credential(error: c2pa::Error) -> Result<State, Error> {
    use c2pa::Error as Cause;
    match error {
        Cause::JumbfNotFound | Cause::ProvenanceMissing => Ok(State::Absent),
        Cause::RemoteManifestUrl(url) | Cause::RemoteManifestFetch(url) => {
            Ok(State::RemoteNotFetched { url: clip(&url) })
        }
        Cause::UnsupportedType => Ok(State::NotApplicable {
            reason: "credentials are not read from this kind of file".to_owned(),
        }),
        other => Err(classify(other)),
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a foreign enum of a hundred causes that grows with each version"
)]
pub(super) fn classify(error: c2pa::Error) -> Error {
    use c2pa::Error as Cause;
    let reason = clip(&error.to_string());
    match error {
        Cause::InvalidAsset(_)
        | Cause::BmffError(_)
        | Cause::GifError(_)
        | Cause::JpegError(_)
        | Cause::Mp3Error(_)
        | Cause::FlacError(_)
        | Cause::PngError(_)
        | Cause::RiffError(_)
        | Cause::SvgError(_)
        | Cause::TiffError(_)
        | Cause::ZipError(_)
        | Cause::EmbeddingError
        // The bytes are in memory: the only way to fail is to end too early.
        | Cause::IoError(_) => Error::CorruptMedia { reason },
        Cause::InsufficientMemory | Cause::TooManyAssertions { .. } => Error::OverLimit { reason },
        Cause::BadParam(_) | Cause::InternalError(_) | Cause::OtherError(_) | Cause::OperationCancelled => {
            Error::Validator { reason }
        }
        _ => Error::UnreadableCredential { reason },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_findings_are_states_and_the_rest_are_classes_of_errors() {
        use c2pa::Error as Cause;
        let of = state_without_credential;
        assert_eq!(of(Cause::JumbfNotFound).unwrap(), State::Absent);
        let url = "https://example.test/m.c2pa".to_owned();
        assert_eq!(
            of(Cause::RemoteManifestUrl(url.clone())).unwrap(),
            State::RemoteNotFetched { url }
        );
        assert!(matches!(
            of(Cause::UnsupportedType).unwrap(),
            State::NotApplicable { .. }
        ));
        assert!(matches!(
            of(Cause::InvalidAsset("x".into())),
            Err(Error::CorruptMedia { .. })
        ));
        assert!(matches!(
            of(Cause::InsufficientMemory),
            Err(Error::OverLimit { .. })
        ));
        assert!(matches!(
            of(Cause::ClaimDecoding("x".into())),
            Err(Error::UnreadableCredential { .. })
        ));
        assert!(matches!(
            of(Cause::InternalError("x".into())),
            Err(Error::Validator { .. })
        ));
    }
}
