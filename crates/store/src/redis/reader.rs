//! Reading records, past the cache and into it.

use std::sync::Arc;

use assay_core::id::JobId;
use redis::{Pipeline, Value};
use tokio::task::JoinSet;

use super::cache::Cache;
use super::gather::{self, Gatherer};
use super::keys::Keys;
use super::link::{Link, LinkError};
use super::record::{FIELDS, Found, Unreadable};
use crate::metric_definitions::redis::Call;

/// Reads records. Clones share the cache.
#[derive(Clone)]
pub(crate) struct Reader {
    link: Link,
    keys: Arc<Keys>,
    cache: Arc<Cache>,
    gatherer: Gatherer,
}

impl Reader {
    /// A reader whose single reads go together in a task of `tasks`.
    pub(crate) fn new(
        link: &Link,
        keys: &Arc<Keys>,
        cache: &Arc<Cache>,
        tasks: &mut JoinSet<()>,
    ) -> Self {
        let link = link.labelled(Call::Read);
        Self {
            gatherer: Gatherer::start(link.clone(), Arc::clone(keys), tasks),
            link,
            keys: Arc::clone(keys),
            cache: Arc::clone(cache),
        }
    }

    /// What is under an id now, and its checkpoint.
    ///
    /// # Errors
    /// When there is no answer.
    pub(crate) async fn find(
        &self,
        id: JobId,
    ) -> Result<Result<(Found, Option<Vec<u8>>), Unreadable>, LinkError> {
        let fields = self.gatherer.fields(id).await?;
        Ok(self.read(id, fields))
    }

    /// What is under each of `ids` now, in their order.
    ///
    /// # Errors
    /// When there is no answer.
    pub(crate) async fn find_all(
        &self,
        ids: &[JobId],
    ) -> Result<Vec<Result<Found, Unreadable>>, LinkError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut commands = Pipeline::with_capacity(ids.len());
        for id in ids {
            gather::add(&mut commands, &self.keys, *id);
        }
        let answers = self.link.read_all(&commands).await?;
        let read = |(id, fields)| self.read(id, fields).map(|(found, _)| found);
        Ok(ids.iter().copied().zip(answers).map(read).collect())
    }

    fn read(&self, id: JobId, fields: Value) -> Result<(Found, Option<Vec<u8>>), Unreadable> {
        let Value::Array(fields) = fields else {
            return Err(Unreadable::Malformed("it is no hash"));
        };
        let read = Found::read(fields)?;
        self.remember(id, &read.0);
        Ok(read)
    }

    /// Reads the fields that a step was answered with; none if nothing is there.
    pub(crate) fn take_in(
        &self,
        id: JobId,
        fields: Option<Vec<Value>>,
    ) -> Result<(Found, Option<Vec<u8>>), Unreadable> {
        self.read(
            id,
            Value::Array(fields.unwrap_or_else(|| vec![Value::Nil; FIELDS.len()])),
        )
    }

    /// Notes what was seen under an id.
    pub(crate) fn remember(&self, id: JobId, found: &Found) {
        match found {
            Found::Job(known) => self.cache.put(known.clone()),
            Found::Absent | Found::Tombstone(_) => self.cache.forget(id),
        }
    }

    /// What was last seen under an id, perhaps no longer so.
    pub(crate) fn recall(&self, id: JobId) -> Option<Found> {
        self.cache.get(id).map(Found::Job)
    }
}
