//! Jobs that a sweep comes to and this code can't read: a later version wrote them, whose processes may run beside this
//! one, or nobody can read them. They keep no other from its turn.

use std::sync::LazyLock;

use assay_core::id::JobId;
use assay_core::port::{StoreError, Swept};

use crate::metric_definitions::redis::Call;
use crate::redis::RedisStore;
use crate::redis::link::LinkError;
use crate::redis::script::{Room, Script};

/// How long a sweep leaves such a job alone, in milliseconds.
const REST_MS: u64 = 30_000;
/// Changes the time of a job that is in a set. A plain command would be refused when there is no memory left.
static PUT_OFF: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        Room::NotNeeded,
        "redis.call('ZADD', KEYS[1], 'XX', ARGV[1], ARGV[2])",
    )
});

impl RedisStore {
    /// What a step of a sweep came to on a job of `set`. One that can't be read rests: its time in the set is a later
    /// one. Whoever can read it loses no more than that time.
    pub(super) async fn or_rest(
        &self,
        set: &str,
        id: JobId,
        step: impl Future<Output = Result<Swept, StoreError>> + Send,
    ) -> Result<Swept, StoreError> {
        if let Some(swept) = self.or_unreadable(id, step).await? {
            return Ok(swept);
        }
        let until_ms = self.clock.now_ms().saturating_add(REST_MS);
        let mut call = PUT_OFF.call([set].into_iter());
        call.arg(until_ms).arg(id.as_bytes());
        let put_off = self.link.labelled(Call::Sweep).run(&PUT_OFF, &call).await;
        put_off.map_err(LinkError::of_write)?;
        Ok(Swept::default())
    }

    /// What a step of a sweep came to on a job; `None` for one that can't be read.
    pub(in crate::redis) async fn or_unreadable(
        &self,
        id: JobId,
        step: impl Future<Output = Result<Swept, StoreError>> + Send,
    ) -> Result<Option<Swept>, StoreError> {
        let error = match step.await {
            Ok(swept) => return Ok(Some(swept)),
            Err(error) => error,
        };
        let Ok(Err(unreadable)) = self.reader.find(id).await else {
            return Err(error);
        };
        tracing::warn!(job.id = %id, "a sweep left job {id} alone: {unreadable}");
        Ok(None)
    }
}
