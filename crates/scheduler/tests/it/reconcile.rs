//! Envelopes that a queue beside the store has lost, or moved out of the way.

use std::sync::Arc;

use assay_core::clock::ManualClock;
use assay_core::envelope::Envelope;
use assay_core::id::JobId;
use assay_core::job::JobSpec;
use assay_core::kind::{JobKind, Lane};
use assay_core::state::JobState;
use assay_core::transition::{Admission, submit};
use assay_scheduler::{
    Activity, Error, INSTRUMENTS, MARKER_MARGIN_MS, Reconcile, ReconcileDeadLetters, Report,
    SendMarkers,
};
use assay_service::Readiness;
use assay_service::prometheus::Metrics;

use crate::ports::{
    NOW_MS, ScriptedBroker, ScriptedLetters, ScriptedQueue, ScriptedStore, envelope,
};

const LANE: (JobKind, Lane) = (JobKind::Batch, Lane::High);
const LIMIT: usize = 3;

struct Sender {
    broker: Arc<ScriptedBroker>,
    clock: Arc<ManualClock>,
    activity: SendMarkers,
}

impl Sender {
    fn new() -> Self {
        let broker = Arc::<ScriptedBroker>::default();
        let clock = Arc::new(ManualClock::at(NOW_MS));
        Self {
            activity: SendMarkers::new(
                Arc::clone(&broker) as _,
                Arc::clone(&broker) as _,
                Arc::clone(&broker) as _,
                Arc::clone(&clock) as _,
            ),
            broker,
            clock,
        }
    }

    /// When markers were published since the last look.
    async fn sends(&self) -> Vec<u64> {
        let report = self.activity.activate().await.unwrap();
        let sent = std::mem::take(&mut *self.broker.markers.lock());
        assert!(sent.iter().all(|(place, _)| *place == LANE));
        assert_eq!(report.changed, sent.len());
        sent.into_iter().map(|(_, at_ms)| at_ms).collect()
    }
}

#[tokio::test]
async fn a_lane_gets_a_marker_when_jobs_wait_in_it_for_long_and_one_at_a_time() {
    let sender = Sender::new();
    assert!(sender.sends().await.is_empty(), "nothing waits");
    sender.broker.oldest.lock().insert(LANE, NOW_MS);
    sender.clock.advance(MARKER_MARGIN_MS);
    assert!(sender.sends().await.is_empty(), "not for long");
    sender.clock.advance(1);
    let first_ms = NOW_MS + MARKER_MARGIN_MS + 1;
    assert_eq!(sender.sends().await, [first_ms]);
    sender.clock.advance(30_000);
    assert!(sender.sends().await.is_empty(), "it is on its way");
    sender.broker.latest.lock().insert(LANE, first_ms);
    assert_eq!(sender.sends().await, [first_ms + 30_000]);
    sender.clock.advance(59_999);
    assert!(sender.sends().await.is_empty());
    sender.clock.advance(1);
    assert_eq!(sender.sends().await, [first_ms + 90_000], "one was lost");
}

#[tokio::test]
async fn a_marker_that_was_not_sent_is_sent_the_next_time() {
    let sender = Sender::new();
    let long_ago_ms = NOW_MS - MARKER_MARGIN_MS - 1;
    sender.broker.oldest.lock().insert(LANE, long_ago_ms);
    sender.broker.full.lock().insert(LANE);
    let error = sender.activity.activate().await.unwrap_err();
    assert_eq!(error.to_string(), "send a marker");
    sender.broker.full.lock().clear();
    assert_eq!(sender.sends().await, [NOW_MS]);
}

#[tokio::test]
async fn a_lane_that_takes_no_marker_keeps_no_other_from_its_own() {
    let sender = Sender::new();
    let full = (JobKind::ContentVerification, Lane::Low);
    for place in [full, LANE] {
        let long_ago_ms = NOW_MS - MARKER_MARGIN_MS - 1;
        sender.broker.oldest.lock().insert(place, long_ago_ms);
    }
    sender.broker.full.lock().insert(full);
    let error = sender.activity.activate().await.unwrap_err();
    assert_eq!(error.to_string(), "send a marker");
    assert_eq!(*sender.broker.markers.lock(), [(LANE, NOW_MS)]);
}

fn reconcile(broker: &Arc<ScriptedBroker>, clock: &Arc<ManualClock>) -> Reconcile {
    Reconcile::new(
        Arc::clone(broker) as _,
        Arc::clone(broker) as _,
        Arc::clone(clock) as _,
        LIMIT,
    )
}

/// Else all that was sent since a clock was set back would be sent over and over.
#[tokio::test]
async fn a_marker_of_a_time_to_come_proves_nothing() {
    let broker = Arc::<ScriptedBroker>::default();
    broker.latest.lock().insert(LANE, NOW_MS);
    broker.lost.lock().insert(LANE, LIMIT);
    let clock = Arc::new(ManualClock::at(NOW_MS - 1));
    let reconcile = reconcile(&broker, &clock);
    assert_eq!(reconcile.activate().await.unwrap(), Report::default());
    clock.advance(1);
    assert_eq!(reconcile.activate().await.unwrap().changed, LIMIT);
}

