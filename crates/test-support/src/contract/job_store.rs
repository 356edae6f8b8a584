//! What every [`JobStore`] must do. An adapter's test file names a way to make a [`Subject`]:
//!
//! ```text
//! assay_test_support::job_store_contract! { #[tokio::test] make_subject }
//! ```
//!
//! Each case gets a store of its own with the settings in [`Settings`] and a clock that it moves. A store
//! that publishes elsewhere gets its answers published and promoted by the [`Subject`], so both sorts of
//! store run the same cases.

use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};

use assay_core::clock::{Clock, ManualClock};
use assay_core::envelope::Envelope;
use assay_core::event::JobEvent;
use assay_core::id::{JobId, Tenant, WorkerId};
use assay_core::job::{Job, JobSpec};
use assay_core::kind::JobKind;
use assay_core::port::{
    Claim, ClaimRequest, Claimed, HandOut, JobStore, Lease, ListRequest, Page, RedriveAnswer,
    Settled, Settlement, Submitted, Swept,
};
use assay_core::retry::{Decision, Failure, FailureClass};
use assay_core::state::JobState;
use async_trait::async_trait;

use crate::wait::within;

mod cancel;
mod claim;
mod dead_letter;
mod fence;
mod history;
mod list;
mod model;
mod retry;
mod submit;
mod sweep;

pub use cancel::{
    a_cancelled_id_nobody_knows_does_not_run, a_job_that_waits_is_cancelled_at_once,
    a_running_job_is_cancelled_when_its_worker_confirms, an_ended_job_is_not_cancelled,
};
pub use claim::{
    a_claim_answers_by_state_and_generation, a_live_lease_is_busy, a_lost_record_is_rebuilt,
    another_tenants_job_looks_absent, tokens_rise,
};
pub use dead_letter::{
    a_clear_takes_what_is_in_the_named_states, a_dead_letter_is_forgotten_for_good,
    a_dead_letter_is_redriven_with_its_edited_payload, a_dead_letter_outlives_other_ended_jobs,
    a_dead_letter_tells_who_had_it_last, a_forgotten_id_is_free,
    a_forgotten_request_made_again_is_a_new_job, a_redrive_and_a_forget_do_not_both_win,
    an_edit_or_a_forget_of_what_has_changed_is_refused, only_a_dead_letter_is_edited_or_forgotten,
};
pub use fence::{a_renewed_lease_is_held, a_stale_lease_changes_nothing, only_one_claim_wins};
pub use history::{
    a_long_history_is_bounded_and_says_so, events_have_no_gaps, listeners_hear_what_happens,
    progress_does_not_go_back,
};
pub use list::{counts_follow_every_job, jobs_that_come_and_go_shift_no_page, pages_are_filtered};
pub use model::{Step, any_order_of_steps_agrees_with_the_model};
pub use retry::{
    a_checkpoint_reaches_the_next_attempt, a_dead_letter_is_redriven_from_zero,
    a_failed_attempt_is_retried_when_due, a_parked_job_waits_for_its_time,
    a_redrive_does_not_give_the_wait_again, an_ended_job_sends_its_follow_ups,
    an_interrupted_job_runs_again_at_once,
};
pub use submit::{
    a_job_for_later_is_scheduled, a_refused_job_is_withdrawn,
    a_repeat_of_what_was_not_published_is_published, a_repeated_submit_is_the_same_job,
    a_submit_records_what_was_asked_for, another_request_under_the_same_key_is_a_conflict,
    many_callers_with_one_key_make_one_job, the_bound_on_unfinished_jobs_holds,
};
pub use sweep::{
    a_clock_set_back_floods_no_queue, a_deadline_ends_a_job,
    a_lapsed_lease_is_reaped_and_spends_nothing, a_passed_over_envelope_is_offered_again,
    a_sweep_keeps_its_limit, an_ended_job_is_forgotten, an_ended_job_outlives_its_due_time,
};

/// What a store under test must be set to.
pub struct Settings;

impl Settings {
    /// Its retention, in milliseconds.
    pub const RETENTION_MS: u64 = 60_000;
    /// Its retention of dead letters, in milliseconds.
    pub const DEAD_LETTER_RETENTION_MS: u64 = 150_000;
    /// Its bound on unfinished jobs of a kind.
    pub const QUEUED_JOBS_MAX: u64 = 40;
    /// Where its clock begins, in milliseconds since the epoch.
    pub const NOW_MS: u64 = 1_700_000_000_000;
}

/// How long a lease of these cases lasts, in milliseconds.
const LEASE_MS: u64 = 1_000;
/// More than any store waits before it offers an envelope again, in milliseconds.
const OUTBOX_MS: u64 = 60_000;
/// The kind that the cases use unless they say otherwise.
const KIND: JobKind = JobKind::ContentVerification;

