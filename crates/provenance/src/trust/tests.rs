//! Lists, their labels and their age.

use super::*;

fn list(kind: ListKind, date: Option<&str>) -> ListSummary {
    let origin = date.map(|date| Origin {
        source: "https://example.test".into(),
        date: date.into(),
    });
    ListSummary {
        kind,
        certificates: 1,
        sha256: String::new(),
        origin,
    }
}

fn noon_of(date: &str) -> i64 {
    folder::day_of(date).unwrap() * SECONDS_PER_DAY + SECONDS_PER_DAY / 2
}

#[test]
fn a_list_is_old_after_ninety_days_and_not_before() {
    let official = list(ListKind::Official, Some("2026-08-21"));
    assert_eq!(
        official.age_days(noon_of("2026-11-19")),
        Some(LIST_AGE_DAYS_MAX)
    );
    assert_eq!(official.warning(noon_of("2026-11-19")), None);
    let warning = official.warning(noon_of("2026-11-20")).unwrap();
    assert!(
        warning.contains("official trust list is 91 days old"),
        "{warning}"
    );
}

#[test]
fn only_published_lists_need_a_date() {
    assert!(
        list(ListKind::Official, None)
            .warning(0)
            .unwrap()
            .contains(folder::ORIGINS_FILE)
    );
    assert!(list(ListKind::TimeStamp, None).warning(0).is_some());
    assert_eq!(list(ListKind::User, None).warning(0), None);
    assert_eq!(list(ListKind::Allowed, None).warning(0), None);
}

#[test]
fn labels_carry_the_date() {
    assert_eq!(
        list(ListKind::Official, Some("2026-08-21")).label(),
        "official@2026-08-21"
    );
    assert_eq!(list(ListKind::User, None).label(), "user@undated");
}

#[test]
fn the_validator_never_connects_and_trusts_nobody_by_default() {
    let settings = TrustLists::default().settings(Anchors::WithTimeStamps);
    assert!(!settings.verify.remote_manifest_fetch && !settings.verify.ocsp_fetch);
    assert!(
        settings
            .core
            .allowed_network_hosts
            .as_ref()
            .is_some_and(Vec::is_empty)
    );
    assert!(!settings.core.decode_identity_assertions);
    assert_eq!(settings.trust.trust_anchors, None);
    assert_eq!(settings.trust.user_anchors, None);
    assert_eq!(settings.trust.allowed_list, None);
}

#[test]
fn each_list_goes_to_its_place_and_time_stamps_can_be_left_out() {
    let mut lists = TrustLists::default();
    assert!(!lists.any_signers());
    let one = |text: &str| pem::block(&pem::tests::certificate(text));
    let kinds = [
        ListKind::Official,
        ListKind::User,
        ListKind::Allowed,
        ListKind::TimeStamp,
    ];
    for kind in kinds {
        lists
            .insert(
                kind,
                Path::new(kind.name()),
                one(kind.name()).as_bytes(),
                None,
            )
            .unwrap();
    }
    let settings = lists.settings(Anchors::WithTimeStamps);
    assert_eq!(
        settings.trust.trust_anchors,
        Some(one("official") + &one("time_stamp"))
    );
    assert_eq!(settings.trust.user_anchors, Some(one("user")));
    assert_eq!(settings.trust.allowed_list, Some(one("allowed")));
    let settings = lists.settings(Anchors::SignersOnly);
    assert_eq!(settings.trust.trust_anchors, Some(one("official")));
    assert_eq!(
        lists
            .summaries()
            .iter()
            .map(|list| list.kind)
            .collect::<Vec<_>>(),
        kinds
    );
    assert!(lists.any_signers() && lists.any_time_stamps());
}

#[test]
fn a_list_of_time_stamps_alone_names_no_signers() {
    let mut lists = TrustLists::default();
    let pem = pem::block(&pem::tests::certificate("t"));
    lists
        .insert(ListKind::TimeStamp, Path::new("t"), pem.as_bytes(), None)
        .unwrap();
    assert!(!lists.any_signers());
}