#[tokio::test]
async fn what_a_marker_overtook_is_sent_again() {
    let broker = Arc::<ScriptedBroker>::default();
    let clock = Arc::new(ManualClock::at(NOW_MS));
    let reconcile = reconcile(&broker, &clock);
    assert_eq!(reconcile.activate().await.unwrap(), Report::default());
    assert!(broker.asked.lock().is_empty(), "no marker came out");
    broker.latest.lock().insert(LANE, NOW_MS);
    broker.lost.lock().insert(LANE, LIMIT + 1);
    for (changed, more) in [(LIMIT, true), (1, false), (0, false)] {
        let report = reconcile.activate().await.unwrap();
        assert_eq!(report, Report { changed, more });
        let asked = std::mem::take(&mut *broker.asked.lock());
        assert_eq!(asked, [(LANE, NOW_MS - MARKER_MARGIN_MS, LIMIT)]);
    }
}

struct Letters {
    letters: ScriptedLetters,
    store: Arc<ScriptedStore>,
    queue: Arc<ScriptedQueue>,
}

impl Letters {
    fn new(queue: ScriptedQueue) -> Self {
        Self {
            letters: ScriptedLetters::default(),
            store: Arc::default(),
            queue: Arc::new(queue),
        }
    }

    /// A dead letter of a job that is on record.
    fn add(&self, number: u8, state: JobState) -> JobId {
        let envelope = envelope(number);
        let spec = JobSpec::new(JobKind::Batch, Vec::new(), NOW_MS);
        let mut job = submit(envelope.job_id, &spec, Admission::Accept, NOW_MS).job;
        (job.state, job.generation) = (state, envelope.generation);
        self.store.jobs.lock().insert(job.id, job);
        self.letters.add("delivery_limit", Some(envelope.clone()));
        envelope.job_id
    }

    async fn reconcile(&self, limit: usize) -> Result<Report, Error> {
        let activity = ReconcileDeadLetters::new(
            Arc::new(self.letters.clone()),
            Arc::clone(&self.store) as _,
            Arc::clone(&self.queue) as _,
            limit,
        );
        activity.activate().await
    }
}

#[tokio::test]
async fn a_dead_letter_is_published_again_forgotten_or_kept() {
    let bench = Letters::new(ScriptedQueue::default());
    let queued = bench.add(1, JobState::Queued);
    bench.add(2, JobState::Succeeded);
    let older = Envelope {
        generation: 0,
        ..envelope(3)
    };
    bench.add(3, JobState::Queued);
    bench.letters.add("delivery_limit", Some(older));
    bench.letters.add("undecodable", None);
    let orphan = envelope(4);
    bench.letters.add("orphan", Some(orphan.clone()));
    let missing = envelope(5);
    bench.letters.add("delivery_limit", Some(missing.clone()));
    let report = bench.reconcile(10).await.unwrap();
    assert_eq!((report.changed, report.more), (5, false));
    let published = [queued, envelope(3).job_id, missing.job_id];
    assert_eq!(bench.queue.published(), published.into());
    assert_eq!(bench.letters.left(), [None, Some(orphan.job_id)]);
    let again = bench.reconcile(10).await.unwrap();
    assert_eq!(again, Report::default());
}

#[tokio::test]
async fn a_letter_that_is_not_published_again_stays() {
    let bench = Letters::new(ScriptedQueue::refusing(&[envelope(1)]));
    let queued = bench.add(1, JobState::Queued);
    let error = bench.reconcile(10).await.unwrap_err();
    assert_eq!(error.to_string(), "publish dead letters again");
    assert_eq!(bench.letters.left(), [Some(queued)]);
}

#[tokio::test]
async fn a_letter_that_is_not_published_again_holds_up_no_other() {
    let bench = Letters::new(ScriptedQueue::refusing(&[envelope(1)]));
    let refused = bench.add(1, JobState::Queued);
    bench.add(2, JobState::Succeeded);
    let queued = bench.add(3, JobState::Queued);
    let error = bench.reconcile(10).await.unwrap_err();
    assert_eq!(error.to_string(), "publish dead letters again");
    assert_eq!(bench.queue.published(), [queued].into());
    assert_eq!(bench.letters.left(), [Some(refused)]);
}

#[tokio::test]
async fn no_more_letters_than_the_limit_are_looked_at() {
    let bench = Letters::new(ScriptedQueue::default());
    for number in 1..=4 {
        bench.add(number, JobState::Succeeded);
    }
    for (changed, more) in [(3, true), (1, false)] {
        let report = bench.reconcile(3).await.unwrap();
        assert_eq!(report, Report { changed, more });
    }
}

#[test]
fn what_is_kept_for_people_is_counted_by_reason() {
    let metrics = Metrics::new("test", "0", &[INSTRUMENTS]).unwrap();
    let bench = Letters::new(ScriptedQueue::default());
    bench.letters.add("undecodable", None);
    bench.letters.add("undecodable", None);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let report = metrics.record(|| runtime.block_on(bench.reconcile(10)));
    assert_eq!(report.unwrap(), Report::default());
    let text = metrics.render(&Readiness::new());
    for line in [
        r#"assay_job_queue_dead_letters{service="test",kind="batch",reason="undecodable"} 2"#,
        r#"assay_job_queue_dead_letters{service="test",kind="batch",reason="orphan"} 0"#,
        r#"assay_job_queue_dead_letters{service="test",kind="ruv-profile",reason="undecodable"} 0"#,
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}
