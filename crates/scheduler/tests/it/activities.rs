use std::sync::Arc;

use assay_core::clock::ManualClock;
use assay_core::port::Swept;
use assay_scheduler::{
    Activity, ActivityName, Error, Expire, INSTRUMENTS, MeasureDepth, Outlet, PromoteDue, Reap,
    Report, SweepOutbox,
};
use assay_service::Readiness;
use assay_service::prometheus::Metrics;

use crate::ports::{NOW_MS, ScriptedQueue, ScriptedStore, envelope, swept, unavailable};

const LIMIT: usize = 3;

/// Every sweep, on the same ports.
fn sweeps(store: &Arc<ScriptedStore>, queue: &Arc<ScriptedQueue>) -> Vec<Box<dyn Activity>> {
    let outlet = Outlet::new(Arc::clone(store) as _, Arc::clone(queue) as _);
    vec![
        Box::new(PromoteDue::new(outlet.clone(), LIMIT)),
        Box::new(Reap::new(outlet.clone(), LIMIT)),
        Box::new(SweepOutbox::new(outlet.clone(), LIMIT)),
        Box::new(Expire::new(outlet, LIMIT)),
    ]
}

async fn activate(
    sweep: &str,
    store: &Arc<ScriptedStore>,
    queue: &Arc<ScriptedQueue>,
) -> Result<Report, Error> {
    let sweeps = sweeps(store, queue);
    let found = sweeps
        .iter()
        .find(|activity| activity.name().as_str() == sweep);
    found.unwrap().activate().await
}

#[tokio::test]
async fn each_sweep_asks_the_store_for_its_own_step_with_the_limit() {
    let (store, queue) = (
        Arc::<ScriptedStore>::default(),
        Arc::<ScriptedQueue>::default(),
    );
    for activity in sweeps(&store, &queue) {
        let name = activity.name().as_str();
        assert!(store.limits_of(name).is_empty());
        assert_eq!(activity.activate().await.unwrap(), Report::default());
        assert_eq!(store.limits_of(name), [LIMIT]);
    }
}

#[tokio::test]
async fn a_sweep_at_the_limit_says_that_there_may_be_more() {
    for sweep in ["promote_due", "reap", "sweep_outbox", "expire"] {
        let answers = [Ok(swept(LIMIT)), Ok(swept(LIMIT - 1))];
        let store = Arc::new(ScriptedStore::answering(sweep, answers));
        let queue = Arc::<ScriptedQueue>::default();
        let full = activate(sweep, &store, &queue).await.unwrap();
        assert_eq!((full.changed, full.more), (LIMIT, true));
        let last = activate(sweep, &store, &queue).await.unwrap();
        assert_eq!((last.changed, last.more), (LIMIT - 1, false));
        assert!(
            queue.published().is_empty(),
            "the store publishes by itself"
        );
    }
}

#[tokio::test]
async fn what_the_store_answers_is_published_then_promoted() {
    for sweep in ["promote_due", "reap", "sweep_outbox", "expire"] {
        let publish = Swept {
            jobs: 2,
            publish: vec![envelope(1), envelope(2)],
        };
        let store = Arc::new(ScriptedStore::answering(sweep, [Ok(publish)]));
        let queue = Arc::<ScriptedQueue>::default();
        activate(sweep, &store, &queue).await.unwrap();
        let [one, two] = [envelope(1).job_id, envelope(2).job_id];
        assert_eq!(queue.published(), [one, two].into());
        assert_eq!(store.promoted(), [(one, 1), (two, 2)].into());
    }
}

#[tokio::test]
async fn an_envelope_that_is_refused_is_not_promoted_and_holds_up_no_other() {
    let publish = Swept {
        jobs: 3,
        publish: (1..=3).map(envelope).collect(),
    };
    let store = Arc::new(ScriptedStore::answering("sweep_outbox", [Ok(publish)]));
    let queue = Arc::new(ScriptedQueue::refusing(&[envelope(2)]));
    let error = activate("sweep_outbox", &store, &queue).await.unwrap_err();
    assert_eq!(error.to_string(), "publish 1 of 3 envelopes");
    assert_eq!(
        store.promoted(),
        [(envelope(1).job_id, 1), (envelope(3).job_id, 3)].into()
    );
}

#[tokio::test]
async fn what_waits_to_be_queued_stays_where_it_is_while_the_queue_takes_nothing() {
    let (store, queue) = (
        Arc::<ScriptedStore>::default(),
        Arc::new(ScriptedQueue::shut()),
    );
    for activity in sweeps(&store, &queue) {
        let name = activity.name();
        activity.activate().await.unwrap();
        // The clock goes on for what runs, and for what has ended.
        let asked = matches!(name, ActivityName::Reap | ActivityName::Expire);
        assert_eq!(!store.limits_of(name.as_str()).is_empty(), asked, "{name}");
    }
}

#[tokio::test]
async fn a_promote_that_fails_is_a_failure() {
    let publish = Swept {
        jobs: 1,
        publish: vec![envelope(1)],
    };
    let store = ScriptedStore::answering("reap", [Ok(publish)]).failing_promotes();
    let (store, queue) = (Arc::new(store), Arc::<ScriptedQueue>::default());
    let error = activate("reap", &store, &queue).await.unwrap_err();
    assert_eq!(error.to_string(), "mark published jobs as queued");
}

#[tokio::test]
async fn a_store_that_fails_is_a_failure_with_its_cause() {
    let store = Arc::new(ScriptedStore::answering("expire", [Err(unavailable())]));
    let error = activate("expire", &store, &Arc::default())
        .await
        .unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "reach the store: connection refused");
}

fn measure(queue: ScriptedQueue) -> (Result<Report, Error>, String) {
    let metrics = Metrics::new("test", "0", &[INSTRUMENTS]).unwrap();
    let clock = Arc::new(ManualClock::at(NOW_MS));
    let store = Arc::new(ScriptedStore::answering("counts", []));
    let measure = MeasureDepth::new(Arc::new(queue), store, clock);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let report = metrics.record(|| runtime.block_on(measure.activate()));
    (report, metrics.render(&Readiness::new()))
}

#[test]
fn depth_and_age_are_shown_by_kind_and_lane_and_jobs_by_state() {
    let (report, text) = measure(ScriptedQueue::default());
    assert_eq!(report.unwrap(), Report::default());
    for line in [
        r#"assay_job_queue_depth{service="test",kind="batch",lane="high"} 7"#,
        r#"assay_job_queue_depth{service="test",kind="batch",lane="low"} 0"#,
        r#"assay_job_queue_oldest_age_seconds{service="test",kind="batch",lane="high"} 2.5"#,
        r#"assay_job_queue_oldest_age_seconds{service="test",kind="ruv-profile",lane="high"} 0"#,
        r#"assay_jobs{service="test",kind="batch",reason="retrying"} 3"#,
        r#"assay_jobs{service="test",kind="batch",reason="queued"} 0"#,
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[test]
fn a_queue_that_cannot_be_measured_is_a_failure() {
    let (report, _) = measure(ScriptedQueue::unmeasurable());
    assert_eq!(report.unwrap_err().to_string(), "measure the queues");
}

#[test]
fn every_series_starts_at_zero() {
    let metrics = Metrics::new("test", "0", &[INSTRUMENTS]).unwrap();
    let text = metrics.render(&Readiness::new());
    for name in ActivityName::ALL {
        for total in ["activations", "failures", "jobs"] {
            let line =
                format!(r#"assay_scheduler_{total}_total{{service="test",reason="{name}"}} 0"#);
            assert!(text.contains(&line), "{line}\n{text}");
        }
    }
}
