//! Runs stages over a file in child processes that may die without harm.
//!
//! A parser of strangers' bytes can loop for ever, ask for all memory, or crash. So no stage runs in the worker: an
//! [`Analyst`] starts the same binary again as a child ([`ChildCommand`], [`child_main`]), which forbids itself memory,
//! processor time, files and the network before it opens the input, and reports stage by stage. What a child dies of costs the
//! stage it was at; another child takes the stages behind it.
//!
//! Promised: an analysis ends within its wall time, and no child outlives it, be it cancelled (dropped), timed out or
//! done. Children at the same time are bounded, wherever they are started from.
//!
//! Not here: what stages do (`stages`), what their results mean (`rules`).

mod child;
mod command;
mod confine;
mod ending;
mod offline;
mod process;
mod protocol;
mod share;
mod talk;

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout};

pub use child::{Stage, child_main, child_main_with};
pub use command::{ANALYST_WORD, ChildCommand};
pub use confine::{CPU_S_MAX, Confinement, MEMORY_BYTES_MAX, OPEN_FILES_MAX};
pub use ending::AbortReason;
pub use protocol::Work;
pub(crate) use talk::Unheard;
pub use talk::{Abort, StageOutcome, StageReport, Watch};

use self::ending::{Blame, Ending};
use self::process::Process;
use self::protocol::Request;
use self::talk::Talk;
use crate::metric_definitions::Meters;

/// Bytes that the parent reads of a child's output unless configured: 8 MiB.
pub const OUTPUT_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Wall time of one analysis in milliseconds unless configured.
pub const WALL_MS_MAX: u64 = 120_000;

/// Bounds on children.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Children at the same time.
    pub children_max: usize,
    /// What the kernel enforces on each.
    pub confinement: Confinement,
    /// Output of a child in bytes.
    pub output_bytes_max: u64,
}

/// How much time an analysis has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time {
    /// Once it has a child.
    pub wall: Duration,
    /// With the wait for a child, which gets half of it at most.
    pub all: Duration,
}

/// Why an analysis could not be made at all. Always this machine's fault, never the file's.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No child could be started.
    #[error("start an analyst process: look for a limit on processes or memory of this machine")]
    Start {
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// No child became free in time.
    #[error(
        "wait for a free analyst process: raise verification.children_max or lower worker.concurrency"
    )]
    Crowded,
    /// The talk with a child broke off for no fault of the child.
    #[error("listen to the analyst process")]
    Listen {
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

/// Starts, watches and ends children. Clones share one bound on the number of children.
#[derive(Debug, Clone)]
pub struct Analyst {
    command: ChildCommand,
    bounds: Bounds,
    slots: Arc<Semaphore>,
    meters: Arc<Meters>,
}

impl Analyst {
    /// An analyst whose children are started by `command`.
    #[must_use]
    pub fn new(command: ChildCommand, bounds: Bounds, meters: Arc<Meters>) -> Self {
        let children_max = bounds.children_max.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            command,
            bounds,
            slots: Arc::new(Semaphore::new(children_max)),
            meters,
        }
    }

    /// The same with more to hear of each child. The bound on their number is shared.
    #[must_use]
    pub(crate) fn hearing(&self, output_bytes_max: u64) -> Self {
        let output_bytes_max = self.bounds.output_bytes_max.max(output_bytes_max);
        Self {
            bounds: Bounds {
                output_bytes_max,
                ..self.bounds
            },
            ..self.clone()
        }
    }

    /// Runs `stages` over `input` and answers with one report each, in their order. Dropping the future kills the child.
    ///
    /// # Errors
    /// No child became free, could be started or listened to. What children do is a report, not an error.
    pub async fn analyse(
        &self,
        input: &File,
        stages: &[&str],
        work: &Work,
        time: Time,
        watch: &mut dyn Watch,
    ) -> Result<Vec<StageReport>, Error> {
        let asked_at = Instant::now();
        let _slot = self.free_slot(time.all / 2).await?;
        let deadline = (Instant::now() + time.wall).min(asked_at + time.all);
        let mut talk = Talk::new(stages, watch);
        let mut tried_again: Option<String> = None;
        while !talk.is_over() {
            let ending = self.one_child(input, work, deadline, &mut talk).await?;
            if talk.is_over() {
                break;
            }
            let detail = ending.describe();
            match ending.blame() {
                Blame::Abort(reason) => talk.abort(Abort { reason, detail }).await,
                Blame::Outside => {
                    let stage = talk.put_back().map(str::to_owned);
                    if stage == tried_again {
                        talk.abort(Abort {
                            reason: AbortReason::ResourceLimit,
                            detail,
                        })
                        .await;
                    } else {
                        tried_again = stage;
                    }
                }
            }
        }
        Ok(talk.into_reports())
    }

    async fn free_slot(&self, patience: Duration) -> Result<SemaphorePermit<'_>, Error> {
        match timeout(patience, self.slots.acquire()).await {
            Ok(Ok(slot)) => Ok(slot),
            // Nobody closes the semaphore, so the other error cannot be.
            Ok(Err(_)) | Err(_) => Err(Error::Crowded),
        }
    }

    async fn one_child(
        &self,
        input: &File,
        work: &Work,
        deadline: Instant,
        talk: &mut Talk<'_>,
    ) -> Result<Ending, Error> {
        let now = Instant::now();
        let left = deadline.saturating_duration_since(now);
        if left.is_zero() {
            return Ok(Ending::TimeUp);
        }
        let stages = talk.waiting();
        let share = share::share(left, stages.len(), self.bounds.confinement.cpu_s_max);
        let confinement = Confinement {
            cpu_s_max: share.cpu_s,
            ..self.bounds.confinement
        };
        let request = Request {
            stages,
            parent: std::process::id(),
            confinement,
            work: work.clone(),
        };
        let start = |input| self.command.start(&request, input);
        let child = input
            .try_clone()
            .and_then(start)
            .map_err(|source| Error::Start { source })?;
        let _counted = self.meters.child();
        let mut process = Process::new(child);
        process
            .hear_out(talk, self.bounds.output_bytes_max, now + share.wall)
            .await
            .map_err(|source| Error::Listen { source })
    }
}
