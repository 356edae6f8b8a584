//! What workers ask for.

use std::sync::Arc;

use assay_core::claim::{Missing, Verdict, judge_missing};
use assay_core::envelope::Envelope;
use assay_core::id::{JobId, WorkerId};
use assay_core::job::Job;
use assay_core::port::{
    Claim, ClaimRequest, Claimed, Lease, Renewal, ResultBody, Settled, Settlement, StoreError,
    Written,
};
use assay_core::progress::Progress;
use assay_core::transition::{self, ClaimStep, Settling, Transition};

use super::{Plan, owned};
use crate::redis::RedisStore;
use crate::redis::change::{Origin, Scribe};
use crate::redis::link::LinkError;
use crate::redis::record::{Found, Known, Unreadable};
use crate::redis::set_once::set_once;

impl RedisStore {
    pub(in crate::redis) async fn take_claim(
        &self,
        request: &ClaimRequest,
    ) -> Result<Claim, StoreError> {
        if let Some(claim) = self.claim_recorded(request).await? {
            return Ok(claim);
        }
        if let Some(refused) = self.rebuild(&request.envelope).await? {
            return Ok(refused);
        }
        let claim = self.claim_recorded(request).await?;
        Ok(claim.unwrap_or(Claim::Orphan))
    }

    /// Claims a job that has a record; `None` for one that has none.
    async fn claim_recorded(&self, request: &ClaimRequest) -> Result<Option<Claim>, StoreError> {
        let delivery = &request.envelope;
        let stepped = self.step(delivery.job_id, |found, scribe| {
            match owned(found, &delivery.tenant) {
                Some(known) => claim(known, request, scribe),
                // Another tenant's job looks absent.
                None => Plan::Answer(found.job().map(|_| Claim::Orphan)),
            }
        });
        let stepped = stepped.await?;
        Ok(match stepped.answer {
            Some(Claim::Run(claimed)) => Some(Claim::Run(Box::new(Claimed {
                checkpoint: stepped.checkpoint,
                ..*claimed
            }))),
            other => other,
        })
    }

    /// Makes a lost record again from a delivery; answers if that is not to be.
    async fn rebuild(&self, delivery: &Arc<Envelope>) -> Result<Option<Claim>, StoreError> {
        let epoch_ms = self.epoch_started_at_ms(delivery.job_id).await?;
        let stepped = self.step(delivery.job_id, |found, scribe| {
            if found.job().is_some() {
                return Plan::Answer(None);
            }
            let tombstone = matches!(found, Found::Tombstone(_));
            let (retention_ms, now_ms) = (scribe.retention_ms, scribe.now_ms);
            match judge_missing(delivery, tombstone, epoch_ms, retention_ms, now_ms) {
                Missing::Orphan => Plan::Answer(Some(Claim::Orphan)),
                Missing::Cancelled => Plan::Answer(Some(Claim::Not(Verdict::Cancelled))),
                Missing::Rebuild => {
                    let rebuilt = transition::rebuild(delivery, now_ms);
                    let envelope = Arc::clone(delivery);
                    Plan::write(scribe.add(found, &rebuilt, envelope, Origin::Rebuilt), None)
                }
            }
        });
        stepped.await.map(|stepped| stepped.answer)
    }

    /// When the store began that holds a job, in milliseconds since the epoch; now if that is forgotten.
    async fn epoch_started_at_ms(&self, id: JobId) -> Result<u64, StoreError> {
        let epoch = &self.keys.of(id).epoch;
        let began = set_once(&self.link, &[epoch], self.clock.now_ms()).await;
        let began = began.map_err(LinkError::of_read)?;
        let malformed = |_| Unreadable::Malformed("when the store began is no number");
        Ok(began.parse().map_err(malformed)?)
    }

    pub(in crate::redis) async fn take_renew(
        &self,
        lease: &Lease,
        lease_ms: u64,
    ) -> Result<Renewal, StoreError> {
        let stepped = self.step(lease.job_id, |found, scribe| {
            let Some(known) = owned(found, &lease.tenant) else {
                return Plan::Answer(Renewal::Missing);
            };
            let renewed = transition::renew(&known.job, lease.token, lease_ms, scribe.now_ms);
            match renewed.job {
                Some(job) => Plan::write(scribe.record_quietly(known, *job), renewed.answer),
                None => Plan::Answer(renewed.answer),
            }
        });
        stepped.await.map(|stepped| stepped.answer)
    }

