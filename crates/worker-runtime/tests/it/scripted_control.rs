//! Which kinds are paused, as a test says, and silence when told.

use std::collections::BTreeSet;

use assay_core::kind::JobKind;
use assay_core::port::{QueueControl, StoreError};
use async_trait::async_trait;
use parking_lot::Mutex;

/// What the next look sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    /// An answer.
    #[default]
    Answers,
    /// An error.
    Fails,
    /// A call that never ends.
    Hangs,
}

#[derive(Default)]
pub(crate) struct ScriptedControl {
    paused: Mutex<BTreeSet<JobKind>>,
    mood: Mutex<Mood>,
    looks: Mutex<usize>,
}

impl ScriptedControl {
    pub(crate) fn is(&self, mood: Mood) {
        *self.mood.lock() = mood;
    }

    /// How often it was asked.
    pub(crate) fn looks(&self) -> usize {
        *self.looks.lock()
    }
}

#[async_trait]
impl QueueControl for ScriptedControl {
    async fn pause(&self, kind: JobKind) -> Result<(), StoreError> {
        self.paused.lock().insert(kind);
        Ok(())
    }

    async fn resume(&self, kind: JobKind) -> Result<(), StoreError> {
        self.paused.lock().remove(&kind);
        Ok(())
    }

    async fn paused(&self) -> Result<BTreeSet<JobKind>, StoreError> {
        *self.looks.lock() += 1;
        let mood = *self.mood.lock();
        match mood {
            Mood::Answers => Ok(self.paused.lock().clone()),
            Mood::Fails => Err(StoreError::Unavailable {
                why: "told so".to_owned(),
            }),
            Mood::Hangs => std::future::pending().await,
        }
    }
}
