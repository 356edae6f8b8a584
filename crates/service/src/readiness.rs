//! Whether a process should get work: latches of the boot, dependencies of the day.
//!
//! A process is ready when every latch was released, every required dependency is up, and no shutdown
//! began. A latch that is dropped without being released (its owner failed) keeps the process unready:
//! silence is not consent. An optional dependency that is down only shows in the report.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

/// Readiness of one process. Cloning gives another handle to the same.
#[derive(Clone, Debug, Default)]
pub struct Readiness {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    latches: BTreeMap<String, LatchState>,
    dependencies: BTreeMap<String, DependencyState>,
    stopping: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct LatchState {
    held: usize,
    abandoned: bool,
}

#[derive(Clone, Debug)]
struct DependencyState {
    need: Need,
    down: Option<String>,
}

/// What a dependency means for readiness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Without it the process cannot work.
    Required,
    /// Without it the process works less well.
    Optional,
}

impl Readiness {
    /// Ready until a latch or a dependency says otherwise.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Holds readiness back until this latch and all of its clones are released.
    #[must_use]
    pub fn latch(&self, name: &str) -> Latch {
        self.state
            .lock()
            .latches
            .entry(name.to_owned())
            .or_default()
            .held += 1;
        Latch {
            name: name.to_owned(),
            readiness: self.clone(),
            released: false,
        }
    }

    /// Registers a dependency. It is down until it is said to be up.
    #[must_use]
    pub fn dependency(&self, name: &str, need: Need) -> Dependency {
        let down = Some("not reached yet".to_owned());
        let state = DependencyState { need, down };
        self.state
            .lock()
            .dependencies
            .insert(name.to_owned(), state);
        Dependency {
            name: name.to_owned(),
            readiness: self.clone(),
        }
    }

    /// Ends readiness for good: a shutdown began.
    pub fn not_ready(&self) {
        self.state.lock().stopping = true;
    }

    /// Whether the process should get work now.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.report().ready
    }

    /// Everything that readiness depends on.
    #[must_use]
    pub fn report(&self) -> Report {
        let state = self.state.lock();
        let latches = state.latches.iter().map(|(name, latch)| Line {
            name: name.clone(),
            need: Need::Required,
            problem: latch.problem(),
        });
        let dependencies = state.dependencies.iter().map(|(name, dependency)| Line {
            name: name.clone(),
            need: dependency.need,
            problem: dependency.down.clone(),
        });
        let report = Report {
            ready: false,
            stopping: state.stopping,
            latches: latches.collect(),
            dependencies: dependencies.collect(),
        };
        Report {
            ready: report.stands(),
            ..report
        }
    }
}

impl LatchState {
    fn problem(self) -> Option<String> {
        if self.abandoned {
            return Some("given up before it was done".to_owned());
        }
        (self.held > 0).then(|| "not done yet".to_owned())
    }
}

/// What readiness depends on, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Whether the process should get work.
    pub ready: bool,
    /// Whether a shutdown began.
    pub stopping: bool,
    /// Steps of the boot, by name.
    pub latches: Vec<Line>,
    /// Dependencies, by name.
    pub dependencies: Vec<Line>,
}

/// One thing that readiness depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// Whether readiness needs it.
    pub need: Need,
    /// What is wrong, if anything.
    pub problem: Option<String>,
}

impl Report {
    fn stands(&self) -> bool {
        let missing = |line: &Line| line.need == Need::Required && line.problem.is_some();
        !self.stopping && !self.latches.iter().chain(&self.dependencies).any(missing)
    }
}

/// Holds readiness back until released.
#[derive(Debug)]
pub struct Latch {
    name: String,
    readiness: Readiness,
    released: bool,
}

impl Latch {
    /// Says that this step of the boot is done.
    pub fn release(mut self) {
        self.released = true;
    }
}

impl Clone for Latch {
    fn clone(&self) -> Self {
        self.readiness.latch(&self.name)
    }
}

impl Drop for Latch {
    fn drop(&mut self) {
        let mut state = self.readiness.state.lock();
        if let Some(latch) = state.latches.get_mut(&self.name) {
            latch.held = latch.held.saturating_sub(1);
            latch.abandoned |= !self.released;
        }
    }
}

/// Says whether a dependency can be used.
#[derive(Clone, Debug)]
pub struct Dependency {
    name: String,
    readiness: Readiness,
}

impl Dependency {
    /// It can be used.
    pub fn up(&self) {
        self.set(None);
    }

    /// It cannot be used, and why.
    pub fn down(&self, why: impl Into<String>) {
        self.set(Some(why.into()));
    }

    fn set(&self, down: Option<String>) {
        let mut state = self.readiness.state.lock();
        if let Some(dependency) = state.dependencies.get_mut(&self.name) {
            dependency.down = down;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_clones_of_a_latch_must_be_released() {
        let readiness = Readiness::new();
        let latch = readiness.latch("store");
        let clone = latch.clone();
        latch.release();
        assert!(!readiness.is_ready());
        clone.release();
        assert!(readiness.is_ready());
    }

    #[test]
    fn a_latch_that_was_only_dropped_is_not_released() {
        let readiness = Readiness::new();
        drop(readiness.latch("store"));
        let problem = readiness.report().latches.remove(0).problem;
        assert_eq!(problem.as_deref(), Some("given up before it was done"));
        assert!(!readiness.is_ready());
    }

    #[test]
    fn a_required_dependency_decides_and_an_optional_one_only_shows() {
        let readiness = Readiness::new();
        let queue = readiness.dependency("queue", Need::Required);
        let cache = readiness.dependency("cache", Need::Optional);
        assert!(!readiness.is_ready());
        queue.up();
        assert!(readiness.is_ready());
        cache.down("refused");
        let report = readiness.report();
        assert!(report.ready);
        assert_eq!(report.dependencies[0].problem.as_deref(), Some("refused"));
        queue.down("connection lost");
        assert!(!readiness.is_ready());
    }

    #[test]
    fn a_shutdown_ends_readiness_for_good() {
        let readiness = Readiness::new();
        readiness.not_ready();
        readiness.latch("late").release();
        assert!(!readiness.is_ready());
    }
}
