//! The workers of one process, in memory: with the process all of them are gone.

use std::collections::BTreeMap;
use std::sync::Arc;

use assay_core::clock::Clock;
use assay_core::id::WorkerId;
use assay_core::port::{Registered, RegistryError, WorkerRegistry};
use assay_core::worker::{Beat, Presence, WORKER_FORGOTTEN_AFTER_MS};
use async_trait::async_trait;
use parking_lot::Mutex;

/// A registry for a process that has all of its workers in itself.
pub struct InProcessRegistry {
    clock: Arc<dyn Clock>,
    workers: Mutex<BTreeMap<WorkerId, Known>>,
}

struct Known {
    beat: Beat,
    beaten_at_ms: u64,
}

impl InProcessRegistry {
    /// A registry that knows nobody.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            workers: Mutex::default(),
        }
    }
}

#[async_trait]
impl WorkerRegistry for InProcessRegistry {
    async fn beat(&self, beat: &Beat) -> Result<(), RegistryError> {
        let now_ms = self.clock.now_ms();
        let known = Known {
            beat: beat.clone(),
            beaten_at_ms: now_ms,
        };
        let mut workers = self.workers.lock();
        workers.retain(|_, known| known.silent_ms(now_ms) < WORKER_FORGOTTEN_AFTER_MS);
        workers.insert(beat.worker.clone(), known);
        Ok(())
    }

    async fn leave(&self, worker: &WorkerId) -> Result<(), RegistryError> {
        self.workers.lock().remove(worker);
        Ok(())
    }

    async fn presence(&self, workers: &[WorkerId]) -> Result<Vec<Presence>, RegistryError> {
        let now_ms = self.clock.now_ms();
        let known = self.workers.lock();
        let presence = |worker| {
            known
                .get(worker)
                .map_or(Presence::Unknown, |known| Presence::Beating {
                    silent_ms: known.silent_ms(now_ms),
                })
        };
        Ok(workers.iter().map(presence).collect())
    }

    async fn list(&self) -> Result<Vec<Registered>, RegistryError> {
        let now_ms = self.clock.now_ms();
        let known = self.workers.lock();
        let registered = |known: &Known| Registered {
            beat: known.beat.clone(),
            silent_ms: known.silent_ms(now_ms),
        };
        let mut all: Vec<Registered> = known.values().map(registered).collect();
        all.sort_by_key(|known| known.beat.started_at_ms);
        Ok(all)
    }
}

impl Known {
    fn silent_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.beaten_at_ms)
    }
}
