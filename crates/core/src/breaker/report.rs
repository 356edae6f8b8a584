//! What a breaker tells: its state, its changes of state, its counts.

use serde::{Deserialize, Serialize};

use super::window::Counts;

/// The three states, as metrics and people see them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Calls pass.
    Closed,
    /// Calls are refused.
    Open,
    /// A few probes pass.
    HalfOpen,
}

impl State {
    /// The word used in metrics and listings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// Who decides: the breaker, or a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The breaker, by what it sees.
    Automatic,
    /// Held open until [`super::Breaker::automatic`].
    ForcedOpen,
    /// Held closed until [`super::Breaker::automatic`]; results are still counted, for the snapshot.
    ForcedClosed,
}

/// Why a state changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The failure rate reached its threshold.
    FailureRate,
    /// The slow-call rate reached its threshold.
    SlowRate,
    /// The open time is over.
    OpenTimeOver,
    /// A probe failed or was slow.
    ProbeFailed,
    /// All probes succeeded.
    ProbesSucceeded,
    /// A person forced it, or gave it back.
    Forced,
}

/// One change of state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// The state before.
    pub from: State,
    /// The state after; never the same.
    pub to: State,
    /// When, in milliseconds since the epoch.
    pub at_ms: u64,
    /// Why.
    pub cause: Cause,
}

/// Counts since the breaker was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Permits handed out.
    pub permitted: u64,
    /// Calls refused.
    pub refused: u64,
    /// Results ignored because they belonged to an older period or an abandoned probe.
    pub late: u64,
    /// Probes that nobody reported in time.
    pub abandoned: u64,
}

/// The breaker as people see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The state.
    pub state: State,
    /// Who decides.
    pub mode: Mode,
    /// When the state began, in milliseconds since the epoch; 0 if it never changed.
    pub since_ms: u64,
    /// When a refused call should ask again; 0 while calls pass.
    pub retry_after_ms: u64,
    /// The window.
    pub window: Counts,
    /// Probes that are out.
    pub probes_out: u32,
    /// Probes that succeeded in this period.
    pub probes_succeeded: u32,
    /// How often it opened since it last closed.
    pub opens_in_a_row: u32,
    /// Counts since the breaker was made.
    pub totals: Totals,
}
