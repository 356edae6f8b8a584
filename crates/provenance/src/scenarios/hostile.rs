//! Files that are not what they claim, or that are made to hurt.

use c2pa::{Builder, Context, EphemeralSigner};

use super::*;
use crate::trust::Anchors;
use crate::{Error, State};

fn outcome(bytes: &[u8], mime: &str) -> Result<State, Error> {
    inspect(bytes, mime, &TrustLists::default()).map(|report| report.state)
}

#[test]
fn a_container_that_cannot_be_walked_is_corrupt() {
    let png_without_end = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0";
    assert!(matches!(
        outcome(png_without_end, "image/png"),
        Err(Error::CorruptMedia { .. })
    ));
}

#[test]
fn bytes_that_are_no_container_have_nothing_to_read() {
    for bytes in [b"just some words".as_slice(), b""] {
        let state = outcome(bytes, "image/jpeg");
        assert!(
            matches!(state, Ok(State::NotApplicable { .. })),
            "{state:?}"
        );
    }
}

#[test]
fn a_forged_riff_size_is_corrupt_and_allocates_nothing() {
    let bytes = b"RIFF\xff\xff\xff\x7fWEBPC2PA\xff\xff\xff\x7f";
    assert_eq!(bytes.len(), 20);
    assert!(matches!(
        outcome(bytes, "image/webp"),
        Err(Error::CorruptMedia { .. })
    ));
}

#[test]
fn a_tiff_that_names_too_many_directories_is_not_parsed() {
    // Every one of the named directories is the first one, over and over: the validator would read each.
    let directories = 8_000_u32;
    let mut bytes = b"II*\0\x08\0\0\0\x01\0\x4a\x01\x04\0".to_vec();
    bytes.extend(directories.to_le_bytes());
    bytes.extend(26_u32.to_le_bytes());
    bytes.extend(0_u32.to_le_bytes());
    bytes.extend(8_u32.to_le_bytes().repeat(8_000));
    bytes.extend(b"c2pa");
    let State::Skipped { reason } = outcome(&bytes, "image/tiff").unwrap() else {
        panic!("parsed")
    };
    assert!(reason.contains("8000 subordinate directories"), "{reason}");
}

#[test]
fn a_kind_that_carries_no_credential_we_read_is_not_applicable() {
    assert!(matches!(
        outcome(b"%PDF-1.7\n", "application/pdf"),
        Ok(State::NotApplicable { .. })
    ));
    assert!(matches!(
        outcome(b"hello", "text/plain"),
        Ok(State::NotApplicable { .. })
    ));
}

#[test]
fn a_credential_elsewhere_is_named_and_not_fetched() {
    let url = "https://credentials.test/picture.c2pa";
    let context = Context::new()
        .with_settings(TrustLists::default().settings(Anchors::SignersOnly))
        .unwrap();
    let mut builder = Builder::from_context(context)
        .with_definition(serde_json::json!({ "title": "away" }))
        .unwrap();
    builder.set_remote_url(url).set_no_embed(true);
    let mut away = std::io::Cursor::new(Vec::new());
    let signer = EphemeralSigner::new("camera.test").unwrap();
    builder
        .sign(
            &signer,
            "image/jpeg",
            &mut std::io::Cursor::new(jpeg().bytes),
            &mut away,
        )
        .unwrap();
    assert_eq!(
        outcome(&away.into_inner(), "image/jpeg").unwrap(),
        State::RemoteNotFetched {
            url: url.to_owned()
        }
    );
}
