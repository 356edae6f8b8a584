//! The ways in which detectors are spoken to.

use std::time::Duration;

use async_trait::async_trait;

use crate::answer::Answer;
use crate::call::CallError;
use crate::caller::Turn;
use crate::description::Description;
use crate::exam::Exam;
use crate::onnx::Onnx;
use crate::open_inference::OpenInference;
use crate::remote::{Line, Remote};
use crate::render::Form;
use crate::settings::{External, Protocol};

/// One way to speak to a detector. A future that is dropped takes its call back, or else what goes on keeps the place.
#[async_trait]
pub(crate) trait Backend: Send + Sync {
    /// What the detector is.
    async fn describe(&self, limit: Duration) -> Result<Description, CallError>;

    /// Whether it is well: asked before it is tried again after an illness.
    async fn healthy(&self, limit: Duration) -> Result<(), CallError>;

    /// What it says of a file. The answer is checked.
    async fn analyze(
        &self,
        exam: &Exam,
        described: &Description,
        turn: Turn,
    ) -> Result<Answer, CallError>;
}

/// The way that is configured.
///
/// # Errors
/// Why there is none, for people.
pub(crate) fn open(external: &External) -> Result<Box<dyn Backend>, String> {
    match external.protocol {
        Protocol::Assay => Ok(Box::new(Remote::new(Line::to(external)?))),
        Protocol::OpenInference => {
            let model = external.model.clone().ok_or("model: there is none")?;
            let task = *external.tasks.first().ok_or("tasks: there is none")?;
            let line = Line::to(external)?;
            Ok(Box::new(OpenInference::new(line, model, task)))
        }
        Protocol::Onnx => {
            let model = external.model.clone().ok_or("model: there is none")?;
            let task = *external.tasks.first().ok_or("tasks: there is none")?;
            let opened = Onnx::open(model, task, external.concurrency);
            Ok(Box::new(opened.map_err(|unfit| unfit.to_string())?))
        }
    }
}

/// What a detector is shown of a picture.
pub(crate) fn form(external: &External) -> Form {
    match &external.model {
        None => Form::File,
        Some(model) => Form::Pixels {
            width: model.width,
            height: model.height,
            fit: model.fit,
        },
    }
}
