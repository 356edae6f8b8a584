use proptest::prelude::*;

use super::*;
use crate::evidence::{CAP_CALIBRATED_MAX, Evidence, Family, LogRatios};
use crate::fingerprint::sha256;

const RULES: &str = "2026.x";

fn counts(authentic: (u64, u64), labelled: (u64, u64)) -> Counts {
    let trials = |(files, raised)| Trials { files, raised };
    Counts {
        authentic: trials(authentic),
        labelled: trials(labelled),
    }
}

fn finding(id: &str) -> &'static Finding {
    Finding::of(id).expect(id)
}

fn copied() -> &'static Finding {
    finding("copy_move")
}

fn raised(id: &str) -> Evidence {
    let of = finding(id);
    let counts = counts((40, 0), (0, 0));
    Evidence::neutral(id, Family::SelfSimilarity, "found", "It is there.")
        .calibrated(of.ratios(of.log10_lr), counts.calibration())
}

fn silent(id: &str) -> Evidence {
    Evidence::neutral(id, Family::SelfSimilarity, "none", "It is not there.")
}

fn not_applicable(id: &str) -> Evidence {
    Evidence::not_applicable(id, Family::SelfSimilarity, "It is no picture.")
}

/// 30 authentic files, one of them with a false alarm; 20 manipulated ones, found but for two.
fn tally() -> Tally {
    let mut tally = Tally::default();
    let mut add = |class: Class, at: u32, evidence: Evidence| {
        let hash = sha256(format!("{class} {at}").as_bytes());
        tally.add(class, &hash, &[evidence, not_applicable("jpeg.dq_local")]);
    };
    for at in 0..30 {
        let found = if at == 7 { raised } else { silent };
        add(Class::Authentic, at, found("copy_move"));
    }
    for at in 0..20 {
        let found = if at < 2 { silent } else { raised };
        add(Class::Manipulated, at, found("copy_move"));
    }
    add(Class::Synthetic, 0, raised("copy_move"));
    tally
}

fn record() -> Record {
    tally().record(RULES, "press photos", "2026-11-29T03:00:00Z")
}

fn read(record: &Record) -> Result<Record, String> {
    let document = record.document().expect("a document");
    Record::read(document.as_bytes(), RULES).map_err(|error| error.to_string())
}

#[test]
fn every_finding_is_counted_under_the_id_of_its_evidence() {
    for finding in &FINDINGS {
        assert_eq!(Finding::of(finding.id), Some(finding));
        assert_ne!(finding.speaks_for, Class::Authentic);
        assert_ne!(finding.ratios(1.0), LogRatios::default());
    }
    assert_eq!(Finding::of("marker.sd_parameters"), None);
}

#[test]
fn a_finding_counts_in_the_classes_that_it_is_about_and_where_it_applies() {
    let tally = tally();
    assert_eq!(tally.counts(copied()), counts((30, 1), (20, 18)));
    assert_eq!(tally.counts(finding("jpeg.dq_local")), Counts::default());
    let files = Class::ALL.map(|class| tally.files(class));
    assert_eq!(files, [30, 20, 1]);
    let record = record();
    let ids: Vec<&str> = record.findings.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, ["copy_move"]);
}

#[test]
fn what_is_raised_counts_even_if_it_weighs_nothing() {
    let unvalidated = counts((3, 0), (0, 0)).calibration();
    let mut evidence = silent("copy_move").calibrated(LogRatios::manipulated(1.0), unvalidated);
    assert_eq!(evidence.log10_lr(), LogRatios::default());
    assert!(Finding::is_raised(&evidence));
    evidence.applicable = false;
    assert!(!Finding::is_raised(&evidence));
    let uncalibrated = silent("thumbnail.exif").weighing(LogRatios::manipulated(1.0), 1.0);
    assert!(Finding::is_raised(&uncalibrated));
    assert!(!Finding::is_raised(&silent("copy_move")));
}

