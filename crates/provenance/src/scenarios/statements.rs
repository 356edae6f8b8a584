//! What signers say, and how it comes out.

use std::collections::BTreeSet;

use super::*;
use crate::{Action, Inception, Relationship, State, Transformation, TrustedBy};

#[test]
fn a_capture_is_told_from_a_generated_picture() {
    let authority = authority();
    let report = inspected(
        &signed_by(&authority, &jpeg(), &Declaration::capture()),
        &TrustLists::default(),
    );
    assert_eq!(
        report.signals.inception,
        BTreeSet::from([Inception::CapturedMedia])
    );
    assert!(
        report.signals.transformation.is_empty(),
        "{:?}",
        report.signals
    );
    assert_eq!(report.actions[0].action, "c2pa.created");

    let report = inspected(
        &signed_by(&authority, &png(), &Declaration::generated()),
        &TrustLists::default(),
    );
    assert_eq!(
        report.signals.inception,
        BTreeSet::from([Inception::FullyGenAIMedia])
    );
}

#[test]
fn an_edited_capture_carries_its_parent() {
    let authority = authority();
    let parent = signed_by(&authority, &jpeg(), &Declaration::capture());
    let edited = signed_by(&authority, &jpeg(), &Declaration::edit_of(parent));
    let report = inspected(&edited, &authority.trust_lists().unwrap());
    assert_eq!(
        report.state,
        State::Trusted {
            by: TrustedBy::User
        }
    );
    assert!(report.signals.inception.is_empty());
    assert_eq!(
        report.signals.transformation,
        BTreeSet::from([Transformation::PerceptibleNonGenAI])
    );
    let [parent] = report.ingredients.as_slice() else {
        panic!("{:?}", report.ingredients)
    };
    assert_eq!(parent.relationship, Relationship::ParentOf);
    assert_eq!(
        parent.signals.inception,
        BTreeSet::from([Inception::CapturedMedia])
    );
    assert!(parent.manifest.is_some() && parent.signer.is_some() && !parent.any_broken());
    assert!(report.is_trusted_throughout());
}

#[test]
fn a_parent_without_a_credential_is_unknown_provenance() {
    let authority = authority();
    let edited = signed_by(&authority, &jpeg(), &Declaration::edit_of(png()));
    let report = inspected(&edited, &TrustLists::default());
    assert_eq!(
        report.signals.inception,
        BTreeSet::from([Inception::MediaUnknownProvenance])
    );
    assert_eq!(report.ingredients[0].manifest, None);
}

#[test]
fn titles_agents_and_pictures_come_out_as_they_went_in() {
    let created = Action {
        software_agent: Some("Camera Firmware".to_owned()),
        description: Some("taken\nby hand".to_owned()),
        ..Declaration::capture().actions.remove(0)
    };
    let declaration = Declaration {
        title: Some("Harbour".to_owned()),
        actions: vec![created],
        thumbnail: Some(jpeg()),
        ..Declaration::default()
    };
    let report = inspected(
        &signed_by(&authority(), &png(), &declaration),
        &TrustLists::default(),
    );
    assert_eq!(report.title.as_deref(), Some("Harbour"));
    assert!(
        report
            .claim_generator
            .unwrap()
            .starts_with("Assay test signer ")
    );
    assert_eq!(
        report.actions[0].software_agent.as_deref(),
        Some("Camera Firmware")
    );
    assert_eq!(
        report.actions[0].description.as_deref(),
        Some("taken by hand")
    );
    let thumbnail = report.claim_thumbnail.unwrap();
    assert_eq!(
        (thumbnail.format.as_str(), thumbnail.bytes().unwrap()),
        ("image/jpeg", jpeg().bytes)
    );
}

#[test]
fn a_report_survives_its_own_serialisation() {
    let authority = authority();
    let parent = signed_by(&authority, &jpeg(), &Declaration::capture());
    let edited = signed_by(&authority, &jpeg(), &Declaration::edit_of(parent));
    let report = inspected(&edited, &authority.trust_lists().unwrap());
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
}
