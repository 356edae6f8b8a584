//! Jobs of kind content-verification.

use std::sync::Arc;
use std::time::Duration;

use assay_api::v1::ContentVerification;
use assay_blob::Blobs;
use assay_core::breaker::ConfigError;
use assay_core::clock::Clock;
use assay_core::kind::JobKind;
use assay_core::progress::{PlanError, StepPlan};
use assay_core::worker::BreakerSeen;
use assay_provenance::TrustLists;
use assay_service::prometheus::Metrics;
use assay_worker_runtime::{JobContext, JobError, JobHandler};

use crate::analyst::ChildCommand;
use crate::metric_definitions::Meters;
use crate::result::VerificationResult;
use crate::settings::Settings;
use crate::steps;
use crate::verify::{Subject, Verifier, now_s};

/// Of an attempt's time, one part in so many is kept for what comes after the analysis.
const RESERVE_PART: u32 = 10;

/// Verifies the content that a job names.
#[derive(Clone)]
pub struct Handler {
    verifier: Verifier,
    plan: StepPlan,
}

/// A handler whose children are this binary again: its `main` must begin as [`crate::analyst::child_main`] says.
///
/// # Errors
/// [`SetUpError`], which no configuration that was checked can bring about.
pub fn handler(
    settings: Settings,
    blobs: Blobs,
    clock: Arc<dyn Clock>,
    metrics: &Metrics,
) -> Result<Handler, SetUpError> {
    tell_of_trust(&settings, clock.as_ref());
    tell_of_calibration(&settings);
    let command = ChildCommand::this_binary();
    let verifier = Verifier::new(settings, blobs, command, clock, Meters::of(metrics));
    let meters = assay_detectors::Meters::of(metrics);
    let verifier = verifier.consulting(meters, rand::random::<f64>)?;
    Ok(Handler::new(verifier)?)
}

/// Why there is no handler.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// The steps make no plan.
    #[error("plan the steps of a verification")]
    Plan(#[from] PlanError),
    /// The breaker before a detector cannot be as its times want it.
    #[error("set up the detectors")]
    Detectors(#[from] ConfigError),
}

impl Handler {
    /// A handler over a verifier.
    ///
    /// # Errors
    /// The steps make no plan.
    pub fn new(verifier: Verifier) -> Result<Self, PlanError> {
        let plan = steps::plan(verifier.panel().is_some())?;
        Ok(Self { verifier, plan })
    }
}

impl JobHandler for Handler {
    const KIND: JobKind = JobKind::ContentVerification;
    type Payload = ContentVerification;
    type Output = VerificationResult;

    fn plan(&self, _: &ContentVerification) -> StepPlan {
        self.plan.clone()
    }

    fn breakers(&self) -> Vec<BreakerSeen> {
        self.verifier.breakers()
    }

    async fn handle(
        &self,
        context: &JobContext,
        payload: ContentVerification,
    ) -> Result<VerificationResult, JobError> {
        let job = context.job();
        let subject = Subject {
            tenant: job.tenant.clone(),
            job_id: job.id,
            payload,
            time: time_for_analysis(
                Duration::from_millis(job.policy.attempt_timeout_ms),
                context.time_left(),
            ),
        };
        tokio::select! {
            verified = self.verifier.verify(subject, context.progress()) => verified.map_err(JobError::from),
            // Dropping the verification kills the child and takes calls to detectors back.
            () = context.cancelled() => Err(JobError::Stopped),
        }
    }
}

/// Says once what the operator should know about the trust lists. Every result says it again.
fn tell_of_trust(settings: &Settings, clock: &dyn Clock) {
    let Some(folder) = &settings.trust_folder else {
        return tracing::info!(
            "no trust lists (verification.trust_folder): signers of credentials are not checked"
        );
    };
    match TrustLists::from_folder(folder) {
        Ok(lists) => {
            for warning in lists.warnings(now_s(clock)) {
                tracing::warn!("trust lists in {}: {warning}", folder.display());
            }
        }
        Err(error) => tracing::warn!("trust lists: {error}"),
    }
}

/// Says once what findings weigh by, if it is not what is built in. Every result says it again.
fn tell_of_calibration(settings: &Settings) {
    if let Some(calibration) = &settings.calibration {
        let by = calibration.summary();
        tracing::info!(
            "findings weigh by the calibration {:?} of {}: {} authentic files; SHA-256 {}",
            by.name,
            by.made_at,
            by.authentic,
            by.sha256
        );
    }
}

/// An attempt that is cut off for its time has no result, so the analysis ends before that.
fn time_for_analysis(attempt: Duration, to_deadline: Duration) -> Duration {
    let all = attempt.min(to_deadline);
    all - all / RESERVE_PART
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_analysis_ends_before_its_attempt_and_its_job_do() {
        let minute = Duration::from_secs(60);
        let day = Duration::from_secs(86_400);
        assert_eq!(time_for_analysis(minute, day), Duration::from_secs(54));
        assert_eq!(
            time_for_analysis(minute, Duration::from_secs(10)),
            Duration::from_secs(9)
        );
        assert_eq!(time_for_analysis(minute, Duration::ZERO), Duration::ZERO);
    }
}
