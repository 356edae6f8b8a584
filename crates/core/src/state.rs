//! The states of a job and the one function that moves between them.
//!
//! ```text
//! accepted ─┬─> queued ──> running ─┬─> succeeded
//!           └─> scheduled ─┘  │ │   ├─> failed         ─┐ redrive
//!                  ^          │ │   └─> dead_lettered  ─┴──────> queued
//!                  └ due ─ retrying, waiting (parked, or for children)
//! cancel: a job without a worker ──> cancelled; a running one ──> cancelling ──> cancelled
//! ```

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::kind::UnknownName;

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Recorded, not yet in a queue.
    Accepted,
    /// Recorded for a later time.
    Scheduled,
    /// In a queue.
    Queued,
    /// A worker holds its lease.
    Running,
    /// Failed and waits out its delay before the next attempt.
    Retrying,
    /// Waits without a worker: parked by an interruption, or a parent whose children run.
    Waiting,
    /// Cancelled by somebody, not yet confirmed by its worker.
    Cancelling,
    /// Finished with a result.
    Succeeded,
    /// Finished with an error that no repetition would mend.
    Failed,
    /// Finished because somebody cancelled it.
    Cancelled,
    /// Used up its attempts or killed its workers; kept for people.
    DeadLettered,
}

impl JobState {
    /// Every state.
    pub const ALL: [Self; 11] = [
        Self::Accepted,
        Self::Scheduled,
        Self::Queued,
        Self::Running,
        Self::Retrying,
        Self::Waiting,
        Self::Cancelling,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
        Self::DeadLettered,
    ];

    /// The name in the API, in labels and in stored records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Scheduled => "scheduled",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Retrying => "retrying",
            Self::Waiting => "waiting",
            Self::Cancelling => "cancelling",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::DeadLettered => "dead_lettered",
        }
    }

    /// Whether the job has come to an end. Only a redrive leaves such a state.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Succeeded | Self::Failed | Self::Cancelled | Self::DeadLettered
        )
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for JobState {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == name)
            .ok_or_else(|| UnknownName::new("job state", name, &Self::ALL.map(Self::as_str)))
    }
}

/// What can happen to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StateEvent {
    /// It may run now: promoted, due, woken, or reaped from a lost worker.
    Queue,
    /// It may run at a later time.
    Schedule,
    /// A worker takes it, or takes it over from a lapsed lease.
    Claim,
    /// Its handler gave a result.
    Succeed,
    /// Its handler failed for good.
    Fail,
    /// Its handler failed and may try again later.
    Retry,
    /// It will not be tried again.
    DeadLetter,
    /// Its attempt ended through no fault of its own and may start again at once.
    Interrupt,
    /// It waits without a worker.
    Park,
    /// Somebody wants it stopped.
    Cancel,
    /// Its worker has stopped it.
    ConfirmCancel,
    /// Somebody put it back by hand.
    Redrive,
    /// A parent's items were put back by hand.
    Reopen,
}

impl StateEvent {
    /// Every event.
    pub const ALL: [Self; 13] = [
        Self::Queue,
        Self::Schedule,
        Self::Claim,
        Self::Succeed,
        Self::Fail,
        Self::Retry,
        Self::DeadLetter,
        Self::Interrupt,
        Self::Park,
        Self::Cancel,
        Self::ConfirmCancel,
        Self::Redrive,
        Self::Reopen,
    ];
}

/// An event that has no meaning in the state it met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("apply {event:?} to a job that is {state}")]
pub struct IllegalTransition {
    /// The state, unchanged.
    pub state: JobState,
    /// What was to happen.
    pub event: StateEvent,
}

