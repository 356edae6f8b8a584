//! Runs the handler once, under its limits.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use assay_core::job::Job;
use assay_core::port::ResultBody;
use futures::FutureExt;
use prost::Message;
use tokio::time::Instant;

use crate::attempt::{Attempt, Stop};
use crate::config::Settings;
use crate::context::JobContext;
use crate::handler::JobHandler;
use crate::job_error::JobError;
use crate::outcome::Ending;
use crate::ports::Ports;
use crate::progress::Reporter;
use crate::result;

/// A handler and what bounds it.
pub(crate) struct Runner<H> {
    pub(crate) handler: Arc<H>,
    pub(crate) ports: Ports,
    pub(crate) settings: Settings,
}

/// What an attempt came to.
pub(crate) struct Ran {
    pub(crate) result: Result<ResultBody, Ending>,
    /// What was reported; `None` when the handler was not begun.
    pub(crate) progress: Option<Reporter>,
}

/// When an attempt ends, whatever it does.
struct Limit {
    at: Instant,
    ending: Ending,
}

impl<H: JobHandler> Runner<H> {
    /// Decodes, plans, calls, encodes. Panics of the handler end here.
    pub(crate) async fn run(&self, attempt: &Arc<Attempt>, checkpoint: Option<Vec<u8>>) -> Ran {
        let payload = match decode::<H>(attempt) {
            Ok(payload) => payload,
            Err(why) => return Ran::unbegun(Ending::Undecodable(why)),
        };
        let planned = std::panic::catch_unwind(AssertUnwindSafe(|| self.handler.plan(&payload)));
        let plan = match planned {
            Ok(plan) => plan,
            Err(panic) => return Ran::unbegun(Ending::Panicked(message_of(panic.as_ref()))),
        };
        let (store, clock) = (Arc::clone(&self.ports.store), Arc::clone(&self.ports.clock));
        let reporter = Reporter::new(attempt.job.id, plan, Arc::clone(&clock));
        let context = JobContext::new(
            Arc::clone(attempt),
            checkpoint,
            reporter.clone(),
            store,
            clock,
        );
        let result = match self.call(attempt, &context, payload).await {
            Ok(body) => self.place(attempt, body).await,
            Err(ending) => Err(ending),
        };
        Ran {
            result,
            progress: Some(reporter),
        }
    }

    async fn call(
        &self,
        attempt: &Attempt,
        context: &JobContext,
        payload: H::Payload,
    ) -> Result<Vec<u8>, Ending> {
        let work = AssertUnwindSafe(async {
            let output = self.handler.handle(context, payload).await?;
            serde_json::to_vec(&output)
                .map_err(|error| JobError::permanent_from("result_not_json", &error))
        });
        let limit = self.limit(&attempt.job);
        tokio::select! {
            // First, so that work which is done counts as done, and none of the rest costs anything
            // for a handler that never waits.
            biased;
            ended = work.catch_unwind() => match ended {
                Ok(answer) => answer.map_err(Ending::Answered),
                Err(panic) => Err(Ending::Panicked(message_of(panic.as_ref()))),
            },
            () = attempt.cut_off(self.settings.cancel_grace()) => Err(Ending::CutOff),
            () = context.progress().write_until_fenced(&*self.ports.store, &attempt.lease) => {
                attempt.stop(Stop::Fenced);
                Err(Ending::CutOff)
            }
            () = tokio::time::sleep_until(limit.at) => Err(limit.ending),
        }
    }

    /// Puts the result where it belongs, unless somebody wants the attempt stopped for good.
    async fn place(&self, attempt: &Attempt, body: Vec<u8>) -> Result<ResultBody, Ending> {
        tokio::select! {
            biased;
            placed = result::place(&self.ports, &attempt.job.tenant, body) => {
                placed.ok_or(Ending::NoPlaceForResult)
            }
            () = attempt.cut_off(self.settings.cancel_grace()) => Err(Ending::CutOff),
        }
    }

    fn limit(&self, job: &Job) -> Limit {
        let timeout_ms = job
            .policy
            .attempt_timeout_ms
            .min(self.settings.attempt_timeout_ms);
        let left_ms = job
            .times
            .deadline_at_ms
            .saturating_sub(self.ports.clock.now_ms());
        let ending = if left_ms < timeout_ms {
            Ending::DeadlinePassed
        } else {
            Ending::TimedOut {
                after_ms: timeout_ms,
            }
        };
        Limit {
            at: Instant::now() + Duration::from_millis(left_ms.min(timeout_ms)),
            ending,
        }
    }
}

impl Ran {
    pub(crate) fn unbegun(ending: Ending) -> Self {
        Self {
            result: Err(ending),
            progress: None,
        }
    }
}

fn decode<H: JobHandler>(attempt: &Attempt) -> Result<H::Payload, String> {
    let kind = attempt.envelope.kind;
    if kind != H::KIND {
        return Err(format!("a {kind} job came to a worker for {}", H::KIND));
    }
    H::Payload::decode(attempt.envelope.payload.as_slice())
        .map_err(|error| format!("the payload is not a {kind} message: {error}"))
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "a panic without a message".to_owned())
}
