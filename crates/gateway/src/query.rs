//! Questions about jobs that change nothing.

use assay_api::{RESULT_BYTES_MAX, v1 as pb};
use assay_blob::ContentId;
use assay_core::id::{JobId, Tenant};
use assay_core::job::{Job, ResultRef};
use assay_core::port::Cursor;
use bytes::Bytes;
use prost::Message;

use crate::edge::Edge;
use crate::status::Refusal;
use crate::{convert, page_token};

/// The largest page, in bytes: clients take messages of 4 MiB unless told otherwise.
pub(crate) const PAGE_BYTES_MAX: usize = 3 * 1024 * 1024;

impl Edge {
    pub(crate) async fn get_job(
        &self,
        request: &pb::GetJobRequest,
        tenant: &Tenant,
    ) -> Result<pb::Job, Refusal> {
        let id = convert::job_id(&request.job_id)?;
        self.find(tenant, id).await.map(convert::job)
    }

    pub(crate) async fn list_jobs(
        &self,
        request: &pb::ListJobsRequest,
        tenant: &Tenant,
    ) -> Result<pb::ListJobsResponse, Refusal> {
        let query = convert::query(request, tenant)?;
        let page = self.store.list(&query).await;
        let page = page.map_err(|error| Refusal::of_read(&error))?;
        let (jobs, cut) = fit(page.jobs, convert::job, PAGE_BYTES_MAX);
        let next = cut.or(page.next);
        Ok(pb::ListJobsResponse {
            jobs,
            next_page_token: next
                .map_or_else(String::new, |cursor| page_token::write(cursor, &query, "")),
        })
    }

    pub(crate) async fn get_job_result(
        &self,
        request: &pb::GetJobResultRequest,
        tenant: &Tenant,
    ) -> Result<pb::GetJobResultResponse, Refusal> {
        let job = self.find(tenant, convert::job_id(&request.job_id)?).await?;
        if !job.state.is_terminal() {
            return Err(Refusal::JobNotFinished(job.id, job.state));
        }
        let (json, content_id) = match &job.result {
            None => return Err(Refusal::JobWithoutResult(job.id, job.state)),
            Some(ResultRef::Inline { .. }) => self.inline_result(tenant, job.id).await?,
            Some(ResultRef::Blob { content_id, .. }) => {
                self.result_blob(tenant, content_id).await?
            }
        };
        Ok(pb::GetJobResultResponse {
            job_id: job.id.to_string(),
            json,
            content_id,
        })
    }

    /// The record of a job that must be there.
    pub(crate) async fn find(&self, tenant: &Tenant, id: JobId) -> Result<Job, Refusal> {
        let found = self.store.get(tenant, id).await;
        let found = found.map_err(|error| Refusal::of_read(&error))?;
        found.ok_or(Refusal::JobNotFound(id))
    }

    async fn inline_result(&self, tenant: &Tenant, id: JobId) -> Result<(Bytes, String), Refusal> {
        let result = self.store.inline_result(tenant, id).await;
        let result = result.map_err(|error| Refusal::of_read(&error))?;
        // Between the two looks at the record its time may have come.
        let json = Bytes::from(result.ok_or(Refusal::JobNotFound(id))?);
        let content_id = ContentId::of(&json).to_string();
        Ok((json, content_id))
    }

    async fn result_blob(
        &self,
        tenant: &Tenant,
        content_id: &str,
    ) -> Result<(Bytes, String), Refusal> {
        let gone = |why: &str| Refusal::Internal(format!("result blob {content_id} {why}"));
        let id: ContentId = content_id.parse().map_err(|_| gone("has no valid name"))?;
        let bytes = self.blobs.size(tenant, &id).await;
        let bytes = bytes.map_err(|error| Refusal::of_blobs(&error))?;
        let bytes = bytes.ok_or_else(|| gone("is gone"))?;
        let limit = RESULT_BYTES_MAX as u64;
        if bytes > limit {
            return Err(Refusal::ResultTooLarge { bytes, limit });
        }
        let json = self.blobs.get(tenant, &id, limit).await;
        let json = json.map_err(|error| Refusal::of_blobs(&error))?;
        Ok((json.ok_or_else(|| gone("is gone"))?, content_id.to_owned()))
    }
}

/// As many jobs, made into messages, as fit into `bytes_max`, but at least one; and where the rest begins, if there is
/// one.
pub(crate) fn fit<M: Message>(
    jobs: Vec<Job>,
    message: impl Fn(Job) -> M,
    bytes_max: usize,
) -> (Vec<M>, Option<Cursor>) {
    let mut taken = Vec::with_capacity(jobs.len());
    let mut bytes = 0;
    let mut last = None;
    for job in jobs {
        let cursor = Cursor {
            created_at_ms: job.times.created_at_ms,
            job_id: job.id,
        };
        let job = message(job);
        bytes += job.encoded_len();
        if bytes > bytes_max && last.is_some() {
            return (taken, last);
        }
        taken.push(job);
        last = Some(cursor);
    }
    (taken, None)
}
