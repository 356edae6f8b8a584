//! Worker processes: what they tell of themselves, and what their silence means.
//!
//! One identity ([`WorkerId`]) is one start of one process. While it lives it beats every
//! [`BEAT_PERIOD_MS`]; a beat says what it is and what it runs.

use serde::{Deserialize, Serialize};

use crate::breaker::{Snapshot, State};
use crate::id::{JobId, WorkerId};
use crate::kind::JobKind;

/// How often a worker process beats, in milliseconds.
pub const BEAT_PERIOD_MS: u64 = 2_000;
/// A worker that is silent for so long, in milliseconds, has missed two beats: it may be dying.
pub const WORKER_LATE_AFTER_MS: u64 = 5_000;
/// A worker that is silent for so long, in milliseconds, is dead.
pub const WORKER_DEAD_AFTER_MS: u64 = 10_000;
/// How long a dead worker is kept for people to see, in milliseconds of silence: ten minutes.
pub const WORKER_FORGOTTEN_AFTER_MS: u64 = 10 * 60 * 1_000;
/// Most jobs that a beat names.
pub const BEAT_JOBS_MAX: usize = 64;
/// Most circuit breakers that a beat tells of.
pub const BEAT_BREAKERS_MAX: usize = 64;
/// Longest reason that a beat gives for a breaker, in bytes.
pub const BEAT_REASON_BYTES_MAX: usize = 256;

// Two beats may be lost before anything is doubted, and whoever is doubted has time to beat again.
const _: () = assert!(2 * BEAT_PERIOD_MS < WORKER_LATE_AFTER_MS);
const _: () = assert!(WORKER_LATE_AFTER_MS + BEAT_PERIOD_MS < WORKER_DEAD_AFTER_MS);

/// What a worker process says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    /// Which start of which process.
    pub worker: WorkerId,
    /// The program, such as `verification-worker`.
    pub service: String,
    /// The machine's name for itself.
    pub host: String,
    /// Its process id there.
    pub pid: u32,
    /// The program's version.
    pub version: String,
    /// When it started, in milliseconds since the epoch.
    pub started_at_ms: u64,
    /// Jobs that it may run at once.
    pub concurrency: u64,
    /// The kinds that it runs.
    pub kinds: Vec<JobKind>,
    /// Jobs that it runs.
    pub running: u64,
    /// Which they are; the first [`BEAT_JOBS_MAX`] of them.
    pub jobs: Vec<JobId>,
    /// The circuit breakers before what it needs from outside; the first [`BEAT_BREAKERS_MAX`] of them. A worker of an
    /// earlier version tells of none.
    #[serde(default)]
    pub breakers: Vec<BreakerSeen>,
}

/// A circuit breaker, as the process sees it that has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakerSeen {
    /// What it stands before, such as `detector.acme`.
    pub downstream: String,
    /// Whether calls pass.
    pub state: State,
    /// When the state began, in milliseconds since the epoch; 0 if it never changed.
    pub since_ms: u64,
    /// Calls of late, of those that passed in this state.
    pub calls: u64,
    /// Those of them that failed.
    pub failures: u64,
    /// How often it opened since it last closed.
    pub opens_in_a_row: u32,
    /// When a call may pass again, in milliseconds since the epoch; 0 while calls pass.
    pub retry_at_ms: u64,
    /// Why it stays open until somebody mends that, if so: no time will.
    pub held: Option<String>,
}

impl BreakerSeen {
    /// The breaker before `downstream`, as of `now_ms`.
    #[must_use]
    pub fn new(downstream: String, snapshot: &Snapshot, held: Option<&str>, now_ms: u64) -> Self {
        let retry_at_ms = match snapshot.retry_after_ms {
            0 => 0,
            after_ms => now_ms.saturating_add(after_ms),
        };
        Self {
            downstream,
            state: snapshot.state,
            since_ms: snapshot.since_ms,
            calls: snapshot.window.calls,
            failures: snapshot.window.failures,
            opens_in_a_row: snapshot.opens_in_a_row,
            retry_at_ms,
            held: held.map(cut),
        }
    }
}

