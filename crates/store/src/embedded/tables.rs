//! The tables of the file.
//!
//! A change is written to the journal first, one row per commit, and moved to the tables later: most jobs
//! end before that, so they are written there once instead of at each step.

use assay_core::id::JobId;
use assay_core::job::Job;
use redb::TableDefinition;

/// The version of this layout. A file of a newer one is not opened.
pub(super) const FORMAT_VERSION: u32 = 1;

type Id = &'static [u8; 16];
/// When a job was submitted, and its id: see [`place_key`]. Jobs of one time are neighbours, so most writes
/// go to the end of a table, not all over it.
pub(super) type PlaceKey = &'static [u8; 24];
type Bytes = &'static [u8];

/// Facts about the file: see the keys below.
pub(super) const META: TableDefinition<'_, &str, Bytes> = TableDefinition::new("meta");
/// Commit number to the records that it changed, in order.
pub(super) const JOURNAL: TableDefinition<'_, u64, Bytes> = TableDefinition::new("journal");
/// When each job of the tables was submitted, in milliseconds since the epoch: the way from an id to its place.
pub(super) const PLACES: TableDefinition<'_, Id, u64> = TableDefinition::new("places");
/// The envelope of each job, as it was first written, or when its payload last changed.
pub(super) const SPECS: TableDefinition<'_, PlaceKey, Bytes> = TableDefinition::new("specs");
/// Records of jobs that have not ended.
pub(super) const LIVE: TableDefinition<'_, PlaceKey, Bytes> = TableDefinition::new("live");
/// Records of jobs that have ended.
pub(super) const ENDED: TableDefinition<'_, PlaceKey, Bytes> = TableDefinition::new("ended");
/// Ended jobs in the order of lists: see [`list_key`].
pub(super) const ENDED_LIST: TableDefinition<'_, Bytes, ()> = TableDefinition::new("ended_list");
/// Ended jobs in the order in which they may be forgotten: that time, and the id.
pub(super) const EXPIRY: TableDefinition<'_, PlaceKey, ()> = TableDefinition::new("expiry");
/// Inline results.
pub(super) const RESULTS: TableDefinition<'_, PlaceKey, Bytes> = TableDefinition::new("results");
/// Cancelled ids without a record, and when that was, in milliseconds since the epoch.
pub(super) const TOMBSTONES: TableDefinition<'_, Id, u64> = TableDefinition::new("tombstones");

/// Fingerprints of contents, each tenant's by their positions: `tenant 0 position`.
pub(super) const FINGERPRINTS: TableDefinition<'_, Bytes, Bytes> =
    TableDefinition::new("fingerprints");
/// The position of each content's fingerprint: `tenant 0 algorithm 0 content`.
pub(super) const FINGERPRINT_POSITIONS: TableDefinition<'_, Bytes, u64> =
    TableDefinition::new("fingerprint_positions");

/// Key of [`META`]: [`FORMAT_VERSION`], 4 bytes.
pub(super) const META_FORMAT: &str = "format";
/// Key of [`META`]: when the file was made, in milliseconds since the epoch, 8 bytes.
pub(super) const META_EPOCH: &str = "epoch";
/// Key of [`META`]: the kinds that are paused, by their names.
pub(super) const META_PAUSED: &str = "paused";

/// Before this come all lists of one tenant, kind and state: `tenant 0 kind state created id`.
pub(super) fn list_prefix(tenant: &str, kind: u8, state: u8) -> Vec<u8> {
    let mut key = Vec::with_capacity(tenant.len() + 27);
    key.extend(tenant.as_bytes());
    // Can't occur in a tenant.
    key.push(0);
    key.extend([kind, state]);
    key
}

/// The place of an ended job in [`ENDED_LIST`].
pub(super) fn list_key(job: &Job) -> Vec<u8> {
    let mut key = list_prefix(job.tenant.as_str(), job.kind as u8, job.state as u8);
    place_behind(&mut key, job.times.created_at_ms, job.id);
    key
}

/// Puts a place in a list behind its prefix.
pub(super) fn place_behind(key: &mut Vec<u8>, created_at_ms: u64, id: JobId) {
    key.extend(created_at_ms.to_be_bytes());
    key.extend(id.as_bytes());
}

/// The place that a key of [`ENDED_LIST`] ends with.
pub(super) fn place_of(key: &[u8]) -> Option<(u64, JobId)> {
    let (rest, id) = key.split_last_chunk::<16>()?;
    let (_, created) = rest.split_last_chunk::<8>()?;
    Some((u64::from_be_bytes(*created), JobId::from_bytes(*id)))
}

/// A time, and the job that it is about.
pub(super) fn place_key(at_ms: u64, id: JobId) -> [u8; 24] {
    let mut key = [0; 24];
    let (time, place) = key.split_at_mut(8);
    time.copy_from_slice(&at_ms.to_be_bytes());
    place.copy_from_slice(id.as_bytes());
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_by_time_and_give_their_place_back() {
        let id = JobId::from_bytes([7; 16]);
        let key = |created_at_ms| {
            let mut key = list_prefix("default", 1, 7);
            place_behind(&mut key, created_at_ms, id);
            key
        };
        assert!(key(255) < key(256));
        assert!(key(u64::MAX) < list_prefix("default", 1, 8));
        assert_eq!(place_of(&key(256)), Some((256, id)));
        assert!(place_key(255, id) < place_key(256, id));
    }
}
