//! Deletes contents that nobody needs any more.

use std::sync::Arc;

use assay_blob::Blobs;
use assay_core::clock::Clock;
use async_trait::async_trait;

use crate::activity::{Activity, ActivityName, Error, Report};

/// Content is kept for so long beyond the time that any record may name it, in milliseconds: a day.
pub const BLOB_MARGIN_MS: u64 = 24 * 60 * 60 * 1000;
/// What an upload left behind whose process died is removed after so long, in milliseconds: a day.
const UPLOAD_MS_MAX: u64 = 24 * 60 * 60 * 1000;

/// Contents, and the times that say how long they may be needed.
#[derive(Clone, Debug)]
pub struct Keeping {
    /// The contents.
    pub blobs: Blobs,
    /// The longest time from submit to end that a job may ask for, in milliseconds.
    pub job_life_ms_max: u64,
    /// The longest time that any record is kept after its job ended, that of a dead letter too, in milliseconds.
    pub retention_ms: u64,
}

impl Keeping {
    /// Content that nobody stored or touched for so long is named by no record: whoever submits a job
    /// touches its content, and the record is gone after life and retention.
    #[must_use]
    pub fn untouched_ms(&self) -> u64 {
        self.job_life_ms_max
            .saturating_add(self.retention_ms)
            .saturating_add(BLOB_MARGIN_MS)
    }
}

/// Deletes contents that nobody touched for the longest life of a job, its retention and a day.
pub struct CollectBlobs {
    keeping: Keeping,
    clock: Arc<dyn Clock>,
    limit: usize,
}

impl CollectBlobs {
    /// Deletes at most `limit` contents at a time.
    #[must_use]
    pub fn new(keeping: Keeping, clock: Arc<dyn Clock>, limit: usize) -> Self {
        Self {
            keeping,
            clock,
            limit,
        }
    }
}

#[async_trait]
impl Activity for CollectBlobs {
    fn name(&self) -> ActivityName {
        ActivityName::CollectBlobs
    }

    async fn activate(&self) -> Result<Report, Error> {
        let (blobs, now_ms) = (&self.keeping.blobs, self.clock.now_ms());
        let removed = blobs.remove_abandoned_uploads(now_ms.saturating_sub(UPLOAD_MS_MAX));
        removed
            .await
            .map_err(failed("remove what dead uploads left"))?;

        let before_ms = now_ms.saturating_sub(self.keeping.untouched_ms());
        let untouched = blobs.untouched(before_ms, self.limit).await;
        let untouched = untouched.map_err(failed("look for contents that nobody needs"))?;
        let more = untouched.len() >= self.limit;
        let mut changed = 0;
        for stored in untouched {
            // Somebody may have touched it since; then it stays.
            let deleted = blobs
                .delete_untouched(&stored.tenant, &stored.id, before_ms)
                .await;
            changed += usize::from(deleted.map_err(failed("delete content that nobody needs"))?);
        }
        Ok(Report { changed, more })
    }
}

fn failed(step: &'static str) -> impl FnOnce(assay_blob::Error) -> Error {
    move |source| Error::Blobs { step, source }
}
