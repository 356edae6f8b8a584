use crate::claim::Verdict;
use crate::retry::{CRASHES_MAX, DeadLetterReason, Decision, InterruptionReason};
use crate::worker::{Presence, WORKER_DEAD_AFTER_MS, WORKER_LATE_AFTER_MS};

use super::*;

fn run_again(reason: InterruptionReason, after_ms: u64) -> Decision {
    Decision::RunAgain { reason, after_ms }
}

/// What carries the job on, and whether it says so itself.
fn carried(transition: &Transition) -> &Envelope {
    let envelope = transition.envelope.as_ref().unwrap();
    assert_eq!(envelope.resumed, transition.job.resumed);
    envelope
}

fn claimed(job: &Job, envelope: &Envelope, now_ms: u64) -> Job {
    match claim(
        record(job, envelope),
        envelope,
        &worker("two"),
        LEASE,
        now_ms,
    ) {
        ClaimStep::Run(transition) => transition.job,
        ClaimStep::Not(verdict, _) => panic!("not claimed: {verdict:?}"),
    }
}

#[test]
fn only_what_is_nobody_s_fault_is_resumed() {
    use InterruptionReason::{BreakerOpen, Drain, LeaseLost, RunsAlone, WorkerLost};
    let retry = Decision::Retry {
        failure: failure(),
        after_ms: 9,
    };
    let park = Decision::Park {
        until_ms: NOW + 9,
        reason: BreakerOpen,
    };
    let decisions = [
        (run_again(Drain, 0), true),
        (run_again(LeaseLost, 0), true),
        (run_again(WorkerLost, 0), true),
        (run_again(RunsAlone, 9), true),
        (retry, false),
        (park, false),
    ];
    for (decision, resumed) in decisions {
        let ended = settled(decision.clone());
        let envelope = carried(&ended);
        assert_eq!(envelope.resumed, resumed, "{decision:?}");
        if ended.job.state == JobState::Queued {
            continue;
        }
        let queued = due(record(&ended.job, envelope), NOW + 20).unwrap();
        assert_eq!(carried(&queued).resumed, resumed, "{decision:?}, due");
        assert_eq!(carried(&queued).published_at_ms, NOW + 20);
    }
}

#[test]
fn a_job_that_lost_its_worker_is_resumed_whoever_finds_out() {
    let (job, envelope) = running();
    let late = NOW + LEASE + REAP_GRACE_MS;
    let lapsed = reap(record(&job, &envelope), late).unwrap();
    let lost = lose_worker(record(&job, &envelope), NOW + 7).unwrap();
    assert!(carried(&lapsed).resumed && carried(&lost).resumed);
    assert_eq!(carried(&lost).published_at_ms, NOW + 7);
    let taken_over = claimed(&job, &envelope, NOW + LEASE);
    assert!(taken_over.resumed);
}

#[test]
fn a_delivery_that_takes_over_from_a_dead_worker_makes_it_a_crash() {
    let (mut job, envelope) = running();
    let lapsed = NOW + LEASE;
    let from = |job: &Job, before| {
        claim_from(
            record(job, &envelope),
            &envelope,
            &worker("two"),
            LEASE,
            before,
            lapsed,
        )
    };
    let silent = |silent_ms| Presence::Beating { silent_ms };
    let ClaimStep::Run(alive) = from(&job, silent(0)) else {
        panic!("its lease has lapsed, dead or not")
    };
    assert_eq!(alive.job.counters.crashes, 0);
    let undecided = from(&job, silent(WORKER_LATE_AFTER_MS));
    assert!(matches!(
        undecided,
        ClaimStep::Not(Verdict::Busy { .. }, None)
    ));
    let ClaimStep::Run(crashed) = from(&job, silent(WORKER_DEAD_AFTER_MS)) else {
        panic!("it may crash once")
    };
    assert_eq!(crashed.job.counters.crashes, 1);
    assert!(crashed.job.resumed && crashed.job.token > job.token);

    job.counters.crashes = CRASHES_MAX - 1;
    let ClaimStep::Not(Verdict::Done, Some(last)) = from(&job, silent(WORKER_DEAD_AFTER_MS)) else {
        panic!("that was its last crash")
    };
    assert_eq!(last.job.dead_letter, Some(DeadLetterReason::CrashLoop));
}

#[test]
fn only_what_runs_is_taken_over() {
    let (job, envelope) = running();
    let generation = envelope.generation;
    let taken = |job: &Job, generation, now_ms| taken_over_from(job, generation, now_ms).cloned();
    let holder = job.holder.as_ref().map(|holder| holder.worker.clone());
    assert_eq!(taken(&job, generation, NOW + LEASE), holder);
    assert_eq!(taken(&job, generation, NOW + LEASE - 1), None);
    assert_eq!(taken(&job, generation - 1, NOW + LEASE), None);
    let (queued, _) = queued();
    assert_eq!(taken(&queued, generation, NOW + LEASE), None);
}

#[test]
fn a_job_is_not_resumed_before_it_began_nor_when_a_person_puts_it_back() {
    let mut spec = JobSpec::new(JobKind::Batch, Vec::new(), NOW);
    assert!(!carried(&submit(id(), &spec, Admission::Queue, NOW)).resumed);
    spec.due_at_ms = Some(NOW + 9);
    let scheduled = submit(id(), &spec, Admission::Queue, NOW);
    let queued = due(record(&scheduled.job, carried(&scheduled)), NOW + 9).unwrap();
    assert!(!carried(&queued).resumed);

    let (mut job, envelope) = running();
    job.counters.crashes = CRASHES_MAX - 1;
    job.resumed = true;
    let dead = lose_worker(record(&job, &envelope), NOW).unwrap();
    assert_eq!(dead.job.dead_letter, Some(DeadLetterReason::CrashLoop));
    let again = redrive(record(&dead.job, &envelope), 1_000, 0, NOW).unwrap();
    assert!(!carried(&again).resumed);
}

/// Having been resumed once is no privilege for life.
#[test]
fn a_resumed_job_that_fails_waits_for_its_turn_like_any_other() {
    let interrupted = settled(run_again(InterruptionReason::Drain, 0));
    let envelope = carried(&interrupted);
    let job = claimed(&interrupted.job, envelope, NOW + 6);
    let retry = settlement(Decision::Retry {
        failure: failure(),
        after_ms: 4,
    });
    let Settling::Recorded(failed) = settle(record(&job, envelope), job.token, &retry, NOW + 7)
    else {
        panic!("not recorded")
    };
    assert!(!carried(&failed).resumed);
    let queued = due(record(&failed.job, carried(&failed)), NOW + 11).unwrap();
    assert!(!carried(&queued).resumed);
}

#[test]
fn a_record_learns_it_from_an_envelope_that_knows_more() {
    let (job, mut envelope) = queued();
    envelope.generation = 3;
    envelope.resumed = true;
    assert!(rebuild(&envelope, NOW).job.resumed);
    let (_, first) = queued();
    let step = claim(record(&job, &first), &envelope, &worker("one"), LEASE, NOW);
    let ClaimStep::Run(claimed) = step else {
        panic!("{step:?}")
    };
    assert_eq!(claimed.job.generation, 3);
    assert!(carried(&claimed).resumed);
}
