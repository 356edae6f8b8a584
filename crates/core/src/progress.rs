//! Progress of one attempt: weighted steps, declared once, and what follows from reports against them.
//!
//! Percent and the time left are computed, never reported. Percent is kept in whole hundredths
//! ([`Progress::basis_points`]): exact, comparable, the same on every machine. It never goes back within
//! an attempt, and reaches 100 % only through [`Progress::complete`].
//!
//! Steps may overlap and may be reported in any order. A step that was skipped counts as passed for the
//! percent; one that failed keeps what it had reached. Time is passed in, in milliseconds since the epoch.

mod coalescer;
mod plan;
#[cfg(test)]
mod tests;

pub use coalescer::{Coalescer, WRITE_GAP_MS, Write};
pub use plan::{PlanError, STEP_NAME_BYTES_MAX, STEPS_MAX, Step, StepPlan};

use serde::{Deserialize, Serialize};

/// The whole, in hundredths of a percent.
pub const BASIS_POINTS_COMPLETE: u16 = 10_000;
/// The longest message, in bytes; longer ones are cut on a character's boundary.
pub const MESSAGE_BYTES_MAX: usize = 512;
/// No time left is guessed before this share of the weights was worked, in hundredths of a percent.
pub const ETA_BASIS_POINTS_MIN: u16 = 500;
/// No time left is guessed before this much time has passed, in milliseconds.
pub const ETA_ELAPSED_MS_MIN: u64 = 1_000;

/// How far an attempt has come, as recorded and shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Hundredths of a percent, 0..=[`BASIS_POINTS_COMPLETE`].
    pub basis_points: u16,
    /// In the plan's order.
    pub steps: Vec<StepProgress>,
    /// Milliseconds that are left, counted from `updated_at_ms`; none until enough is known.
    pub eta_ms: Option<u64>,
    /// The latest message of any step.
    pub message: String,
    /// When the first step began.
    pub started_at_ms: Option<u64>,
    /// When the latest report came.
    pub updated_at_ms: u64,
}

/// One step of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepProgress {
    /// As declared.
    pub name: String,
    /// As declared.
    pub weight: u32,
    /// Where it stands.
    pub state: StepState,
    /// When it began.
    pub started_at_ms: Option<u64>,
    /// When it was done, skipped or failed.
    pub finished_at_ms: Option<u64>,
    /// Its latest message.
    pub message: String,
    /// How many of its items are done.
    pub current: u64,
    /// How many items it has; 0 while unknown.
    pub total: u64,
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Not begun.
    Pending,
    /// Begun.
    Running,
    /// Ended well.
    Done,
    /// Not needed.
    Skipped,
    /// Ended badly; the attempt may go on without it.
    Failed,
}

impl StepState {
    /// The word used in records and listings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Done => "done",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }

    const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Skipped | Self::Failed)
    }
}

/// A report that does not fit the plan or came too late; it changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProgressError {
    /// The plan has no such step.
    #[error("report against a declared step, not {step:?}")]
    UnknownStep {
        /// The name that was reported.
        step: String,
    },
    /// The step is over.
    #[error("report step {step:?} before it is over, it is {}", state.as_str())]
    StepOver {
        /// The step.
        step: String,
        /// How it ended.
        state: StepState,
    },
    /// The attempt is complete.
    #[error("report step {step:?} before the attempt is complete")]
    Complete {
        /// The step.
        step: String,
    },
}

impl Progress {
    /// Nothing done yet.
    pub fn new(plan: &StepPlan, now_ms: u64) -> Self {
        let steps = plan.steps().iter().map(StepProgress::pending).collect();
        Self {
            basis_points: 0,
            steps,
            eta_ms: None,
            message: String::new(),
            started_at_ms: None,
            updated_at_ms: now_ms,
        }
    }

    /// Percent with two digits behind the point, 0.0..=100.0, for showing.
    pub fn percent(&self) -> f32 {
        f32::from(self.basis_points) / 100.0
    }

    /// Whether [`Progress::complete`] was called.
    pub const fn is_complete(&self) -> bool {
        self.basis_points == BASIS_POINTS_COMPLETE
    }

    /// Begins a step; one that is running already goes on.
    ///
    /// # Errors
    /// No such step, the step is over, or the attempt is complete; so for every report.
    pub fn start(&mut self, step: &str, now_ms: u64) -> Result<(), ProgressError> {
        self.running(step, now_ms)?;
        self.update(now_ms);
        Ok(())
    }

    /// Says how far a step has come, `current` of `total` items (0 if unknown), and begins it if need be.
    /// An empty message leaves the last one standing.
    ///
    /// # Errors
    /// As [`Progress::start`].
    pub fn advance(
        &mut self,
        step: &str,
        current: u64,
        total: u64,
        message: &str,
        now_ms: u64,
    ) -> Result<(), ProgressError> {
        let running = self.running(step, now_ms)?;
        running.current = current;
        running.total = total;
        if !message.is_empty() {
            running.message = cut(message);
            self.message = cut(message);
        }
        self.update(now_ms);
        Ok(())
    }

    /// Ends a step well.
    ///
    /// # Errors
    /// As [`Progress::start`].
    pub fn finish(&mut self, step: &str, now_ms: u64) -> Result<(), ProgressError> {
        self.running(step, now_ms)?.end(StepState::Done, now_ms);
        self.update(now_ms);
        Ok(())
    }

    /// Leaves a step out, with the reason as its message.
    ///
    /// # Errors
    /// As [`Progress::start`].
    pub fn skip(&mut self, step: &str, why: &str, now_ms: u64) -> Result<(), ProgressError> {
        let skipped = self.open(step)?;
        skipped.end(StepState::Skipped, now_ms);
        skipped.message = cut(why);
        self.update(now_ms);
        Ok(())
    }

