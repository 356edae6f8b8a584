use assay_core::event::HISTORY_EVENTS_MAX;
use assay_core::port::{EventItem, EventStream, History, Interest, Written};
use assay_core::retry::Decision;
use assay_core::state::JobState;

use super::fence::progress;
use super::{Subject, expect, fail, failure, id, tenant};
use crate::wait::within;

/// One event per change, numbered one by one, and the record names the latest.
pub async fn events_have_no_gaps(subject: Subject) {
    let id = subject.queue(1).await;
    let lease = subject.claim(id).await.lease;
    for done in [10, 60] {
        let reported = subject
            .store
            .report(&lease, progress(done, subject.now_ms()))
            .await;
        assert_eq!(expect("report", reported), Written::Recorded);
    }
    subject.settle(&lease, Decision::Fail(failure())).await;
    subject.redrive(id).await;
    let events = subject.events(id).await;
    let sequences: Vec<u64> = events.iter().map(|event| event.id.sequence).collect();
    assert_eq!(sequences, (1..=sequences.len() as u64).collect::<Vec<_>>());
    assert!(events.iter().map(|event| event.id).is_sorted());
    assert_eq!(
        events.last().map(|event| event.id),
        Some(subject.job(id).await.event_id)
    );
    let states: Vec<JobState> = events.iter().map(|event| event.state).collect();
    let tail = [
        JobState::Queued,
        JobState::Running,
        JobState::Running,
        JobState::Running,
        JobState::Failed,
        JobState::Queued,
    ];
    assert!(states.ends_with(&tail), "{states:?}");
    let Some(middle) = events.get(2) else {
        fail("events are missing")
    };
    let behind = subject.store.history(&tenant(), id, Some(middle.id)).await;
    let behind = expect("tell a history", behind);
    let expected = History::behind(Some(middle.id), &events);
    assert_eq!(behind, Some(expected));
}

/// The latest two hundred are kept, and whoever missed more is told so.
pub async fn a_long_history_is_bounded_and_says_so(subject: Subject) {
    let id = subject.queue(1).await;
    let lease = subject.claim(id).await.lease;
    let mut sequence = subject.job(id).await.event_id.sequence;
    while sequence < HISTORY_EVENTS_MAX as u64 {
        expect("report", subject.store.report(&lease, progress(1, 0)).await);
        sequence += 1;
    }
    let whole = expect(
        "tell a history",
        subject.store.history(&tenant(), id, None).await,
    );
    let whole = whole.unwrap_or_else(|| fail("no history"));
    assert_eq!(whole.events.len(), HISTORY_EVENTS_MAX);
    assert!(whole.complete);
    expect("report", subject.store.report(&lease, progress(1, 0)).await);
    let cut = expect(
        "tell a history",
        subject.store.history(&tenant(), id, None).await,
    );
    let cut = cut.unwrap_or_else(|| fail("no history"));
    assert_eq!(cut.events.len(), HISTORY_EVENTS_MAX);
    assert!(!cut.complete, "the first event is gone");
    let first = whole.events.first().map(|event| event.id);
    let behind = expect(
        "tell a history",
        subject.store.history(&tenant(), id, first).await,
    );
    assert!(behind.is_some_and(|history| history.complete));
}

/// A report that is behind leaves the percent where it was; a new attempt begins at nothing.
pub async fn progress_does_not_go_back(subject: Subject) {
    let id = subject.queue(1).await;
    let lease = subject.claim(id).await.lease;
    for done in [40, 70, 20, 70] {
        expect(
            "report",
            subject.store.report(&lease, progress(done, 0)).await,
        );
    }
    let percents = |events: Vec<assay_core::event::JobEvent>| -> Vec<f32> {
        events.iter().map(|event| event.percent).collect()
    };
    let reached = percents(subject.events(id).await);
    assert!(reached.is_sorted(), "{reached:?}");
    assert_eq!(reached.last(), Some(&70.0));
    let again = Decision::RunAgain {
        reason: assay_core::retry::InterruptionReason::Drain,
        after_ms: 0,
    };
    subject.settle(&lease, again).await;
    subject.claim(id).await;
    assert_eq!(percents(subject.events(id).await).last(), Some(&0.0));
}

/// Everything for those who want everything; only what is to be stopped for the others.
pub async fn listeners_hear_what_happens(subject: Subject) {
    let mut all = expect("listen", subject.store.events(Interest::All).await);
    let mut stops = expect(
        "listen",
        subject.store.events(Interest::Cancellations).await,
    );
    let first = subject.run(1, Decision::Succeed).await;
    let second = subject.queue(2).await;
    subject.claim(second).await;
    expect("cancel", subject.store.cancel(&tenant(), second).await);
    let recorded = [subject.events(first).await, subject.events(second).await].concat();
    let mut heard = Vec::new();
    while heard.len() < recorded.len() {
        heard.push(next(&mut *all).await);
    }
    heard.sort_by_key(|event| (event.job_id, event.id));
    let mut expected = recorded;
    expected.sort_by_key(|event| (event.job_id, event.id));
    assert_eq!(heard, expected);
    let stop = next(&mut *stops).await;
    assert_eq!((stop.job_id, stop.state), (id(2), JobState::Cancelling));
}

async fn next(stream: &mut dyn EventStream) -> assay_core::event::JobEvent {
    match within("an event comes", stream.next()).await {
        Some(EventItem::Event(event)) => assay_core::event::JobEvent::clone(&event),
        other => fail(&format!("no event: {other:?}")),
    }
}
