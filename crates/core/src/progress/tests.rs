use proptest::prelude::*;

use super::*;

const T0: u64 = 1_000_000;

fn progress() -> Progress {
    let plan = StepPlan::new([("fetch", 10), ("analyse", 70), ("explain", 20)]).unwrap();
    Progress::new(&plan, T0)
}

fn state(progress: &Progress, name: &str) -> StepState {
    progress
        .steps
        .iter()
        .find(|step| step.name == name)
        .unwrap()
        .state
}

#[test]
fn percent_follows_the_weights() {
    let mut progress = progress();
    assert_eq!(progress.basis_points, 0);
    progress.start("fetch", T0).unwrap();
    assert_eq!(progress.basis_points, 0);
    progress.finish("fetch", T0 + 1).unwrap();
    assert_eq!(progress.basis_points, 1_000);
    progress
        .advance("analyse", 1, 3, "face 1 of 3", T0 + 2)
        .unwrap();
    assert_eq!(progress.basis_points, 1_000 + 2_333);
    assert_eq!(progress.message, "face 1 of 3");
    // Nobody is done before they say so.
    progress.finish("analyse", T0 + 3).unwrap();
    progress.finish("explain", T0 + 4).unwrap();
    assert_eq!(progress.basis_points, 9_999);
    assert_eq!(progress.percent(), 99.99);
    progress.complete(T0 + 5);
    assert_eq!((progress.percent(), progress.eta_ms), (100.0, Some(0)));
}

#[test]
fn what_ran_when_an_attempt_was_broken_off_has_failed() {
    let mut progress = progress();
    progress.finish("fetch", T0).unwrap();
    progress.advance("analyse", 1, 2, "half", T0 + 1).unwrap();
    progress.break_off(T0 + 2);
    assert_eq!(state(&progress, "fetch"), StepState::Done);
    assert_eq!(state(&progress, "analyse"), StepState::Failed);
    assert_eq!(state(&progress, "explain"), StepState::Pending);
    assert_eq!(progress.steps[1].finished_at_ms, Some(T0 + 2));
    assert_eq!((progress.basis_points, progress.eta_ms), (4_500, None));
    assert_eq!(progress.message, "half");
}

#[test]
fn percent_stays_when_a_step_finds_more_to_do() {
    let mut progress = progress();
    progress.advance("analyse", 5, 10, "", T0).unwrap();
    assert_eq!(progress.basis_points, 3_500);
    progress.advance("analyse", 5, 100, "", T0).unwrap();
    assert_eq!(progress.basis_points, 3_500);
    assert_eq!(
        (progress.steps[1].current, progress.steps[1].total),
        (5, 100)
    );
    // More than all is all, and of an unknown total nothing is known.
    progress.advance("analyse", 200, 100, "", T0).unwrap();
    assert_eq!(progress.basis_points, 7_000);
    progress.advance("fetch", 5, 0, "", T0).unwrap();
    assert_eq!(progress.basis_points, 7_000);
}

#[test]
fn steps_carry_their_times_and_states() {
    let mut progress = progress();
    progress.start("fetch", T0 + 1).unwrap();
    progress.start("fetch", T0 + 2).unwrap();
    progress.finish("fetch", T0 + 3).unwrap();
    progress.skip("analyse", "not an image", T0 + 4).unwrap();
    progress.advance("explain", 1, 2, "", T0 + 5).unwrap();
    progress.fail("explain", "no words", T0 + 6).unwrap();
    let seen: Vec<_> = progress
        .steps
        .iter()
        .map(|step| {
            (
                step.state,
                step.started_at_ms,
                step.finished_at_ms,
                step.message.as_str(),
            )
        })
        .collect();
    let expected = [
        (StepState::Done, Some(T0 + 1), Some(T0 + 3), ""),
        (StepState::Skipped, None, Some(T0 + 4), "not an image"),
        (StepState::Failed, Some(T0 + 5), Some(T0 + 6), "no words"),
    ];
    assert_eq!(seen, expected);
    assert_eq!(progress.started_at_ms, Some(T0 + 1));
    // Skipped counts as passed, failed keeps its half.
    assert_eq!(progress.basis_points, 9_000);
}

#[test]
fn a_report_that_does_not_fit_changes_nothing() {
    let mut progress = progress();
    progress.finish("fetch", T0).unwrap();
    let before = progress.clone();
    let unknown = progress.start("fetsh", T0 + 9).unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "report against a declared step, not \"fetsh\""
    );
    let over = progress
        .advance("fetch", 1, 2, "again", T0 + 9)
        .unwrap_err();
    assert_eq!(
        over.to_string(),
        "report step \"fetch\" before it is over, it is done"
    );
    assert_eq!(progress, before);
    progress.complete(T0 + 10);
    assert_eq!(state(&progress, "analyse"), StepState::Skipped);
    let step = "explain".to_owned();
    assert_eq!(
        progress.start("explain", T0 + 11),
        Err(ProgressError::Complete { step })
    );
}

#[test]
fn complete_ends_what_is_running() {
    let mut progress = progress();
    progress.start("analyse", T0).unwrap();
    progress.complete(T0 + 1);
    assert_eq!(state(&progress, "analyse"), StepState::Done);
    assert_eq!(state(&progress, "fetch"), StepState::Skipped);
}