    /// Ends a step badly, with the reason as its message.
    ///
    /// # Errors
    /// As [`Progress::start`].
    pub fn fail(&mut self, step: &str, why: &str, now_ms: u64) -> Result<(), ProgressError> {
        let failed = self.running(step, now_ms)?;
        failed.end(StepState::Failed, now_ms);
        failed.message = cut(why);
        self.message = cut(why);
        self.update(now_ms);
        Ok(())
    }

    /// The attempt has succeeded: 100 %. Steps still running are done, those never begun were skipped.
    pub fn complete(&mut self, now_ms: u64) {
        for step in &mut self.steps {
            match step.state {
                StepState::Running => step.end(StepState::Done, now_ms),
                StepState::Pending => step.end(StepState::Skipped, now_ms),
                StepState::Done | StepState::Skipped | StepState::Failed => {}
            }
        }
        self.basis_points = BASIS_POINTS_COMPLETE;
        self.eta_ms = Some(0);
        self.updated_at_ms = now_ms;
    }

    /// The attempt has ended without success: steps still running have failed. Percent stays.
    pub fn break_off(&mut self, now_ms: u64) {
        let running = self
            .steps
            .iter_mut()
            .filter(|step| step.state == StepState::Running);
        running.for_each(|step| step.end(StepState::Failed, now_ms));
        self.eta_ms = None;
        self.updated_at_ms = now_ms;
    }

    /// A new attempt over the same steps begins with nothing done.
    pub fn restart(&mut self, now_ms: u64) {
        for step in &mut self.steps {
            *step = StepProgress::pending(&Step {
                name: std::mem::take(&mut step.name),
                weight: step.weight,
            });
        }
        self.basis_points = 0;
        self.eta_ms = None;
        self.message.clear();
        self.started_at_ms = None;
        self.updated_at_ms = now_ms;
    }

    /// The step, if it may still be reported against.
    fn open(&mut self, name: &str) -> Result<&mut StepProgress, ProgressError> {
        let complete = self.is_complete();
        let step = || name.to_owned();
        let Some(found) = self.steps.iter_mut().find(|step| step.name == name) else {
            return Err(ProgressError::UnknownStep { step: step() });
        };
        if complete {
            return Err(ProgressError::Complete { step: step() });
        }
        if found.state.is_over() {
            let state = found.state;
            return Err(ProgressError::StepOver {
                step: step(),
                state,
            });
        }
        Ok(found)
    }

    /// The step, begun if it was pending.
    fn running(&mut self, name: &str, now_ms: u64) -> Result<&mut StepProgress, ProgressError> {
        self.open(name)?;
        self.started_at_ms.get_or_insert(now_ms);
        let step = self.open(name)?;
        step.state = StepState::Running;
        step.started_at_ms.get_or_insert(now_ms);
        Ok(step)
    }

    fn update(&mut self, now_ms: u64) {
        let total: u64 = self.steps.iter().map(|step| u64::from(step.weight)).sum();
        let mut passed = 0;
        let mut worked = 0;
        let mut left = 0;
        for step in &self.steps {
            let whole = u64::from(step.weight) * u64::from(BASIS_POINTS_COMPLETE);
            let reached = u64::from(step.weight) * u64::from(step.reached());
            passed += reached;
            // A skipped step took no time, so it says nothing about the pace.
            if step.state != StepState::Skipped {
                worked += reached;
            }
            if !step.state.is_over() {
                left += whole - reached;
            }
        }
        // At most the whole: each step reaches at most its weight's worth.
        let share = |part: u64| u16::try_from(part / total.max(1)).unwrap_or(BASIS_POINTS_COMPLETE);
        let reached = share(passed).min(BASIS_POINTS_COMPLETE - 1);
        self.basis_points = self.basis_points.max(reached);
        self.updated_at_ms = now_ms;
        let elapsed_ms = self
            .started_at_ms
            .map_or(0, |started_at_ms| now_ms.saturating_sub(started_at_ms));
        self.eta_ms = (share(worked) >= ETA_BASIS_POINTS_MIN && elapsed_ms >= ETA_ELAPSED_MS_MIN)
            .then(|| scale(elapsed_ms, left, worked));
    }
}

impl StepProgress {
    fn pending(step: &Step) -> Self {
        Self {
            name: step.name.clone(),
            weight: step.weight,
            state: StepState::Pending,
            started_at_ms: None,
            finished_at_ms: None,
            message: String::new(),
            current: 0,
            total: 0,
        }
    }

    fn end(&mut self, state: StepState, now_ms: u64) {
        self.state = state;
        self.finished_at_ms = Some(now_ms);
    }

    /// In hundredths of a percent of this step.
    fn reached(&self) -> u16 {
        match self.state {
            StepState::Pending => 0,
            StepState::Done | StepState::Skipped => BASIS_POINTS_COMPLETE,
            StepState::Running | StepState::Failed if self.total == 0 => 0,
            StepState::Running | StepState::Failed => {
                let current = self.current.min(self.total);
                let reached = scale(BASIS_POINTS_COMPLETE.into(), current, self.total);
                u16::try_from(reached).unwrap_or(BASIS_POINTS_COMPLETE)
            }
        }
    }
}

/// `value * part / whole`, without overflow on the way; `whole` is not 0.
fn scale(value: u64, part: u64, whole: u64) -> u64 {
    let scaled = u128::from(value) * u128::from(part) / u128::from(whole.max(1));
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

fn cut(message: &str) -> String {
    let end = message.floor_char_boundary(MESSAGE_BYTES_MAX);
    message.get(..end).unwrap_or_default().to_owned()
}
