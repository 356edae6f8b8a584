//! What people do to jobs by hand: stop them, put them back.

use std::time::Duration;

use assay_api::v1 as pb;
use assay_core::id::{JobId, Tenant};
use assay_core::port::{CancelAnswer, RedriveAnswer};
use tokio::time::Instant;

use crate::convert;
use crate::edge::Edge;
use crate::status::Refusal;

/// From a cancel to the answer that there is no such job. A store writes down that an id which nobody has is not to run,
/// and nothing of a job of another tenant: whoever measures must not learn from it that the job is there, whose id may be
/// known from its request id. Longer than a store takes to write.
const UNKNOWN_AFTER: Duration = Duration::from_millis(50);

impl Edge {
    pub(crate) async fn cancel_job(
        &self,
        request: &pb::CancelJobRequest,
        tenant: &Tenant,
    ) -> Result<pb::Job, Refusal> {
        let began = Instant::now();
        let id = convert::job_id(&request.job_id)?;
        let answer = self.store.cancel(tenant, id).await;
        match answer.map_err(|error| Refusal::of_write(error, id))? {
            CancelAnswer::Cancelled(job)
            | CancelAnswer::Cancelling(job)
            // So a repeat is no error.
            | CancelAnswer::Ended(job) => {
                tracing::info!(job.id = %id, job.state = %job.state, "cancel of job {id} left it {}", job.state);
                Ok(convert::job(job))
            }
            CancelAnswer::Unknown => {
                tokio::time::sleep_until(began + UNKNOWN_AFTER).await;
                Err(Refusal::JobNotFound(id))
            }
        }
    }

    pub(crate) async fn retry_job(
        &self,
        request: &pb::RetryJobRequest,
        tenant: &Tenant,
    ) -> Result<pb::Job, Refusal> {
        self.admit()?;
        let id = convert::job_id(&request.job_id)?;
        self.admit_to_queue()?;
        self.keep_content(tenant, id).await?;
        let answer = self.store.redrive(tenant, id).await;
        match answer.map_err(|error| Refusal::of_write(error, id))? {
            RedriveAnswer::Queued(job, envelope) => {
                if let Some(envelope) = envelope
                    && let Err(error) = self.publish(&envelope).await
                {
                    // It is put back, and the sweep of the outbox publishes it.
                    tracing::warn!(job.id = %id, error = %error, "job {id} is put back, not known to be queued: {error}");
                }
                tracing::info!(job.id = %id, generation = job.generation, "put job {id} back into its queue");
                Ok(convert::job(job))
            }
            RedriveAnswer::NotRedrivable(job) => Err(Refusal::JobNotRetryable(id, job.state)),
            RedriveAnswer::Unknown => Err(Refusal::JobNotFound(id)),
        }
    }

    /// The touch keeps the content from being collected while the job lives once more, and waits for people if it is
    /// given up again. Content that is gone is for the worker to find out.
    async fn keep_content(&self, tenant: &Tenant, id: JobId) -> Result<(), Refusal> {
        let found = self.store.get_with_envelope(tenant, id).await;
        let found = found.map_err(|error| Refusal::of_read(&error))?;
        if let Some(content) = found.and_then(|(_, envelope)| convert::content(&envelope)) {
            let touched = self.blobs.touch(tenant, &content, self.clock.now_ms());
            touched.await.map_err(|error| Refusal::of_blobs(&error))?;
        }
        Ok(())
    }
}
