//! Where results go.

use assay_core::job::RESULT_INLINE_BYTES_MAX;
use assay_core::port::ResultBody;
use assay_core::state::JobState;
use serde_json::Value;

use crate::world::World;

/// A value whose JSON has this many bytes.
fn of_bytes(bytes: usize) -> Value {
    Value::String("x".repeat(bytes - 2))
}

#[tokio::test(start_paused = true)]
async fn a_result_is_kept_with_the_record_up_to_its_bound() {
    let world = World::new();
    let id = world.submit("hello");
    let _worker = world.work(|_, _| Box::pin(async { Ok(of_bytes(RESULT_INLINE_BYTES_MAX)) }));
    let row = world.wait(id, JobState::Succeeded).await;
    assert!(matches!(row.result, Some(ResultBody::Inline(body)) if body.len() == 65_536));
    assert!(world.contents.kept.lock().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_larger_result_becomes_content_also_when_that_takes_some_tries() {
    let world = World::new();
    *world.contents.failures.lock() = 3;
    let id = world.submit("hello");
    let _worker = world.work(|_, _| Box::pin(async { Ok(of_bytes(RESULT_INLINE_BYTES_MAX + 1)) }));
    let row = world.wait(id, JobState::Succeeded).await;
    let blob = ResultBody::Blob {
        content_id: "bytes-65537".to_owned(),
        bytes: 65_537,
    };
    assert_eq!(row.result, Some(blob));
    assert_eq!(world.contents.kept.lock().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_content_store_that_stays_away_parks_the_job() {
    let world = World::new();
    *world.contents.failures.lock() = 4;
    let id = world.submit("hello");
    let _worker = world.work(|_, _| Box::pin(async { Ok(of_bytes(RESULT_INLINE_BYTES_MAX + 1)) }));
    world.wait(id, JobState::Waiting).await;
    let row = world.wait(id, JobState::Succeeded).await;
    assert_eq!(
        (row.job.counters.errors, row.job.counters.interruptions),
        (0, 1)
    );
}
