use std::sync::Arc;

use assay_core::claim::Verdict;
use assay_core::envelope::Envelope;
use assay_core::event::EventId;
use assay_core::id::{JobId, RequestKey, Tenant};
use assay_core::job::Job;
use assay_core::port::{
    Claim, ClearAnswer, EditAnswer, EditWish, ForgetAnswer, RedriveAnswer, Submitted,
};
use assay_core::retry::{DeadLetterReason, Decision};
use assay_core::state::JobState;

use super::{KIND, Settings, Subject, expect, fail, failure, id, tenant, worker_id};

/// Ends an attempt for good.
pub(super) fn death() -> Decision {
    Decision::DeadLetter {
        failure: failure(),
        reason: DeadLetterReason::AttemptsExhausted,
    }
}

/// A wish for another payload.
pub(super) fn wish(payload: &[u8]) -> EditWish {
    EditWish {
        payload: payload.to_vec(),
        by: "ann".to_owned(),
        seen: None,
    }
}

impl Subject {
    pub(super) async fn edit(&self, id: JobId, wish: EditWish) -> EditAnswer {
        expect("edit", self.store.edit(&tenant(), id, wish).await)
    }

    pub(super) async fn forget(&self, id: JobId, seen: Option<EventId>) -> ForgetAnswer {
        expect("forget", self.store.forget(&tenant(), id, seen).await)
    }

    pub(super) async fn clear(&self, id: JobId, states: &[JobState]) -> ClearAnswer {
        expect("clear", self.store.clear(&tenant(), id, states).await)
    }

    /// The record and its envelope.
    pub(super) async fn with_envelope(&self, id: JobId) -> Option<(Job, Envelope)> {
        let found = self.store.get_with_envelope(&tenant(), id).await;
        expect("get with the envelope", found)
    }

    async fn payload(&self, id: JobId) -> Vec<u8> {
        match self.with_envelope(id).await {
            Some((_, envelope)) => envelope.payload,
            None => fail("a recorded job is missing"),
        }
    }

    /// Delivers what is left of a job that was forgotten, to the one that has its id now.
    async fn changes_nothing(&self, late: &[Arc<Envelope>], id: JobId, state: JobState) {
        for late in late {
            let claim = self.try_claim(Arc::clone(late), "late").await;
            assert_eq!(claim, Claim::Not(Verdict::Stale), "{state}");
        }
        let job = self.job(id).await;
        assert_eq!((job.state, job.generation), (state, 1));
        assert_eq!(self.payload(id).await, b"payload");
    }

    /// How many jobs of all states there are.
    async fn total(&self) -> u64 {
        let counts = expect("count", self.store.counts().await);
        JobState::ALL
            .map(|state| counts.get(KIND, state))
            .iter()
            .sum()
    }
}

/// The payload that somebody gave it is the one that all further attempts have; its request stays what it was.
pub async fn a_dead_letter_is_redriven_with_its_edited_payload(subject: Subject) {
    let mut spec = subject.spec();
    spec.request_key = RequestKey::new("once").ok();
    let id = subject
        .submit(spec.id(subject.now_ms(), [0; 10]), spec.clone())
        .await
        .id;
    let lease = subject.claim(id).await.lease;
    subject.settle(&lease, death()).await;
    let dead = subject.job(id).await;
    subject.clock.advance(7);
    for _ in 0..2 {
        let EditAnswer::Edited(job) = subject.edit(id, wish(b"mended")).await else {
            fail("a dead letter was not edited")
        };
        assert_eq!(job.state, JobState::DeadLettered);
        assert_eq!(job, subject.job(id).await);
        let edited = job.edited.as_deref();
        assert_eq!(
            edited.map(|edited| (edited.at_ms, edited.by.as_str())),
            Some((subject.now_ms(), "ann"))
        );
        assert_eq!(
            job.event_id.sequence,
            dead.event_id.sequence + 1,
            "a repeat changes nothing"
        );
        assert_eq!(
            (job.generation, &job.dead_letter),
            (dead.generation, &dead.dead_letter)
        );
    }
    assert_eq!(subject.payload(id).await, b"mended");
    let told = subject.events(id).await;
    assert!(
        told.iter()
            .any(|event| event.message == "payload edited by ann")
    );
    let repeated = subject.try_submit(id, spec).await;
    assert!(matches!(repeated, Submitted::Exists(_)), "{repeated:?}");

    subject.redrive(id).await;
    assert_eq!(subject.envelope(id).await.payload, b"mended");
    let lease = subject.claim(id).await.lease;
    let retry = Decision::Retry {
        failure: failure(),
        after_ms: 5,
    };
    subject.settle(&lease, retry).await;
    subject.clock.advance(5);
    assert_eq!(subject.promote_due().await, 1);
    assert_eq!(subject.envelope(id).await.payload, b"mended");
    let lease = subject.claim(id).await.lease;
    subject.settle(&lease, Decision::Succeed).await;
    assert_eq!(subject.payload(id).await, b"mended");
    assert!(subject.job(id).await.edited.is_some(), "it stays on record");
}

