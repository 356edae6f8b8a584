//! Calls about jobs that were given up, and about what waits.

use assay_api::v1;

use super::{Client, Fault, Patience};

impl Client {
    /// A page of dead letters, newest first.
    ///
    /// # Errors
    /// When the server refuses a filter.
    pub(crate) async fn dead_letters(
        &self,
        request: v1::ListDeadLettersRequest,
    ) -> Result<v1::ListDeadLettersResponse, Fault> {
        self.read(self.admin.clone().list_dead_letters(request).await)
    }

    /// One dead letter, with its payload.
    ///
    /// # Errors
    /// When there is no such dead letter.
    pub(crate) async fn dead_letter(&self, job_id: &str) -> Result<v1::DeadLetter, Fault> {
        let job_id = job_id.to_owned();
        let request = v1::GetDeadLetterRequest { job_id };
        self.read(self.admin.clone().get_dead_letter(request).await)
    }

    /// The same for one of many: asked again while the server is away or busy. `None` if it was put back or forgotten.
    ///
    /// # Errors
    /// When the server stays away too long.
    pub(crate) async fn dead_letter_if_kept(
        &self,
        job_id: &str,
    ) -> Result<Option<v1::DeadLetter>, Fault> {
        let mut tries = 0;
        loop {
            let fault = match self.dead_letter(job_id).await {
                Ok(letter) => return Ok(Some(letter)),
                Err(fault) if fault.reason() == Some("DEAD_LETTER_NOT_FOUND") => return Ok(None),
                Err(fault) => fault,
            };
            tries += 1;
            match fault.wait(Patience::STREAM, tries) {
                Some(delay) => tokio::time::sleep(delay).await,
                None => return Err(fault),
            }
        }
    }

    /// Gives a dead letter another payload; it stays where it is.
    ///
    /// # Errors
    /// When it is none any more, has changed, or the payload will not do.
    pub(crate) async fn update_dead_letter(
        &self,
        request: v1::UpdateDeadLetterRequest,
    ) -> Result<v1::DeadLetter, Fault> {
        self.read(self.admin.clone().update_dead_letter(request).await)
    }

    /// Puts one dead letter back into its queue.
    ///
    /// # Errors
    /// When there is no such dead letter, or it cannot be put back.
    pub(crate) async fn redrive_dead_letter(&self, job_id: &str) -> Result<v1::Job, Fault> {
        let job_id = job_id.to_owned();
        let request = v1::RedriveDeadLetterRequest { job_id };
        self.read(self.admin.clone().redrive_dead_letter(request).await)
    }

    /// Puts dead letters back that match, as many as one call may.
    ///
    /// # Errors
    /// When the server refuses a filter, or cannot do any.
    pub(crate) async fn redrive_dead_letters(
        &self,
        request: v1::RedriveDeadLettersRequest,
    ) -> Result<v1::RedriveDeadLettersResponse, Fault> {
        self.read(self.admin.clone().redrive_dead_letters(request).await)
    }

    /// Forgets one dead letter.
    ///
    /// # Errors
    /// When there is no such dead letter.
    pub(crate) async fn delete_dead_letter(&self, job_id: &str) -> Result<(), Fault> {
        let request = v1::DeleteDeadLetterRequest {
            job_id: job_id.to_owned(),
            ..v1::DeleteDeadLetterRequest::default()
        };
        let answer = self.admin.clone().delete_dead_letter(request).await;
        self.read(answer).map(drop)
    }

    /// Forgets dead letters that match, as many as one call may.
    ///
    /// # Errors
    /// When the server refuses a filter, or cannot do any.
    pub(crate) async fn purge_dead_letters(
        &self,
        request: v1::PurgeDeadLettersRequest,
    ) -> Result<v1::PurgeDeadLettersResponse, Fault> {
        self.read(self.admin.clone().purge_dead_letters(request).await)
    }

    /// Cancels jobs of a kind that wait, as many as one call may.
    ///
    /// # Errors
    /// When the server knows no such kind, or cannot do any.
    pub(crate) async fn purge_queue(
        &self,
        request: v1::PurgeQueueRequest,
    ) -> Result<v1::PurgeQueueResponse, Fault> {
        self.read(self.admin.clone().purge_queue(request).await)
    }
}
