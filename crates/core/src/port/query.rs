//! Questions to the store: lists, counts, histories, live events.

use std::sync::Arc;

use async_trait::async_trait;

use crate::event::{EventId, JobEvent};
use crate::id::{JobId, Tenant};
use crate::job::Job;
use crate::kind::JobKind;
use crate::state::JobState;

/// Most jobs of one page.
pub const PAGE_SIZE_MAX: usize = 1_000;
/// Most events of one history answer; a history holds no more.
pub const HISTORY_PAGE_MAX: usize = crate::event::HISTORY_EVENTS_MAX;

/// Which jobs to list, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct ListRequest {
    /// Whose jobs.
    pub tenant: Tenant,
    /// Only of these kinds; empty for all.
    pub kinds: Vec<JobKind>,
    /// Only in these states; empty for all.
    pub states: Vec<JobState>,
    /// Only submitted at or after this time, in milliseconds since the epoch.
    pub created_from_ms: Option<u64>,
    /// Only submitted before this time, in milliseconds since the epoch.
    pub created_before_ms: Option<u64>,
    /// At most this many, 1 to [`PAGE_SIZE_MAX`].
    pub page_size: usize,
    /// Go on behind this one.
    pub cursor: Option<Cursor>,
}

/// A place in a list: the last job that was seen. Jobs that come or go do not shift it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// When that job was submitted.
    pub created_at_ms: u64,
    /// Which job it was.
    pub job_id: JobId,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The jobs, newest first.
    pub jobs: Vec<Job>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<Cursor>,
}

/// How many jobs are in each state, per kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    counts: [[u64; JobState::ALL.len()]; JobKind::ALL.len()],
}

impl Counts {
    /// How many jobs of `kind` are in `state`.
    #[must_use]
    pub fn get(&self, kind: JobKind, state: JobState) -> u64 {
        self.counts[kind as usize][state as usize]
    }

    /// Where that number is kept.
    pub fn get_mut(&mut self, kind: JobKind, state: JobState) -> &mut u64 {
        &mut self.counts[kind as usize][state as usize]
    }

    /// How many jobs of `kind` have not ended: what the bound on queued jobs counts.
    #[must_use]
    pub fn live(&self, kind: JobKind) -> u64 {
        JobState::ALL
            .into_iter()
            .filter(|state| !state.is_terminal())
            .map(|state| self.get(kind, state))
            .sum()
    }
}

/// The retained events of a job behind a given one.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// Oldest first.
    pub events: Vec<JobEvent>,
    /// Whether every event behind the given one is still retained. If not, a watcher needs a snapshot.
    pub complete: bool,
}

impl History {
    /// What `retained` (all that is kept of a job, oldest first) holds behind `after`.
    ///
    /// Sequences have no gaps, so the history is complete if the first retained event is at most one
    /// behind `after`. An `after` that lies beyond the newest event is from a history that this store
    /// never had (it was restored, or lost a second): nothing can be promised then.
    #[must_use]
    pub fn behind(after: Option<EventId>, retained: &[JobEvent]) -> Self {
        let seen = after.map_or(0, |id| id.sequence);
        let newest = retained.last().map_or(0, |event| event.id.sequence);
        let oldest = retained
            .first()
            .map_or(newest + 1, |event| event.id.sequence);
        let events = retained
            .iter()
            .filter(|event| event.id.sequence > seen)
            .cloned()
            .collect();
        Self {
            events,
            complete: seen.saturating_add(1) >= oldest && seen <= newest,
        }
    }
}

/// Which events to hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// All of them.
    All,
    /// Only that a job is to be stopped.
    Cancellations,
}

/// Events as they happen, after the commit that holds them.
#[async_trait]
pub trait EventStream: Send {
    /// The next event; `None` after the store was closed.
    async fn next(&mut self) -> Option<EventItem>;
}

/// What an event stream says.
#[derive(Clone, Debug, PartialEq)]
pub enum EventItem {
    /// Something happened.
    Event(Arc<JobEvent>),
    /// The listener was too slow and missed some: ask the history of what matters.
    Missed,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(sequence: u64) -> JobEvent {
        JobEvent {
            tenant: Tenant::default(),
            job_id: JobId::from_bytes([1; 16]),
            id: EventId { token: 0, sequence },
            at_ms: 0,
            state: JobState::Queued,
            attempt: 0,
            percent: 0.0,
            step: None,
            eta_ms: None,
            message: String::new(),
        }
    }

    #[test]
    fn a_history_knows_whether_it_has_gaps() {
        let retained: Vec<_> = (5..=9).map(event).collect();
        let behind = |sequence| History::behind(Some(EventId { token: 0, sequence }), &retained);
        assert_eq!(behind(7).events.len(), 2);
        assert!(behind(7).complete);
        assert!(behind(4).complete, "the next one is the oldest retained");
        assert!(!behind(3).complete, "event 4 is gone");
        assert!(behind(9).complete && behind(9).events.is_empty());
        assert!(!behind(10).complete, "never had such an event");
        assert!(
            !behind(u64::MAX).complete,
            "a client may name anything as the event it has seen"
        );
        assert!(
            !History::behind(None, &retained).complete,
            "events 1 to 4 are gone"
        );
        assert!(History::behind(None, &(1..=3).map(event).collect::<Vec<_>>()).complete);
    }
}
