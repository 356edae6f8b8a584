//! One file, from its name to its result.

use std::sync::Arc;
use std::time::Duration;

use assay_api::v1::ContentVerification;
use assay_blob::Blobs;
use assay_core::breaker::ConfigError;
use assay_core::clock::Clock;
use assay_core::id::{JobId, Tenant};
use assay_core::worker::BreakerSeen;
use assay_detectors::{Opinion, Panel, Tools};
use async_trait::async_trait;
use tokio::time::Instant;

use crate::analyst::{
    Analyst, ChildCommand, StageOutcome, StageReport, Time, Unheard, Watch, Work,
};
use crate::asked::Asked;
use crate::compose::{Composed, Known, compose, first_look};
use crate::consult::{Consultants, Question};
use crate::content::{self, Content};
use crate::failure::Failure;
use crate::metric_definitions::Meters;
use crate::render::ChildRenderer;
use crate::result::VerificationResult;
use crate::settings::Settings;
use crate::stages::{SNIFF, refusal};
use crate::steps::{DETECTORS, FETCH, FUSE, PERSIST, Steps};

/// Verifies files. Clones share the bound on child processes.
#[derive(Clone)]
pub struct Verifier {
    settings: Settings,
    blobs: Blobs,
    analyst: Analyst,
    consultants: Consultants,
    clock: Arc<dyn Clock>,
    meters: Arc<Meters>,
}

/// What to verify, and for whom.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// Whose content it is.
    pub tenant: Tenant,
    /// The job.
    pub job_id: JobId,
    /// What the job says.
    pub payload: ContentVerification,
    /// How much time there is for all of it.
    pub time: Duration,
}

impl Verifier {
    /// A verifier over these blobs, whose children are started by `command`. It asks nobody else.
    #[must_use]
    pub fn new(
        settings: Settings,
        blobs: Blobs,
        command: ChildCommand,
        clock: Arc<dyn Clock>,
        meters: Arc<Meters>,
    ) -> Self {
        let analyst = Analyst::new(command, settings.bounds, Arc::clone(&meters));
        Self {
            settings,
            blobs,
            analyst,
            consultants: Consultants::default(),
            clock,
            meters,
        }
    }

    /// The same, asking the detectors of its settings. Within a runtime; none of them is spoken to yet.
    ///
    /// # Errors
    /// The times of a detector are none that a breaker can have; checked settings have none such.
    pub fn consulting(
        mut self,
        meters: assay_detectors::Meters,
        chance: fn() -> f64,
    ) -> Result<Self, ConfigError> {
        let wall = self.settings.wall;
        let time = Time { wall, all: wall };
        let renderer = ChildRenderer::new(&self.analyst, self.settings.limits.clone(), time);
        let tools = Tools {
            clock: Arc::clone(&self.clock),
            renderer: Arc::new(renderer),
            chance,
            meters,
        };
        self.consultants = Consultants::open(&self.settings.detectors, &tools)?;
        Ok(self)
    }

    /// The detectors that are asked; nothing if there are none.
    #[must_use]
    pub fn panel(&self) -> Option<&Panel> {
        self.consultants.panel()
    }

    /// How the breakers before the detectors stand.
    pub(crate) fn breakers(&self) -> Vec<BreakerSeen> {
        self.consultants.breakers(self.clock.now_ms())
    }

    /// Verifies one file. Dropping the future kills the child that works on it.
    ///
    /// # Errors
    /// [`Failure`]: the file is refused or cannot be read. A stage that a file makes impossible is no error: the
    /// result names it.
    pub async fn verify(
        &self,
        subject: Subject,
        steps: &dyn Steps,
    ) -> Result<VerificationResult, Failure> {
        let verified = self.run(subject, steps).await;
        match &verified {
            Ok(result) => self.meters.judged(result.verdict.label),
            Err(failure) => self.meters.failed(failure.code()),
        }
        verified
    }

