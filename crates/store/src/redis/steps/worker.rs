//! What workers ask for.

use std::sync::Arc;

use assay_core::claim::{Missing, Verdict, judge_missing};
use assay_core::envelope::Envelope;
use assay_core::id::{JobId, WorkerId};
use assay_core::job::Job;
use assay_core::port::{
    Claim, ClaimRequest, Claimed, Lease, Renewal, ResultBody, Settled, Settlement, StoreError,
    WorkerRegistry as _, Written,
};
use assay_core::progress::Progress;
use assay_core::transition::{self, ClaimStep, Settling, Transition};
use assay_core::worker::Presence;

use super::{Plan, owned};
use crate::redis::RedisStore;
use crate::redis::change::{Origin, Scribe};
use crate::redis::link::LinkError;
use crate::redis::record::{Found, Known, Unreadable, bytes, number};
use crate::redis::set_once::set_once;

/// How often a record that vanished is made again for one claim.
const REBUILDS_MAX: u32 = 3;

/// Leases that were looked at so long ago at most are watched, in milliseconds: schedulers look many times a second.
const WATCHED_MS: u64 = 2_000;

impl RedisStore {
    pub(in crate::redis) async fn take_claim(
        &self,
        request: &ClaimRequest,
    ) -> Result<Claim, StoreError> {
        for _ in 0..REBUILDS_MAX {
            if let Some(claim) = self.claim_recorded(request).await? {
                return Ok(claim);
            }
            if let Some(refused) = self.rebuild(&request.envelope).await? {
                return Ok(refused);
            }
        }
        // No orphan: a Redis that loses all it has twice in a row may lose what was rebuilt, too.
        let why = "the record is gone each time it was made again".into();
        Err(StoreError::Unavailable { why })
    }

    /// Claims a job that has a record; `None` for one that has none.
    async fn claim_recorded(&self, request: &ClaimRequest) -> Result<Option<Claim>, StoreError> {
        let mut before = Before::default();
        loop {
            match self.claim_knowing(&before, request).await? {
                Asked::Claim(claim) => return Ok(claim),
                Asked::Who(worker) => {
                    before = self.look_at(worker, request.envelope.job_id).await?;
                }
            }
        }
    }

    /// Claims a job, unless that takes it over from a worker of which nothing was asked yet.
    async fn claim_knowing(
        &self,
        before: &Before,
        request: &ClaimRequest,
    ) -> Result<Asked, StoreError> {
        let delivery = &request.envelope;
        let stepped = self.step(delivery.job_id, |found, scribe| {
            match owned(found, &delivery.tenant) {
                Some(known) => claim(known, before, request, scribe),
                // Another tenant's job looks absent.
                None => Plan::Answer(Asked::Claim(found.job().map(|_| Claim::Orphan))),
            }
        });
        let stepped = stepped.await?;
        Ok(match stepped.answer {
            Asked::Claim(Some(Claim::Run(claimed))) => {
                Asked::Claim(Some(Claim::Run(Box::new(Claimed {
                    checkpoint: stepped.checkpoint,
                    ..*claimed
                }))))
            }
            other @ (Asked::Claim(_) | Asked::Who(_)) => other,
        })
    }

    /// Asks the registry for the worker that held a job.
    async fn look_at(&self, worker: WorkerId, id: JobId) -> Result<Before, StoreError> {
        let presence = if self.leases_are_watched(id).await? {
            let asked = std::slice::from_ref(&worker);
            let known = self.registry().presence(asked).await;
            let known = known.map_err(|error| StoreError::Unavailable { why: error.why })?;
            known.first().copied()
        } else {
            None
        };
        Ok(Before {
            worker: Some(worker),
            presence: presence.unwrap_or(Presence::Unknown),
        })
    }

    /// Whether somebody looked at the leases of a job's group of late. After a gap nobody could beat either, and silence
    /// proves nothing.
    async fn leases_are_watched(&self, id: JobId) -> Result<bool, StoreError> {
        let mut get = redis::cmd("GET");
        get.arg(&self.keys.of(id).beat);
        let looked = self.link.read(&get).await.map_err(LinkError::of_read)?;
        let looked_at_ms = bytes(&looked).and_then(number).unwrap_or(0);
        Ok(self.clock.now_ms().saturating_sub(looked_at_ms) <= WATCHED_MS)
    }

    /// Makes a lost record again from a delivery; answers if that is not to be.
    async fn rebuild(&self, delivery: &Arc<Envelope>) -> Result<Option<Claim>, StoreError> {
        let epoch_ms = self.epoch_started_at_ms(delivery.job_id).await?;
        let stepped = self.step(delivery.job_id, |found, scribe| {
            if found.job().is_some() {
                return Plan::Answer(None);
            }
            let tombstone = matches!(found, Found::Tombstone(_));
            let (retention_ms, now_ms) = (scribe.retention.shortest_ms(), scribe.now_ms);
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

/// What is known of the worker that a claim takes a job over from.
struct Before {
    worker: Option<WorkerId>,
    presence: Presence,
}

impl Default for Before {
    /// Nobody was asked for.
    fn default() -> Self {
        Self {
            worker: None,
            presence: Presence::Unknown,
        }
    }
}

/// What a claim came to.
enum Asked {
    Claim(Option<Claim>),
    /// It would take the job over from this worker: is that dead?
    Who(WorkerId),
}

fn claim(
    known: &Known,
    before: &Before,
    request: &ClaimRequest,
    scribe: &Scribe<'_>,
) -> Plan<Asked> {
    let ClaimRequest {
        envelope,
        worker,
        lease_ms,
    } = request;
    let now_ms = scribe.now_ms;
    let from = transition::taken_over_from(&known.job, envelope.generation, now_ms);
    if let Some(from) = from
        && before.worker.as_ref() != Some(from)
    {
        return Plan::Answer(Asked::Who(from.clone()));
    }
    let record = known.record();
    let step = transition::claim_from(record, envelope, worker, *lease_ms, before.presence, now_ms);
    match step {
        ClaimStep::Run(transition) => {
            let claimed = claimed(&transition.job, worker);
            let change = scribe.record(known, *transition, None);
            Plan::write(
                change.wanting_checkpoint(),
                Asked::Claim(Some(Claim::Run(Box::new(claimed)))),
            )
        }
        ClaimStep::Not(verdict, None) => Plan::Answer(Asked::Claim(Some(Claim::Not(verdict)))),
        ClaimStep::Not(verdict, Some(transition)) => Plan::write(
            scribe.untold().record(known, *transition, None),
            Asked::Claim(Some(Claim::Not(verdict))),
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