    pub(in crate::redis) async fn take_report(
        &self,
        lease: &Lease,
        progress: &Progress,
    ) -> Result<Written, StoreError> {
        let stepped = self.step(lease.job_id, |found, scribe| {
            let reported = owned(found, &lease.tenant).and_then(|known| {
                let (record, progress) = (known.record(), progress.clone());
                let reported = transition::report(record, lease.token, progress, scribe.now_ms)?;
                Some(scribe.record(known, reported, None))
            });
            match reported {
                Some(change) => Plan::write(change, Written::Recorded),
                None => Plan::Answer(Written::Fenced),
            }
        });
        stepped.await.map(|stepped| stepped.answer)
    }

    pub(in crate::redis) async fn take_checkpoint(
        &self,
        lease: &Lease,
        checkpoint: &[u8],
    ) -> Result<Written, StoreError> {
        let stepped = self.step(lease.job_id, |found, scribe| {
            let known = owned(found, &lease.tenant);
            match known.filter(|known| transition::holds(&known.job, lease.token)) {
                Some(known) => {
                    Plan::write(scribe.keep_checkpoint(known, checkpoint), Written::Recorded)
                }
                None => Plan::Answer(Written::Fenced),
            }
        });
        stepped.await.map(|stepped| stepped.answer)
    }

    pub(in crate::redis) async fn take_settle(
        &self,
        lease: &Lease,
        settlement: &Settlement,
    ) -> Result<Settled, StoreError> {
        let stepped = self.step(lease.job_id, |found, scribe| {
            let Some(known) = owned(found, &lease.tenant) else {
                return Plan::Answer(Settled::Missing);
            };
            match transition::settle(known.record(), lease.token, settlement, scribe.now_ms) {
                Settling::Fenced => Plan::Answer(Settled::Fenced),
                // Jobs that follow it are left to the sweep of the outbox, should nobody have published them.
                Settling::Repeated => {
                    Plan::Answer(recorded(Job::clone(&known.job), again(known, scribe)))
                }
                Settling::Recorded(transition) => {
                    let job = transition.job.clone();
                    let result = inline(settlement, &transition);
                    let change = scribe.record(known, *transition, result);
                    let answer = recorded(job, change.to_publish());
                    Plan::write(change, answer)
                }
            }
        });
        stepped.await.map(|stepped| stepped.answer)
    }
}

fn claim(known: &Known, request: &ClaimRequest, scribe: &Scribe<'_>) -> Plan<Option<Claim>> {
    let ClaimRequest {
        envelope,
        worker,
        lease_ms,
    } = request;
    let step = transition::claim(known.record(), envelope, worker, *lease_ms, scribe.now_ms);
    match step {
        ClaimStep::Run(transition) => {
            let claimed = claimed(&transition.job, worker);
            let change = scribe.record(known, *transition, None);
            Plan::write(
                change.wanting_checkpoint(),
                Some(Claim::Run(Box::new(claimed))),
            )
        }
        ClaimStep::Not(verdict, None) => Plan::Answer(Some(Claim::Not(verdict))),
        ClaimStep::Not(verdict, Some(transition)) => Plan::write(
            scribe.untold().record(known, *transition, None),
            Some(Claim::Not(verdict)),
        ),
    }
}

/// The checkpoint comes with the answer to the step.
fn claimed(job: &Job, worker: &WorkerId) -> Claimed {
    let lease = Lease {
        job_id: job.id,
        tenant: job.tenant.clone(),
        token: job.token,
        worker: worker.clone(),
    };
    Claimed {
        job: job.clone(),
        lease,
        checkpoint: None,
    }
}

fn recorded(job: Job, publish: Vec<Envelope>) -> Settled {
    Settled::Recorded {
        job: Box::new(job),
        publish,
    }
}

/// What a settlement sent out that is asked for once more: its answer was lost, and with it what to publish.
fn again(known: &Known, scribe: &Scribe<'_>) -> Vec<Envelope> {
    let needed = scribe.outbox.is_some() && transition::needs_envelope(&known.job);
    needed
        .then(|| Envelope::clone(&known.envelope))
        .into_iter()
        .collect()
}

/// The result that is kept with the record, if the settlement made it the result.
fn inline<'a>(settlement: &'a Settlement, transition: &Transition) -> Option<&'a [u8]> {
    match (&transition.job.result, &settlement.result) {
        (Some(_), Some(ResultBody::Inline(body))) => Some(body),
        _ => None,
    }
}
