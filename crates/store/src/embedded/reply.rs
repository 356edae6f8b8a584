//! What a caller is told of its step.

use assay_core::port::StoreError;
use tokio::sync::oneshot;

use super::writer::Outcome;

/// The way back to one caller. Dropped unused it says that nothing was written, unless it falls with the
/// writer's thread: then nobody knows.
pub(super) struct Reply<T>(Option<oneshot::Sender<Result<T, StoreError>>>);

/// A reply, and where it arrives. An error there: nothing was written.
pub(super) fn reply<T>() -> (Reply<T>, oneshot::Receiver<Result<T, StoreError>>) {
    let (sender, receiver) = oneshot::channel();
    (Reply(Some(sender)), receiver)
}

impl<T> Reply<T> {
    /// Tells what came of a step, once the outcome of its batch is known.
    pub(super) fn send(
        mut self,
        result: Result<T, StoreError>,
        outcome: &Outcome,
        not_written: fn() -> StoreError,
    ) {
        self.tell(conclude(result, outcome, not_written));
    }

    fn tell(&mut self, answer: Result<T, StoreError>) {
        if let Some(sender) = self.0.take() {
            // A caller that went away needs no answer.
            drop(sender.send(answer));
        }
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.tell(Err(StoreError::Unknown {
                why: "its writer thread panicked; see the log".into(),
            }));
        }
    }
}

fn conclude<T>(
    result: Result<T, StoreError>,
    outcome: &Outcome,
    not_written: fn() -> StoreError,
) -> Result<T, StoreError> {
    match (outcome, result) {
        (Outcome::Committed, result) => result,
        // Refused before anything was written: that stands.
        (_, Err(error)) => Err(error),
        (Outcome::DiskFull, Ok(_)) => Err(not_written()),
        (Outcome::Unknown(why), Ok(_)) => Err(StoreError::Unknown { why: why.clone() }),
    }
}

/// After the end that somebody asked for.
pub(super) fn closed() -> StoreError {
    StoreError::Unavailable {
        why: "it was closed".into(),
    }
}

/// After the end that nobody asked for.
pub(super) fn writer_panicked() -> StoreError {
    StoreError::Unavailable {
        why: "its writer thread panicked; see the log, and start again".into(),
    }
}