#[test]
fn time_left_is_none_until_enough_is_known() {
    let mut progress = progress();
    progress.start("fetch", T0).unwrap();
    // 4.99 % of the weights, then 5 %, then not enough time, then just enough.
    for (current, total, elapsed_ms, eta_ms) in [
        (499, 1_000, 10_000, None),
        (500, 1_000, 10_000, Some(190_000)),
        (500, 1_000, 999, None),
        (500, 1_000, 1_000, Some(19_000)),
    ] {
        progress
            .advance("fetch", current, total, "", T0 + elapsed_ms)
            .unwrap();
        assert_eq!(progress.eta_ms, eta_ms, "{current} after {elapsed_ms} ms");
    }
}

#[test]
fn time_left_leaves_out_what_was_skipped_or_failed() {
    let mut progress = progress();
    progress.start("fetch", T0).unwrap();
    progress.skip("analyse", "", T0).unwrap();
    assert_eq!(progress.eta_ms, None);
    progress.finish("fetch", T0 + 1_000).unwrap();
    // 10 of weight took 1 s, 20 are left.
    assert_eq!(progress.eta_ms, Some(2_000));
    progress.fail("explain", "", T0 + 2_000).unwrap();
    assert_eq!(progress.eta_ms, Some(0));
}

#[test]
fn a_new_attempt_starts_from_nothing() {
    let mut progress = progress();
    let fresh = progress.clone();
    progress.advance("fetch", 1, 2, "half", T0 + 5_000).unwrap();
    progress.complete(T0 + 6_000);
    progress.restart(T0);
    assert_eq!(progress, fresh);
    progress.start("fetch", T0 + 7_000).unwrap();
    assert_eq!(progress.started_at_ms, Some(T0 + 7_000));
}

#[test]
fn a_message_is_cut_at_its_bound_and_not_before() {
    let mut progress = progress();
    for (bytes, kept) in [(512, 512), (513, 512)] {
        progress
            .advance("fetch", 1, 2, &"m".repeat(bytes), T0)
            .unwrap();
        assert_eq!(
            (progress.message.len(), progress.steps[0].message.len()),
            (kept, kept)
        );
    }
    // Three-byte characters: 512 falls inside one.
    progress
        .skip("explain", &"\u{20ac}".repeat(200), T0)
        .unwrap();
    assert_eq!(progress.steps[2].message, "\u{20ac}".repeat(170));
}

#[test]
fn a_record_reads_back_as_it_was() {
    let mut progress = progress();
    progress.advance("fetch", 1, 2, "half", T0 + 5_000).unwrap();
    let json = serde_json::to_value(&progress).unwrap();
    assert_eq!(json["steps"][0]["state"], "running");
    assert_eq!(serde_json::from_value::<Progress>(json).unwrap(), progress);
    use StepState::{Done, Failed, Pending, Running, Skipped};
    for state in [Pending, Running, Done, Skipped, Failed] {
        assert_eq!(serde_json::json!(state), state.as_str());
    }
}

#[derive(Debug, Clone)]
enum Report {
    Start,
    Advance { current: u64, total: u64 },
    Finish,
    Skip,
    Fail,
}

fn reports() -> impl Strategy<Value = Vec<(usize, Report, u64)>> {
    let report = prop_oneof![
        2 => Just(Report::Start),
        6 => (0..50_u64, 0..40_u64).prop_map(|(current, total)| Report::Advance { current, total }),
        1 => (any::<u64>(), any::<u64>())
            .prop_map(|(current, total)| Report::Advance { current, total }),
        2 => Just(Report::Finish),
        1 => Just(Report::Skip),
        1 => Just(Report::Fail),
    ];
    prop::collection::vec((0..6_usize, report, 0..5_000_u64), 0..60)
}

proptest! {
    #[test]
    fn percent_never_goes_back_and_is_100_only_when_complete(
        weights in prop::collection::vec(1..=u32::MAX, 1..6), reports in reports(),
    ) {
        let names = ["a", "b", "c", "d", "e"];
        let plan = StepPlan::new(names.into_iter().zip(weights)).unwrap();
        let mut progress = Progress::new(&plan, T0);
        let mut now_ms = T0;
        for (index, report, wait_ms) in reports {
            now_ms += wait_ms;
            let before = progress.clone();
            // The sixth name is in no plan.
            let step = names.get(index).copied().unwrap_or("z");
            let answer = match report {
                Report::Start => progress.start(step, now_ms),
                Report::Advance { current, total } => progress.advance(step, current, total, "", now_ms),
                Report::Finish => progress.finish(step, now_ms),
                Report::Skip => progress.skip(step, "", now_ms),
                Report::Fail => progress.fail(step, "", now_ms),
            };
            prop_assert!(progress.basis_points >= before.basis_points);
            prop_assert!(progress.basis_points < BASIS_POINTS_COMPLETE);
            prop_assert!(answer.is_ok() || progress == before);
        }
        progress.complete(now_ms);
        prop_assert_eq!(progress.percent(), 100.0);
    }
}
