//! Which worker processes live.

use async_trait::async_trait;

use crate::id::WorkerId;
use crate::worker::{Beat, Presence};

/// Knows the worker processes that work on one store.
///
/// Contract: a beat replaces what the same worker said before. How long a worker is silent is told by the
/// registry's own clock, so that workers whose clocks differ are judged alike. A worker that left is as
/// one that never was; one that fell silent is known until it is forgotten
/// ([`WORKER_FORGOTTEN_AFTER_MS`](crate::worker::WORKER_FORGOTTEN_AFTER_MS)), and a beat brings it back at
/// any time. The registry judges nobody: [`Presence::judge_lapse`] does.
#[async_trait]
pub trait WorkerRegistry: Send + Sync {
    /// Takes a worker in, or notes that it lives.
    ///
    /// # Errors
    /// [`RegistryError`]: it may or may not be noted; the next beat says it again.
    async fn beat(&self, beat: &Beat) -> Result<(), RegistryError>;

    /// Lets a worker go that ended in order. One that is not known is no error.
    ///
    /// # Errors
    /// [`RegistryError`]: it is taken for dead later.
    async fn leave(&self, worker: &WorkerId) -> Result<(), RegistryError>;

    /// What is known of the life of each of `workers`, in their order.
    ///
    /// # Errors
    /// [`RegistryError`] when the registry can't be reached.
    async fn presence(&self, workers: &[WorkerId]) -> Result<Vec<Presence>, RegistryError>;

    /// Every worker that is known, the longest-running first.
    ///
    /// # Errors
    /// [`RegistryError`] when the registry can't be reached.
    async fn list(&self) -> Result<Vec<Registered>, RegistryError>;
}

/// A worker as the registry knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// What it said last.
    pub beat: Beat,
    /// Since then, in milliseconds.
    pub silent_ms: u64,
}

impl Registered {
    /// What is known of its life.
    #[must_use]
    pub fn presence(&self) -> Presence {
        Presence::Beating {
            silent_ms: self.silent_ms,
        }
    }
}

/// Why the registry did not do as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("reach the registry of workers: {why}")]
pub struct RegistryError {
    /// What went wrong.
    pub why: String,
}
