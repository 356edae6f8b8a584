//! A bug on purpose: a job is promoted because it was in the list of what is due, whatever was decided about it since.
//! Chaos must report it.

use std::sync::Arc;

use assay_core::id::JobId;
use assay_core::port::{StoreError, Swept};
use assay_core::state::JobState;
use assay_core::transition;

use super::{Plan, RedisStore};

impl RedisStore {
    /// Promotes jobs as if each still waited.
    pub(super) async fn promote_blindly(&self, ids: &[JobId]) -> Result<Swept, StoreError> {
        let mut swept = Swept::default();
        for id in ids {
            super::sweep::add(&mut swept, self.promote_one_blindly(*id).await?);
        }
        Ok(swept)
    }

    async fn promote_one_blindly(&self, id: JobId) -> Result<Swept, StoreError> {
        let stepped = self.step(id, |found, scribe| {
            let Some(known) = found.job() else {
                return Plan::write(scribe.clear(id, found), Swept::default());
            };
            let mut imagined = known.clone();
            let job = Arc::make_mut(&mut imagined.job);
            job.state = JobState::Retrying;
            job.times.due_at_ms = Some(scribe.now_ms);
            match transition::due(imagined.record(), scribe.now_ms) {
                Some(promoted) => {
                    let change = scribe.record(&imagined, promoted, None);
                    let publish = change.to_publish();
                    Plan::write(change, Swept { jobs: 1, publish })
                }
                None => Plan::Answer(Swept::default()),
            }
        });
        stepped.await.map(|stepped| stepped.answer)
    }
}
