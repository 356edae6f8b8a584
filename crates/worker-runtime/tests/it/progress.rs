//! Progress: reported at any pace, written at most five times a second, the last always.

use assay_core::progress::StepState;
use assay_core::state::JobState;
use assay_worker_runtime::JobError;
use serde_json::Value;
use std::time::Duration;

use crate::world::World;

#[tokio::test(start_paused = true)]
async fn writes_are_bounded_and_the_last_is_in_the_settlement() {
    let world = World::new();
    let id = world.submit("hello");
    let _worker = world.work(|context, _| {
        Box::pin(async move {
            context.progress().done("fetch");
            for item in 1..=1_000 {
                context.progress().advance("look", item, 1_000, "looking");
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            Err(JobError::permanent("end", "seen enough"))
        })
    });
    let row = world.wait(id, JobState::Failed).await;
    let reports = world.store.reports.lock().clone();
    assert!(
        (9..=12).contains(&reports.len()),
        "{} in two seconds",
        reports.len()
    );
    for pair in reports.windows(2) {
        assert!(pair[1].0 - pair[0].0 >= 200, "a gap between writes");
        assert!(pair[1].1.basis_points >= pair[0].1.basis_points);
    }
    let last = row.job.progress.unwrap();
    assert_eq!(last.steps[1].current, 1_000, "the last report");
    assert_eq!(last.steps[0].state, StepState::Done);
    assert_eq!(
        last.steps[1].state,
        StepState::Failed,
        "it ran when the attempt failed"
    );
    assert_eq!(last.message, "looking");
}

#[tokio::test(start_paused = true)]
async fn a_success_is_complete_and_one_report_is_one_write() {
    let world = World::new();
    let id = world.submit("hello");
    let _worker = world.work(|context, _| {
        Box::pin(async move {
            context.progress().start("fetch");
            tokio::time::sleep(Duration::from_secs(3)).await;
            Ok(Value::Null)
        })
    });
    let row = world.wait(id, JobState::Succeeded).await;
    assert!(row.job.progress.unwrap().is_complete());
    assert_eq!(world.store.reports.lock().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_report_that_does_not_fit_the_plan_harms_nothing() {
    let world = World::new();
    let id = world.submit("hello");
    let _worker = world.work(|context, _| {
        Box::pin(async move {
            context.progress().advance("nonsense", 1, 1, "");
            context.progress().skip("fetch", "not needed");
            context.progress().fail("look", "saw nothing");
            context.progress().start("look");
            Ok(Value::Null)
        })
    });
    let row = world.wait(id, JobState::Succeeded).await;
    let steps = row.job.progress.unwrap().steps;
    assert_eq!(steps[0].state, StepState::Skipped);
    assert_eq!(steps[1].state, StepState::Failed);
}

#[tokio::test(start_paused = true)]
async fn each_attempt_begins_at_nothing() {
    let world = World::new();
    let id = world.submit("hello");
    let _worker = world.work(|context, _| {
        Box::pin(async move {
            context.progress().start("fetch");
            if context.attempt() == 1 {
                context.progress().done("fetch");
                return Err(JobError::transient("again", "once more"));
            }
            Err(JobError::permanent("end", "enough"))
        })
    });
    let first = world.wait(id, JobState::Retrying).await;
    assert_eq!(first.job.progress.unwrap().basis_points, 2_500);
    let second = world.wait(id, JobState::Failed).await;
    assert_eq!(second.job.progress.unwrap().basis_points, 0);
}