/// The state that follows `event` in `state`.
///
/// # Errors
/// [`IllegalTransition`] when the event has no meaning there; nothing changes then.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "what a row does not name is illegal; a test holds every cell"
)]
pub fn apply(state: JobState, event: StateEvent) -> Result<JobState, IllegalTransition> {
    use JobState as S;
    use StateEvent as E;
    let illegal = Err(IllegalTransition { state, event });
    match state {
        S::Accepted | S::Scheduled | S::Queued | S::Retrying | S::Waiting => match event {
            E::Queue => Ok(S::Queued),
            E::Schedule if state == S::Accepted => Ok(S::Scheduled),
            E::Claim => Ok(S::Running),
            E::Cancel => Ok(S::Cancelled),
            E::DeadLetter => Ok(S::DeadLettered),
            _ => illegal,
        },
        S::Running => match event {
            E::Queue | E::Interrupt => Ok(S::Queued),
            E::Claim => Ok(S::Running),
            E::Succeed => Ok(S::Succeeded),
            E::Fail => Ok(S::Failed),
            E::Retry => Ok(S::Retrying),
            E::DeadLetter => Ok(S::DeadLettered),
            E::Park => Ok(S::Waiting),
            E::Cancel => Ok(S::Cancelling),
            E::ConfirmCancel => Ok(S::Cancelled),
            _ => illegal,
        },
        S::Cancelling => match event {
            // The work was done before the cancel reached it: the truth is its outcome.
            E::Succeed => Ok(S::Succeeded),
            E::Fail => Ok(S::Failed),
            // Whatever would have led to another attempt ends here instead.
            E::ConfirmCancel | E::Retry | E::Interrupt | E::Park | E::Queue | E::DeadLetter => {
                Ok(S::Cancelled)
            }
            E::Cancel => Ok(S::Cancelling),
            _ => illegal,
        },
        S::Failed | S::DeadLettered => match event {
            E::Redrive => Ok(S::Queued),
            E::Reopen => Ok(S::Waiting),
            _ => illegal,
        },
        S::Succeeded | S::Cancelled => illegal,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The whole table: a row per state, the events in the order of `StateEvent::ALL`.
    const TABLE: [(JobState, &str); 11] = {
        use JobState as S;
        //              Que Sch Cla Suc Fai Ret DLe Int Par Can Con Red Reo
        [
            (
                S::Accepted,
                "que sch run -   -   -   dle -   -   can -   -   -",
            ),
            (
                S::Scheduled,
                "que -   run -   -   -   dle -   -   can -   -   -",
            ),
            (
                S::Queued,
                "que -   run -   -   -   dle -   -   can -   -   -",
            ),
            (
                S::Running,
                "que -   run suc fai ret dle que wai cng can -   -",
            ),
            (
                S::Retrying,
                "que -   run -   -   -   dle -   -   can -   -   -",
            ),
            (
                S::Waiting,
                "que -   run -   -   -   dle -   -   can -   -   -",
            ),
            (
                S::Cancelling,
                "can -   -   suc fai can can can can cng can -   -",
            ),
            (
                S::Succeeded,
                "-   -   -   -   -   -   -   -   -   -   -   -   -",
            ),
            (
                S::Failed,
                "-   -   -   -   -   -   -   -   -   -   -   que wai",
            ),
            (
                S::Cancelled,
                "-   -   -   -   -   -   -   -   -   -   -   -   -",
            ),
            (
                S::DeadLettered,
                "-   -   -   -   -   -   -   -   -   -   -   que wai",
            ),
        ]
    };

    fn cell(text: &str) -> Option<JobState> {
        Some(match text {
            "-" => return None,
            "que" => JobState::Queued,
            "sch" => JobState::Scheduled,
            "run" => JobState::Running,
            "suc" => JobState::Succeeded,
            "fai" => JobState::Failed,
            "ret" => JobState::Retrying,
            "dle" => JobState::DeadLettered,
            "wai" => JobState::Waiting,
            "cng" => JobState::Cancelling,
            "can" => JobState::Cancelled,
            other => panic!("unknown cell {other}"),
        })
    }

    #[test]
    fn every_cell_of_the_table_holds() {
        for (state, row) in TABLE {
            for (event, expected) in StateEvent::ALL.into_iter().zip(row.split_whitespace()) {
                assert_eq!(
                    apply(state, event).ok(),
                    cell(expected),
                    "{state} x {event:?}"
                );
            }
        }
    }

    #[test]
    fn names_round_trip() {
        for state in JobState::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
    }

    proptest! {
        /// Whatever happens in whatever order: a terminal state is left by a redrive alone, and
        /// `succeeded` and `cancelled` are never left.
        #[test]
        fn terminal_states_hold(events in prop::collection::vec(prop::sample::select(StateEvent::ALL.to_vec()), 0..60)) {
            let mut state = JobState::Accepted;
            for event in events {
                let Ok(next) = apply(state, event) else { continue };
                if state.is_terminal() {
                    prop_assert!(matches!(event, StateEvent::Redrive | StateEvent::Reopen));
                    prop_assert!(matches!(state, JobState::Failed | JobState::DeadLettered));
                }
                state = next;
            }
        }
    }
}
