//! Looks at files as a job does, for who counts findings: the same stages in the same children, and no verdict.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use assay_forensics::{Evidence, Inspection, Limits};
use async_trait::async_trait;

use crate::analyst::{
    AbortReason, Analyst, ChildCommand, StageOutcome, StageReport, Time, Watch, Work,
};
use crate::compose;
use crate::content::{self, Content};
use crate::failure::Failure;
use crate::metric_definitions::Meters;
use crate::settings::Settings;
use crate::stages;

/// Looks at files, as many at the same time as there may be children.
#[derive(Debug, Clone)]
pub struct Examiner {
    analyst: Analyst,
    limits: Limits,
    wall: Duration,
    at_once_max: usize,
}

/// A file in hand, with its hash.
#[derive(Debug)]
pub struct Sample(Content);

/// What was found in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Examined {
    /// Of the analyses that look at pixels, as they weigh by themselves.
    pub evidence: Vec<Evidence>,
    /// Stages that were given up, so that their evidence is missing, and why.
    pub given_up: Vec<(String, AbortReason)>,
}

impl Sample {
    /// Opens a file and hashes it. Blocks.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let (id, bytes) = content::hash(&mut file)?;
        Ok(Self(Content { file, id, bytes }))
    }

    /// SHA-256 of its bytes, 64 hexadecimal digits.
    #[must_use]
    pub fn sha256(&self) -> String {
        self.0.id.hex()
    }
}

impl Examiner {
    /// An examiner whose children are started by `command`, and bounded as the settings say.
    #[must_use]
    pub fn new(settings: &Settings, command: ChildCommand, meters: Arc<Meters>) -> Self {
        Self {
            analyst: Analyst::new(command, settings.bounds, meters),
            limits: settings.limits.clone(),
            wall: settings.wall,
            at_once_max: settings.bounds.children_max.max(1),
        }
    }

    /// How many files it looks at without having one wait for another.
    #[must_use]
    pub fn at_once_max(&self) -> usize {
        self.at_once_max
    }

    /// Looks at one file. Dropping the future kills the child that works on it.
    ///
    /// # Errors
    /// [`Failure::Analyst`] is this machine's fault; what else may come is the file's.
    pub async fn examine(&self, sample: &Sample) -> Result<Examined, Failure> {
        sample.0.refuse_above(&self.limits)?;
        let work = Work {
            limits: self.limits.clone(),
            ..Work::default()
        };
        let time = Time {
            wall: self.wall,
            // Half of it is patience for a child.
            all: self.wall * 2,
        };
        let first = [stages::SNIFF, stages::STRUCTURE].into_iter();
        let pixels = Inspection::ALL.map(stages::of_inspection);
        let stages: Vec<&str> = first.chain(pixels).collect();
        let mut watch = Nobody;
        let reports = self
            .analyst
            .analyse(&sample.0.file, &stages, &work, time, &mut watch)
            .await?;
        Ok(Examined {
            evidence: compose::found_in_pixels(&reports)?,
            given_up: reports.into_iter().filter_map(given_up).collect(),
        })
    }
}

fn given_up(report: StageReport) -> Option<(String, AbortReason)> {
    match report.outcome {
        StageOutcome::Aborted(abort) => Some((report.stage, abort.reason)),
        StageOutcome::Ok(_) => None,
    }
}

/// Nobody watches the stages of a file that is counted.
struct Nobody;

#[async_trait]
impl Watch for Nobody {
    async fn started(&mut self, _: &str) {}
    async fn ended(&mut self, _: &StageReport) {}
}
