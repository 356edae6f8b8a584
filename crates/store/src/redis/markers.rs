//! The latest marker of each lane: one hash, outside of the groups, because it belongs to no job.

use std::sync::LazyLock;

use assay_core::kind::{JobKind, Lane};
use assay_core::port::{Markers, StoreError};
use assay_core::route;
use async_trait::async_trait;

use super::RedisStore;
use super::link::LinkError;
use super::record::{bytes, number};
use super::script::{Room, Script};
use crate::metric_definitions::redis::Call;

static SET_MAX: LazyLock<Script> =
    LazyLock::new(|| Script::new(Room::NotNeeded, include_str!("set_max.lua")));

#[async_trait]
impl Markers for RedisStore {
    async fn passed(
        &self,
        kind: JobKind,
        lane: Lane,
        published_at_ms: u64,
    ) -> Result<(), StoreError> {
        let markers = self.keys.meta_markers();
        let mut call = SET_MAX.call([markers.as_str()].into_iter());
        call.arg(route::queue(kind, lane)).arg(published_at_ms);
        let noted = self.link.labelled(Call::Commit).run(&SET_MAX, &call).await;
        noted.map(drop).map_err(LinkError::of_write)
    }

    async fn latest(&self, kind: JobKind, lane: Lane) -> Result<Option<u64>, StoreError> {
        let mut get = redis::cmd("HGET");
        get.arg(self.keys.meta_markers())
            .arg(route::queue(kind, lane));
        let latest = self.link.read(&get).await.map_err(LinkError::of_read)?;
        Ok(bytes(&latest).and_then(number))
    }
}
