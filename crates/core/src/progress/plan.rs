//! The declaration of a job's steps.

use serde::{Deserialize, Serialize};

/// The most steps that a plan may have.
pub const STEPS_MAX: usize = 64;
/// The longest name of a step, in bytes.
pub const STEP_NAME_BYTES_MAX: usize = 64;

/// One declared step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Unique in its plan.
    pub name: String,
    /// Its share of the whole, relative to the other steps' weights; never 0.
    pub weight: u32,
}

/// The steps of a job, in order, checked once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Step>", into = "Vec<Step>")]
pub struct StepPlan(Vec<Step>);

impl StepPlan {
    /// Declares steps as (name, weight).
    ///
    /// # Errors
    /// No or too many steps, or the first step whose name or weight cannot be used.
    pub fn new<'a>(steps: impl IntoIterator<Item = (&'a str, u32)>) -> Result<Self, PlanError> {
        let steps: Vec<Step> = steps
            .into_iter()
            // One too many is enough to be refused.
            .take(STEPS_MAX + 1)
            .map(|(name, weight)| Step {
                name: name.to_owned(),
                weight,
            })
            .collect();
        Self::try_from(steps)
    }

    /// The steps in their order.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }
}

impl TryFrom<Vec<Step>> for StepPlan {
    type Error = PlanError;

    fn try_from(steps: Vec<Step>) -> Result<Self, PlanError> {
        if steps.is_empty() {
            return Err(PlanError::Empty);
        }
        if steps.len() > STEPS_MAX {
            return Err(PlanError::TooManySteps);
        }
        for (index, step) in steps.iter().enumerate() {
            let bytes = step.name.len();
            if bytes == 0 {
                return Err(PlanError::NameEmpty { index });
            }
            if bytes > STEP_NAME_BYTES_MAX {
                return Err(PlanError::NameTooLong { index, bytes });
            }
            let name = || step.name.clone();
            if steps
                .iter()
                .take(index)
                .any(|earlier| earlier.name == step.name)
            {
                return Err(PlanError::NameTwice { name: name() });
            }
            if step.weight == 0 {
                return Err(PlanError::NoWeight { name: name() });
            }
        }
        Ok(Self(steps))
    }
}

impl From<StepPlan> for Vec<Step> {
    fn from(plan: StepPlan) -> Self {
        plan.0
    }
}

/// Why steps make no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// No step.
    #[error("declare at least one step")]
    Empty,
    /// More than [`STEPS_MAX`].
    #[error("declare at most {STEPS_MAX} steps")]
    TooManySteps,
    /// A step without a name.
    #[error("name step {index}, counted from 0")]
    NameEmpty {
        /// Its place, from 0.
        index: usize,
    },
    /// A name over [`STEP_NAME_BYTES_MAX`].
    #[error(
        "shorten the name of step {index}, counted from 0, from {bytes} to at most {STEP_NAME_BYTES_MAX} bytes"
    )]
    NameTooLong {
        /// Its place, from 0.
        index: usize,
        /// Its length.
        bytes: usize,
    },
    /// Two steps of one name.
    #[error("give step {name:?} another name, an earlier step has it")]
    NameTwice {
        /// The name.
        name: String,
    },
    /// A weight of 0.
    #[error("give step {name:?} a weight of at least 1")]
    NoWeight {
        /// The step.
        name: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn many(count: usize) -> Result<StepPlan, PlanError> {
        let names: Vec<String> = (0..count).map(|index| format!("step-{index}")).collect();
        StepPlan::new(names.iter().map(|name| (name.as_str(), 1)))
    }

    #[test]
    fn a_plan_has_between_one_and_64_steps() {
        assert_eq!(many(0), Err(PlanError::Empty));
        assert_eq!(many(1).map(|plan| plan.steps().len()), Ok(1));
        assert_eq!(many(64).map(|plan| plan.steps().len()), Ok(64));
        assert_eq!(many(65), Err(PlanError::TooManySteps));
    }

    #[test]
    fn errors_name_the_step() {
        let long = "n".repeat(65);
        let fits = "n".repeat(64);
        assert!(StepPlan::new([(fits.as_str(), 1)]).is_ok());
        let table = [
            (vec![("a", 1), ("", 1)], "name step 1, counted from 0"),
            (
                vec![(long.as_str(), 1)],
                "shorten the name of step 0, counted from 0, from 65 to at most 64 bytes",
            ),
            (
                vec![("a", 1), ("b", 1), ("a", 1)],
                "give step \"a\" another name, an earlier step has it",
            ),
            (
                vec![("a", 1), ("b", 0)],
                "give step \"b\" a weight of at least 1",
            ),
        ];
        for (steps, message) in table {
            assert_eq!(StepPlan::new(steps).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn a_stored_plan_is_checked_when_read() {
        let plan = StepPlan::new([("a", 1), ("b", 2)]).unwrap();
        let json = serde_json::to_string(&plan).unwrap();
        assert_eq!(json, r#"[{"name":"a","weight":1},{"name":"b","weight":2}]"#);
        assert_eq!(serde_json::from_str::<StepPlan>(&json).unwrap(), plan);
        let broken = serde_json::from_str::<StepPlan>(r#"[{"name":"a","weight":0}]"#);
        assert!(broken.unwrap_err().to_string().contains("at least 1"));
    }
}
