//! Names of content, and what a client says about a file.

use assay_api::v1 as pb;
use assay_blob::ContentId;

use super::{Fields, one};
use crate::limits::FILE_TEXT_BYTES_MAX;
use crate::status::Refusal;

/// What a client announced of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Announced {
    /// Its size in bytes, if known.
    pub(crate) bytes: Option<u64>,
    /// Its name, if the hash is known.
    pub(crate) id: Option<ContentId>,
}

/// Reads the metadata of an upload.
pub(crate) fn announced(metadata: &pb::ContentMetadata) -> Result<Announced, Refusal> {
    let mut fields = Fields::default();
    file_name(&mut fields, "metadata.file_name", &metadata.file_name);
    fields.text(
        "metadata.declared_mime",
        &metadata.declared_mime,
        FILE_TEXT_BYTES_MAX,
    );
    let given = !metadata.sha256.is_empty();
    let id = ContentId::from_hex(&metadata.sha256)
        .map_err(|_| "must be 64 lower-case hexadecimal digits, or empty");
    let id = given.then(|| fields.check("metadata.sha256", id));
    fields.finish()?;
    Ok(Announced {
        bytes: metadata.size_bytes,
        id: id.flatten(),
    })
}

/// Reads the one field of a request for content.
pub(crate) fn content_id(text: &str) -> Result<ContentId, Refusal> {
    one("content_id", text.parse())
}

/// Reads the payload of a verification; what it names must then be looked for.
pub(super) fn verification(
    fields: &mut Fields,
    payload: &pb::ContentVerification,
) -> Option<ContentId> {
    file_name(fields, "content_verification.file_name", &payload.file_name);
    fields.text(
        "content_verification.declared_mime",
        &payload.declared_mime,
        FILE_TEXT_BYTES_MAX,
    );
    super::submit::labels(fields, "content_verification.options", &payload.options);
    fields.check(
        "content_verification.content_id",
        payload.content_id.parse(),
    )
}

/// A name with a folder could be mistaken for a path by somebody, some day.
fn file_name(fields: &mut Fields, field: &str, name: &str) {
    fields.text(field, name, FILE_TEXT_BYTES_MAX);
    if name.contains(['/', '\\']) {
        fields.refuse(field, "must be a name without a folder");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_may_be_empty() {
        let announced = announced(&pb::ContentMetadata::default()).unwrap();
        assert_eq!(announced, Announced::default());
    }

    #[test]
    fn what_is_announced_is_read() {
        let id = ContentId::of(b"abc");
        let metadata = pb::ContentMetadata {
            file_name: "n".repeat(FILE_TEXT_BYTES_MAX),
            declared_mime: "m".repeat(FILE_TEXT_BYTES_MAX),
            size_bytes: Some(3),
            sha256: id.hex(),
        };
        let expected = Announced {
            bytes: Some(3),
            id: Some(id),
        };
        assert_eq!(announced(&metadata), Ok(expected));
    }

    #[test]
    fn every_wrong_field_of_metadata_is_named() {
        let metadata = pb::ContentMetadata {
            file_name: "folder/name".to_owned(),
            declared_mime: "m".repeat(FILE_TEXT_BYTES_MAX + 1),
            size_bytes: None,
            sha256: "ABC".to_owned(),
        };
        let refusal = announced(&metadata).unwrap_err();
        let fields: Vec<_> = refusal
            .violations()
            .iter()
            .map(|wrong| wrong.field.as_str())
            .collect();
        assert_eq!(
            fields,
            [
                "metadata.file_name",
                "metadata.declared_mime",
                "metadata.sha256"
            ]
        );
    }
}
