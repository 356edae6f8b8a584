use std::sync::Arc;

use assay_core::clock::ManualClock;
use assay_scheduler::{DEFAULTS, INSTRUMENTS, Parts};
use assay_service::prometheus::Metrics;
use assay_service::shutdown::{Drained, Pace, Reason};
use assay_service::{Config, Context};
use assay_test_support::wait::{wait_until, within};

use crate::ports::{NOW_MS, ScriptedQueue, ScriptedStore, swept};

const PACE: Pace = Pace {
    not_ready_ms: 0,
    drain_ms: 10_000,
    hand_back_ms: 1_000,
};

fn context(key: &str, value: &str) -> Context {
    let config = Config::loader(&[DEFAULTS]).set(key, value).load().unwrap();
    let metrics = Metrics::new("test", "0", &[INSTRUMENTS]).unwrap();
    Context::detached(config, metrics)
}

fn parts(store: &Arc<ScriptedStore>) -> Parts {
    Parts {
        store: Arc::clone(store) as _,
        queue: Arc::new(ScriptedQueue::default()),
        blobs: None,
        clock: Arc::new(ManualClock::at(NOW_MS)),
        reconciling: None,
    }
}

#[tokio::test(start_paused = true)]
async fn every_loop_runs_until_the_shutdown_and_then_all_have_ended() {
    let store = Arc::new(ScriptedStore::answering(
        "promote_due",
        [Ok(swept(77)), Ok(swept(1))],
    ));
    let context = context("scheduler.jobs_per_activation_max", "77");
    let program = assay_scheduler::run(context.clone(), parts(&store));
    let runs = context.tasks.spawn_joined("scheduler", program);
    for sweep in ["promote_due", "reap", "sweep_outbox", "expire"] {
        wait_until("the loop ran", || async {
            store.limits_of(sweep).first() == Some(&77)
        })
        .await;
    }
    assert_eq!(context.tasks.running(), 6, "{:?}", context.tasks.names());

    context.shutdown.begin(Reason::Finished);
    let drained = context
        .shutdown
        .drain(PACE, &context.readiness, context.tasks.joined());
    assert_eq!(within("all loops end", drained).await, Drained::InTime);
    runs.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_wrong_setting_starts_nothing() {
    let store = Arc::<ScriptedStore>::default();
    let context = context("scheduler.reap_period_ms", "0");
    let error = assay_scheduler::run(context.clone(), parts(&store)).await;
    let error = error.unwrap_err().to_string();
    assert!(
        error.starts_with("`scheduler.reap_period_ms` must be"),
        "{error}"
    );
    assert_eq!(context.tasks.running(), 0);
}
