//! What every content that was seen looks like, in the order in which it was seen.

use async_trait::async_trait;

use super::StoreError;
use crate::id::{FingerprintAlgorithm, JobId, Tenant};

/// Bytes of a fingerprint: what is compared bit by bit.
pub const FINGERPRINT_BYTES: usize = 32;
/// Bytes of a content's hash (SHA-256).
pub const CONTENT_HASH_BYTES: usize = 32;
/// Most entries of one page of a log.
pub const LOG_PAGE_MAX: usize = 10_000;

/// Keeps the fingerprints of contents, those of each tenant in a log of their own.
///
/// Contract:
/// - A log only grows: what is in it stays as it is and where it is.
/// - Positions of a log begin with 1 and have no gaps, in the order in which the entries were recorded. Nobody is
///   given a position while a lower one is still to come, so whoever goes on behind the last one that he knows misses
///   nothing.
/// - A content is in a log once under each algorithm. Appending it again changes nothing and answers what is there,
///   whatever else the new one says; so an append may be repeated, also after [`StoreError::Unknown`].
/// - What was answered is durable as the store says of jobs, and in every read that begins after the answer, in
///   whichever process.
/// - Nothing that concerns one tenant is told to another: neither entries, nor positions, nor whether a log is full.
/// - A log holds so many entries as the store is set to (`store.fingerprints_max`). One that is full stays readable, and
///   knows what it holds.
#[async_trait]
pub trait FingerprintLog: Send + Sync {
    /// Puts a fingerprint behind all others of `tenant`, unless it is there.
    ///
    /// # Errors
    /// [`StoreError`] says whether it may be there nonetheless.
    async fn append(
        &self,
        tenant: &Tenant,
        fingerprint: ContentFingerprint,
    ) -> Result<Appended, StoreError>;

    /// The entries of `tenant` behind position `after` (0: from the beginning), in their order: `limit` at most, which is
    /// 1 to [`LOG_PAGE_MAX`] and taken for the nearest of these otherwise.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn read(&self, tenant: &Tenant, after: u64, limit: usize) -> Result<LogPage, StoreError>;
}

/// What one content looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentFingerprint {
    /// SHA-256 of its bytes.
    pub content: [u8; CONTENT_HASH_BYTES],
    /// How the fingerprint was made.
    pub algorithm: FingerprintAlgorithm,
    /// The fingerprint.
    pub bits: [u8; FINGERPRINT_BYTES],
    /// The job that saw the content: a later attempt of it knows by this that nobody has seen the content before.
    pub job_id: JobId,
}

/// An entry of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Its place in the log, from 1 on.
    pub position: u64,
    /// What was appended.
    pub fingerprint: ContentFingerprint,
    /// When it was, by the store's clock, in milliseconds since the epoch.
    pub appended_at_ms: u64,
}

/// What became of an append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Appended {
    /// It is in the log now.
    New(Logged),
    /// The content was there under this algorithm, and this is its entry.
    Known(Logged),
    /// The log is full and does not have it.
    Full,
}

/// Part of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPage {
    /// In the order of their positions.
    pub entries: Vec<Logged>,
    /// The latest position of the whole log, 0 if it is empty. One before that which a reader knows says that the store has
    /// lost what it had: he begins again.
    pub newest: u64,
}
