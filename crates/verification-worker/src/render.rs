//! What detectors are shown of a picture besides the file itself, made by a child process like everything that parses
//! a stranger's bytes.

mod shared;

use std::fs::File;
use std::sync::Arc;

use assay_detectors::render::{RenderError, Rendered, render};
use assay_detectors::{Renderer, Rendition};
use assay_forensics::Limits;
use async_trait::async_trait;
use serde::Deserialize;
use serde_json::Value;

pub(crate) use self::shared::Shared;
use crate::analyst::{Analyst, Stage, StageOutcome, Time, Unheard, Work};

/// Names the stage. Jobs have no say in it, so it is none of `stages::ALL`.
const RENDER: &str = "render";

/// What a child may say, in bytes: 32 MiB. As text, a picture is a third longer than as a file, and a large photograph
/// that is saved again is not much smaller than it came.
const OUTPUT_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// The child's side: the rendition of the work.
pub(crate) const STAGE: Stage = Stage {
    name: RENDER,
    run: |work, bytes| form(&make(work, bytes)),
};

fn make(work: &Work, bytes: &[u8]) -> Result<Rendered, RenderError> {
    let rendition = work
        .rendition
        .ok_or_else(|| machine("nothing was asked for"))?;
    render(bytes, rendition, &work.limits)
}

/// A rendition has a JSON form; were one without, the parent would find none and say so.
fn form(made: &Result<Rendered, RenderError>) -> Value {
    serde_json::to_value(made).unwrap_or_default()
}

/// The parent's side: a child for each rendition.
pub(crate) struct ChildRenderer {
    analyst: Analyst,
    limits: Limits,
    time: Time,
}

impl ChildRenderer {
    /// Has renditions made by children of the analyst's, among its others. Who asks has a deadline of its own, and
    /// drops what comes too late; `time` is for when it does not.
    pub(crate) fn new(analyst: &Analyst, limits: Limits, time: Time) -> Self {
        Self {
            analyst: analyst.hearing(OUTPUT_BYTES_MAX),
            limits,
            time,
        }
    }
}

#[async_trait]
impl Renderer for ChildRenderer {
    async fn render(
        &self,
        file: &Arc<File>,
        rendition: Rendition,
    ) -> Result<Rendered, RenderError> {
        let work = Work {
            limits: self.limits.clone(),
            rendition: Some(rendition),
            ..Work::default()
        };
        let reports = self
            .analyst
            .analyse(file, &[RENDER], &work, self.time, &mut Unheard)
            .await;
        let reports = reports.map_err(machine)?;
        match reports.into_iter().next().map(|report| report.outcome) {
            Some(StageOutcome::Ok(output)) => Result::deserialize(output).map_err(machine)?,
            // What a child dies of is the file's doing: no detector is ill for that.
            Some(StageOutcome::Aborted(abort)) => {
                let why = format!("it was given up: {}", abort.reason.as_str());
                Err(RenderError::Undecodable(why))
            }
            None => Err(machine("the child has said nothing")),
        }
    }
}

fn machine(why: impl ToString) -> RenderError {
    RenderError::Machine(why.to_string())
}

#[cfg(test)]
mod tests {
    use assay_detectors::render::{Form, Variant};

    use super::*;

    #[test]
    fn a_child_answers_in_its_form_whatever_the_bytes() {
        let read = |work: &Work| {
            let output = (STAGE.run)(work, b"just some words");
            Result::<Rendered, RenderError>::deserialize(output).unwrap()
        };
        let work = Work {
            rendition: Some(Rendition {
                variant: Variant::SavedAgain,
                form: Form::File,
            }),
            ..Work::default()
        };
        let undecodable = read(&work).unwrap_err();
        assert!(matches!(undecodable, RenderError::Undecodable(_)));
        let nothing = read(&Work::default()).unwrap_err();
        assert_eq!(nothing, machine("nothing was asked for"));
    }
}