/// Whatever else a job is, and whoever else's.
pub async fn only_a_dead_letter_is_edited_or_forgotten(subject: Subject) {
    let queued = subject.queue(1).await;
    let running = subject.queue(2).await;
    subject.claim(running).await;
    let failed = subject.run(3, Decision::Fail(failure())).await;
    let succeeded = subject.run(4, Decision::Succeed).await;
    let cancelled = subject.run(5, Decision::Cancel).await;
    for id in [queued, running, failed, succeeded, cancelled] {
        let before = subject.job(id).await;
        assert_eq!(
            subject.edit(id, wish(b"mended")).await,
            EditAnswer::NotDead(before.clone())
        );
        assert_eq!(
            subject.forget(id, None).await,
            ForgetAnswer::NotDead(before.clone())
        );
        assert_eq!(subject.job(id).await, before);
        assert_eq!(subject.payload(id).await, b"payload");
    }
    assert_eq!(
        subject.edit(id(99), wish(b"mended")).await,
        EditAnswer::Unknown
    );
    assert_eq!(subject.forget(id(99), None).await, ForgetAnswer::Unknown);
    assert_eq!(subject.with_envelope(id(99)).await, None);

    let dead = subject.run(6, death()).await;
    let other = expect("name a tenant", Tenant::new("other"));
    let edited = subject.store.edit(&other, dead, wish(b"mended")).await;
    assert_eq!(expect("edit", edited), EditAnswer::Unknown);
    let forgotten = subject.store.forget(&other, dead, None).await;
    assert_eq!(expect("forget", forgotten), ForgetAnswer::Unknown);
    let seen = subject.store.get_with_envelope(&other, dead).await;
    assert_eq!(expect("get with the envelope", seen), None);
    let cleared = subject.store.clear(&other, queued, &JobState::ALL).await;
    assert_eq!(expect("clear", cleared), ClearAnswer::Unknown);
    assert_eq!(subject.payload(dead).await, b"payload");
}

/// Two people look at the same letter, and the second does not undo what the first did.
pub async fn an_edit_or_a_forget_of_what_has_changed_is_refused(subject: Subject) {
    let id = subject.run(1, death()).await;
    let seen = Some(subject.job(id).await.event_id);
    let mended = EditWish {
        seen,
        ..wish(b"mended")
    };
    let EditAnswer::Edited(edited) = subject.edit(id, mended.clone()).await else {
        fail("a dead letter was not edited")
    };
    let repeated = subject.edit(id, mended).await;
    assert_eq!(
        repeated,
        EditAnswer::Edited(edited.clone()),
        "its answer may have been lost"
    );
    let late = EditWish {
        seen,
        ..wish(b"other")
    };
    assert_eq!(
        subject.edit(id, late).await,
        EditAnswer::Changed(edited.clone())
    );
    assert_eq!(
        subject.forget(id, seen).await,
        ForgetAnswer::Changed(edited.clone())
    );
    assert_eq!(subject.payload(id).await, b"mended");
    let seen = Some(edited.event_id);
    assert_eq!(subject.forget(id, seen).await, ForgetAnswer::Forgotten);
}