    async fn run(
        &self,
        subject: Subject,
        steps: &dyn Steps,
    ) -> Result<VerificationResult, Failure> {
        let begun_at = Instant::now();
        let asked = Asked::read(&subject.payload)?;
        steps.start(FETCH);
        let content = content::open(&self.blobs, &subject.tenant, asked.content_id).await?;
        content.refuse_above(&self.settings.limits)?;
        steps.done(FETCH);

        let file = InHand {
            content: &content,
            subject: &subject,
            asked: &asked,
            begun_at,
        };
        self.refuse_while_shut(&file, steps).await?;
        let reports = self.analyse(&file, steps).await?;
        let opinions = self.consult(&file, &reports, steps).await?;
        steps.start(FUSE);
        let known = Known {
            job_id: subject.job_id.to_string(),
            sha256: content.id.hex(),
            bytes: content.bytes,
            priors: self.settings.priors,
            has_detectors: !self.consultants.is_empty(),
            opinions,
            calibration: self.settings.calibration.clone(),
            now_s: now_s(self.clock.as_ref()),
            duration_ms: u64::try_from(begun_at.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        let composed = compose(known, &reports, &asked.options)?;
        steps.done(FUSE);
        steps.start(PERSIST);
        self.store_maps(composed, &subject.tenant).await
    }

    /// Stores the maps as content of the tenant, and has their evidence name them.
    async fn store_maps(
        &self,
        composed: Composed,
        tenant: &Tenant,
    ) -> Result<VerificationResult, Failure> {
        let Composed { mut result, maps } = composed;
        for (evidence_id, png) in maps {
            let id = self.blobs.put(tenant, png).await.map_err(Failure::Store)?;
            let drawn = result.evidence.iter_mut();
            for evidence in drawn.filter(|evidence| evidence.id == evidence_id) {
                evidence.artifact = Some(id.to_string());
            }
        }
        Ok(result)
    }

    /// Has a job that needs a detector wait while that is shut off, before the job costs more than a first look.
    async fn refuse_while_shut(&self, file: &InHand<'_>, steps: &dyn Steps) -> Result<(), Failure> {
        if !self.consultants.is_shut() {
            return Ok(());
        }
        let reports = self.run_stages(file, &[SNIFF], &mut Unheard).await?;
        // A file that is refused says so when it is analysed.
        first_look(&reports).map_or(Ok(()), |sniff| {
            let job_id = file.subject.job_id;
            self.consultants.refuse_while_shut(job_id, &sniff, steps)
        })
    }

    /// What detectors say of a file, unless it is refused: then there is nothing to ask about.
    async fn consult(
        &self,
        file: &InHand<'_>,
        reports: &[StageReport],
        steps: &dyn Steps,
    ) -> Result<Vec<Opinion>, Failure> {
        if self.consultants.is_empty() {
            return Ok(Vec::new());
        }
        let Ok(sniff) = first_look(reports) else {
            steps.skip(DETECTORS, "the file is refused");
            return Ok(Vec::new());
        };
        let question = Question {
            job_id: file.subject.job_id,
            content: file.content,
            sniff: &sniff,
            time_left: file.time_left(),
        };
        self.consultants.ask(question, steps).await
    }

    async fn analyse(
        &self,
        file: &InHand<'_>,
        steps: &dyn Steps,
    ) -> Result<Vec<StageReport>, Failure> {
        let options = &file.asked.options;
        for stage in options.left_out() {
            steps.skip(stage, "left out, as the job asked");
        }
        let mut watch = Watcher {
            steps,
            meters: &self.meters,
            job_id: file.subject.job_id,
            refused: false,
        };
        self.run_stages(file, &options.stages(), &mut watch).await
    }

    async fn run_stages(
        &self,
        file: &InHand<'_>,
        stages: &[&str],
        watch: &mut dyn Watch,
    ) -> Result<Vec<StageReport>, Failure> {
        let work = Work {
            hints: file.asked.hints.clone(),
            limits: self.settings.limits.clone(),
            trust_folder: self.settings.trust_folder.clone(),
            rendition: None,
        };
        let time = Time {
            wall: self.settings.wall,
            all: file.time_left(),
        };
        let input = &file.content.file;
        let reports = self.analyst.analyse(input, stages, &work, time, watch);
        Ok(reports.await?)
    }
}

/// A file that is being verified.
struct InHand<'a> {
    content: &'a Content,
    subject: &'a Subject,
    asked: &'a Asked,
    begun_at: Instant,
}

impl InHand<'_> {
    /// Of what there is for all of it.
    fn time_left(&self) -> Duration {
        let spent = self.begun_at.elapsed();
        self.subject.time.saturating_sub(spent)
    }
}

/// Passes on what stages do: to who watches the job, to the metrics, to the log.
struct Watcher<'a> {
    steps: &'a dyn Steps,
    meters: &'a Meters,
    job_id: JobId,
    // A stage has found that the file cannot be analysed: what comes after it finds nothing.
    refused: bool,
}

#[async_trait]
impl Watch for Watcher<'_> {
    async fn started(&mut self, stage: &str) {
        self.steps.start(stage);
    }

    async fn ended(&mut self, report: &StageReport) {
        self.meters.stage_ended(report);
        let abort = match &report.outcome {
            StageOutcome::Aborted(abort) => abort,
            StageOutcome::Ok(_) if self.refused => {
                return self.steps.skip(&report.stage, "the file is refused");
            }
            StageOutcome::Ok(output) => match refusal(&report.stage, output) {
                Some(refusal) => {
                    self.refused = true;
                    return self.steps.fail(&report.stage, &refusal.to_string());
                }
                None => return self.steps.done(&report.stage),
            },
        };
        let (reason, stage, job_id) = (abort.reason.as_str(), &report.stage, self.job_id);
        self.steps.fail(stage, &format!("stopped: {reason}"));
        tracing::warn!(
            job.id = %job_id, stage, reason, detail = abort.detail, cost_ms = report.cost_ms,
            "gave up stage {stage} of job {job_id}: {reason}"
        );
    }
}

/// The time of day in seconds since the epoch.
pub(crate) fn now_s(clock: &dyn Clock) -> i64 {
    i64::try_from(clock.now_ms() / 1_000).unwrap_or(i64::MAX)
}