/// What workers may be given: handed out by the store, published for it, or in a queue of its own.
#[async_trait]
pub trait Offers: Send + Sync {
    /// Every envelope that was ever there, oldest first.
    async fn all(&self) -> Vec<Arc<Envelope>>;
    /// Takes an envelope in that the store wants published.
    async fn publish(&self, envelope: Arc<Envelope>);
    /// Notes that a worker was given the envelopes of a job.
    async fn deliver(&self, id: JobId);
    /// Has the envelopes of a job that no worker was given go lost, where only that makes the store offer one
    /// again. A store that goes by what is claimed needs no such help.
    async fn lose(&self, id: JobId);
}

/// Keeps the envelopes that workers may be given, oldest first.
#[derive(Default)]
pub struct Offered(Mutex<Vec<Arc<Envelope>>>);

#[async_trait]
impl Offers for Offered {
    async fn all(&self) -> Vec<Arc<Envelope>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn publish(&self, envelope: Arc<Envelope>) {
        self.hand_out(envelope);
    }

    async fn deliver(&self, _id: JobId) {}

    async fn lose(&self, _id: JobId) {}
}

impl HandOut for Offered {
    fn hand_out(&self, envelope: Arc<Envelope>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(envelope);
    }
}

/// A store under test.
pub struct Subject {
    /// The store, empty, set as [`Settings`] says.
    pub store: Arc<dyn JobStore>,
    /// The time that it reads.
    pub clock: Arc<ManualClock>,
    /// What workers may be given.
    pub offered: Arc<dyn Offers>,
    /// What must live as long as the store: its folder, its server.
    pub keep: Box<dyn Any + Send + Sync>,
}

impl Subject {
    fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    fn spec(&self) -> JobSpec {
        JobSpec::new(KIND, b"payload".to_vec(), self.now_ms())
    }

    /// Submits what there is to submit, and publishes it if the store does not.
    async fn try_submit(&self, id: JobId, spec: JobSpec) -> Submitted {
        let submitted = within("a job is submitted", self.store.submit(id, spec)).await;
        let submitted = expect("submit", submitted);
        if let Submitted::Publish(_, envelope) = &submitted {
            self.publish(vec![envelope.clone()]).await;
        }
        submitted
    }

    async fn submit(&self, id: JobId, spec: JobSpec) -> Job {
        match self.try_submit(id, spec).await {
            Submitted::Queued(job) | Submitted::Publish(job, _) => job,
            other => fail(&format!("a new job was not recorded: {other:?}")),
        }
    }

    /// Submits the default job.
    async fn queue(&self, number: u8) -> JobId {
        self.submit(id(number), self.spec()).await.id
    }

    async fn publish(&self, envelopes: Vec<Envelope>) {
        for envelope in envelopes {
            let (id, generation) = (envelope.job_id, envelope.generation);
            self.offered.publish(Arc::new(envelope)).await;
            expect("promote", self.store.promote(id, generation).await);
        }
    }

    async fn offers(&self, id: JobId) -> Vec<Arc<Envelope>> {
        let mut offered = self.offered.all().await;
        offered.retain(|envelope| envelope.job_id == id);
        offered
    }

    /// The latest envelope of a job.
    async fn envelope(&self, id: JobId) -> Arc<Envelope> {
        match self.offers(id).await.pop() {
            Some(envelope) => envelope,
            None => fail("a queued job was not handed out"),
        }
    }

    async fn try_claim(&self, envelope: Arc<Envelope>, worker: &str) -> Claim {
        self.offered.deliver(envelope.job_id).await;
        let request = ClaimRequest {
            envelope,
            worker: worker_id(worker),
            lease_ms: LEASE_MS,
        };
        expect(
            "claim",
            within("a claim is judged", self.store.claim(request)).await,
        )
    }

    /// Claims the latest envelope of a job.
    async fn claim(&self, id: JobId) -> Claimed {
        match self.try_claim(self.envelope(id).await, "one").await {
            Claim::Run(claimed) => *claimed,
            other => fail(&format!("a queued job was not claimed: {other:?}")),
        }
    }

    async fn try_settle(&self, lease: &Lease, settlement: Settlement) -> Settled {
        let settled = within(
            "an attempt is settled",
            self.store.settle(lease, settlement),
        )
        .await;
        let settled = expect("settle", settled);
        if let Settled::Recorded { publish, .. } = &settled {
            self.publish(publish.clone()).await;
        }
        settled
    }

    async fn settle(&self, lease: &Lease, decision: Decision) -> Job {
        match self.try_settle(lease, settlement(decision)).await {
            Settled::Recorded { job, .. } => *job,
            other => fail(&format!("a held lease did not settle: {other:?}")),
        }
    }

    /// Submits a job and runs it to its end.
    async fn run(&self, number: u8, decision: Decision) -> JobId {
        let id = self.queue(number).await;
        let claimed = self.claim(id).await;
        self.settle(&claimed.lease, decision).await;
        id
    }

    async fn redrive(&self, id: JobId) -> RedriveAnswer {
        let answer = expect("redrive", self.store.redrive(&tenant(), id).await);
        if let RedriveAnswer::Queued(_, Some(envelope)) = &answer {
            self.publish(vec![envelope.clone()]).await;
        }
        answer
    }