/// Nothing of it is left, and an envelope that is still on its way does not bring it back.
pub async fn a_dead_letter_is_forgotten_for_good(subject: Subject) {
    let kept = subject.run(1, death()).await;
    let id = subject.run(2, death()).await;
    subject.edit(id, wish(b"mended")).await;
    let late = subject.envelope(id).await;
    assert_eq!(subject.forget(id, None).await, ForgetAnswer::Forgotten);
    assert_eq!(subject.find(id).await, None);
    assert_eq!(subject.with_envelope(id).await, None);
    assert!(subject.events(id).await.is_empty());
    assert_eq!(subject.redrive(id).await, RedriveAnswer::Unknown);
    assert_eq!(subject.forget(id, None).await, ForgetAnswer::Unknown);
    assert_eq!(subject.edit(id, wish(b"again")).await, EditAnswer::Unknown);
    assert_eq!(subject.total().await, 1);
    let claim = subject.try_claim(late, "one").await;
    assert_eq!(claim, Claim::Not(Verdict::Cancelled));
    assert_eq!(subject.find(id).await, None);
    assert_eq!(subject.state(kept).await, JobState::DeadLettered);

    subject
        .clock
        .advance(Settings::DEAD_LETTER_RETENTION_MS + 1);
    assert_eq!(subject.expire().await, 1, "the mark of it is no job");
    assert_eq!(subject.total().await, 0);
}

/// It waits for people, with all that it takes to go on: envelope, history and request key. What was put back and has
/// ended is kept no longer than others.
pub async fn a_dead_letter_outlives_other_ended_jobs(subject: Subject) {
    let dead = subject.run(1, death()).await;
    let redriven = subject.run(2, death()).await;
    let failed = subject.run(3, Decision::Fail(failure())).await;
    subject.redrive(redriven).await;
    let lease = subject.claim(redriven).await.lease;
    subject.settle(&lease, Decision::Succeed).await;
    let events = subject.events(dead).await;

    subject.clock.advance(Settings::RETENTION_MS);
    assert_eq!(subject.expire().await, 2);
    for gone in [redriven, failed] {
        assert_eq!(subject.find(gone).await, None);
    }
    let beyond_ms = Settings::DEAD_LETTER_RETENTION_MS - Settings::RETENTION_MS;
    subject.clock.advance(beyond_ms - 1);
    assert_eq!(subject.expire().await, 0);
    assert_eq!(subject.payload(dead).await, b"payload");
    assert_eq!(subject.events(dead).await, events);
    let again = subject.try_submit(dead, subject.spec()).await;
    assert_eq!(again, Submitted::Exists(subject.job(dead).await));

    subject.clock.advance(1);
    assert_eq!(subject.expire().await, 1);
    assert_eq!(subject.find(dead).await, None);
    assert_eq!(subject.with_envelope(dead).await, None);
    assert_eq!(subject.total().await, 0);
    subject.queue(1).await;
    assert_eq!(subject.state(dead).await, JobState::Queued);
}

/// Until it is put back.
pub async fn a_dead_letter_tells_who_had_it_last(subject: Subject) {
    let id = subject.run(1, death()).await;
    let worker = subject.job(id).await.worker;
    assert_eq!(worker, Some(worker_id("one")));
    subject.redrive(id).await;
    assert_eq!(subject.job(id).await.worker, None);
    let claim = subject.try_claim(subject.envelope(id).await, "two").await;
    let Claim::Run(claimed) = claim else {
        fail(&format!("what was put back was not claimed: {claim:?}"))
    };
    subject.settle(&claimed.lease, death()).await;
    let worker = subject.job(id).await.worker;
    assert_eq!(worker, Some(worker_id("two")));
}

/// The same request makes a new job, which what is left of the old one does not touch.
pub async fn a_forgotten_id_is_free(subject: Subject) {
    let id = subject.run(1, death()).await;
    subject.redrive(id).await;
    let old = subject.envelope(id).await;
    let lease = subject.claim(id).await.lease;
    subject.settle(&lease, death()).await;
    assert_eq!(subject.forget(id, None).await, ForgetAnswer::Forgotten);

    let mut spec = subject.spec();
    spec.payload = b"another".to_vec();
    let job = subject.submit(id, spec).await;
    assert_eq!((job.generation, job.attempt), (1, 0));
    assert_eq!(subject.total().await, 1);
    let claim = subject.try_claim(old, "one").await;
    assert_eq!(
        claim,
        Claim::Not(Verdict::Stale),
        "it carries another request"
    );
    assert_eq!(subject.state(id).await, JobState::Queued);
    assert_eq!(subject.payload(id).await, b"another");
    let mut new = subject.offers(id).await.into_iter();
    let Some(new) = new.rfind(|offer| offer.generation == 1) else {
        fail("the new job was not handed out")
    };
    assert!(matches!(subject.try_claim(new, "one").await, Claim::Run(_)));
}