#[test]
fn ratios_follow_from_both_rates_and_are_what_is_built_in_without_labelled_files() {
    let close = |one: f64, other: f64| assert!((one - other).abs() < 1e-3, "{one} {other}");
    // Wilson, z = 1.645: 20 of 20 is at least 0.881, 10 of 20 at least 0.327. No alarm in 300 is at most 1 in 100.
    close(counts((1, 0), (20, 20)).labelled.rate_min(), 0.8808);
    close(counts((1, 0), (20, 10)).labelled.rate_min(), 0.3274);
    close(
        counts((300, 0), (20, 20)).log10_lr(copied()),
        88.08_f64.log10(),
    );
    close(
        counts((300, 0), (20, 10)).log10_lr(copied()),
        32.74_f64.log10(),
    );
    close(counts((300, 0), (20, 20)).cap(), 2.0);
    assert_eq!(counts((300, 0), (20, 0)).log10_lr(copied()), 0.0);
    assert_eq!(counts((300, 0), (0, 0)).log10_lr(copied()), 1.0);
    close(counts((12, 0), (0, 0)).log10_lr(copied()), 4_f64.log10());
    assert_eq!(counts((3, 0), (9, 9)).log10_lr(copied()), 0.0);

    // A mark that few generators write means the same where it is.
    let mark = finding("watermark.diffusers_sdxl");
    close(counts((300, 0), (50, 0)).log10_lr(mark), 2.0);
    close(counts((300, 0), (50, 50)).log10_lr(mark), 2.0);
    assert_eq!(
        counts((3_000_000, 0), (50, 0)).log10_lr(mark),
        CAP_CALIBRATED_MAX
    );
}

#[test]
fn the_cost_of_ratios_is_zero_if_perfect_one_if_empty_and_more_if_they_mislead() {
    let all = |log10_lr| [Group { log10_lr, files: 5 }];
    let perfect = cllr(&all(6.0), &all(-6.0)).expect("both sides");
    assert!((0.0..1e-5).contains(&perfect), "{perfect}");
    assert_eq!(cllr(&all(0.0), &all(0.0)), Some(1.0));
    let misleading = cllr(&all(-1.0), &all(1.0)).expect("both sides");
    assert!((misleading - 11_f64.log2()).abs() < 1e-9, "{misleading}");
    // By hand: the mean of log2(1 + 1/10) and log2(1 + 1/100).
    let mixed = cllr(&all(1.0), &all(-2.0)).expect("both sides");
    assert!((mixed - (1.1_f64.log2() + 1.01_f64.log2()) / 2.0).abs() < 1e-12);
    let none = [Group {
        log10_lr: 1.0,
        files: 0,
    }];
    assert_eq!(cllr(&none, &all(1.0)), None);
    assert_eq!(cllr(&all(1.0), &[]), None);
}

#[test]
fn a_finding_that_is_always_right_costs_one_half_as_its_silence_says_nothing() {
    let of =
        |authentic, labelled, log10_lr| counts(authentic, labelled).cllr(log10_lr).expect("both");
    assert!((of((1_000, 0), (1_000, 1_000), 3.0) - 0.5).abs() < 1e-3);
    assert_eq!(of((10, 0), (10, 0), 1.0), 1.0);
    assert!(of((10, 10), (10, 0), 1.0) > 1.0);
    assert_eq!(counts((10, 0), (0, 0)).cllr(1.0), None);
}

#[test]
fn a_record_reads_back_as_it_was_written() {
    let record = record();
    assert_eq!(read(&record).as_ref(), Ok(&record));
    assert_eq!(record.files(Class::Manipulated), 20);
    assert_eq!(
        record.findings[0].counts.calibration(),
        crate::Calibration { n_clean: 30, fp: 1 }
    );
}