    /// Publishes what a sweep answered.
    async fn swept(&self, swept: Result<Swept, assay_core::port::StoreError>) -> usize {
        let swept = expect("sweep", swept);
        self.publish(swept.publish).await;
        swept.jobs
    }

    async fn reap(&self) -> usize {
        self.swept(self.store.reap(100).await).await
    }

    async fn promote_due(&self) -> usize {
        self.swept(self.store.promote_due(100).await).await
    }

    async fn find(&self, id: JobId) -> Option<Job> {
        expect("get", self.store.get(&tenant(), id).await)
    }

    async fn job(&self, id: JobId) -> Job {
        match self.find(id).await {
            Some(job) => job,
            None => fail("a recorded job is missing"),
        }
    }

    async fn state(&self, id: JobId) -> JobState {
        self.job(id).await.state
    }

    async fn events(&self, id: JobId) -> Vec<JobEvent> {
        let history = expect(
            "tell a history",
            self.store.history(&tenant(), id, None).await,
        );
        history.map(|history| history.events).unwrap_or_default()
    }

    async fn page(&self, request: ListRequest) -> Page {
        expect("list", self.store.list(&request).await)
    }
}

fn id(number: u8) -> JobId {
    JobId::random(Settings::NOW_MS, [number; 10])
}

fn tenant() -> Tenant {
    Tenant::default()
}

fn worker_id(name: &str) -> WorkerId {
    expect("name a worker", WorkerId::new(name))
}

fn failure() -> Failure {
    Failure::new(FailureClass::Transient, "code", "it broke")
}

fn settlement(decision: Decision) -> Settlement {
    Settlement {
        decision,
        result: None,
        progress: None,
    }
}

/// What an adapter answered where it must not fail.
fn expect<T, E: std::fmt::Debug>(what: &str, answer: Result<T, E>) -> T {
    match answer {
        Ok(value) => value,
        Err(error) => fail(&format!("the store failed to {what}: {error:?}")),
    }
}

#[expect(clippy::panic, reason = "this is how a case fails")]
fn fail(why: &str) -> ! {
    panic!("{why}")
}

/// Makes a test of each case. Takes the attribute of the tests and a function that makes a [`Subject`].
#[macro_export]
macro_rules! job_store_contract {
    (#[$test:meta] $make:path) => {
        $crate::job_store_contract! { @cases #[$test] $make;
            a_submit_records_what_was_asked_for, a_repeated_submit_is_the_same_job,
            another_request_under_the_same_key_is_a_conflict, many_callers_with_one_key_make_one_job,
            a_repeat_of_what_was_not_published_is_published, a_refused_job_is_withdrawn,
            a_job_for_later_is_scheduled, the_bound_on_unfinished_jobs_holds,
            a_claim_answers_by_state_and_generation, a_live_lease_is_busy, tokens_rise,
            a_lost_record_is_rebuilt, another_tenants_job_looks_absent,
            a_stale_lease_changes_nothing, a_renewed_lease_is_held, only_one_claim_wins,
            a_failed_attempt_is_retried_when_due, a_parked_job_waits_for_its_time,
            an_interrupted_job_runs_again_at_once, a_checkpoint_reaches_the_next_attempt,
            a_dead_letter_is_redriven_from_zero, a_redrive_does_not_give_the_wait_again,
            an_ended_job_sends_its_follow_ups,
            a_dead_letter_is_redriven_with_its_edited_payload,
            only_a_dead_letter_is_edited_or_forgotten,
            an_edit_or_a_forget_of_what_has_changed_is_refused,
            a_dead_letter_is_forgotten_for_good, a_forgotten_id_is_free,
            a_forgotten_request_made_again_is_a_new_job,
            a_dead_letter_outlives_other_ended_jobs, a_dead_letter_tells_who_had_it_last,
            a_redrive_and_a_forget_do_not_both_win, a_clear_takes_what_is_in_the_named_states,
            a_job_that_waits_is_cancelled_at_once, a_running_job_is_cancelled_when_its_worker_confirms,
            an_ended_job_is_not_cancelled, a_cancelled_id_nobody_knows_does_not_run,
            a_lapsed_lease_is_reaped_and_spends_nothing, a_deadline_ends_a_job,
            a_passed_over_envelope_is_offered_again, a_clock_set_back_floods_no_queue,
            an_ended_job_is_forgotten,
            an_ended_job_outlives_its_due_time, a_sweep_keeps_its_limit,
            pages_are_filtered, jobs_that_come_and_go_shift_no_page, counts_follow_every_job,
            events_have_no_gaps, a_long_history_is_bounded_and_says_so, progress_does_not_go_back,
            listeners_hear_what_happens,
        }
    };
    (@cases #[$test:meta] $make:path; $($case:ident),* $(,)?) => {
        $(
            #[$test]
            async fn $case() {
                $crate::contract::job_store::$case($make().await).await;
            }
        )*
    };
}