/// The very same request, made again once its job was edited, put back, dead again and forgotten: what a late copy of
/// that carries does not run in its place, and does not bring it back once it has died by itself.
pub async fn a_forgotten_request_made_again_is_a_new_job(subject: Subject) {
    let (id, spec) = (id(1), subject.spec());
    subject.submit(id, spec.clone()).await;
    let lease = subject.claim(id).await.lease;
    subject.settle(&lease, death()).await;
    let first = subject.envelope(id).await;
    subject.edit(id, wish(b"mended")).await;
    subject.redrive(id).await;
    let mended = subject.envelope(id).await;
    assert_eq!(mended.payload, b"mended");
    let lease = subject.claim(id).await.lease;
    subject.settle(&lease, death()).await;
    assert_eq!(subject.forget(id, None).await, ForgetAnswer::Forgotten);

    subject.clock.advance(7);
    let job = subject.submit(id, spec).await;
    assert_eq!((job.generation, job.attempt), (1, 0));
    let late = [first, mended];
    subject.changes_nothing(&late, id, JobState::Queued).await;
    let lease = subject.claim(id).await.lease;
    subject.changes_nothing(&late, id, JobState::Running).await;
    subject.settle(&lease, death()).await;
    subject
        .changes_nothing(&late, id, JobState::DeadLettered)
        .await;
}

/// One of them comes first, and the other finds that out.
pub async fn a_redrive_and_a_forget_do_not_both_win(subject: Subject) {
    for number in 1..=8 {
        let id = subject.run(number, death()).await;
        let (redriven, forgotten) = tokio::join!(subject.redrive(id), subject.forget(id, None));
        let runs = matches!(redriven, RedriveAnswer::Queued(..));
        match forgotten {
            ForgetAnswer::Forgotten => assert_eq!(redriven, RedriveAnswer::Unknown),
            ForgetAnswer::NotDead(_) => assert!(runs, "{redriven:?}"),
            other @ (ForgetAnswer::Changed(_) | ForgetAnswer::Unknown) => {
                fail(&format!("{other:?} beside {redriven:?}"))
            }
        }
        assert_eq!(subject.find(id).await.is_some(), runs);
    }
}

/// What runs, and what is in other states, is left alone.
pub async fn a_clear_takes_what_is_in_the_named_states(subject: Subject) {
    let queued = subject.queue(1).await;
    let retry = Decision::Retry {
        failure: failure(),
        after_ms: 500,
    };
    let retrying = subject.run(2, retry).await;
    let running = subject.queue(3).await;
    subject.claim(running).await;
    let waiting = [JobState::Accepted, JobState::Queued];
    for id in [retrying, running] {
        let before = subject.job(id).await;
        assert_eq!(
            subject.clear(id, &waiting).await,
            ClearAnswer::Left(before.clone())
        );
        assert_eq!(subject.job(id).await, before);
    }
    let cleared = subject.clear(queued, &waiting).await;
    assert_eq!(cleared, ClearAnswer::Cleared(subject.job(queued).await));
    assert_eq!(subject.state(queued).await, JobState::Cancelled);
    let again = subject.clear(queued, &JobState::ALL).await;
    assert!(matches!(again, ClearAnswer::Left(_)), "{again:?}");
    let claim = subject
        .try_claim(subject.envelope(queued).await, "one")
        .await;
    assert_eq!(claim, Claim::Not(Verdict::Cancelled));
    let cleared = subject.clear(retrying, &[JobState::Retrying]).await;
    assert!(matches!(cleared, ClearAnswer::Cleared(_)), "{cleared:?}");
    let asked = subject.clear(running, &[JobState::Running]).await;
    assert!(
        matches!(&asked, ClearAnswer::Cleared(job) if job.state == JobState::Cancelling),
        "{asked:?}"
    );

    assert_eq!(
        subject.clear(id(99), &JobState::ALL).await,
        ClearAnswer::Unknown
    );
    let envelope = Envelope::new(id(99), &subject.spec(), subject.now_ms());
    let claim = subject.try_claim(envelope.into(), "one").await;
    assert!(
        matches!(claim, Claim::Run(_)),
        "it left no trace: {claim:?}"
    );
}
