//! Two ways for envelopes: the usual one, and another for when that is away.
//!
//! What the first way does not take in time goes the second way at once, and after some of that a breaker keeps
//! publishers from waiting for it at all. Both ways are listened to all the time, so that nothing waits in either
//! for the other to come or go.
//!
//! A publish whose outcome on the first way is unknown goes the second way too, and may then be delivered twice;
//! that is the claim's business. What the first way is proven to have refused stays refused: it is there, and full.
//!
//! - `gate` is the breaker, with its time, its chance and its metrics.
//! - `ear` is a worker's, over one `arm` for each way; `turns` says which of them is asked first, and `counted`
//!   holds the bound of the low lane over both.

mod arm;
mod counted;
mod ear;
mod gate;
mod turns;

use std::sync::Arc;
use std::time::Duration;

use assay_core::breaker::CallResult;
use assay_core::clock::Clock;
use assay_core::envelope::Envelope;
use assay_core::kind::JobKind;
use assay_core::port::{JobQueue, LaneDepth, QueueError, Subscription};
use async_trait::async_trait;
use tokio::time::timeout;

use ear::Ear;
use gate::Gate;

/// How long the first way may take over a publish, in milliseconds: less than a worker waits for what a settlement
/// sends out.
pub const FIRST_WAY_MS_MAX: u64 = 3_000;

/// The envelopes of every kind, on either of two ways.
pub struct Failover {
    first: Arc<dyn JobQueue>,
    second: Arc<dyn JobQueue>,
    gate: Gate,
}

/// What came of a publish on the first way.
enum Tried {
    Answered(Result<&'static str, QueueError>),
    /// It did not take the envelope, unless it has done so without saying so.
    Away {
        may_have_it: bool,
    },
}

impl Failover {
    /// The queue that is both. The breaker before the first way is told the time by `clock`, and shown in metrics
    /// under the name that traces have for that way.
    #[must_use]
    pub fn new(first: Arc<dyn JobQueue>, second: Arc<dyn JobQueue>, clock: Arc<dyn Clock>) -> Self {
        Self {
            gate: Gate::new(first.system(), clock),
            first,
            second,
        }
    }

    async fn try_first(&self, envelope: &Envelope) -> Tried {
        let Some(passage) = self.gate.enter() else {
            return Tried::Away { may_have_it: false };
        };
        let limit = Duration::from_millis(FIRST_WAY_MS_MAX);
        let published = timeout(limit, self.first.publish_and_tell(envelope)).await;
        let (result, tried) = match published {
            Ok(answer @ (Ok(_) | Err(QueueError::Refused { .. }))) => {
                (CallResult::Succeeded, Tried::Answered(answer))
            }
            Ok(Err(QueueError::Unavailable { .. })) => {
                (CallResult::Failed, Tried::Away { may_have_it: false })
            }
            Ok(Err(QueueError::Unknown)) | Err(_) => {
                (CallResult::Failed, Tried::Away { may_have_it: true })
            }
        };
        passage.ended(result);
        tried
    }
}

#[async_trait]
impl JobQueue for Failover {
    async fn publish(&self, envelope: &Envelope) -> Result<(), QueueError> {
        self.publish_and_tell(envelope).await.map(drop)
    }

    async fn publish_and_tell(&self, envelope: &Envelope) -> Result<&'static str, QueueError> {
        let may_have_it = match self.try_first(envelope).await {
            Tried::Answered(answer) => return answer,
            Tried::Away { may_have_it } => may_have_it,
        };
        let answer = self.second.publish_and_tell(envelope).await;
        // What one way refused the other may hold.
        answer.map_err(|error| {
            if may_have_it {
                QueueError::Unknown
            } else {
                error
            }
        })
    }

    fn accepts(&self) -> Result<(), QueueError> {
        let first = if self.gate.is_open() {
            self.first.accepts()
        } else {
            Err(self.gate.refusal())
        };
        let Err(first) = first else { return Ok(()) };
        let second = self.second.accepts();
        second.map_err(|second| neither(&first, &second))
    }

    async fn subscribe(
        &self,
        kind: JobKind,
        concurrency: usize,
    ) -> Result<Box<dyn Subscription>, QueueError> {
        let ways = [&self.first, &self.second].map(Arc::clone);
        let mut ear = Ear::new(ways, kind, concurrency);
        ear.subscribed().await?;
        Ok(Box::new(ear))
    }

    fn system(&self) -> &'static str {
        self.first.system()
    }

    /// What waits on the ways that tell it: what is on the other can't be taken either.
    async fn depth(&self, kind: JobKind) -> Result<[LaneDepth; 3], QueueError> {
        match tokio::join!(self.first.depth(kind), self.second.depth(kind)) {
            (Ok(first), Ok(second)) => Ok(sum(first, second)),
            (Ok(depth), Err(_)) | (Err(_), Ok(depth)) => Ok(depth),
            (Err(first), Err(second)) => Err(neither(&first, &second)),
        }
    }
}

fn sum(first: [LaneDepth; 3], second: [LaneDepth; 3]) -> [LaneDepth; 3] {
    let mut sum = first;
    for (sum, other) in sum.iter_mut().zip(second) {
        let oldest = sum.oldest_published_at_ms.into_iter();
        sum.oldest_published_at_ms = oldest.chain(other.oldest_published_at_ms).min();
        sum.ready += other.ready;
    }
    sum
}

/// Why there is no way at all.
fn neither(first: &QueueError, second: &QueueError) -> QueueError {
    QueueError::Unavailable {
        why: format!("{first}; {second}"),
    }
}
