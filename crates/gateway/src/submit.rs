//! One job in: checked, recorded, queued, answered, in this order.

use assay_api::v1 as pb;
use assay_blob::ContentId;
use assay_core::envelope::{Envelope, TraceContext};
use assay_core::id::Tenant;
use assay_core::kind::JobKind;
use assay_core::port::{QueueError, Submitted};
#[cfg(feature = "failpoints")]
use assay_failpoint::Step;
use prost::Message;
use tokio::sync::SemaphorePermit;

use crate::convert;
use crate::edge::Edge;
use crate::metric_definitions::{self, SubmitOutcome};
use crate::status::Refusal;

impl Edge {
    /// Submits a job. After the answer it survives what the store's durability says.
    pub(crate) async fn submit(
        &self,
        request: &pb::SubmitJobRequest,
        tenant: &Tenant,
        trace: &TraceContext,
    ) -> Result<pb::SubmitJobResponse, Refusal> {
        self.admit()?;
        let _room = self.room_for(request.encoded_len())?;
        let now_ms = self.clock.now_ms();
        let wanted = convert::submit(request, tenant, trace, now_ms)?;
        let spec = &wanted.spec;
        self.check(spec.kind, &spec.tenant, &wanted.content, now_ms)
            .await?;
        self.admit_to_queue()?;
        #[cfg(feature = "failpoints")]
        assay_failpoint::pass(Step::SubmitChecked).await;

        let id = wanted.spec.id(now_ms, rand::random());
        let is_keyed = wanted.spec.request_key.is_some();
        let submitted = self.store.submit(id, wanted.spec).await;
        #[cfg(feature = "failpoints")]
        assay_failpoint::pass(Step::SubmitRecorded).await;
        let (job, outcome, carrier) =
            match submitted.map_err(|error| Refusal::of_write(error, id))? {
                Submitted::Queued(job) => (job, SubmitOutcome::Recorded, self.queue.system()),
                Submitted::Publish(job, envelope) => {
                    // By the same clock as the record: what was recorded before this call came is another's.
                    let existed = is_keyed && job.times.created_at_ms < now_ms;
                    let carrier = self.publish_accepted(&envelope, existed).await?;
                    let outcome = if existed {
                        SubmitOutcome::Existed
                    } else {
                        SubmitOutcome::Recorded
                    };
                    (job, outcome, carrier)
                }
                Submitted::Exists(job) => (job, SubmitOutcome::Existed, ""),
                Submitted::Conflict(job) => return Err(Refusal::RequestIdReused(job.id)),
            };
        metric_definitions::submitted(job.kind, job.lane, outcome);
        tracing::debug!(job.id = %job.id, job.kind = %job.kind, "submitted job {id}");
        #[cfg(feature = "failpoints")]
        assay_failpoint::pass(Step::SubmitAnswering).await;
        Ok(pb::SubmitJobResponse {
            job: Some(convert::job(job)),
            already_existed: matches!(outcome, SubmitOutcome::Existed),
            durability: self.store.durability().promise().to_owned(),
            carrier: carrier.to_owned(),
        })
    }

    /// Room for a request, as long as it is being recorded: however many callers there are, what they send
    /// takes no more than so much memory.
    pub(crate) fn room_for(&self, bytes: usize) -> Result<SemaphorePermit<'_>, Refusal> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let room = self.submit_bytes.try_acquire_many(bytes);
        room.map_err(|_| Refusal::ServerBusy {
            limit: self.settings.submit_bytes_max,
        })
    }

    /// What only this server can know of a request: whether it takes the kind, and has the content.
    pub(crate) async fn check(
        &self,
        kind: JobKind,
        tenant: &Tenant,
        content: &ContentId,
        now_ms: u64,
    ) -> Result<(), Refusal> {
        if !self.settings.kinds.contains(&kind) {
            return Err(Refusal::KindNotServed(kind));
        }
        // The touch keeps the content from being collected while the job lives.
        let found = self.blobs.touch(tenant, content, now_ms).await;
        match found.map_err(|error| Refusal::of_blobs(&error))? {
            Some(_) => Ok(()),
            None => Err(Refusal::ContentNotFound(*content)),
        }
    }

    /// Puts the envelope of an accepted job into its queue, and answers what took it. What the queue is proven to have
    /// refused is taken back, unless a call before this one recorded it: that may have published it, too.
    ///
    /// A job that is not known to be in the queue is recorded all the same: the sweep of the outbox will
    /// publish it, and a repeat of the request does so at once.
    async fn publish_accepted(
        &self,
        envelope: &Envelope,
        existed: bool,
    ) -> Result<&'static str, Refusal> {
        let id = envelope.job_id;
        match self.publish(envelope).await {
            Ok(carrier) => Ok(carrier),
            Err(QueueError::Refused { why }) if !existed => Err(self.withdraw(envelope, why).await),
            Err(error) => {
                tracing::warn!(job.id = %id, error = %error, "job {id} is recorded, not known to be queued: {error}");
                Err(Refusal::OutcomeUnknown(id))
            }
        }
    }

    /// Takes a record back whose envelope was refused; what its submitter is told.
    async fn withdraw(&self, envelope: &Envelope, why: String) -> Refusal {
        let id = envelope.job_id;
        match self.store.withdraw(id, envelope.generation).await {
            Ok(true) => Refusal::of_queue_refusal(why),
            Ok(false) => {
                tracing::info!(job.id = %id, why, "the queue refused an envelope of job {id}, which goes on by another: {why}");
                Refusal::OutcomeUnknown(id)
            }
            Err(error) => {
                tracing::warn!(job.id = %id, why, error = %error, "job {id} was refused by its queue and may be recorded: {error}");
                Refusal::OutcomeUnknown(id)
            }
        }
    }

    /// Puts an envelope into its queue and tells the record so. Answers what took it.
    pub(crate) async fn publish(&self, envelope: &Envelope) -> Result<&'static str, QueueError> {
        let id = envelope.job_id;
        let carrier = self.queue.publish_and_tell(envelope).await?;
        #[cfg(feature = "failpoints")]
        assay_failpoint::pass(Step::SubmitPublished).await;
        if let Err(error) = self.store.promote(id, envelope.generation).await {
            // It is in the queue; the sweep will find out.
            tracing::warn!(job.id = %id, error = %error, "job {id} is queued, its record does not say so: {error}");
        }
        Ok(carrier)
    }
}
