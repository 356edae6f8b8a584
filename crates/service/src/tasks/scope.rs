//! A bounded number of attempts at once.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Joined, TaskGroup};

/// Runs at most `slots_max` tasks at once. A slot is taken before there is work for it, and is free
/// again however the task ends. Cloning gives another handle to the same slots.
#[derive(Clone, Debug)]
pub struct TaskScope {
    group: TaskGroup,
    slots: Arc<Semaphore>,
    slots_max: usize,
}

impl TaskScope {
    /// A scope whose tasks belong to `group`. No slots are read as one: a scope that never runs
    /// anything would wait for ever.
    #[must_use]
    pub fn new(group: TaskGroup, slots_max: usize) -> Self {
        let slots_max = slots_max.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            group,
            slots: Arc::new(Semaphore::new(slots_max)),
            slots_max,
        }
    }

    /// Waits for a free slot; first come, first served. May be cancelled.
    pub async fn slot(&self) -> Slot {
        match Arc::clone(&self.slots).acquire_owned().await {
            Ok(permit) => Slot {
                group: self.group.clone(),
                permit,
            },
            // The slots are never closed.
            Err(_) => std::future::pending().await,
        }
    }

    /// Takes a free slot if there is one.
    #[must_use]
    pub fn try_slot(&self) -> Option<Slot> {
        let permit = Arc::clone(&self.slots).try_acquire_owned().ok()?;
        Some(Slot {
            group: self.group.clone(),
            permit,
        })
    }

    /// How many tasks may run at once.
    #[must_use]
    pub fn slots_max(&self) -> usize {
        self.slots_max
    }

    /// How many slots are taken.
    #[must_use]
    pub fn slots_used(&self) -> usize {
        self.slots_max
            .saturating_sub(self.slots.available_permits())
    }
}

/// Leave to run one task.
#[derive(Debug)]
#[must_use]
pub struct Slot {
    group: TaskGroup,
    permit: OwnedSemaphorePermit,
}

impl Slot {
    /// Runs a task in this slot.
    pub fn spawn<T, F>(self, name: &str, task: F) -> Joined<T>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let Self { group, permit } = self;
        group.spawn_joined(name, async move {
            let _permit = permit;
            task.await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shutdown::Shutdown;

    #[tokio::test]
    async fn no_more_than_the_bound_runs_and_a_panic_frees_its_slot() {
        let scope = TaskScope::new(TaskGroup::new(Shutdown::new()), 2);
        let blocked = scope
            .slot()
            .await
            .spawn("blocked", std::future::pending::<()>());
        let doomed = scope.slot().await;
        assert_eq!(scope.slots_used(), 2);
        assert!(scope.try_slot().is_none());
        let doomed = doomed.spawn("doomed", async { panic!("boom") });
        let error: Result<(), _> = doomed.await;
        assert_eq!(error.unwrap_err().to_string(), "task doomed panicked: boom");
        drop(scope.slot().await);
        blocked.abort();
        assert_eq!(
            blocked.await.unwrap_err().to_string(),
            "task blocked was aborted"
        );
        assert_eq!(scope.slots_used(), 0);
    }
}
