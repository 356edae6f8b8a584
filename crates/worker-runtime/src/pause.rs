//! Whether the jobs of a kind are paused: asked over and over, heeded by the intake.

use std::sync::Arc;
use std::time::Duration;

use assay_core::kind::JobKind;
use assay_core::port::{QueueControl, StoreError};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

/// Between two looks: a pause or a resume reaches each worker within it.
const LOOK_PERIOD: Duration = Duration::from_secs(1);

/// How long a look may take: one that hangs must not keep the next one back.
const LOOK_TIME_MAX: Duration = Duration::from_secs(5);

/// Makes the two ends. Before the first answer a kind counts as paused: a worker that starts again must not
/// take what people hold back.
pub(crate) fn pause(control: &Arc<dyn QueueControl>, kind: JobKind) -> (Lookout, Pause) {
    let (sender, receiver) = watch::channel(true);
    let lookout = Lookout {
        control: Arc::clone(control),
        kind,
        is_paused: sender,
    };
    (lookout, Pause(receiver))
}

/// Whoever asks.
pub(crate) struct Lookout {
    control: Arc<dyn QueueControl>,
    kind: JobKind,
    is_paused: watch::Sender<bool>,
}

impl Lookout {
    /// Asks for ever. Where there is no answer, the last one stands.
    pub(crate) async fn keep(self) {
        let mut ticks = tokio::time::interval(LOOK_PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut known = None;
        let mut failed = false;
        loop {
            ticks.tick().await;
            match self.look().await {
                Ok(is_paused) => {
                    self.tell(is_paused, known);
                    known = Some(is_paused);
                    failed = false;
                }
                Err(error) => {
                    if !failed {
                        tracing::warn!(%error, "could not ask whether {} jobs are paused: {error}", self.kind);
                    }
                    failed = true;
                }
            }
        }
    }

    async fn look(&self) -> Result<bool, StoreError> {
        let answered = tokio::time::timeout(LOOK_TIME_MAX, self.control.paused()).await;
        let paused = answered.unwrap_or_else(|_| {
            Err(StoreError::Unavailable {
                why: format!("no answer within {} s", LOOK_TIME_MAX.as_secs()),
            })
        })?;
        Ok(paused.contains(&self.kind))
    }

    fn tell(&self, is_paused: bool, known: Option<bool>) {
        if is_paused && known != Some(true) {
            tracing::info!(job.kind = %self.kind, "{} jobs are paused: none is taken", self.kind);
        }
        if !is_paused && known == Some(true) {
            tracing::info!(job.kind = %self.kind, "{} jobs are taken again", self.kind);
        }
        self.is_paused.send_if_modified(|before| {
            let is_news = *before != is_paused;
            *before = is_paused;
            is_news
        });
    }
}

/// What was answered last.
pub(crate) struct Pause(watch::Receiver<bool>);

impl Pause {
    /// Whether nothing may be taken.
    pub(crate) fn is_on(&mut self) -> bool {
        *self.0.borrow_and_update()
    }

    /// Waits for another answer than the one that was seen last.
    pub(crate) async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            // Nobody asks any more: the worker ends.
            std::future::pending().await
        }
    }
}
