//! Activates one activity over and over.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use assay_service::Shutdown;
use futures::FutureExt;
use tokio::time::Instant;

use crate::activity::{Activity, ActivityName, Error, Report};
use crate::metric_definitions;
use crate::pace::{Ended, Pace};

/// How long one activation may take. Whatever hangs is dropped and tried again, so no loop stands still
/// unseen, and none holds up a shutdown for longer.
pub const ACTIVATION_MAX: Duration = Duration::from_secs(60);

/// One loop. It never gives up: a failed activation, even one that panicked, is logged, counted and
/// followed by a longer wait.
pub struct Driver {
    activity: Box<dyn Activity>,
    pace: Pace,
    shutdown: Shutdown,
    failures_in_a_row: u32,
}

impl Driver {
    /// A loop that stops when `shutdown` stops the intake: what becomes due after that is the next
    /// scheduler's.
    #[must_use]
    pub fn new(activity: Box<dyn Activity>, pace: Pace, shutdown: Shutdown) -> Self {
        Self {
            activity,
            pace,
            shutdown,
            failures_in_a_row: 0,
        }
    }

    /// Runs until the shutdown; an activation under way is ended first. `chance`, 0 to 1, places the
    /// first activation.
    pub async fn run(mut self, chance: f64) {
        let mut wait = self.pace.first(chance);
        loop {
            tokio::select! {
                biased;
                () = self.shutdown.intake_stopped() => return,
                () = tokio::time::sleep(wait) => {}
            }
            let started = Instant::now();
            let answer = activate(&*self.activity).await;
            let ended = self.note(&answer, started.elapsed());
            wait = self.pace.next(ended);
        }
    }

    /// Tells people and metrics, and decides what it was.
    fn note(&mut self, answer: &Result<Report, Error>, took: Duration) -> Ended {
        let name = self.activity.name();
        metric_definitions::activated(name, took);
        match answer {
            Ok(report) => {
                metric_definitions::changed(name, report.changed);
                self.recovered(name);
                if report.more {
                    Ended::Full
                } else {
                    Ended::Done
                }
            }
            Err(error) => {
                metric_definitions::failed(name);
                self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
                let in_a_row = self.failures_in_a_row;
                let error = chain(error);
                tracing::warn!(
                    activity = name.as_str(),
                    in_a_row,
                    error,
                    "{name} failed {in_a_row} times in a row: {error}"
                );
                Ended::Failed { in_a_row }
            }
        }
    }

    fn recovered(&mut self, name: ActivityName) {
        let failures = std::mem::take(&mut self.failures_in_a_row);
        if failures > 0 {
            tracing::info!(
                activity = name.as_str(),
                failures,
                "{name} works again after {failures} failures"
            );
        }
    }
}

async fn activate(activity: &dyn Activity) -> Result<Report, Error> {
    let bounded = tokio::time::timeout(ACTIVATION_MAX, activity.activate());
    match AssertUnwindSafe(bounded).catch_unwind().await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Err(Error::TimedOut {
            after: ACTIVATION_MAX,
        }),
        // The panic hook has told where; here it is one more failure.
        Err(_) => Err(Error::Panicked),
    }
}

fn chain(error: &Error) -> String {
    let first: &(dyn std::error::Error + 'static) = error;
    let causes = std::iter::successors(Some(first), |error| error.source());
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    causes.join(": ")
}
