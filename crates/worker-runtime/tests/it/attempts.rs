//! How attempts end, and what follows.

use std::time::Duration;

use assay_core::envelope::Codec;
use assay_core::job::CHECKPOINT_BYTES_MAX;
use assay_core::port::ResultBody;
use assay_core::retry::{DeadLetterReason, FailureClass};
use assay_core::state::JobState;
use assay_worker_runtime::JobError;
use serde_json::{Value, json};

use crate::world::{World, never, seconds};

#[tokio::test(start_paused = true)]
async fn a_success_is_recorded_and_then_acknowledged() {
    let world = World::new();
    let id = world.submit("hello");
    let worker = world.work(|context, word| {
        Box::pin(async move {
            assert_eq!(context.attempt(), 1);
            assert_eq!(context.time_left(), seconds(24 * 60 * 60));
            assert!(context.checkpoint().is_none() && !context.is_cancelled());
            Ok(json!({ "said": word }))
        })
    });
    let row = world.wait(id, JobState::Succeeded).await;
    let body = serde_json::to_vec(&json!({ "said": "hello" })).unwrap();
    assert_eq!(row.result, Some(ResultBody::Inline(body)));
    assert_eq!(
        row.job.progress, None,
        "nothing was reported, nothing is written"
    );
    worker.shut_down().await;
    assert_eq!(world.journal.read(), ["claim", "record", "ack"]);
    assert_eq!(world.queue.in_hand(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_ended_is_counted() {
    let world = World::new();
    let id = world.submit("hello");
    let worker = world.work(|_, _| Box::pin(async { Ok(Value::Null) }));
    world.wait(id, JobState::Succeeded).await;
    let context = worker.context.clone();
    worker.shut_down().await;
    let text = context.metrics.render(&context.readiness);
    for line in [
        "assay_job_attempts_total{service=\"worker\",kind=\"content-verification\",lane=\"normal\"} 1",
        "assay_job_attempts_total{service=\"worker\",kind=\"content-verification\",lane=\"low\"} 0",
        "assay_job_retries_total{service=\"worker\",kind=\"content-verification\",lane=\"high\",reason=\"drain\"} 0",
        "assay_job_in_flight{service=\"worker\",kind=\"content-verification\"} 0",
        "assay_worker_slots_total{service=\"worker\",kind=\"content-verification\"} 8",
        "assay_worker_slots_used{service=\"worker\",kind=\"content-verification\"} 0",
        "assay_delivery_refused_total{service=\"worker\",kind=\"content-verification\",reason=\"busy\"} 0",
        "assay_job_run_seconds_count{service=\"worker\",kind=\"content-verification\",lane=\"normal\"} 1",
        "assay_job_wait_seconds_count{service=\"worker\",kind=\"content-verification\",lane=\"normal\"} 1",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_transient_failure_is_tried_again_after_its_delay() {
    let world = World::new();
    let id = world.submit("hello");
    let worker = world.work(|context, _| {
        Box::pin(async move {
            if context.attempt() == 1 {
                let busy = JobError::transient("busy", "downstream is busy");
                return Err(busy.retry_after(seconds(40)));
            }
            Ok(Value::Null)
        })
    });
    let row = world.wait(id, JobState::Retrying).await;
    let failure = row.job.failure.unwrap();
    assert_eq!(
        (failure.code.as_str(), failure.class),
        ("busy", FailureClass::Transient)
    );
    let due_in_ms = row.job.times.due_at_ms.unwrap() - row.job.times.created_at_ms;
    assert_eq!(due_in_ms, 40_000);
    let row = world.wait(id, JobState::Succeeded).await;
    assert_eq!((row.job.attempt, row.job.counters.errors), (2, 1));
    worker.shut_down().await;
    let expected = [
        "claim", "record", "publish", "promote", "ack", "claim", "record", "ack",
    ];
    assert_eq!(world.journal.read(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_permanent_failure_is_the_end() {
    let world = World::new();
    let id = world.submit("hello");
    let _worker = world
        .work(|_, _| Box::pin(async { Err(JobError::permanent("corrupt_media", "no frame")) }));
    let row = world.wait(id, JobState::Failed).await;
    assert_eq!(row.job.failure.unwrap().code, "corrupt_media");
    assert_eq!(row.job.attempt, 1);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failed_attempt_and_the_worker_goes_on() {
    let world = World::new();
    let bad = world.submit_with("bad", |spec| spec.policy.retry.attempts_max = 2);
    let good = world.submit("good");
    let _worker = world.work(|_, word| {
        Box::pin(async move {
            assert_ne!(word, "bad", "boom");
            Ok(Value::Null)
        })
    });
    world.wait(good, JobState::Succeeded).await;
    let row = world.wait(bad, JobState::DeadLettered).await;
    assert_eq!(
        row.job.dead_letter,
        Some(DeadLetterReason::AttemptsExhausted)
    );
    let failure = row.job.failure.unwrap();
    assert_eq!(failure.class, FailureClass::Panicked);
    assert!(failure.message.contains("boom"), "{}", failure.message);
    assert_eq!(row.job.attempt, 2);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_takes_too_long_is_cut_off() {
    let world = World::new();
    let id = world.submit_with("slow", |spec| spec.policy.attempt_timeout_ms = 2_500);
    let _worker = world.work(|_, _| Box::pin(never()));
    let row = world.wait(id, JobState::Retrying).await;
    let failure = row.job.failure.unwrap();
    assert_eq!(failure.class, FailureClass::TimedOut);
    assert_eq!(failure.message, "the attempt took longer than 2500 ms");
}

#[tokio::test(start_paused = true)]
async fn no_job_runs_beyond_the_workers_own_limit() {
    let mut world = World::new();
    world.settings.attempt_timeout_ms = 1_000;
    let id = world.submit("slow");
    let _worker = world.work(|_, _| Box::pin(never()));
    let row = world.wait(id, JobState::Retrying).await;
    assert_eq!(
        row.job.failure.unwrap().message,
        "the attempt took longer than 1000 ms"
    );
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_passes_meanwhile_ends_the_job() {
    let world = World::new();
    let id = world.submit_with("slow", |spec| {
        spec.deadline_at_ms -= 24 * 60 * 60 * 1_000 - 3_000
    });
    let _worker = world.work(|_, _| Box::pin(never()));
    let row = world.wait(id, JobState::DeadLettered).await;
    assert_eq!(
        row.job.dead_letter,
        Some(DeadLetterReason::DeadlineExceeded)
    );
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_parks_the_job_and_spends_no_attempt() {
    let world = World::new();
    let id = world.submit("hello");
    let _worker = world.work(|context, _| {
        Box::pin(async move {
            if context.job().counters.interruptions == 0 {
                return Err(JobError::breaker_open(Some(seconds(90))));
            }
            Ok(Value::Null)
        })
    });
    let row = world.wait(id, JobState::Waiting).await;
    assert_eq!(
        row.job.times.due_at_ms.unwrap() - row.job.times.created_at_ms,
        90_000
    );
    let row = world.wait(id, JobState::Succeeded).await;
    assert_eq!(
        (row.job.counters.errors, row.job.counters.interruptions),
        (0, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn rubbish_is_a_dead_letter_and_never_reaches_the_handler() {
    let world = World::new();
    let id = world.submit_with("", |spec| spec.payload = b"\xff\xff\xff".to_vec());
    let worker = world.work(|_, _| Box::pin(async { panic!("never called") }));
    let row = world.wait(id, JobState::DeadLettered).await;
    assert_eq!(row.job.dead_letter, Some(DeadLetterReason::Undecodable));
    assert_eq!(row.job.failure.unwrap().code, "undecodable");
    worker.shut_down().await;
    assert_eq!(world.journal.read(), ["claim", "record", "ack"]);
}

#[tokio::test(start_paused = true)]
async fn what_only_a_newer_worker_can_read_waits_for_one() {
    let world = World::new();
    let id = world.submit("hello");
    let mut newer = (*world.store.row(id).envelope).clone();
    newer.codec = Codec::Zstd;
    newer.job_id = assay_core::id::JobId::from_bytes([99; 16]);
    world.queue.put(newer.into(), tokio::time::Instant::now());
    let worker = world.work(|_, _| Box::pin(async { Ok(Value::Null) }));
    world.wait(id, JobState::Succeeded).await;
    worker.shut_down().await;
    assert_eq!(world.queue.waiting(), 1);
    let due = world.queue.next_due().unwrap();
    assert!(
        due > Duration::from_secs(29) && due <= Duration::from_secs(30),
        "{due:?}"
    );
    assert_eq!(world.queue.dead(), []);
}

#[tokio::test(start_paused = true)]
async fn a_delivery_without_a_record_is_kept_for_people() {
    let world = World::new();
    let orphan = world.submit("orphan");
    world.store.forget(orphan);
    let id = world.submit("hello");
    let worker = world.work(|_, _| Box::pin(async { Ok(Value::Null) }));
    world.wait(id, JobState::Succeeded).await;
    worker.shut_down().await;
    assert_eq!(world.queue.dead(), [DeadLetterReason::Orphan]);
}

#[tokio::test(start_paused = true)]
async fn a_second_delivery_of_a_finished_job_is_acknowledged_unrun() {
    let world = World::new();
    let id = world.submit("hello");
    let worker = world.work(|_, _| Box::pin(async { Ok(Value::Null) }));
    let row = world.wait(id, JobState::Succeeded).await;
    world.queue.put(row.envelope, tokio::time::Instant::now());
    let next = world.submit("next");
    world.wait(next, JobState::Succeeded).await;
    worker.shut_down().await;
    assert_eq!(world.queue.waiting(), 0);
    assert_eq!(world.store.row(id).job.attempt, 1);
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_is_handed_to_the_next_attempt() {
    let world = World::new();
    let id = world.submit("hello");
    let _worker = world.work(|context, _| {
        Box::pin(async move {
            let Some(found) = context.checkpoint() else {
                context
                    .save_checkpoint(vec![7; CHECKPOINT_BYTES_MAX])
                    .await?;
                return Err(JobError::transient("half", "half done"));
            };
            Ok(json!(found.len()))
        })
    });
    let row = world.wait(id, JobState::Succeeded).await;
    let expected = CHECKPOINT_BYTES_MAX.to_string().into_bytes();
    assert_eq!(row.result, Some(ResultBody::Inline(expected)));
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_beyond_its_bound_fails_the_job() {
    let world = World::new();
    let id = world.submit("hello");
    let _worker = world.work(|context, _| {
        Box::pin(async move {
            let too_large = vec![7; CHECKPOINT_BYTES_MAX + 1];
            context.save_checkpoint(too_large).await?;
            Ok(Value::Null)
        })
    });
    let row = world.wait(id, JobState::Failed).await;
    assert_eq!(row.job.failure.unwrap().code, "checkpoint_too_large");
    assert!(row.checkpoint.is_none());
}
