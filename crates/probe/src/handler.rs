//! The worker that does as each job's script says.

use std::sync::Arc;
use std::time::Duration;

use assay_api::v1::ContentVerification;
use assay_core::kind::JobKind;
use assay_core::progress::StepPlan;
use assay_worker_runtime::{JobContext, JobError, JobHandler};
use serde::Serialize;

use crate::journal::{Journal, Mark, now_us};
use crate::script::{Act, SCRIPT_OPTION, Script};

/// The one step of every script.
const STEP: &str = "work";

/// Plays scripts.
#[derive(Debug)]
pub struct Probe {
    journal: Arc<Journal>,
    plan: StepPlan,
}

/// What a script that ran to its end gives. No two executions give the same.
#[derive(Clone, Debug, Serialize)]
pub struct Played {
    /// Which attempt it was.
    pub attempt: u32,
    /// The token it ran under: another for every execution.
    pub token: u64,
    /// What the attempt before left behind.
    pub checkpoint: Option<String>,
    /// As long as the script asked for.
    pub filling: String,
}

impl Probe {
    /// A probe that notes in `journal` what it does.
    ///
    /// # Errors
    /// When its one step is no plan, which does not happen.
    pub fn new(journal: Arc<Journal>) -> anyhow::Result<Self> {
        Ok(Self {
            journal,
            plan: StepPlan::new([(STEP, 1)])?,
        })
    }

    fn note(&self, mark: Mark, context: &JobContext) -> Result<(), JobError> {
        let job = context.job();
        let written = self
            .journal
            .note(mark, &job.id.to_string(), context.attempt(), job.token);
        written.map_err(|error| JobError::transient_from("journal", &error))
    }

    async fn play(
        &self,
        act: Act,
        context: &JobContext,
        played: &mut Played,
    ) -> Result<(), JobError> {
        let within = |times: u64| u64::from(context.attempt()) <= times;
        match act {
            Act::Progress => {
                context.progress().start(STEP);
                context.progress().done(STEP);
            }
            Act::Report { times, gap_ms } => self.report(times, gap_ms, context).await?,
            Act::Sleep(ms) => self.sleep(ms, context).await?,
            Act::IgnoreCancel(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
            Act::Fail(times) if within(times) => {
                return Err(JobError::transient("scripted", "failed as scripted"));
            }
            Act::FailOnce(ms) if within(1) => {
                let failed = JobError::transient("scripted", "failed once as scripted");
                return Err(failed.retry_after(Duration::from_millis(ms)));
            }
            Act::FailForGood => {
                return Err(JobError::permanent(
                    "scripted",
                    "failed for good as scripted",
                ));
            }
            Act::Panic(times) if within(times) => panic_as_scripted(),
            Act::Abort(times) if within(times) => std::process::abort(),
            Act::Park(times) if within(times) => return Err(JobError::breaker_open(None)),
            Act::Checkpoint => {
                context
                    .save_checkpoint(context.attempt().to_string().into_bytes())
                    .await?
            }
            Act::Result(bytes) => {
                played.filling = "r".repeat(usize::try_from(bytes).unwrap_or(usize::MAX))
            }
            Act::Fail(_) | Act::FailOnce(_) | Act::Panic(_) | Act::Abort(_) | Act::Park(_) => {}
        }
        Ok(())
    }

    async fn report(&self, times: u64, gap_ms: u64, context: &JobContext) -> Result<(), JobError> {
        for done in 1..=times {
            let now = now_us().to_string();
            context.progress().advance(STEP, done, times, &now);
            self.sleep(gap_ms, context).await?;
        }
        Ok(())
    }

    async fn sleep(&self, ms: u64, context: &JobContext) -> Result<(), JobError> {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(ms)) => Ok(()),
            () = context.cancelled() => {
                self.note(Mark::Cancelled, context)?;
                Err(JobError::Stopped)
            }
        }
    }
}

impl JobHandler for Probe {
    const KIND: JobKind = JobKind::ContentVerification;
    type Payload = ContentVerification;
    type Output = Played;

    fn plan(&self, _: &ContentVerification) -> StepPlan {
        self.plan.clone()
    }

    async fn handle(
        &self,
        context: &JobContext,
        payload: ContentVerification,
    ) -> Result<Played, JobError> {
        self.note(Mark::Started, context)?;
        let played = self.play_all(context, payload).await;
        match &played {
            Ok(_) => self.note(Mark::Finished, context)?,
            Err(JobError::Failed(_) | JobError::Interrupted(_)) => {
                self.note(Mark::Failed, context)?;
            }
            // It noted that itself.
            Err(JobError::Stopped) => {}
        }
        played
    }
}

impl Probe {
    async fn play_all(
        &self,
        context: &JobContext,
        payload: ContentVerification,
    ) -> Result<Played, JobError> {
        let script = payload
            .options
            .get(SCRIPT_OPTION)
            .map_or("", String::as_str);
        let script: Script = script
            .parse()
            .map_err(|error| JobError::permanent_from("script", &error))?;
        let checkpoint = context
            .checkpoint()
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let token = context.job().token;
        let mut played = Played {
            attempt: context.attempt(),
            token,
            checkpoint,
            filling: String::new(),
        };
        for act in script.0 {
            self.play(act, context, &mut played).await?;
        }
        Ok(played)
    }
}

#[expect(clippy::panic, reason = "a script may ask for it")]
fn panic_as_scripted() {
    panic!("panicked as scripted");
}
