//! Logs of fingerprints: two tables of the file, written with the commit that answers.
//!
//! The one has the entries in their order, the other the position of each content. A batch keeps what it adds beside
//! them until it is committed, so that one content twice in a batch is one entry.

mod row;

use std::collections::HashMap;

use assay_core::id::Tenant;
use assay_core::port::{
    Appended, ContentFingerprint, FingerprintLog, LOG_PAGE_MAX, LogPage, Logged, StoreError,
};
use async_trait::async_trait;
use redb::{Database, ReadOnlyTable, ReadableDatabase, WriteTransaction};

use super::EmbeddedStore;
use super::batch::{Batch, unavailable};
use super::disk::{Fault, fault};
use super::steps::disk_full;
use super::tables::{FINGERPRINT_POSITIONS, FINGERPRINTS};
use row::{content_key, position_key, position_of};

#[async_trait]
impl FingerprintLog for EmbeddedStore {
    async fn append(
        &self,
        tenant: &Tenant,
        fingerprint: ContentFingerprint,
    ) -> Result<Appended, StoreError> {
        let tenant = tenant.clone();
        self.change(move |batch| append(batch, tenant, fingerprint), disk_full)
            .await
    }

    async fn read(&self, tenant: &Tenant, after: u64, limit: usize) -> Result<LogPage, StoreError> {
        self.read(|_, database| LogTables::open(database)?.page(tenant, after, limit))
    }
}

/// What one commit adds to logs.
#[derive(Default)]
pub(super) struct Additions {
    /// By the key of their content.
    entries: HashMap<Vec<u8>, (Tenant, Logged)>,
    /// The latest position of each log that was looked at.
    newest: HashMap<Tenant, u64>,
}

fn append(
    batch: &mut Batch<'_>,
    tenant: Tenant,
    fingerprint: ContentFingerprint,
) -> Result<Appended, StoreError> {
    let key = content_key(&tenant, &fingerprint);
    if let Some((_, added)) = batch.changes.fingerprints.entries.get(&key) {
        return Ok(Appended::Known(added.clone()));
    }
    let logs = batch.logs().map_err(unavailable)?;
    if let Some(logged) = logs.find(&tenant, &key).map_err(unavailable)? {
        return Ok(Appended::Known(logged));
    }
    let newest = match batch.changes.fingerprints.newest.get(&tenant) {
        Some(newest) => *newest,
        None => logs.newest(&tenant).map_err(unavailable)?,
    };
    if newest >= batch.ground.config.fingerprints_max {
        return Ok(Appended::Full);
    }
    if batch.ground.disk_is_full {
        return Err(disk_full());
    }
    let logged = Logged {
        position: newest.saturating_add(1),
        fingerprint,
        appended_at_ms: batch.now_ms(),
    };
    let additions = &mut batch.changes.fingerprints;
    additions.newest.insert(tenant.clone(), logged.position);
    additions.entries.insert(key, (tenant, logged.clone()));
    Ok(Appended::New(logged))
}

impl Additions {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Writes everything that was added.
    pub(super) fn write(&self, transaction: &WriteTransaction) -> Result<(), Fault> {
        if self.is_empty() {
            return Ok(());
        }
        let mut logs = transaction.open_table(FINGERPRINTS).map_err(fault)?;
        let mut positions = transaction
            .open_table(FINGERPRINT_POSITIONS)
            .map_err(fault)?;
        for (content, (tenant, logged)) in &self.entries {
            let place = position_key(tenant, logged.position);
            logs.insert(place.as_slice(), row::write(logged).as_slice())
                .map_err(fault)?;
            positions
                .insert(content.as_slice(), logged.position)
                .map_err(fault)?;
        }
        Ok(())
    }
}

/// The logs as of one moment.
pub(super) struct LogTables {
    logs: ReadOnlyTable<&'static [u8], &'static [u8]>,
    positions: ReadOnlyTable<&'static [u8], u64>,
}

impl LogTables {
    pub(super) fn open(database: &Database) -> Result<Self, Fault> {
        let read = database.begin_read().map_err(fault)?;
        Ok(Self {
            logs: read.open_table(FINGERPRINTS).map_err(fault)?,
            positions: read.open_table(FINGERPRINT_POSITIONS).map_err(fault)?,
        })
    }

    /// The entry of a content.
    fn find(&self, tenant: &Tenant, content: &[u8]) -> Result<Option<Logged>, Fault> {
        let Some(position) = self.positions.get(content).map_err(fault)? else {
            return Ok(None);
        };
        let position = position.value();
        let place = position_key(tenant, position);
        let stored = self.logs.get(place.as_slice()).map_err(fault)?;
        let stored = stored.ok_or(row::MISSING)?;
        Ok(Some(row::read(position, stored.value())?))
    }

    /// The latest position of a log, 0 if it is empty.
    fn newest(&self, tenant: &Tenant) -> Result<u64, Fault> {
        let (first, last) = (position_key(tenant, 0), position_key(tenant, u64::MAX));
        let mut places = self
            .logs
            .range::<&[u8]>(first.as_slice()..=last.as_slice())
            .map_err(fault)?;
        match places.next_back().transpose().map_err(fault)? {
            Some((place, _)) => Ok(position_of(place.value())?),
            None => Ok(0),
        }
    }

    fn page(&self, tenant: &Tenant, after: u64, limit: usize) -> Result<LogPage, Fault> {
        let newest = self.newest(tenant)?;
        if after >= newest {
            return Ok(LogPage {
                entries: Vec::new(),
                newest,
            });
        }
        let (first, last) = (
            position_key(tenant, after + 1),
            position_key(tenant, newest),
        );
        let places = self
            .logs
            .range::<&[u8]>(first.as_slice()..=last.as_slice())
            .map_err(fault)?;
        let mut entries = Vec::new();
        for entry in places.take(limit.clamp(1, LOG_PAGE_MAX)) {
            let (place, stored) = entry.map_err(fault)?;
            entries.push(row::read(position_of(place.value())?, stored.value())?);
        }
        Ok(LogPage { entries, newest })
    }
}
