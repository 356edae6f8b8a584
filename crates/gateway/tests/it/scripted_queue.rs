//! A queue elsewhere that answers as a test says.

use assay_core::envelope::Envelope;
use assay_core::id::JobId;
use assay_core::kind::JobKind;
use assay_core::port::{JobQueue, LaneDepth, QueueError, Subscription};
use async_trait::async_trait;
use parking_lot::Mutex;

/// What becomes of an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Takes,
    Refuses,
    SaysNothing,
    IsAway,
}

/// What it says took an envelope.
pub(crate) const STAND_IN: &str = "stand-in";

pub(crate) struct ScriptedQueue {
    pub(crate) answer: Mutex<Answer>,
    /// Whether it says before that it takes envelopes.
    pub(crate) accepts: Mutex<bool>,
    /// What it was given, and the generations.
    pub(crate) published: Mutex<Vec<(JobId, u64)>>,
}

impl ScriptedQueue {
    pub(crate) fn answering(answer: Answer) -> Self {
        Self {
            answer: Mutex::new(answer),
            accepts: Mutex::new(true),
            published: Mutex::default(),
        }
    }
}

fn away() -> QueueError {
    QueueError::Unavailable {
        why: "no connection".to_owned(),
    }
}

#[async_trait]
impl JobQueue for ScriptedQueue {
    async fn publish(&self, envelope: &Envelope) -> Result<(), QueueError> {
        let given = (envelope.job_id, envelope.generation);
        self.published.lock().push(given);
        match *self.answer.lock() {
            Answer::Takes => Ok(()),
            Answer::Refuses => Err(QueueError::Refused {
                why: "the lane is full".to_owned(),
            }),
            Answer::SaysNothing => Err(QueueError::Unknown),
            Answer::IsAway => Err(away()),
        }
    }

    async fn publish_and_tell(&self, envelope: &Envelope) -> Result<&'static str, QueueError> {
        self.publish(envelope).await.map(|()| STAND_IN)
    }

    fn accepts(&self) -> Result<(), QueueError> {
        if *self.accepts.lock() {
            return Ok(());
        }
        Err(away())
    }

    async fn subscribe(&self, _: JobKind, _: usize) -> Result<Box<dyn Subscription>, QueueError> {
        panic!("the gateway consumes nothing")
    }

    async fn depth(&self, _: JobKind) -> Result<[LaneDepth; 3], QueueError> {
        Err(away())
    }
}
