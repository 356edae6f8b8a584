//! What a watcher sees: one event per change of a job, numbered without gaps.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::{InvalidId, JobId, Tenant};
use crate::state::JobState;

/// Most events that are kept per job; older ones make room.
pub const HISTORY_EVENTS_MAX: usize = 200;

/// The place of an event in its job's history: the fencing token that was in force, and a count.
///
/// Ordered by token, then sequence; printed as `<token>-<sequence>`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct EventId {
    /// The fencing token of the attempt, 0 before the first.
    pub token: u64,
    /// Counts the events of a job; it never restarts.
    pub sequence: u64,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.token, self.sequence)
    }
}

impl FromStr for EventId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let parse = |(token, sequence): (&str, &str)| {
            Some(Self {
                token: token.parse().ok()?,
                sequence: sequence.parse().ok()?,
            })
        };
        text.split_once('-').and_then(parse).ok_or_else(|| {
            InvalidId::new(
                "event id",
                "two numbers with a dash between, such as 1700000000000-3",
            )
        })
    }
}

/// One change of one job, as it was when it happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobEvent {
    /// Whose job.
    pub tenant: Tenant,
    /// Which job.
    pub job_id: JobId,
    /// Its place in the history.
    pub id: EventId,
    /// When, in milliseconds since the epoch.
    pub at_ms: u64,
    /// The state after the change.
    pub state: JobState,
    /// Which attempt, 1 for the first, 0 before it.
    pub attempt: u32,
    /// Progress after the change, 0 to 100.
    pub percent: f32,
    /// The running step, if one runs.
    #[serde(default)]
    pub step: Option<String>,
    /// Estimated time to the end in milliseconds, when enough is known.
    #[serde(default)]
    pub eta_ms: Option<u64>,
    /// A sentence for people; may be empty.
    #[serde(default)]
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_order_by_token_then_sequence_and_round_trip() {
        let earlier = EventId {
            token: 9,
            sequence: 12,
        };
        let later = EventId {
            token: 10,
            sequence: 1,
        };
        assert!(earlier < later);
        assert_eq!(later.to_string().parse(), Ok(later));
        for bad in ["", "7", "a-b", "1-2-3", "-1"] {
            assert!(bad.parse::<EventId>().is_err(), "{bad}");
        }
    }
}
