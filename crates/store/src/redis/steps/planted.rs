//! A bug on purpose: a job is promoted because it was in the list of what is due, whatever was decided about it since.
//! Chaos must report it.

use std::sync::Arc;

use assay_core::id::JobId;
use assay_core::port::StoreError;
use assay_core::state::JobState;
use assay_core::transition;

use super::{Plan, RedisStore};

impl RedisStore {
    /// Promotes jobs as if each still waited.
    pub(super) async fn promote_blindly(&self, ids: &[JobId]) -> Result<usize, StoreError> {
        let mut jobs = 0;
        for id in ids {
            jobs += self.promote_one_blindly(*id).await?;
        }
        Ok(jobs)
    }

    async fn promote_one_blindly(&self, id: JobId) -> Result<usize, StoreError> {
        let stepped = self.step(id, |found, scribe| {
            let Some(known) = found.job() else {
                return Plan::write(scribe.clear(id, found), 0);
            };
            let mut imagined = known.clone();
            let job = Arc::make_mut(&mut imagined.job);
            job.state = JobState::Retrying;
            job.times.due_at_ms = Some(scribe.now_ms);
            match transition::due(imagined.record(), scribe.now_ms) {
                Some(promoted) => Plan::write(scribe.record(&imagined, promoted, None), 1),
                None => Plan::Answer(0),
            }
        });
        stepped.await.map(|stepped| stepped.answer)
    }
}
