//! Kinds that are paused: one set, outside of the groups, because it belongs to no job.

use std::collections::BTreeSet;

use assay_core::kind::JobKind;
use assay_core::port::{QueueControl, StoreError};
use async_trait::async_trait;

use super::RedisStore;
use super::link::LinkError;

#[async_trait]
impl QueueControl for RedisStore {
    async fn pause(&self, kind: JobKind) -> Result<(), StoreError> {
        self.change_paused("SADD", kind).await
    }

    async fn resume(&self, kind: JobKind) -> Result<(), StoreError> {
        self.change_paused("SREM", kind).await
    }

    async fn paused(&self) -> Result<BTreeSet<JobKind>, StoreError> {
        let mut members = redis::cmd("SMEMBERS");
        members.arg(self.keys.meta_paused());
        let answer = self.link.read(&members).await;
        let names: Result<Vec<String>, _> =
            redis::from_redis_value(answer.map_err(LinkError::of_read)?);
        let names = names.map_err(|error| StoreError::Unavailable {
            why: error.to_string(),
        })?;
        // A kind of a newer version is passed over: nobody works on it here.
        Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
    }
}

impl RedisStore {
    async fn change_paused(&self, command: &str, kind: JobKind) -> Result<(), StoreError> {
        let mut change = redis::cmd(command);
        change.arg(self.keys.meta_paused()).arg(kind.as_str());
        // Done twice it is as done once, so a lost answer is asked for again, like that to a question.
        let answer = self.link.read(&change).await;
        answer.map(drop).map_err(LinkError::of_write)
    }
}
