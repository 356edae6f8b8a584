//! Who signed, and who trusts them.

use std::path::Path;

use super::*;
use crate::{ListKind, SignerCheck, State, TrustedBy};

fn lists(of: &[(ListKind, String)]) -> TrustLists {
    let mut lists = TrustLists::default();
    for (kind, pem) in of {
        lists
            .insert(*kind, Path::new("test"), pem.as_bytes(), None)
            .unwrap();
    }
    lists
}

#[test]
fn media_without_a_credential_is_absent_and_nothing_else() {
    for media in [jpeg(), png()] {
        let report = inspected(&media, &TrustLists::default());
        assert_eq!(
            report,
            Report::without_credential(State::Absent, Vec::new())
        );
    }
}

#[test]
fn without_lists_a_sound_credential_is_valid_and_its_signer_not_checked() {
    for media in [jpeg(), png()] {
        let report = inspected(
            &signed_by(&authority(), &media, &Declaration::capture()),
            &TrustLists::default(),
        );
        assert_eq!(
            report.state,
            State::Valid {
                signer: SignerCheck::NotChecked
            }
        );
        assert!(
            report.present && report.failures.signer_untrusted && !report.failures.active_unsound()
        );
        assert!(report.trust_lists.is_empty() && !report.is_trusted_throughout());
        assert!(has_code(&report, "assertion.dataHash.match"));
    }
}

#[test]
fn a_wrong_media_type_does_not_hide_a_credential() {
    let mut media = signed_by(&authority(), &jpeg(), &Declaration::capture());
    media.mime = "image/png".to_owned();
    assert!(inspected(&media, &TrustLists::default()).present);
}

#[test]
fn each_list_vouches_by_its_own_name() {
    let authority = authority();
    let media = signed_by(&authority, &jpeg(), &Declaration::capture());
    let (root, own) = (
        authority.authority_pem().unwrap(),
        authority.signer_pem().unwrap(),
    );
    let table = [
        (ListKind::User, &root, TrustedBy::User),
        (ListKind::Official, &root, TrustedBy::Official),
        (ListKind::Allowed, &own, TrustedBy::Allowed),
    ];
    for (kind, pem, by) in table {
        let report = inspected(&media, &lists(&[(kind, pem.clone())]));
        assert_eq!(report.state, State::Trusted { by }, "{kind:?}");
        assert!(report.is_trusted_throughout());
        assert_eq!(report.trust_lists[0].kind, kind);
        let signer = report.signer.unwrap();
        assert_eq!(signer.common_name.as_deref(), Some("camera.test"));
        assert_eq!(signer.algorithm.as_deref(), Some("ed25519"));
    }
}

#[test]
fn a_signer_on_no_list_is_untrusted() {
    let media = signed_by(&authority(), &jpeg(), &Declaration::capture());
    let other = TestAuthority::new("other.test").unwrap();
    let report = inspected(&media, &other.trust_lists().unwrap());
    assert_eq!(
        report.state,
        State::Valid {
            signer: SignerCheck::Untrusted
        }
    );
    assert!(has_code(&report, "signingCredential.untrusted"));
}

#[test]
fn an_authority_for_time_stamps_does_not_vouch_for_signers() {
    let (authority, other) = (authority(), TestAuthority::new("other.test").unwrap());
    let media = signed_by(&authority, &jpeg(), &Declaration::capture());
    let time_stamps = (ListKind::TimeStamp, authority.authority_pem().unwrap());
    let report = inspected(
        &media,
        &lists(&[
            time_stamps.clone(),
            (ListKind::User, other.authority_pem().unwrap()),
        ]),
    );
    assert_eq!(
        report.state,
        State::Valid {
            signer: SignerCheck::Untrusted
        }
    );
    assert!(report.failures.signer_untrusted && !has_code(&report, "signingCredential.trusted"));

    let report = inspected(&media, &lists(std::slice::from_ref(&time_stamps)));
    assert_eq!(
        report.state,
        State::Valid {
            signer: SignerCheck::NotChecked
        }
    );

    let user = (ListKind::User, authority.authority_pem().unwrap());
    let report = inspected(&media, &lists(&[time_stamps, user]));
    assert_eq!(
        report.state,
        State::Trusted {
            by: TrustedBy::User
        }
    );
}

#[test]
fn an_ingredients_signer_that_was_trusted_at_signing_must_be_trusted_now() {
    let (camera, editor) = (authority(), TestAuthority::new("editor.test").unwrap());
    let parent = signed_by(&camera, &jpeg(), &Declaration::capture());
    let user = |pem: String| lists(&[(ListKind::User, pem)]);
    let both = user(camera.authority_pem().unwrap() + &editor.authority_pem().unwrap());
    let bytes = editor
        .sign_trusting(&jpeg(), &Declaration::edit_of(parent), &both)
        .unwrap();
    let edited = Media {
        mime: "image/jpeg".to_owned(),
        bytes,
    };

    assert_eq!(
        inspected(&edited, &both).state,
        State::Trusted {
            by: TrustedBy::User
        }
    );
    let report = inspected(&edited, &user(editor.authority_pem().unwrap()));
    assert_eq!(
        report.state,
        State::Valid {
            signer: SignerCheck::IngredientUntrusted
        }
    );
}

/// What an editor signs without any list: it writes down that the camera's signer is on none.
#[test]
fn an_ingredients_signer_that_was_untrusted_at_signing_is_judged_by_the_lists_of_now() {
    let (camera, editor) = (authority(), TestAuthority::new("editor.test").unwrap());
    let parent = signed_by(&camera, &jpeg(), &Declaration::capture());
    let bytes = editor
        .sign_trusting(
            &jpeg(),
            &Declaration::edit_of(parent),
            &TrustLists::default(),
        )
        .unwrap();
    let edited = Media {
        mime: "image/jpeg".to_owned(),
        bytes,
    };
    let user = |pem: String| lists(&[(ListKind::User, pem)]);
    let report = inspected(&edited, &user(editor.authority_pem().unwrap()));
    assert_eq!(
        report.state,
        State::Valid {
            signer: SignerCheck::IngredientUntrusted
        }
    );
    let both = user(camera.authority_pem().unwrap() + &editor.authority_pem().unwrap());
    let report = inspected(&edited, &both);
    assert_eq!(
        report.state,
        State::Trusted {
            by: TrustedBy::User
        },
        "{:#?}",
        report.ingredients
    );
}

#[test]
fn an_authority_for_time_stamps_does_not_vouch_for_signers_of_ingredients() {
    let (camera, editor) = (authority(), TestAuthority::new("editor.test").unwrap());
    let parent = signed_by(&camera, &jpeg(), &Declaration::capture());
    let edited = signed_by(&editor, &jpeg(), &Declaration::edit_of(parent));
    let report = inspected(
        &edited,
        &lists(&[
            (ListKind::User, editor.authority_pem().unwrap()),
            (ListKind::TimeStamp, camera.authority_pem().unwrap()),
        ]),
    );
    assert_eq!(
        report.state,
        State::Valid {
            signer: SignerCheck::IngredientUntrusted
        }
    );
}
