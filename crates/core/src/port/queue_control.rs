//! Which kinds of jobs are not to be run for now.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::StoreError;
use crate::kind::JobKind;

/// Lets people hold back the jobs of a kind, and let them go again.
///
/// Contract: what was answered holds for every process that works on the same store, and until somebody says
/// otherwise: it survives the end of all of them. Pausing what is paused changes nothing, and resuming what
/// is not paused neither, so both may be repeated. Nothing happens to jobs: they are submitted as before
/// and wait. Workers ask again and again, and take nothing of a kind that is paused.
#[async_trait]
pub trait QueueControl: Send + Sync {
    /// Has jobs of `kind` wait.
    ///
    /// # Errors
    /// [`StoreError`] says whether it may be paused nonetheless.
    async fn pause(&self, kind: JobKind) -> Result<(), StoreError>;

    /// Lets jobs of `kind` run again.
    ///
    /// # Errors
    /// [`StoreError`] says whether it may be resumed nonetheless.
    async fn resume(&self, kind: JobKind) -> Result<(), StoreError>;

    /// The kinds that are paused.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the store can't be asked.
    async fn paused(&self) -> Result<BTreeSet<JobKind>, StoreError>;
}
