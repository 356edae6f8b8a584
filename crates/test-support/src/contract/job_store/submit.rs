use std::collections::HashSet;
use std::sync::Arc;

use assay_core::event::EventId;
use assay_core::id::RequestKey;
use assay_core::kind::{JobKind, Lane};
use assay_core::port::{RefusalReason, StoreError, Submitted};
use assay_core::state::JobState;

use super::{Settings, Subject, expect, fail, id, tenant};

/// The record holds the request, the queue its envelope.
pub async fn a_submit_records_what_was_asked_for(subject: Subject) {
    let mut spec = subject.spec();
    spec.lane = Lane::High;
    spec.metadata.insert("ticket".into(), "A-17".into());
    spec.trace.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into();
    let answered = subject.submit(id(1), spec.clone()).await;
    let job = subject.job(id(1)).await;
    assert_eq!(job.state, JobState::Queued);
    assert_eq!((answered.id, job.id), (id(1), id(1)));
    assert_eq!((job.kind, job.lane), (spec.kind, Lane::High));
    assert_eq!(job.metadata, spec.metadata);
    assert_eq!(job.fingerprint, spec.fingerprint());
    assert_eq!((job.generation, job.token, job.attempt), (1, 0, 0));
    assert_eq!(job.times.created_at_ms, Settings::NOW_MS);
    assert_eq!(job.times.deadline_at_ms, spec.deadline_at_ms);
    let envelope = subject.envelope(id(1)).await;
    assert_eq!(envelope.payload, spec.payload);
    assert_eq!(envelope.trace, spec.trace);
    assert_eq!(envelope.generation, 1);
    assert_eq!(subject.offers(id(1)).await.len(), 1);
}

/// The first request wins, whatever has become of it.
pub async fn a_repeated_submit_is_the_same_job(subject: Subject) {
    subject.submit(id(1), subject.spec()).await;
    subject.clock.advance(5);
    let mut again = subject.spec();
    again.deadline_at_ms += 1;
    let answer = subject.try_submit(id(1), again.clone()).await;
    assert!(
        matches!(&answer, Submitted::Exists(job) if job.id == id(1)),
        "{answer:?}"
    );
    let claimed = subject.claim(id(1)).await;
    subject
        .settle(&claimed.lease, assay_core::retry::Decision::Succeed)
        .await;
    let answer = subject.try_submit(id(1), again).await;
    assert!(
        matches!(&answer, Submitted::Exists(job) if job.state == JobState::Succeeded),
        "{answer:?}"
    );
    assert_eq!(subject.offers(id(1)).await.len(), 1);
}

/// Whoever recorded a request may have died before it published: a repeat is given the same to publish, until
/// somebody has.
pub async fn a_repeat_of_what_was_not_published_is_published(subject: Subject) {
    let first = expect("submit", subject.store.submit(id(1), subject.spec()).await);
    subject.clock.advance(5);
    let again = expect("submit", subject.store.submit(id(1), subject.spec()).await);
    match (first, again) {
        (Submitted::Queued(_), Submitted::Exists(job)) => assert_eq!(job.state, JobState::Queued),
        (Submitted::Publish(job, envelope), Submitted::Publish(same, repeated)) => {
            assert_eq!((job.state, &job), (JobState::Accepted, &same));
            assert_eq!(envelope, repeated);
            subject.publish(vec![envelope]).await;
        }
        other => fail(&format!("two answers that do not fit: {other:?}")),
    }
    let answer = subject.try_submit(id(1), subject.spec()).await;
    assert!(
        matches!(&answer, Submitted::Exists(job) if job.state == JobState::Queued),
        "{answer:?}"
    );
    subject.claim(id(1)).await;
}

/// What the queue refused is as if nobody had submitted it. What has gone on since stays.
pub async fn a_refused_job_is_withdrawn(subject: Subject) {
    let withdraw = async |id, generation| {
        let withdrawn = subject.store.withdraw(id, generation).await;
        expect("withdraw", withdrawn)
    };
    assert!(withdraw(id(9), 1).await, "nothing is left of nothing");
    let mut later = subject.spec();
    later.due_at_ms = Some(subject.now_ms() + 500);
    for (number, spec) in [(1, subject.spec()), (2, later)] {
        let submitted = expect(
            "submit",
            subject.store.submit(id(number), spec.clone()).await,
        );
        assert!(!withdraw(id(number), 2).await, "another generation");
        let is_elsewhere = matches!(submitted, Submitted::Publish(..));
        assert_eq!(withdraw(id(number), 1).await, is_elsewhere);
        assert_eq!(subject.find(id(number)).await.is_none(), is_elsewhere);
        if is_elsewhere {
            assert!(subject.events(id(number)).await.is_empty());
            let counts = expect("count", subject.store.counts().await);
            assert_eq!(counts.live(spec.kind), u64::from(number) - 1);
            assert!(withdraw(id(number), 1).await, "once more");
            subject.submit(id(number), spec).await;
        }
    }
    subject.clock.advance(500);
    assert_eq!(subject.promote_due().await, 1);
    assert!(!withdraw(id(1), 1).await, "it is queued");
    assert!(!withdraw(id(2), 1).await, "it was due");
    subject.claim(id(1)).await;
    assert!(!withdraw(id(1), 1).await, "it runs");
    assert_eq!(subject.state(id(1)).await, JobState::Running);
}

