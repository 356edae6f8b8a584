use crate::claim::Verdict;
use crate::event::EventId;
use crate::job::Edited;
use crate::port::EditWish;
use crate::retry::DeadLetterReason;

use super::*;

fn dead() -> (Job, Envelope) {
    let died = settled(Decision::DeadLetter {
        failure: failure(),
        reason: DeadLetterReason::CrashLoop,
    });
    (died.job, queued().1)
}

fn wish(payload: &[u8], seen: Option<EventId>) -> EditWish {
    EditWish {
        payload: payload.to_vec(),
        by: "ann".to_owned(),
        seen,
    }
}

#[test]
fn an_edit_changes_the_payload_and_says_so_and_nothing_else() {
    let (job, envelope) = dead();
    let edited = edit(record(&job, &envelope), &wish(b"mended", None), NOW + 50);
    let Editing::Now(edited) = edited else {
        panic!("{edited:?}")
    };
    let mut expected = job.clone();
    expected.edited = Some(Box::new(Edited {
        at_ms: NOW + 50,
        by: "ann".to_owned(),
    }));
    expected.times.updated_at_ms = NOW + 50;
    expected.event_id.sequence += 1;
    assert_eq!(edited.job, expected);
    assert_eq!(
        edited.envelope,
        Some(envelope.with_payload(b"mended".to_vec()))
    );
    assert_eq!(edited.events[0].message, "payload edited by ann");
    assert!(edited.follow_ups.is_empty(), "they were sent when it died");

    let rest = edited.envelope.unwrap();
    let again = edit(
        record(&edited.job, &rest),
        &wish(b"mended", Some(job.event_id)),
        NOW + 60,
    );
    assert_eq!(again, Editing::Repeated);
    let put_back = redrive(record(&edited.job, &rest), 1_000, 0, NOW + 70).unwrap();
    let carried = put_back.envelope.unwrap();
    assert_eq!(
        (carried.generation, carried.payload.as_slice()),
        (2, &b"mended"[..])
    );
    assert_eq!(
        carried.fingerprint, envelope.fingerprint,
        "it is the same request"
    );
    assert!(put_back.job.edited.is_some());
}

#[test]
fn only_a_dead_letter_as_it_was_seen_is_edited_or_forgotten() {
    let (dead, envelope) = dead();
    for state in JobState::ALL {
        let mut job = dead.clone();
        job.state = state;
        let edited = edit(record(&job, &envelope), &wish(b"mended", None), NOW);
        let is_dead = state == JobState::DeadLettered;
        assert_eq!(matches!(edited, Editing::Now(_)), is_dead, "{state}");
        assert_eq!(forgettable(&job, None).is_ok(), is_dead, "{state}");
    }
    let other = EventId {
        sequence: dead.event_id.sequence - 1,
        ..dead.event_id
    };
    assert_eq!(forgettable(&dead, Some(dead.event_id)), Ok(()));
    assert_eq!(forgettable(&dead, Some(other)), Err(Unfit::Changed));
    let late = edit(record(&dead, &envelope), &wish(b"mended", Some(other)), NOW);
    assert_eq!(late, Editing::Unfit(Unfit::Changed));
}

/// The store lost the edit and the redrive; the delivery tells of both.
#[test]
fn a_claim_by_a_later_envelope_takes_its_payload_over() {
    let (job, envelope) = dead();
    let later = Envelope {
        generation: 2,
        ..envelope.with_payload(b"mended".to_vec())
    };
    let held = held(JobState::Running, NOW);
    for job in [job, held] {
        let step = claim(
            record(&job, &envelope),
            &later,
            &worker("two"),
            LEASE,
            NOW + 1,
        );
        let ClaimStep::Run(claimed) = step else {
            panic!("{step:?}")
        };
        assert_eq!(claimed.job.generation, 2);
        let kept = claimed.envelope.unwrap();
        assert_eq!(
            (kept.generation, kept.payload.as_slice()),
            (2, &b"mended"[..])
        );
    }
}

