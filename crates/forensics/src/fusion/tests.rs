use proptest::prelude::*;

use super::*;

fn item(family: Family, synthetic: f64, manipulated: f64) -> Evidence {
    let ratios = LogRatios {
        synthetic,
        manipulated,
    };
    Evidence::neutral("test", family, "found", "").weighing(ratios, 4.0)
}

fn sums(evidence: &[Evidence]) -> (f64, f64) {
    let fusion = fuse(evidence, Priors::default());
    (fusion.synthetic.log10_lr, fusion.manipulated.log10_lr)
}

#[test]
fn nothing_found_leaves_the_prior() {
    let fusion = fuse(&[], Priors::default());
    assert_eq!(fusion.synthetic.posterior, 0.5);
    assert_eq!(fusion.manipulated.verbal, Verbal::None);
    assert!(!fusion.conflict);
}

#[test]
fn only_the_strongest_of_a_family_counts() {
    let evidence = [
        item(Family::JpegHistory, 0.0, 1.0),
        item(Family::JpegHistory, 0.0, 1.0),
        item(Family::JpegHistory, 0.0, 0.5),
    ];
    assert_eq!(sums(&evidence), (0.0, 1.0));
}

#[test]
fn families_add_up() {
    let evidence = [
        item(Family::JpegHistory, 0.0, 1.0),
        item(Family::Thumbnail, 0.0, 1.0),
        item(Family::External("a".to_owned()), 1.0, 0.0),
        item(Family::External("b".to_owned()), 1.0, 0.0),
    ];
    assert_eq!(sums(&evidence), (2.0, 2.0));
    let fusion = fuse(&evidence, Priors::default());
    assert!((fusion.synthetic.posterior - 100.0 / 101.0).abs() < 1e-12);
}

#[test]
fn questions_take_their_strongest_apart() {
    let evidence = [
        item(Family::ProvenanceCrypto, -3.0, 0.0),
        item(Family::ProvenanceCrypto, 0.0, 2.0),
    ];
    assert_eq!(sums(&evidence), (-3.0, 2.0));
}

#[test]
fn family_that_says_both_says_nothing() {
    let evidence = [
        item(Family::Registry, 4.0, 0.0),
        item(Family::Registry, -4.0, 0.0),
    ];
    assert_eq!(sums(&evidence), (0.0, 0.0));
}

#[test]
fn opposite_families_conflict_from_one_on() {
    let conflict = |left, right| {
        let evidence = [
            item(Family::ProvenanceCrypto, left, 0.0),
            item(Family::DeclaredMetadata, right, 0.0),
        ];
        fuse(&evidence, Priors::default()).conflict
    };
    assert!(conflict(-1.0, 1.0));
    assert!(!conflict(-1.0, 0.99));
    assert!(!conflict(-0.99, 1.0));
    assert!(!conflict(1.0, 1.0));
    let other_question = [
        item(Family::ProvenanceCrypto, -3.0, 0.0),
        item(Family::JpegHistory, 0.0, 1.0),
    ];
    assert!(!fuse(&other_question, Priors::default()).conflict);
}

#[test]
fn prior_shifts_the_posterior_and_not_the_ratio() {
    let priors = Priors::new(0.01, 0.5).expect("in range");
    let score = fuse(&[item(Family::Watermark, 2.0, 0.0)], priors).synthetic;
    assert_eq!(score.log10_lr, 2.0);
    assert!((score.posterior - 100.0 / 199.0).abs() < 1e-9);
}

#[test]
fn prior_that_decides_alone_is_refused() {
    for prior in [0.0, 1.0, -1.0, f64::NAN] {
        assert!(Priors::new(prior, 0.5).is_err(), "{prior}");
        assert!(Priors::new(0.5, prior).is_err(), "{prior}");
    }
    let read = serde_json::from_str::<Priors>(r#"{"synthetic":1.0,"manipulated":0.5}"#);
    assert!(read.is_err());
}

fn any_family() -> impl Strategy<Value = Family> {
    let internal = (0..Family::INTERNAL.len()).prop_map(|index| Family::INTERNAL[index].clone());
    prop_oneof![internal, "[a-c]".prop_map(Family::External)]
}

proptest! {
    #[test]
    fn order_does_not_matter(
        raw in prop::collection::vec((any_family(), -5.0..5.0f64, -5.0..5.0f64), 0..12),
    ) {
        let evidence: Vec<Evidence> =
            raw.iter().map(|(family, s, m)| item(family.clone(), *s, *m)).collect();
        let reversed: Vec<Evidence> = evidence.iter().rev().cloned().collect();
        prop_assert_eq!(fuse(&evidence, Priors::default()), fuse(&reversed, Priors::default()));
    }

    #[test]
    fn sum_stays_within_the_caps(
        raw in prop::collection::vec((any_family(), any::<f64>(), any::<f64>()), 0..12),
    ) {
        let evidence: Vec<Evidence> =
            raw.iter().map(|(family, s, m)| item(family.clone(), *s, *m)).collect();
        let fusion = fuse(&evidence, Priors::default());
        let most = 4.0 * 12.0;
        prop_assert!(fusion.synthetic.log10_lr.abs() <= most);
        prop_assert!((0.0..=1.0).contains(&fusion.manipulated.posterior));
    }
}
