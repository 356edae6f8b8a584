//! Worker processes: what they tell of themselves, and what their silence means.
//!
//! One identity ([`WorkerId`]) is one start of one process. While it lives it beats every
//! [`BEAT_PERIOD_MS`]; a beat says what it is and what it runs.

use serde::{Deserialize, Serialize};

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

    fn after(silent_ms: u64) -> Presence {
        Presence::Beating { silent_ms }
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