/// Its id was forgotten and is that of another request now.
#[test]
fn a_delivery_of_another_request_does_not_run() {
    let (job, envelope) = queued();
    let mut stranger = envelope.clone();
    stranger.fingerprint[0] ^= 1;
    stranger.generation = 9;
    let step = claim(
        record(&job, &envelope),
        &stranger,
        &worker("one"),
        LEASE,
        NOW,
    );
    assert_eq!(step, ClaimStep::Not(Verdict::Stale, None));
}

/// It was edited, put back, died, and was forgotten; the same request was made again. Neither what was edited runs in
/// its place, nor does that bring it back once it has died by itself.
#[test]
fn a_delivery_of_the_same_request_before_does_not_run() {
    let (mended, envelope) = {
        let (job, envelope) = dead();
        let edited = edit(record(&job, &envelope), &wish(b"mended", None), NOW + 1);
        let Editing::Now(edited) = edited else {
            panic!("{edited:?}")
        };
        let envelope = edited.envelope.unwrap();
        let put_back = redrive(record(&edited.job, &envelope), 1_000, 0, NOW + 2).unwrap();
        (put_back.envelope.unwrap(), envelope)
    };
    let again = submit(id(), &spec(), Admission::Queue, NOW + 10);
    let (job, new) = (again.job, again.envelope.unwrap());
    assert_eq!(
        job.fingerprint, mended.fingerprint,
        "it is the same request"
    );
    for state in JobState::ALL {
        let mut job = job.clone();
        job.state = state;
        for late in [&envelope, &mended] {
            let step = claim(record(&job, &new), late, &worker("one"), LEASE, NOW + 11);
            let stale = ClaimStep::Not(Verdict::Stale, None);
            assert_eq!(step, stale, "{state}, generation {}", late.generation);
        }
    }
    let step = claim(record(&job, &new), &new, &worker("one"), LEASE, NOW + 11);
    assert!(matches!(step, ClaimStep::Run(_)), "{step:?}");
}

#[test]
fn a_clear_is_a_cancel_of_what_is_meant() {
    for state in JobState::ALL {
        let (mut job, envelope) = queued();
        job.state = state;
        let all = clear(record(&job, &envelope), &JobState::ALL, NOW);
        assert_eq!(all, Some(cancel(record(&job, &envelope), NOW)), "{state}");
        let others: Vec<_> = JobState::ALL
            .into_iter()
            .filter(|other| *other != state)
            .collect();
        assert_eq!(
            clear(record(&job, &envelope), &others, NOW),
            None,
            "{state}"
        );
    }
}

/// However it died. A job that begins anew or ended well names nobody.
#[test]
fn a_dead_letter_names_the_worker_that_had_it_last() {
    let one = Some(worker("one"));
    let (job, envelope) = dead();
    assert_eq!(job.worker, one);
    let again = redrive(record(&job, &envelope), 1_000, 0, NOW + 50).unwrap();
    assert_eq!(again.job.worker, None);

    let retried = settled(Decision::Retry {
        failure: failure(),
        after_ms: 9_000,
    });
    let waits = (retried.job, retried.envelope.unwrap());
    let (runs, never_ran) = (running(), queued());
    for ((job, envelope), had_it) in [(waits, &one), (runs, &one), (never_ran, &None)] {
        let late_ms = job.times.deadline_at_ms;
        let late = deadline(record(&job, &envelope), late_ms).unwrap().job;
        assert_eq!(late.state, JobState::DeadLettered);
        assert_eq!(&late.worker, had_it, "{}", job.state);
    }
    let (job, envelope) = running();
    let lost = lose_worker(record(&job, &envelope), NOW).unwrap().job;
    assert_eq!((lost.state, lost.worker), (JobState::Queued, one));
    for ended in [Decision::Succeed, Decision::Cancel] {
        assert_eq!(settled(ended).job.worker, None);
    }
}
