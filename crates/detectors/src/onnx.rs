//! A detector that is a model in a file of the operator's: it is loaded when the panel is opened, and runs in this process.
//!
//! A run cannot be stopped. One that is not done in time counts as a failure like any late answer, and keeps its place until
//! it has ended; it runs on threads of its own model, so that no other detector waits for it.

mod file;
mod load;
mod session;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use assay_forensics::clip;
use async_trait::async_trait;
use tokio::task::spawn_blocking;

use crate::answer::{Answer, Said, ScoreKind, TaskAnswer};
use crate::backend::Backend;
use crate::call::CallError;
use crate::caller::Turn;
use crate::description::Description;
use crate::exam::{Body, Exam};
use crate::model::Model;
use crate::picture::Pixels;
use crate::settings::{EXTERNAL, External, Protocol, Settings};
use crate::task::{Modality, Task};
use session::Session;

pub use file::MODEL_BYTES_MAX;

/// What results call a model whose configuration names no version: as many digits of its hash.
const VERSION_DIGITS: usize = 12;

/// What is wrong with a model or with what is said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// The field of `[detectors.external.NAME.model]` that is to be mended.
    pub field: &'static str,
    /// Completes "the field must ...".
    pub must: String,
}

/// What was found of a detector that is a model in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// Its name in the configuration.
    pub detector: String,
    /// Whether jobs wait for it.
    pub required: bool,
    /// What is wrong with it; nothing if it runs.
    pub unfit: Option<Unfit>,
}

/// Loads all models in files as a panel would, and tries each out. It takes as long as that takes, on this thread.
#[must_use]
pub fn examine(settings: &Settings) -> Vec<Examined> {
    let is_file = |external: &External| external.protocol == Protocol::Onnx;
    let files = settings.external.iter().filter(|(_, one)| is_file(one));
    let examined = |(name, external): (&String, &External)| {
        let model = external.model.as_ref()?;
        Some(Examined {
            detector: name.clone(),
            required: external.required,
            unfit: load::session(model, external.concurrency).err(),
        })
    };
    files.filter_map(examined).collect()
}

impl Examined {
    /// The setting that is to be mended; nothing if nothing is.
    #[must_use]
    pub fn key(&self) -> Option<String> {
        let field = self.unfit.as_ref()?.field;
        Some(format!("{EXTERNAL}.{}.model.{field}", self.detector))
    }
}

impl Unfit {
    fn new(field: &'static str, must: impl AsRef<str>) -> Self {
        let must = clip(must.as_ref());
        Self { field, must }
    }

    /// The file is not what it must be.
    fn path(path: &Path, must: impl fmt::Display) -> Self {
        Self::new("path", format!("{must} ({})", path.display()))
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "model.{} must {}", self.field, self.must)
    }
}

/// What runs a model. A run blocks its thread.
trait Engine: Send + Sync {
    /// The numbers that come out for those that are shown.
    fn run(&self, numbers: Vec<f32>) -> Result<Vec<f32>, CallError>;
}

/// A model in a file.
pub(crate) struct Onnx {
    model: Arc<Model>,
    engine: Arc<dyn Engine>,
    task: Task,
}

impl Onnx {
    /// Loads a model that is run at most so many times at once.
    ///
    /// # Errors
    /// It cannot be loaded, or is not as it is said to be.
    pub(crate) fn open(model: Model, task: Task, runs: usize) -> Result<Self, Unfit> {
        let session: Session = load::session(&model, runs)?;
        Ok(Self {
            model: Arc::new(model),
            engine: Arc::new(session),
            task,
        })
    }

    fn version(&self) -> String {
        let digits = || self.model.sha256.chars().take(VERSION_DIGITS).collect();
        Some(self.model.version.clone())
            .filter(|version| !version.is_empty())
            .unwrap_or_else(digits)
    }
}

#[async_trait]
impl Backend for Onnx {
    async fn describe(&self, _: Duration) -> Result<Description, CallError> {
        let version = self.version();
        Ok(Description {
            name: version.clone(),
            version,
            modalities: vec![Modality::Image],
            tasks: vec![self.task],
            bytes_max: None,
            pixels_max: None,
            score_kind: ScoreKind::Uncalibrated,
            calibration: None,
        })
    }

    /// Whether it runs in time is learnt from a run.
    async fn healthy(&self, _: Duration) -> Result<(), CallError> {
        Ok(())
    }

    async fn analyze(
        &self,
        exam: &Exam,
        described: &Description,
        turn: Turn,
    ) -> Result<Answer, CallError> {
        let Body::Pixels(pixels) = &exam.body else {
            return Err(CallError::Ours("there are no samples to show".to_owned()));
        };
        let (engine, model) = (Arc::clone(&self.engine), Arc::clone(&self.model));
        let (pixels, place): (Pixels, _) = (pixels.clone(), turn.place);
        let run = move || {
            let ran = engine.run(model.tensor(&pixels));
            // Before anybody hears of it, so that nobody thinks it still runs.
            drop(place);
            ran
        };
        let ran = spawn_blocking(run).await.map_err(|_| CallError::Failed {
            why: "running it has panicked".to_owned(),
            again: false,
        })?;
        let said = Said::Score {
            score: self.model.score(&ran?)?,
            log10_lr: None,
            kind: ScoreKind::Uncalibrated,
        };
        let result = TaskAnswer {
            said,
            ..TaskAnswer::default()
        };
        Ok(Answer {
            version: described.version.clone(),
            model_sha256: Some(self.model.sha256.clone()),
            results: [(self.task, result)].into(),
        })
    }
}

#[cfg(test)]
mod tests;