#[test]
fn the_same_files_make_the_same_record_in_any_order_and_another_label_another_one() {
    let evidence = [silent("copy_move")];
    let of = |order: [(Class, &str); 2]| {
        let mut tally = Tally::default();
        for (class, hash) in order {
            tally.add(class, hash, &evidence);
        }
        tally
            .record(RULES, "a", "now")
            .document()
            .expect("a document")
    };
    let (real, fake) = (Class::Authentic, Class::Manipulated);
    assert_eq!(
        of([(real, "0a"), (fake, "0b")]),
        of([(fake, "0b"), (real, "0a")])
    );
    let contents = |record: &str| -> Record { serde_json::from_str(record).expect("a record") };
    assert_ne!(
        contents(&of([(real, "0a"), (fake, "0b")])).contents_sha256,
        contents(&of([(real, "0b"), (fake, "0a")])).contents_sha256
    );
}

#[test]
fn evidence_weighs_what_was_counted_and_the_rest_keeps_what_is_built_in() {
    let record = record();
    let row = &record.findings[0];
    let local = raised("jpeg.dq_local");
    let mut evidence = [raised("copy_move"), silent("copy_move"), local.clone()];
    record.weigh(&mut evidence);
    assert_eq!(evidence[0].log10_lr(), LogRatios::manipulated(row.log10_lr));
    assert_eq!(evidence[0].weight.cap(), row.cap);
    assert_eq!(evidence[0].calibration, Some(row.counts.calibration()));
    assert_eq!(evidence[1], silent("copy_move"));
    assert_eq!(evidence[2], local);
}

#[test]
fn another_format_and_other_rules_are_refused_with_the_way_out() {
    let of = |change: fn(&mut Record)| {
        let mut record = record();
        change(&mut record);
        read(&record).expect_err("refused")
    };
    let format = of(|record| record.format = "assay.calibration/2".to_owned());
    assert_eq!(
        format,
        "it has the format \"assay.calibration/2\" and this program reads \"assay.calibration/1\": make it anew with \
         `assay calibrate`"
    );
    let ruleset = of(|record| record.ruleset = "2025.1".to_owned());
    assert_eq!(
        ruleset,
        "it was made under the rules \"2025.1\" and this program weighs by \"2026.x\": make it anew with `assay calibrate`"
    );
}

#[test]
fn what_cannot_have_been_counted_is_refused() {
    type Change = fn(&mut Record);
    let changes: [(Change, &str); 11] = [
        (
            |it| it.findings[0].counts.authentic.raised = 31,
            "more than there was",
        ),
        (
            |it| it.findings[0].counts.labelled.files = 21,
            "more than there was",
        ),
        (
            |it| it.findings[0].counts.authentic = Trials::default(),
            "no authentic file",
        ),
        (
            |it| it.findings[0].log10_lr = 3.0,
            "figures that do not follow",
        ),
        (
            |it| it.findings[0].cap += 1e-5,
            "figures that do not follow",
        ),
        (
            |it| it.findings[0].cllr = None,
            "figures that do not follow",
        ),
        (
            |it| it.findings[0].id = "crystal_ball".to_owned(),
            "no finding that is counted",
        ),
        (|it| it.findings.push(it.findings[0].clone()), "two rows"),
        (
            |it| drop((it.files.remove(&Class::Authentic), it.findings.pop())),
            "no authentic file",
        ),
        (|it| it.contents_sha256 = "ab".to_owned(), "no SHA-256"),
        (|it| it.name = "n\u{1b}".to_owned(), "longer than a line"),
    ];
    for (change, says) in changes {
        let mut record = record();
        change(&mut record);
        let error = read(&record).expect_err(says);
        assert!(error.contains(says), "{says}: {error}");
        assert!(error.contains("make it anew"), "{error}");
    }
    assert!(Record::read(b"", RULES).is_err() && Record::read(b"{}", RULES).is_err());
}

