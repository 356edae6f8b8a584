//! Somebody changes the payload of a dead letter, or has it forgotten.

use crate::event::EventId;
use crate::job::{Edited, Job};
use crate::port::EditWish;
use crate::state::JobState;

use super::{Draft, Record, Transition};

/// Why a job is left as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It is no dead letter.
    NotDead,
    /// Its latest event is another than the one that was seen.
    Changed,
}

/// The answer to an edit, with what must be written.
#[derive(Clone, Debug, PartialEq)]
pub enum Editing {
    /// Write this.
    Now(Box<Transition>),
    /// It has that payload already: the answer to the same wish got lost. Nothing is written.
    Repeated,
    /// Nothing is written.
    Unfit(Unfit),
}

/// Gives a dead letter another payload. Its generation stays: whoever puts it back raises that.
#[must_use]
pub fn edit(record: Record<'_>, wish: &EditWish, now_ms: u64) -> Editing {
    if record.job.state != JobState::DeadLettered {
        return Editing::Unfit(Unfit::NotDead);
    }
    let envelope = record.envelope.with_payload(wish.payload.clone());
    if envelope.carries_the_same(record.envelope) {
        return Editing::Repeated;
    }
    if let Err(unfit) = forgettable(record.job, wish.seen) {
        return Editing::Unfit(unfit);
    }
    let mut draft = Draft::new(record, now_ms);
    draft.job.edited = Some(Box::new(Edited {
        at_ms: now_ms,
        by: wish.by.clone(),
    }));
    let message = if wish.by.is_empty() {
        "payload edited".to_owned()
    } else {
        format!("payload edited by {}", wish.by)
    };
    Editing::Now(Box::new(Transition {
        envelope: Some(envelope),
        ..draft.finish(&message)
    }))
}

/// Whether a job is a dead letter, and still as it was at the event `seen`, if that is given.
///
/// # Errors
/// [`Unfit`] says what it is not.
pub fn forgettable(job: &Job, seen: Option<EventId>) -> Result<(), Unfit> {
    if job.state != JobState::DeadLettered {
        return Err(Unfit::NotDead);
    }
    match seen {
        Some(seen) if seen != job.event_id => Err(Unfit::Changed),
        Some(_) | None => Ok(()),
    }
}
