//! Calls about jobs that were given up, and about what waits.

use assay_api::v1;

use super::{Client, Fault};

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