/// A different request is refused, and nothing changes.
pub async fn another_request_under_the_same_key_is_a_conflict(subject: Subject) {
    let mut spec = subject.spec();
    spec.request_key = Some(expect("make a key", RequestKey::new("order-1")));
    let id = spec.id(subject.now_ms(), [0; 10]);
    subject.submit(id, spec.clone()).await;
    let before = subject.job(id).await;
    spec.payload.push(0);
    let answer = subject.try_submit(id, spec).await;
    assert!(
        matches!(&answer, Submitted::Conflict(job) if job.id == id),
        "{answer:?}"
    );
    assert_eq!(subject.job(id).await, before);
    assert_eq!(subject.offers(id).await.len(), 1);
}

/// Of many that come at once, one makes the job.
pub async fn many_callers_with_one_key_make_one_job(subject: Subject) {
    let subject = Arc::new(subject);
    let calls = (0..32).map(|_| subject.store.submit(id(1), subject.spec()));
    let answers = futures::future::join_all(calls).await;
    let (mut made, mut published) = (0, Vec::new());
    for answer in answers {
        match expect("submit", answer) {
            Submitted::Queued(_) => made += 1,
            // Whoever repeats it may publish it too, until somebody has.
            Submitted::Publish(_, envelope) => published.push(envelope),
            Submitted::Exists(_) => {}
            Submitted::Conflict(_) => fail("the same request was taken for another"),
        }
    }
    assert_eq!(made, usize::from(published.is_empty()));
    assert!(published.windows(2).all(|two| two[0] == two[1]));
    subject.publish(published).await;
    let offers = subject.offers(id(1)).await;
    let generations: HashSet<_> = offers.iter().map(|envelope| envelope.generation).collect();
    assert_eq!(generations.len(), 1);
    let sequence = |event: &assay_core::event::JobEvent| event.id;
    let events: Vec<EventId> = subject.events(id(1)).await.iter().map(sequence).collect();
    assert_eq!(events.last().map(|id| id.token), Some(0));
    assert_eq!(subject.state(id(1)).await, JobState::Queued);
}

/// Nothing is handed out before its time, and then once.
pub async fn a_job_for_later_is_scheduled(subject: Subject) {
    let mut spec = subject.spec();
    spec.due_at_ms = Some(subject.now_ms() + 500);
    subject.submit(id(1), spec).await;
    assert_eq!(subject.state(id(1)).await, JobState::Scheduled);
    subject.clock.advance(499);
    assert_eq!(subject.promote_due().await, 0);
    assert!(subject.offers(id(1)).await.is_empty());
    subject.clock.advance(1);
    assert_eq!(subject.promote_due().await, 1);
    assert_eq!(subject.promote_due().await, 0);
    assert_eq!(subject.state(id(1)).await, JobState::Queued);
    assert_eq!(subject.offers(id(1)).await.len(), 1);
    let envelope = subject.envelope(id(1)).await;
    assert_eq!(envelope.generation, subject.job(id(1)).await.generation);
    assert_eq!(subject.claim(id(1)).await.job.attempt, 1);
}

/// As many as the bound, and one more is refused until one has ended. Another kind has its own bound.
pub async fn the_bound_on_unfinished_jobs_holds(subject: Subject) {
    let last = u8::try_from(Settings::QUEUED_JOBS_MAX).unwrap_or(u8::MAX);
    for number in 1..=last {
        subject.queue(number).await;
    }
    let refused = subject.store.submit(id(last + 1), subject.spec()).await;
    let Err(StoreError::Refused {
        reason: RefusalReason::QueueFull { limit },
        ..
    }) = refused
    else {
        fail(&format!("not refused: {refused:?}"))
    };
    assert_eq!(limit, Settings::QUEUED_JOBS_MAX);
    assert_eq!(subject.find(id(last + 1)).await, None);
    let repeated = subject.try_submit(id(1), subject.spec()).await;
    assert!(
        matches!(repeated, Submitted::Exists(_)),
        "a repeat needs no room: {repeated:?}"
    );
    let mut other = subject.spec();
    other.kind = JobKind::RuvProfile;
    subject.submit(id(last + 2), other).await;
    expect("cancel", subject.store.cancel(&tenant(), id(1)).await);
    subject.queue(last + 1).await;
}
