//! How far an attempt is: reported by its handler at any pace, written at a bounded one.

use std::sync::Arc;
use std::time::Duration;

use assay_core::clock::Clock;
use assay_core::id::JobId;
use assay_core::port::{JobStore, Lease, Written};
use assay_core::progress::{Coalescer, Progress, ProgressError, StepPlan, Write};
use assay_core::retry::Decision;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// Takes a handler's reports. They return at once, from any thread; a report that does not fit the plan
/// is logged and changes nothing. Cloning gives another handle to the same attempt.
#[derive(Clone, Debug)]
pub struct Reporter {
    board: Arc<Board>,
}

struct Board {
    job_id: JobId,
    plan: StepPlan,
    clock: Arc<dyn Clock>,
    latest: Mutex<Latest>,
    changed: Notify,
}

/// The latest progress; none before the first report.
#[derive(Debug, Default)]
struct Latest {
    progress: Option<Progress>,
    unwritten: bool,
    coalescer: Coalescer,
}

/// What the writer does next.
enum Next {
    Wait,
    Sleep(Duration),
    Write(Progress),
}

impl Reporter {
    pub(crate) fn new(job_id: JobId, plan: StepPlan, clock: Arc<dyn Clock>) -> Self {
        Self {
            board: Arc::new(Board {
                job_id,
                plan,
                clock,
                latest: Mutex::default(),
                changed: Notify::new(),
            }),
        }
    }

    /// Begins a step.
    pub fn start(&self, step: &str) {
        self.report(|progress, now_ms| progress.start(step, now_ms));
    }

    /// Says how many items of a step are done, of how many (0 if unknown), and begins it if need be.
    /// An empty message leaves the last one standing.
    pub fn advance(&self, step: &str, current: u64, total: u64, message: &str) {
        self.report(|progress, now_ms| progress.advance(step, current, total, message, now_ms));
    }

    /// Ends a step well.
    pub fn done(&self, step: &str) {
        self.report(|progress, now_ms| progress.finish(step, now_ms));
    }

    /// Leaves a step out.
    pub fn skip(&self, step: &str, why: &str) {
        self.report(|progress, now_ms| progress.skip(step, why, now_ms));
    }

    /// Ends a step badly; the attempt may go on without it.
    pub fn fail(&self, step: &str, why: &str) {
        self.report(|progress, now_ms| progress.fail(step, why, now_ms));
    }

    fn report(&self, change: impl FnOnce(&mut Progress, u64) -> Result<(), ProgressError>) {
        let now_ms = self.board.clock.now_ms();
        let mut latest = self.board.latest.lock();
        let progress = latest
            .progress
            .get_or_insert_with(|| Progress::new(&self.board.plan, now_ms));
        let changed = change(progress, now_ms);
        latest.unwritten |= changed.is_ok();
        drop(latest);
        match changed {
            Ok(()) => self.board.changed.notify_one(),
            Err(error) => {
                let job_id = self.board.job_id;
                tracing::warn!(job.id = %job_id, %error, "ignored a progress report of job {job_id}: {error}");
            }
        }
    }

    /// Writes reports until one is refused because the lease is not the latest. A write that fails is
    /// left out: the next one says more, and the settlement carries the last.
    pub(crate) async fn write_until_fenced(&self, store: &dyn JobStore, lease: &Lease) {
        loop {
            match self.next() {
                Next::Wait => self.board.changed.notified().await,
                Next::Sleep(time) => tokio::time::sleep(time).await,
                Next::Write(progress) => match store.report(lease, progress).await {
                    Ok(Written::Recorded) => {}
                    Ok(Written::Fenced) => return,
                    Err(error) => {
                        tracing::debug!(job.id = %lease.job_id, %error, "left out a progress write");
                    }
                },
            }
        }
    }

    fn next(&self) -> Next {
        let now_ms = self.board.clock.now_ms();
        let mut latest = self.board.latest.lock();
        if !latest.unwritten {
            return Next::Wait;
        }
        match latest.coalescer.offer(now_ms) {
            Write::Later { at_ms } => {
                Next::Sleep(Duration::from_millis(at_ms.saturating_sub(now_ms).max(1)))
            }
            Write::Now => {
                latest.unwritten = false;
                latest.progress.clone().map_or(Next::Wait, Next::Write)
            }
        }
    }

    /// The last progress, for the settlement; none if nothing was ever reported.
    pub(crate) fn last(&self, decision: &Decision) -> Option<Progress> {
        let mut progress = self.board.latest.lock().progress.take()?;
        let now_ms = self.board.clock.now_ms();
        match decision {
            Decision::Succeed => progress.complete(now_ms),
            Decision::Fail(_)
            | Decision::Retry { .. }
            | Decision::DeadLetter { .. }
            | Decision::Cancel => progress.break_off(now_ms),
            // No fault of the step: the next attempt takes it up.
            Decision::RunAgain { .. } | Decision::Park { .. } => {}
        }
        Some(progress)
    }
}

impl std::fmt::Debug for Board {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Board")
            .field("job_id", &self.job_id)
            .finish_non_exhaustive()
    }
}
