//! Credentials that no longer fit.

use super::*;
use crate::{Code, Error, State};

fn signed() -> Media {
    let declaration = Declaration {
        title: Some("Harbour".to_owned()),
        thumbnail: Some(jpeg()),
        ..Declaration::capture()
    };
    signed_by(&authority(), &jpeg(), &declaration)
}

#[test]
fn a_changed_picture_breaks_the_binding_and_leaves_the_credential_readable() {
    for media in [jpeg(), png()] {
        let authority = authority();
        let declaration = Declaration {
            thumbnail: Some(jpeg()),
            ..Declaration::capture()
        };
        let changed = with_flipped_bit(&signed_by(&authority, &media, &declaration));
        let report = inspected(&changed, &authority.trust_lists().unwrap());
        assert_eq!(report.state, State::Invalid);
        assert!(
            report.failures.hash_mismatch
                && !report.failures.claim_signature
                && !report.failures.hashed_uri
        );
        assert_eq!(report.codes[0].code, "assertion.dataHash.mismatch");
        assert!(
            report.claim_thumbnail.is_some(),
            "the picture for comparison is still vouched for"
        );
        assert!(report.signer.is_some());
    }
}

#[test]
fn a_changed_claim_breaks_the_signature() {
    let report = inspected(
        &with_text_replaced(&signed(), "Harbour", "Harbor!"),
        &TrustLists::default(),
    );
    assert_eq!(report.state, State::Invalid);
    assert!(report.failures.claim_signature);
    assert!(has_code(&report, "claimSignature.mismatch"));
    assert_eq!(report.claim_thumbnail, None);
}

#[test]
fn a_changed_assertion_breaks_its_link_to_the_claim() {
    let report = inspected(
        &with_text_replaced(&signed(), "digitalCapture", "digitalCreated"),
        &TrustLists::default(),
    );
    assert_eq!(report.state, State::Invalid);
    assert!(report.failures.hashed_uri && !report.failures.claim_signature);
    assert!(has_code(&report, "assertion.hashedURI.mismatch"));
}

/// The case that a look at the top alone misses: whoever signed on top saw the damage and wrote it down.
#[test]
fn an_ingredient_that_was_broken_when_taken_in_is_found_below_a_trusted_top() {
    let authority = authority();
    let parent = with_flipped_bit(&signed_by(&authority, &jpeg(), &Declaration::capture()));
    let edited = signed_by(&authority, &jpeg(), &Declaration::edit_of(parent));
    let report = inspected(&edited, &authority.trust_lists().unwrap());
    assert!(
        matches!(report.state, State::Trusted { .. }),
        "{:?}",
        report.state
    );
    assert!(!report.failures.active_unsound());
    let [parent] = report.ingredients.as_slice() else {
        panic!("{:?}", report.ingredients)
    };
    assert!(
        parent
            .recorded
            .iter()
            .any(|code| code.code == "assertion.dataHash.mismatch" && code.is_unsound())
    );
    assert!(
        !parent.found_now.iter().any(Code::is_unsound),
        "nothing new: it is on record"
    );
    assert!(parent.broken && report.failures.ingredient && !report.is_trusted_throughout());
}

#[test]
fn a_credential_cut_short_is_never_valid() {
    let whole = signed();
    let store = whole
        .bytes
        .windows(4)
        .position(|window| window == b"jumb")
        .unwrap();
    for kept in [store + 40, store + 400, store + 2_000] {
        let cut = Media {
            mime: whole.mime.clone(),
            bytes: whole.bytes[..kept].to_vec(),
        };
        match inspect(&cut.bytes, &cut.mime, &TrustLists::default()) {
            Ok(report) => assert!(
                matches!(report.state, State::Invalid | State::Absent),
                "{kept}: {:?}",
                report.state
            ),
            Err(Error::CorruptMedia { .. } | Error::UnreadableCredential { .. }) => {}
            Err(other) => panic!("{kept}: {other:?}"),
        }
    }
}

#[test]
fn a_credential_with_a_hole_is_unreadable_or_invalid() {
    let mut media = signed();
    let store = media
        .bytes
        .windows(4)
        .position(|window| window == b"jumb")
        .unwrap();
    media.bytes[store + 100..store + 160].fill(0);
    match inspect(&media.bytes, &media.mime, &TrustLists::default()) {
        Ok(report) => assert_eq!(report.state, State::Invalid),
        Err(error) => assert!(
            matches!(error, Error::UnreadableCredential { .. }),
            "{error:?}"
        ),
    }
}
