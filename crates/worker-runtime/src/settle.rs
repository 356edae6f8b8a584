//! Makes a decision true: record it, publish what follows, then acknowledge. Never in another order.

use std::sync::Arc;
use std::time::Duration;

use assay_core::claim::is_superseded;
use assay_core::envelope::Envelope;
use assay_core::job::Job;
use assay_core::port::{Claim, Delivery, QueueError, Settled, Settlement};
use assay_core::retry::Decision;
use assay_core::state::JobState;
#[cfg(feature = "failpoints")]
use assay_failpoint::Step;
use assay_service::shutdown::{Shutdown, Stage};
use tokio::time::Instant;

use crate::attempt::Attempt;
use crate::config::Settings;
use crate::jitter::Backoff;
use crate::metric_definitions::{GivenBack, Meters};
use crate::ports::Ports;
use crate::refuse::{Refusal, acknowledge, give_back, refuse};

#[cfg(feature = "failpoints")]
mod planted;

/// How long the queue may take over what a settlement sends out, in milliseconds. After that the store's
/// outbox does it, so that a blocked queue never blocks its own consumers.
pub(crate) const PUBLISH_MS_MAX: u64 = 5_000;
/// How long a settlement may still try once the worker must hand its work back, in milliseconds.
const HAND_BACK_SETTLE_MS: u64 = 1_500;
/// How often a record that vanished is made again for one settlement.
const RECLAIMS_MAX: u32 = 3;

/// Settles the attempts of one worker.
pub(crate) struct Settler {
    pub(crate) ports: Ports,
    pub(crate) settings: Settings,
    pub(crate) meters: Arc<Meters>,
    pub(crate) shutdown: Shutdown,
}

/// What became of a settlement at the store.
enum Record {
    Made {
        job: Box<Job>,
        publish: Vec<Envelope>,
    },
    Fenced,
    Refused(Refusal),
    GivenUp,
}

impl Settler {
    /// Settles one attempt and its delivery.
    pub(crate) async fn settle(
        &self,
        delivery: Delivery,
        attempt: &Attempt,
        settlement: Settlement,
    ) {
        #[cfg(feature = "failpoints")]
        if assay_failpoint::skips(assay_failpoint::Guard::RecordFirst) {
            return self.acknowledge_first(delivery, attempt, &settlement).await;
        }
        let (job_id, token) = (attempt.lease.job_id, attempt.lease.token);
        match self.record(attempt, &settlement).await {
            Record::Made { job, publish } => {
                #[cfg(feature = "failpoints")]
                assay_failpoint::pass(Step::SettleRecorded).await;
                self.publish(&publish).await;
                #[cfg(feature = "failpoints")]
                assay_failpoint::pass(Step::SettleBetween).await;
                acknowledge(delivery).await;
                #[cfg(feature = "failpoints")]
                assay_failpoint::pass(Step::SettleDone).await;
                self.account(&job, &settlement.decision, token);
            }
            Record::Fenced => {
                tracing::warn!(job.id = %job_id, token, "dropped the outcome of job {job_id}: the lease is not the latest");
                self.fenced(delivery, attempt).await;
            }
            Record::Refused(refusal) => refuse(delivery, refusal, &self.meters).await,
            Record::GivenUp => {
                drop(delivery);
                self.meters.given_back(GivenBack::StoreOutage, 1);
                tracing::error!(job.id = %job_id, token, "dropped the outcome of job {job_id}, it will run again: the store did not take it");
            }
        }
    }

    /// Settles a delivery whose attempt may write nothing more. Unless the record shows what came after its lease,
    /// the store has forgotten the lease: then the job may have no other envelope, and the claim judges this one.
    pub(crate) async fn fenced(&self, delivery: Delivery, attempt: &Attempt) {
        self.meters.stale_completion();
        let (lease, generation) = (&attempt.lease, delivery.envelope.generation);
        let job = self.ports.store.get(&lease.tenant, lease.job_id).await;
        match job {
            Ok(Some(job)) if is_superseded(&job, generation, lease.token) => {
                acknowledge(delivery).await;
            }
            Ok(_) | Err(_) => {
                let job_id = lease.job_id;
                tracing::warn!(job.id = %job_id, token = lease.token, "gave a delivery of job {job_id} back: nothing shows who has the job");
                self.meters.given_back(GivenBack::Fenced, 1);
                give_back(delivery).await;
            }
        }
    }

