//! What a job asks for, checked again: the edge that let it in may be of another version.

use assay_api::v1::ContentVerification;
use assay_blob::ContentId;
use assay_forensics::Hints;

use crate::failure::Failure;
use crate::options::Options;

/// Longest file name or media type of a payload, in bytes.
pub(crate) const HINT_BYTES_MAX: usize = 255;
/// The longest extension of a file name that is believed to be one, in bytes.
const EXTENSION_BYTES_MAX: usize = 16;

/// A payload that holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked {
    pub(crate) content_id: ContentId,
    /// What a child is told of the sender's words.
    pub(crate) hints: Hints,
    pub(crate) options: Options,
}

impl Asked {
    /// Reads a payload.
    ///
    /// # Errors
    /// The first field that is not as the interface says.
    pub(crate) fn read(payload: &ContentVerification) -> Result<Self, Failure> {
        let hints = [
            ("file_name", &payload.file_name),
            ("declared_mime", &payload.declared_mime),
        ];
        for (field, text) in hints {
            if text.len() > HINT_BYTES_MAX || text.chars().any(char::is_control) {
                let must = "have at most 255 bytes and no control characters";
                return Err(Failure::Field { field, must });
            }
        }
        Ok(Self {
            content_id: payload.content_id.parse().map_err(Failure::ContentId)?,
            hints: hints_of(payload),
            options: Options::read(&payload.options)?,
        })
    }
}

/// A child's arguments can be read by everybody on the machine, so of the file's name it gets the extension only.
fn hints_of(payload: &ContentVerification) -> Hints {
    let extension = payload
        .file_name
        .rsplit_once('.')
        .map(|(_, extension)| extension);
    let known = extension.filter(|extension| {
        let alphanumeric = extension.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (1..=EXTENSION_BYTES_MAX).contains(&extension.len()) && alphanumeric
    });
    Hints {
        file_name: known.map(|extension| format!("file.{extension}")),
        declared_mime: Some(payload.declared_mime.clone()).filter(|mime| !mime.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload() -> ContentVerification {
        let content_id = ContentId::of(b"").to_string();
        ContentVerification {
            content_id,
            ..ContentVerification::default()
        }
    }

    #[test]
    fn a_child_learns_the_extension_and_not_the_name() {
        let hints = |name: &str| {
            let payload = ContentVerification {
                file_name: name.to_owned(),
                ..payload()
            };
            Asked::read(&payload).unwrap().hints.file_name
        };
        assert_eq!(hints("Anna at the beach.JPG").as_deref(), Some("file.JPG"));
        assert_eq!(hints("a.tar.gz").as_deref(), Some("file.gz"));
        for name in [
            "",
            "no extension",
            "dot.",
            "a.with space",
            "a.abcdefghijklmnopq",
        ] {
            assert_eq!(hints(name), None, "{name}");
        }
        assert_eq!(
            hints("a.abcdefghijklmnop").as_deref(),
            Some("file.abcdefghijklmnop")
        );
    }

    #[test]
    fn the_senders_words_are_bounded() {
        let full = "m".repeat(HINT_BYTES_MAX);
        let with = |text: &str| {
            let name = ContentVerification {
                file_name: text.to_owned(),
                ..payload()
            };
            let mime = ContentVerification {
                declared_mime: text.to_owned(),
                ..payload()
            };
            (Asked::read(&name).is_ok(), Asked::read(&mime).is_ok())
        };
        assert_eq!(with(&full), (true, true));
        assert_eq!(with(&format!("{full}m")), (false, false));
        assert_eq!(with("line\nbreak"), (false, false));
    }

    #[test]
    fn content_must_have_a_name() {
        let failure = Asked::read(&ContentVerification::default()).unwrap_err();
        assert_eq!(failure.code(), "invalid_parameters");
        assert!(
            failure
                .to_string()
                .starts_with("read field content_id of the payload: it must be")
        );
    }
}
