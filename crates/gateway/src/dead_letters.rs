//! Dead letters, for people: look at them, edit what they carry, put them back, forget them.

use assay_api::v1 as pb;
use assay_core::envelope::Envelope;
use assay_core::event::EventId;
use assay_core::id::{JobId, Tenant};
use assay_core::job::Job;
use assay_core::port::{EditAnswer, EditWish, ForgetAnswer};
use assay_core::state::JobState;
use prost::Message;

use crate::access::Caller;
use crate::convert::{self, Edited};
use crate::edge::Edge;
use crate::query::{PAGE_BYTES_MAX, fit};
use crate::status::{Refusal, Violation};

mod many;

impl Edge {
    pub(crate) async fn list_dead_letters(
        &self,
        request: &pb::ListDeadLettersRequest,
        tenant: &Tenant,
    ) -> Result<pb::ListDeadLettersResponse, Refusal> {
        let filter = convert::filter(request, tenant)?;
        let page = self.store.list(&filter.list).await;
        let mut page = page.map_err(|error| Refusal::of_read(&error))?;
        page.jobs.retain(|job| filter.matches(job));
        let (dead_letters, cut) = fit(page.jobs, convert::listed_letter, PAGE_BYTES_MAX);
        let next = cut.or(page.next);
        Ok(pb::ListDeadLettersResponse {
            dead_letters,
            next_page_token: next.map_or_else(String::new, |cursor| filter.place(cursor)),
        })
    }

    pub(crate) async fn get_dead_letter(
        &self,
        request: &pb::GetDeadLetterRequest,
        tenant: &Tenant,
    ) -> Result<pb::DeadLetter, Refusal> {
        let id = convert::job_id(&request.job_id)?;
        let (job, envelope) = self.find_dead_letter(tenant, id).await?;
        self.tell_dead_letter(tenant, job, &envelope).await
    }

    pub(crate) async fn update_dead_letter(
        &self,
        request: &pb::UpdateDeadLetterRequest,
        caller: &Caller,
    ) -> Result<pb::DeadLetter, Refusal> {
        self.admit()?;
        let tenant = &caller.tenant;
        let _room = self.room_for(request.encoded_len())?;
        let Edited {
            id,
            seen,
            kind,
            payload,
            content,
        } = convert::edited(request)?;
        let (job, envelope) = self.find_dead_letter(tenant, id).await?;
        if job.kind != kind {
            return Err(other_kind(&job));
        }
        self.check(kind, tenant, &content, self.clock.now_ms())
            .await?;
        let envelope = envelope.with_payload(payload.clone());
        let by = if caller.is_known() { &*caller.name } else { "" };
        let by = by.to_owned();
        let wish = EditWish { payload, by, seen };
        let answer = self.store.edit(tenant, id, wish).await;
        match answer.map_err(|error| Refusal::of_write(error, id))? {
            EditAnswer::Edited(job) => {
                tracing::info!(job.id = %id, "the payload of dead letter {id} was edited");
                self.tell_dead_letter(tenant, job, &envelope).await
            }
            EditAnswer::Changed(_) => Err(Refusal::DeadLetterChanged(id)),
            EditAnswer::NotDead(_) | EditAnswer::Unknown => Err(Refusal::DeadLetterNotFound(id)),
        }
    }

    pub(crate) async fn redrive_dead_letter(
        &self,
        request: &pb::RedriveDeadLetterRequest,
        tenant: &Tenant,
    ) -> Result<pb::Job, Refusal> {
        let id = convert::job_id(&request.job_id)?;
        self.find_dead_letter(tenant, id).await?;
        let job_id = id.to_string();
        self.retry_job(&pb::RetryJobRequest { job_id }, tenant)
            .await
    }

    pub(crate) async fn delete_dead_letter(
        &self,
        request: &pb::DeleteDeadLetterRequest,
        tenant: &Tenant,
    ) -> Result<pb::DeleteDeadLetterResponse, Refusal> {
        let (id, seen) = convert::etag(&request.job_id, &request.etag)?;
        self.forget_dead_letter(tenant, id, seen).await?;
        tracing::info!(job.id = %id, "dead letter {id} was forgotten");
        Ok(pb::DeleteDeadLetterResponse {})
    }

    async fn forget_dead_letter(
        &self,
        tenant: &Tenant,
        id: JobId,
        seen: Option<EventId>,
    ) -> Result<(), Refusal> {
        let answer = self.store.forget(tenant, id, seen).await;
        match answer.map_err(|error| Refusal::of_write(error, id))? {
            ForgetAnswer::Forgotten => Ok(()),
            ForgetAnswer::Changed(_) => Err(Refusal::DeadLetterChanged(id)),
            ForgetAnswer::NotDead(_) | ForgetAnswer::Unknown => {
                Err(Refusal::DeadLetterNotFound(id))
            }
        }
    }

    /// A dead letter that must be there, with what it carries.
    async fn find_dead_letter(
        &self,
        tenant: &Tenant,
        id: JobId,
    ) -> Result<(Job, Envelope), Refusal> {
        let found = self.store.get_with_envelope(tenant, id).await;
        let found = found.map_err(|error| Refusal::of_read(&error))?;
        let dead = found.filter(|(job, _)| job.state == JobState::DeadLettered);
        dead.ok_or(Refusal::DeadLetterNotFound(id))
    }

    async fn tell_dead_letter(
        &self,
        tenant: &Tenant,
        job: Job,
        envelope: &Envelope,
    ) -> Result<pb::DeadLetter, Refusal> {
        let history = self.store.history(tenant, job.id, None).await;
        let history = history.map_err(|error| Refusal::of_read(&error))?;
        let events = history.map(|history| history.events).unwrap_or_default();
        Ok(convert::letter(job, envelope, &events))
    }
}

/// The payload is of another kind than the job.
fn other_kind(job: &Job) -> Refusal {
    Refusal::InvalidField(vec![Violation {
        field: "payload".to_owned(),
        description: format!("must be of the job's kind, which is {}", job.kind),
    }])
}
