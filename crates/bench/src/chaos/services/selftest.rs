//! Does chaos see what it is there to see? Bugs are planted, and each must be reported by the row that is about it.

use assay_failpoint::Guard;

use super::scenario::{scheduler_behind, worker_between};
use super::{Row, Scenario, Setup, run};

/// A planted bug, and what must be said of it.
#[derive(Clone, Copy, Debug)]
pub struct Bug {
    /// What was done to the product.
    pub what: &'static str,
    /// The rule that it forgets.
    guard: Guard,
    /// The row that must report it.
    pub scenario: &'static str,
    /// What a report of it says.
    says: &'static str,
}

/// All of them.
pub const BUGS: [Bug; 3] = [
    Bug {
        what: "a worker acknowledges before it records",
        guard: Guard::RecordFirst,
        scenario: "worker-between",
        says: worker_between::RAN_AGAIN,
    },
    Bug {
        what: "a job is promoted without a look at what was decided since",
        guard: Guard::PromoteCompares,
        scenario: "scheduler-behind",
        says: scheduler_behind::LATE,
    },
    Bug {
        what: "a token is the one before plus one",
        guard: Guard::TokenFromClock,
        scenario: "redis-cut",
        says: "ran twice under one token",
    },
];

/// What became of a planted bug.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The row without it.
    pub sound: Row,
    /// The row with it.
    pub planted: Row,
    /// Whether chaos reported it, and nothing without it.
    pub passed: bool,
}

/// Plants a bug.
///
/// # Errors
/// When no folder can be had.
pub async fn plant(bug: &Bug, setup: &Setup) -> anyhow::Result<Trial> {
    let scenario = Scenario::named(bug.scenario);
    let scenario = scenario.ok_or_else(|| anyhow::anyhow!("there is no row {}", bug.scenario))?;
    let sound = run(scenario, setup).await?;
    let with_bug = Setup {
        planted: vec![format!("{}=skip", bug.guard.name())],
        ..setup.clone()
    };
    let planted = run(scenario, &with_bug).await?;
    let passed = sound.is_clean() && bug.is_reported(&planted);
    Ok(Trial {
        sound,
        planted,
        passed,
    })
}

impl Bug {
    /// Whether a row says of this bug what must be said: any other complaint would prove nothing.
    fn is_reported(&self, row: &Row) -> bool {
        row.is_done() && row.broken().iter().any(|broken| broken.contains(self.says))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Mode;
    use super::*;

    #[test]
    fn each_guard_has_a_bug_and_each_bug_a_row() {
        let guards: Vec<Guard> = BUGS.iter().map(|bug| bug.guard).collect();
        assert_eq!(guards, Guard::ALL);
        for bug in &BUGS {
            let scenario = Scenario::named(bug.scenario).unwrap();
            assert!(Mode::BOTH.into_iter().all(|mode| scenario.is_for(mode)));
        }
    }

    #[test]
    fn another_complaint_is_no_report() {
        let [bug, ..] = BUGS;
        let mut row = Row::new("a fault");
        assert!(!bug.is_reported(&row));
        row.expect(false, || "3 jobs are lost".to_owned());
        assert!(!bug.is_reported(&row));
        row.expect(false, || format!("3 jobs {}", bug.says));
        assert!(bug.is_reported(&row));
        let undone = Row::undone("a fault", &anyhow::anyhow!("{}", bug.says));
        assert!(!bug.is_reported(&undone));
    }
}
