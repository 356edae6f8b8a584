//! The steps of an attempt, as people watch them.

use assay_core::progress::{PlanError, StepPlan};
use assay_worker_runtime::Reporter;

use crate::stages;

/// The content is opened and hashed again.
pub const FETCH: &str = "fetch";
/// Everything that was found becomes a verdict.
pub const FUSE: &str = "fuse";
/// The result is recorded. It ends when the worker runtime has done so.
pub const PERSIST: &str = "persist";

/// Each step with its share of the whole. Stages of the analysis are steps of the same name.
const WEIGHTS: [(&str, u32); 13] = [
    (FETCH, 10),
    (stages::SNIFF, 3),
    (stages::STRUCTURE, 5),
    (stages::METADATA, 5),
    (stages::PROVENANCE, 15),
    (stages::FINGERPRINT, 5),
    (stages::DOUBLE_QUANTISATION, 10),
    (stages::GRID, 15),
    (stages::COPY_MOVE, 20),
    (stages::THUMBNAIL, 2),
    (stages::WATERMARK, 2),
    (FUSE, 5),
    (PERSIST, 3),
];

/// The plan of every attempt.
///
/// # Errors
/// The steps make no plan; a test holds that they do.
pub(crate) fn plan() -> Result<StepPlan, PlanError> {
    StepPlan::new(WEIGHTS)
}

/// Where steps are reported.
pub trait Steps: Send + Sync {
    /// A step begins; one that runs already goes on.
    fn start(&self, step: &str);
    /// A step has ended well.
    fn done(&self, step: &str);
    /// A step is left out.
    fn skip(&self, step: &str, why: &str);
    /// A step has ended badly, and the attempt goes on.
    fn fail(&self, step: &str, why: &str);
}

impl Steps for Reporter {
    fn start(&self, step: &str) {
        Self::start(self, step);
    }

    fn done(&self, step: &str) {
        Self::done(self, step);
    }

    fn skip(&self, step: &str, why: &str) {
        Self::skip(self, step, why);
    }

    fn fail(&self, step: &str, why: &str) {
        Self::fail(self, step, why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_is_a_step_of_the_plan() {
        let plan = plan().unwrap();
        for stage in stages::ALL {
            assert!(
                plan.steps().iter().any(|step| step.name == stage.name),
                "{}",
                stage.name
            );
        }
    }
}
