//! One delivery, from the queue's hands to settled.

use std::sync::Arc;
use std::time::Duration;

use assay_core::envelope::{Codec, Envelope};
use assay_core::port::{Claim, Claimed, Delivery, Settlement};
use assay_core::retry::{Decision, runs_alone};
#[cfg(feature = "failpoints")]
use assay_failpoint::Step;
use assay_service::shutdown::{Shutdown, Stage};
use tokio::time::Instant;
use tracing::Instrument;

use crate::attempt::{Attempt, Stop};
use crate::handler::JobHandler;
use crate::jitter::Backoff;
use crate::lease::Leases;
use crate::metric_definitions::{GivenBack, Meters};
use crate::outcome::{self, Ending};
use crate::refuse::{Refusal, refuse};
use crate::run::{Ran, Runner};
use crate::settle::Settler;
use crate::slots::Slot;
use crate::span;

/// Everything that deliveries of one worker share.
pub(crate) struct Executor<H> {
    pub(crate) runner: Runner<H>,
    pub(crate) leases: Arc<Leases>,
    pub(crate) meters: Arc<Meters>,
    pub(crate) settler: Settler,
    pub(crate) shutdown: Shutdown,
}

impl<H: JobHandler> Executor<H> {
    /// Claims, runs, settles. The slot is held until the end.
    pub(crate) async fn execute(self: Arc<Self>, delivery: Delivery, slot: Slot) {
        let _slot_taken = self.meters.slot_taken();
        if !readable(&delivery.envelope) {
            return refuse(delivery, Refusal::NewerVersion, &self.meters).await;
        }
        #[cfg(feature = "failpoints")]
        assay_failpoint::pass(Step::ClaimAsking).await;
        let Some((claim, asked_at)) = self.claim(&delivery.envelope).await else {
            // Dropped unsettled, it goes back.
            return self.meters.given_back(GivenBack::StoreOutage, 1);
        };
        if let Some(refusal) = Refusal::of(&claim) {
            return refuse(delivery, refusal, &self.meters).await;
        }
        if let Claim::Run(claimed) = claim {
            #[cfg(feature = "failpoints")]
            assay_failpoint::pass(Step::ClaimHeld).await;
            self.attempt(delivery, *claimed, slot, asked_at).await;
        }
    }

    /// Asks until the store answers, but no longer than deliveries may wait in hand, nor into a shutdown.
    async fn claim(&self, envelope: &Arc<Envelope>) -> Option<(Claim, Instant)> {
        let settings = &self.runner.settings;
        let until = Instant::now() + Duration::from_millis(settings.buffer_age_max_ms);
        let mut backoff = Backoff::new(&self.runner.ports.jitter);
        loop {
            let asked_at = Instant::now();
            match self.runner.ports.claim(envelope, settings.lease_ms).await {
                Ok(claim) => return Some((claim, asked_at)),
                Err(error) => {
                    let job_id = envelope.job_id;
                    tracing::warn!(job.id = %job_id, %error, "could not claim job {job_id}: {error}");
                }
            }
            if Instant::now() >= until || self.shutdown.stage() >= Stage::IntakeStopped {
                return None;
            }
            tokio::select! {
                () = tokio::time::sleep(backoff.next()) => {}
                () = self.shutdown.intake_stopped() => return None,
            }
        }
    }

    async fn attempt(&self, delivery: Delivery, claimed: Claimed, slot: Slot, asked_at: Instant) {
        let Claimed {
            job,
            lease,
            checkpoint,
        } = claimed;
        let (envelope, lane) = (Arc::clone(&delivery.envelope), job.lane);
        let timing = self.leases.timing(asked_at);
        let attempt = Arc::new(Attempt::new(envelope, job, lease, timing));
        let _held = self.leases.hold(&attempt, asked_at);
        let _in_flight = self.meters.attempt_begun(lane, self.waited(&attempt));
        let span = span::of(
            &attempt,
            self.runner.ports.queue.system(),
            self.runner.settings.trace,
        );
        async {
            let begun = Instant::now();
            let (ran, slot) = self.run(&attempt, slot, checkpoint).await;
            self.meters.ran(lane, begun.elapsed());
            #[cfg(feature = "failpoints")]
            assay_failpoint::pass(Step::SettleHandled).await;
            self.conclude(delivery, &attempt, ran).await;
            drop(slot);
        }
        .instrument(span)
        .await;
    }

    /// Runs the handler, alone if the job may kill its worker. The slot comes back, because the lease
    /// lives until the outcome is settled.
    async fn run(
        &self,
        attempt: &Arc<Attempt>,
        mut slot: Slot,
        checkpoint: Option<Vec<u8>>,
    ) -> (Ran, Slot) {
        if runs_alone(&attempt.job.counters) {
            if !slot.declare_suspect() {
                return (Ran::unbegun(Ending::TwoSuspects), slot);
            }
            tokio::select! {
                () = slot.take_all() => {}
                () = attempt.stopping().cancelled() => {}
            }
        }
        if attempt.stopped_by().is_some() {
            return (Ran::unbegun(Ending::CutOff), slot);
        }
        (self.runner.run(attempt, checkpoint).await, slot)
    }

    /// Makes true what follows from how it ended.
    async fn conclude(&self, delivery: Delivery, attempt: &Attempt, ran: Ran) {
        let stop = attempt.begin_settling();
        let ending = match ran.result {
            Ok(result) => {
                let settlement = Settlement {
                    decision: Decision::Succeed,
                    result: Some(result),
                    progress: ran
                        .progress
                        .and_then(|progress| progress.last(&Decision::Succeed)),
                };
                return self.settler.settle(delivery, attempt, settlement).await;
            }
            Err(ending) => ending,
        };
        match stop {
            // Another worker has it, it has ended, or its lease is forgotten: nothing more is written.
            Some(Stop::Fenced) => return self.settler.fenced(delivery, attempt).await,
            // Dropped unsettled, the delivery comes again and its claim makes the record anew.
            Some(Stop::Missing) => return self.meters.given_back(GivenBack::Missing, 1),
            Some(Stop::Drain | Stop::Cancel | Stop::LeaseLost) | None => {}
        }
        let ports = &self.runner.ports;
        let (now_ms, jitter) = (ports.clock.now_ms(), ports.jitter.draw());
        let decision = outcome::decide(ending, stop, &attempt.job, now_ms, jitter);
        let settlement = Settlement {
            progress: ran.progress.and_then(|progress| progress.last(&decision)),
            decision,
            result: None,
        };
        self.settler.settle(delivery, attempt, settlement).await;
    }

    /// How long the job waited for its first attempt since it might have run.
    fn waited(&self, attempt: &Attempt) -> Option<Duration> {
        if attempt.job.attempt != 1 {
            return None;
        }
        let times = &attempt.job.times;
        let since_ms = times.created_at_ms.max(times.due_at_ms.unwrap_or(0));
        let now_ms = self.runner.ports.clock.now_ms();
        Some(Duration::from_millis(now_ms.saturating_sub(since_ms)))
    }
}

/// Whether this worker can read the payload. One that it can't is a newer worker's, not rubbish.
fn readable(envelope: &Envelope) -> bool {
    envelope.codec == Codec::Plain && envelope.key_id.is_empty()
}