/// The beginning of a text, whole characters of it.
fn cut(text: &str) -> String {
    let end = text.floor_char_boundary(BEAT_REASON_BYTES_MAX);
    text.get(..end).unwrap_or_default().to_owned()
}

/// What a registry knows of the life of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Nothing: it never beat, it left in order, or it is forgotten.
    Unknown,
    /// It has beaten and not left.
    Beating {
        /// Since its last beat, in milliseconds.
        silent_ms: u64,
    },
}

/// What becomes of a job whose lease lapsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lapse {
    /// Its worker is dead: a crash.
    Crash,
    /// Its worker is not known to be dead: an interruption, which spends nothing.
    Interruption,
    /// Its worker may just have died: who beats again or is dead is known in a moment.
    Undecided,
}

impl Presence {
    /// Whether it lives.
    #[must_use]
    pub fn is_alive(self) -> bool {
        matches!(self, Self::Beating { silent_ms } if silent_ms < WORKER_DEAD_AFTER_MS)
    }

    /// What it means for a job of this worker that its lease lapsed. A worker of which nothing is known
    /// is not proven dead: one that left in order has been asked to, and spends nobody's attempts.
    #[must_use]
    pub fn judge_lapse(self) -> Lapse {
        match self {
            Self::Unknown => Lapse::Interruption,
            Self::Beating { silent_ms } if silent_ms >= WORKER_DEAD_AFTER_MS => Lapse::Crash,
            Self::Beating { silent_ms } if silent_ms >= WORKER_LATE_AFTER_MS => Lapse::Undecided,
            Self::Beating { .. } => Lapse::Interruption,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::breaker::Breaker;

    fn after(silent_ms: u64) -> Presence {
        Presence::Beating { silent_ms }
    }

    #[test]
    fn a_breaker_says_when_it_may_be_asked_again_and_why_not() {
        let mut breaker = Breaker::infrastructure();
        let seen = |breaker: &Breaker, held: Option<&str>| {
            BreakerSeen::new(
                "detector.acme".to_owned(),
                &breaker.snapshot(7_000),
                held,
                7_000,
            )
        };
        let closed = seen(&breaker, None);
        assert_eq!(
            (closed.state, closed.retry_at_ms, closed.held),
            (State::Closed, 0, None)
        );
        assert!(breaker.force_open(5_000).is_some());
        let long = "ä".repeat(BEAT_REASON_BYTES_MAX);
        let open = seen(&breaker, Some(&long));
        assert_eq!((open.state, open.since_ms), (State::Open, 5_000));
        assert!(open.retry_at_ms > 7_000);
        assert_eq!(open.held.unwrap().len(), BEAT_REASON_BYTES_MAX);
        let odd = format!("a{long}");
        assert_eq!(
            seen(&breaker, Some(&odd)).held.unwrap().len(),
            BEAT_REASON_BYTES_MAX - 1
        );
        let fits = "a".repeat(BEAT_REASON_BYTES_MAX);
        assert_eq!(seen(&breaker, Some(&fits)).held, Some(fits));
    }

    #[test]
    fn silence_is_judged_by_how_long_it_lasts() {
        let table = [
            (after(0), Lapse::Interruption, true),
            (after(WORKER_LATE_AFTER_MS - 1), Lapse::Interruption, true),
            (after(WORKER_LATE_AFTER_MS), Lapse::Undecided, true),
            (after(WORKER_DEAD_AFTER_MS - 1), Lapse::Undecided, true),
            (after(WORKER_DEAD_AFTER_MS), Lapse::Crash, false),
            (after(u64::MAX), Lapse::Crash, false),
            (Presence::Unknown, Lapse::Interruption, false),
        ];
        for (presence, lapse, alive) in table {
            assert_eq!(presence.judge_lapse(), lapse, "{presence:?}");
            assert_eq!(presence.is_alive(), alive, "{presence:?}");
        }
    }
}