#[test]
fn bounds_hold_at_n_and_not_beyond() {
    let full = record().document().expect("a document");
    let padded = |bytes: usize| full.clone() + &" ".repeat(bytes - full.len());
    assert!(Record::read(padded(DOCUMENT_BYTES_MAX).as_bytes(), RULES).is_ok());
    let longer = Record::read(padded(DOCUMENT_BYTES_MAX + 1).as_bytes(), RULES);
    assert!(matches!(longer, Err(Error::TooLong)));

    let with = |change: &dyn Fn(&mut Record)| {
        let mut record = record();
        change(&mut record);
        read(&record).is_ok()
    };
    for (files, fits) in [(FILES_MAX, true), (FILES_MAX + 1, false)] {
        assert_eq!(
            with(&|it| {
                it.files.insert(Class::Synthetic, files);
            }),
            fits
        );
    }
    for (chars, fits) in [(NAME_CHARS_MAX, true), (NAME_CHARS_MAX + 1, false)] {
        assert_eq!(with(&|it| it.name = "é".repeat(chars)), fits);
    }
    for (chars, fits) in [(TIME_CHARS_MAX, true), (TIME_CHARS_MAX + 1, false)] {
        assert_eq!(with(&|it| it.made_at = "0".repeat(chars)), fits);
    }
    let long = tally().record(
        RULES,
        &"é".repeat(NAME_CHARS_MAX + 1),
        &"0".repeat(TIME_CHARS_MAX + 1),
    );
    assert!(read(&long).is_ok());
}

fn any_trials() -> impl Strategy<Value = Trials> {
    let below = |files: u64| (Just(files), 0..=files);
    let trials = |(files, raised)| Trials { files, raised };
    (0..=5_000_u64).prop_flat_map(below).prop_map(trials)
}

fn any_counts() -> impl Strategy<Value = Counts> {
    (any_trials(), any_trials()).prop_map(|(authentic, labelled)| Counts {
        authentic,
        labelled,
    })
}

proptest! {
    #[test]
    fn a_ratio_lies_between_nothing_and_its_cap(counts in any_counts()) {
        for finding in &FINDINGS {
            let log10_lr = counts.log10_lr(finding);
            prop_assert!((0.0..=counts.cap()).contains(&log10_lr), "{log10_lr}");
            prop_assert!(counts.cap() <= CAP_CALIBRATED_MAX);
        }
    }

    #[test]
    fn a_false_alarm_more_never_makes_a_finding_weigh_more(counts in any_counts()) {
        let mut worse = counts;
        worse.authentic.raised = (worse.authentic.raised + 1).min(worse.authentic.files);
        for finding in &FINDINGS {
            prop_assert!(worse.log10_lr(finding) <= counts.log10_lr(finding));
        }
    }

    #[test]
    fn a_detection_more_never_makes_a_finding_weigh_less(counts in any_counts()) {
        let mut better = counts;
        better.labelled.raised = (better.labelled.raised + 1).min(better.labelled.files);
        for finding in &FINDINGS {
            prop_assert!(better.log10_lr(finding) >= counts.log10_lr(finding) - 1e-12);
        }
    }

    #[test]
    fn a_clean_file_more_never_lowers_the_cap(counts in any_counts()) {
        let mut longer = counts;
        longer.authentic.files += 1;
        prop_assert!(longer.cap() >= counts.cap());
    }

    #[test]
    fn a_cost_is_never_negative_and_always_a_number(so in -400.0..400.0_f64, not in -400.0..400.0_f64, files in 1..9_u64) {
        let cost = cllr(&[Group { log10_lr: so, files }], &[Group { log10_lr: not, files: 1 }]);
        prop_assert!(cost.is_some_and(|cost| cost.is_finite() && cost >= 0.0));
    }

    #[test]
    fn no_document_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0..2_000_usize, put in any::<u8>()) {
        drop(Record::read(&bytes, RULES));
        let mut document = record().document().expect("a document").into_bytes();
        if let Some(byte) = document.get_mut(cut) {
            *byte = put;
        }
        if let Ok(read) = Record::read(&document, RULES) {
            let mut evidence = [raised("copy_move")];
            read.weigh(&mut evidence);
            prop_assert!(evidence[0].log10_lr().manipulated <= evidence[0].weight.cap());
        }
    }
}
