//! The steps of an attempt, as people watch them.

use assay_core::progress::{PlanError, StepPlan};
use assay_worker_runtime::Reporter;

use crate::stages;

/// The content is opened and hashed again.
pub const FETCH: &str = "fetch";
/// Detectors outside of Assay are asked. Only where some are configured.
pub const DETECTORS: &str = "detectors";
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

/// The share of the step at which detectors are asked, among [`WEIGHTS`].
const DETECTORS_WEIGHT: u32 = 30;

/// The plan of every attempt, with or without detectors to ask.
///
/// # Errors
/// The steps make no plan; a test holds that they do.
pub(crate) fn plan(with_detectors: bool) -> Result<StepPlan, PlanError> {
    let mut steps = WEIGHTS.to_vec();
    if with_detectors {
        let fuse = steps.iter().position(|(step, _)| *step == FUSE);
        steps.insert(fuse.unwrap_or(steps.len()), (DETECTORS, DETECTORS_WEIGHT));
    }
    StepPlan::new(steps)
}

/// Where steps are reported.
pub trait Steps: Send + Sync {
    /// A step begins; one that runs already goes on.
    fn start(&self, step: &str);
    /// So many parts of a step are done, out of so many, and what happened last.
    fn advance(&self, step: &str, current: u64, total: u64, message: &str);
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

    fn advance(&self, step: &str, current: u64, total: u64, message: &str) {
        Self::advance(self, step, current, total, message);
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
        let plan = plan(false).unwrap();
        assert!(plan.steps().iter().all(|step| step.name != DETECTORS));
        for stage in stages::ALL {
            assert!(
                plan.steps().iter().any(|step| step.name == stage.name),
                "{}",
                stage.name
            );
        }
    }

    #[test]
    fn detectors_are_asked_after_all_stages_and_before_the_verdict() {
        let plan = plan(true).unwrap();
        let names: Vec<&str> = plan.steps().iter().map(|step| step.name.as_str()).collect();
        assert_eq!(
            names[names.len() - 4..],
            [stages::WATERMARK, DETECTORS, FUSE, PERSIST]
        );
    }
}
