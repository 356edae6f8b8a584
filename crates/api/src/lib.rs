//! The wire: messages, clients and servers generated from `proto/assay/v1`.
//!
//! The protos are the contract and hold its documentation. Byte fields are [`bytes::Bytes`]; maps are
//! ordered, so that equal messages encode to equal bytes.
//!
//! Not here: meaning. The gateway turns these messages into words of `assay-core` and checks them there;
//! nothing behind the gateway sees them, except a worker its own payload.

/// Version 1 of the API.
pub mod v1 {
    #![expect(
        unused_qualifications,
        clippy::allow_attributes,
        clippy::allow_attributes_without_reason,
        clippy::clone_on_ref_ptr,
        clippy::doc_markdown,
        clippy::excessive_nesting,
        clippy::large_enum_variant,
        clippy::too_many_lines,
        reason = "generated code: nobody reads or edits it"
    )]
    tonic::include_proto!("assay.v1");
}

/// The encoded descriptors of what our servers serve, and of its imports: what server reflection answers.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The largest result that [`v1::GetJobResultResponse`] holds, in bytes.
pub const RESULT_BYTES_MAX: usize = 3 * 1024 * 1024;

/// The largest chunk of an upload, in bytes.
pub const CHUNK_BYTES_MAX: usize = 256 * 1024;

/// The domain of every `google.rpc.ErrorInfo`.
pub const ERROR_DOMAIN: &str = "assay";

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use prost::Message;

    use super::{FILE_DESCRIPTOR_SET, v1};

    #[test]
    fn the_descriptors_hold_every_service_that_we_serve_and_their_imports() {
        let files = prost_types::FileDescriptorSet::decode(FILE_DESCRIPTOR_SET)
            .unwrap()
            .file;
        let services = files.iter().flat_map(|file| &file.service);
        let mut names: Vec<_> = services.map(|service| service.name()).collect();
        names.sort_unstable();
        assert_eq!(names, ["AdminService", "ContentService", "JobService"]);
        assert!(
            files
                .iter()
                .any(|file| file.name() == "google/protobuf/timestamp.proto")
        );
    }

    #[test]
    fn equal_messages_encode_to_equal_bytes() {
        let message = |keys: [&str; 3]| v1::ContentVerification {
            options: BTreeMap::from(keys.map(|key| (key.to_owned(), key.to_owned()))),
            ..v1::ContentVerification::default()
        };
        let (one, other) = (message(["a", "b", "c"]), message(["c", "b", "a"]));
        assert_eq!(one.encode_to_vec(), other.encode_to_vec());
    }
}
