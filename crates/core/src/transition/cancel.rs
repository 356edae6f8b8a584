//! Somebody wants a job stopped.

use crate::state::{JobState, StateEvent};

use super::{Draft, Record, Transition};

/// The answer to a cancel, with what must be written.
#[derive(Clone, Debug, PartialEq)]
pub enum Cancelled {
    /// It is cancelled.
    Now(Box<Transition>),
    /// Its worker is to stop it; the lease stays until it does.
    Asked(Box<Transition>),
    /// Somebody asked before; nothing is written.
    AskedBefore,
    /// It had ended; nothing is written.
    Ended,
}

/// Cancels a job, or asks its worker to.
#[must_use]
pub fn cancel(record: Record<'_>, now_ms: u64) -> Cancelled {
    if record.job.state == JobState::Cancelling {
        return Cancelled::AskedBefore;
    }
    let Ok(draft) = Draft::after(record, StateEvent::Cancel, now_ms) else {
        return Cancelled::Ended;
    };
    if draft.job.state == JobState::Cancelling {
        return Cancelled::Asked(Box::new(draft.finish("cancel was asked for")));
    }
    Cancelled::Now(Box::new(draft.finish("")))
}

/// Cancels a job that is in one of `states`; `None` for one that is in another.
#[must_use]
pub fn clear(record: Record<'_>, states: &[JobState], now_ms: u64) -> Option<Cancelled> {
    let meant = states.contains(&record.job.state);
    meant.then(|| cancel(record, now_ms))
}
