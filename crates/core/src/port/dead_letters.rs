//! What a queue moved out of the way.

use async_trait::async_trait;

use super::{Delivery, QueueError};
use crate::kind::JobKind;

/// Keeps envelopes that nobody is to run as they are: a worker said so, they came back too often, or nobody can read
/// them.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// Begins to look through the dead letters of `kind`.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`] when the queue can't be reached.
    async fn read_dead_letters(
        &self,
        kind: JobKind,
    ) -> Result<Box<dyn DeadLetterReader>, QueueError>;
}

/// Looks through dead letters one by one, the oldest first. What was not settled when this is dropped stays.
#[async_trait]
pub trait DeadLetterReader: Send {
    /// The next letter; `None` behind the last. None comes twice.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`] when the queue can't be reached: begin again.
    async fn next(&mut self) -> Result<Option<DeadLetter>, QueueError>;
}

/// An envelope that was moved out of the way.
pub struct DeadLetter {
    /// Why, as whoever did it said: the reason of a worker, or a word of the broker.
    pub why: String,
    /// The envelope, to be acknowledged once it needs nobody's attention; `None` when this code can't read it.
    pub delivery: Option<Delivery>,
}
