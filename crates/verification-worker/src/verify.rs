//! One file, from its name to its result.

use std::sync::Arc;
use std::time::Duration;

use assay_api::v1::ContentVerification;
use assay_blob::Blobs;
use assay_core::clock::Clock;
use assay_core::id::{JobId, Tenant};
use async_trait::async_trait;
use tokio::time::Instant;

use crate::analyst::{Analyst, ChildCommand, StageOutcome, StageReport, Time, Watch, Work};
use crate::asked::Asked;
use crate::compose::{Composed, Known, compose};
use crate::content::{self, Content};
use crate::failure::Failure;
use crate::metric_definitions::Meters;
use crate::result::VerificationResult;
use crate::settings::Settings;
use crate::stages::refusal;
use crate::steps::{FETCH, FUSE, PERSIST, Steps};

/// Verifies files. Clones share the bound on child processes.
#[derive(Clone)]
pub struct Verifier {
    settings: Settings,
    blobs: Blobs,
    analyst: Analyst,
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
    /// A verifier over these blobs, whose children are started by `command`.
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
            clock,
            meters,
        }
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

        let reports = self
            .analyse(&content, &subject, &asked, begun_at, steps)
            .await?;
        steps.start(FUSE);
        let known = Known {
            job_id: subject.job_id.to_string(),
            sha256: content.id.hex(),
            bytes: content.bytes,
            priors: self.settings.priors,
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

    async fn analyse(
        &self,
        content: &Content,
        subject: &Subject,
        asked: &Asked,
        begun_at: Instant,
        steps: &dyn Steps,
    ) -> Result<Vec<StageReport>, Failure> {
        for stage in asked.options.left_out() {
            steps.skip(stage, "left out, as the job asked");
        }
        let work = Work {
            hints: asked.hints.clone(),
            limits: self.settings.limits.clone(),
            trust_folder: self.settings.trust_folder.clone(),
        };
        let left = subject.time.saturating_sub(begun_at.elapsed());
        let time = Time {
            wall: self.settings.wall,
            all: left,
        };
        let mut watch = Watcher {
            steps,
            meters: &self.meters,
            job_id: subject.job_id,
            refused: false,
        };
        let reports = self
            .analyst
            .analyse(
                &content.file,
                &asked.options.stages(),
                &work,
                time,
                &mut watch,
            )
            .await?;
        Ok(reports)
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