    async fn record(&self, attempt: &Attempt, settlement: &Settlement) -> Record {
        let mut claimed_again = None;
        let mut patience = Patience::new(self);
        let mut reclaims = 0;
        loop {
            let lease = claimed_again.as_ref().unwrap_or(&attempt.lease);
            let error = match self.ports.store.settle(lease, settlement.clone()).await {
                Ok(Settled::Recorded { job, publish }) => return Record::Made { job, publish },
                Ok(Settled::Fenced) => return Record::Fenced,
                Ok(Settled::Missing) if reclaims == RECLAIMS_MAX => return Record::GivenUp,
                Ok(Settled::Missing) => {
                    reclaims += 1;
                    match self
                        .ports
                        .claim(&attempt.envelope, self.settings.lease_ms)
                        .await
                    {
                        Ok(Claim::Run(claimed)) => {
                            claimed_again = Some(claimed.lease);
                            continue;
                        }
                        Ok(Claim::Not(verdict)) => {
                            return Record::Refused(Refusal::Verdict(verdict));
                        }
                        Ok(Claim::Orphan) => return Record::Refused(Refusal::Orphan),
                        Err(error) => error,
                    }
                }
                Err(error) => error,
            };
            let job_id = lease.job_id;
            tracing::warn!(job.id = %job_id, token = lease.token, %error, "could not record the outcome of job {job_id}: {error}");
            if !patience.wait().await {
                return Record::GivenUp;
            }
        }
    }

    /// What the queue does not take in time stays in the outbox, and is published from there.
    async fn publish(&self, envelopes: &[Envelope]) {
        if envelopes.is_empty() {
            return;
        }
        let published = async {
            for envelope in envelopes {
                self.ports.queue.publish(envelope).await?;
                let (id, generation) = (envelope.job_id, envelope.generation);
                if let Err(error) = self.ports.store.promote(id, generation).await {
                    tracing::debug!(job.id = %id, %error, "job {id} is queued, but not marked so yet");
                }
            }
            Ok::<(), QueueError>(())
        };
        match tokio::time::timeout(Duration::from_millis(PUBLISH_MS_MAX), published).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "left a publish to the outbox: {error}"),
            Err(_) => {
                tracing::warn!("left a publish to the outbox: no answer in {PUBLISH_MS_MAX} ms")
            }
        }
    }

    /// Counts and logs by what the record says, not by what was wanted of it.
    fn account(&self, job: &Job, decision: &Decision, token: u64) {
        let (id, state, kind) = (job.id, job.state, job.kind.as_str());
        if !state.is_terminal() {
            self.meters.runs_again(job.lane, reason(decision));
        }
        let (attempt, reason) = (job.attempt, reason(decision));
        if state == JobState::Succeeded {
            // The usual end, thousands of times a second.
            tracing::debug!(job.id = %id, job.kind = kind, attempt, token, "settled job {id} as {state}");
        } else if state == JobState::DeadLettered {
            tracing::warn!(job.id = %id, job.kind = kind, attempt, token, reason, "settled job {id} as {state}: {reason}");
        } else {
            tracing::info!(job.id = %id, job.kind = kind, attempt, token, reason, "settled job {id} as {state}: {reason}");
        }
    }
}

/// What made the decision, in one word.
fn reason(decision: &Decision) -> &'static str {
    match decision {
        Decision::Succeed => "succeeded",
        Decision::Cancel => "cancelled",
        Decision::Fail(failure) | Decision::Retry { failure, .. } => failure.class.as_str(),
        Decision::DeadLetter { reason, .. } => reason.as_str(),
        Decision::RunAgain { reason, .. } | Decision::Park { reason, .. } => reason.as_str(),
    }
}

/// How long an outcome is offered to a store that does not answer. Offering it longer than the lease
/// lives does no harm: should another worker have the job, it is refused.
struct Patience<'a> {
    until: Instant,
    backoff: Backoff,
    shutdown: &'a Shutdown,
    handing_back: bool,
}

impl<'a> Patience<'a> {
    fn new(settler: &'a Settler) -> Self {
        let patience = Duration::from_millis(settler.settings.settle_patience_ms);
        Self {
            until: Instant::now() + patience,
            backoff: Backoff::new(&settler.ports.jitter),
            shutdown: &settler.shutdown,
            handing_back: false,
        }
    }

    /// Waits before the next try; false when there shall be none.
    async fn wait(&mut self) -> bool {
        let delay = self.backoff.next();
        if !self.handing_back && self.shutdown.stage() < Stage::HandBack {
            tokio::select! {
                () = tokio::time::sleep(delay) => return Instant::now() < self.until,
                () = self.shutdown.hand_back() => {}
            }
        }
        if !self.handing_back {
            self.handing_back = true;
            let soon = Instant::now() + Duration::from_millis(HAND_BACK_SETTLE_MS);
            self.until = self.until.min(soon);
        }
        tokio::time::sleep(delay).await;
        Instant::now() < self.until
    }
}
