//! The steps of the store: know the record, let `assay_core::transition` decide, commit what it answers if the
//! record is still the one that was known; else decide again.

mod by_hand;
mod client;
#[cfg(feature = "failpoints")]
mod planted;
mod sweep;
mod unreadable;
mod worker;

pub(super) use sweep::{ids, run};

use assay_core::id::{JobId, Tenant};
use assay_core::port::{RefusalReason, StoreError};

use super::RedisStore;
use super::change::{Change, Scribe};
use super::committer::{Answer, CommitError};
use super::link::LinkError;
use super::record::{Found, Known};
use crate::metric_definitions::Ending;
use crate::metric_definitions::redis::conflicted;

/// When a client that was refused for a bound should ask again, in milliseconds.
const FULL_RETRY_MS: u64 = 1_000;
/// How often one step is decided before it gives up. Each time but the first, somebody else's step on the
/// record had been done.
const DECISIONS_MAX: usize = 32;
/// How often the answer to one step may be lost before its caller is told so.
const LOSSES_MAX: usize = 2;

/// What a step comes to, for what is known.
pub(super) enum Plan<T> {
    /// Nothing is to be written.
    Answer(T),
    /// This is to be written, and then the answer is true.
    Write(Box<Change>, T),
}

impl<T> Plan<T> {
    pub(super) fn write(change: Change, answer: T) -> Self {
        Self::Write(Box::new(change), answer)
    }
}

/// How good it is what is known of a record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sight {
    /// It was so, some time ago. Good enough to write on: every write is guarded.
    Recalled,
    /// It was so while the step was taken. Good enough to answer from.
    Seen,
}

/// What a step came to.
pub(super) struct Stepped<T> {
    pub(super) answer: T,
    /// The checkpoint, if the step asked for it or read the record.
    checkpoint: Option<Vec<u8>>,
}

/// A write that was sent and had no answer.
struct LostWrite<T> {
    after: Found,
    ending: Option<Ending>,
    answer: T,
}

/// What became of a write.
enum Written<T> {
    Done(Stepped<T>),
    /// Decide again on this.
    Changed(Found),
    /// Decide again on what was known.
    Late,
    /// Look what there is.
    Lost,
}

/// One step on the way to its answer.
struct Pursuit<'a, T> {
    store: &'a RedisStore,
    id: JobId,
    lost: Vec<LostWrite<T>>,
    checkpoint: Option<Vec<u8>>,
}

impl RedisStore {
    /// Takes a step on what is under `id`, as `decide` says for what is known of it.
    pub(super) async fn step<T: Send>(
        &self,
        id: JobId,
        decide: impl FnMut(&Found, &Scribe<'_>) -> Plan<T> + Send,
    ) -> Result<Stepped<T>, StoreError> {
        let recalled = self.reader.recall(id);
        self.step_from(id, recalled, decide).await
    }

    /// The same, where it is likely that nothing is under `id`.
    async fn step_on_new<T: Send>(
        &self,
        id: JobId,
        decide: impl FnMut(&Found, &Scribe<'_>) -> Plan<T> + Send,
    ) -> Result<Stepped<T>, StoreError> {
        let recalled = self.reader.recall(id).unwrap_or(Found::Absent);
        self.step_from(id, Some(recalled), decide).await
    }

    async fn step_from<T: Send>(
        &self,
        id: JobId,
        recalled: Option<Found>,
        mut decide: impl FnMut(&Found, &Scribe<'_>) -> Plan<T> + Send,
    ) -> Result<Stepped<T>, StoreError> {
        let mut pursuit = Pursuit {
            store: self,
            id,
            lost: Vec::new(),
            checkpoint: None,
        };
        let mut known = recalled.map(|found| (found, Sight::Recalled));
        for _ in 0..DECISIONS_MAX {
            let (found, sight) = match known.take() {
                Some(known) => known,
                None => (pursuit.look().await?, Sight::Seen),
            };
            if let Some(done) = pursuit.done_before(&found) {
                return Ok(done);
            }
            let (change, answer) = match (decide(&found, &self.scribe()), sight) {
                (Plan::Write(change, answer), _) => (*change, answer),
                (Plan::Answer(answer), Sight::Seen) => return Ok(pursuit.stepped(answer)),
                (Plan::Answer(_), Sight::Recalled) => continue,
            };
            known = match pursuit.write(change, answer).await? {
                Written::Done(stepped) => return Ok(stepped),
                Written::Changed(found) => Some((found, Sight::Seen)),
                Written::Late => Some((found, sight)),
                Written::Lost => None,
            };
        }
        let why = format!("the record changed {DECISIONS_MAX} times while one step was decided");
        Err(pursuit.failed(StoreError::Unavailable { why }))
    }

    /// Writes changes down as of now.
    fn scribe(&self) -> Scribe<'_> {
        Scribe {
            keys: &self.keys,
            retention: self.config.retention(),
            now_ms: self.clock.now_ms(),
            outbox: self.outbox,
        }
    }
}

impl<T> Pursuit<'_, T> {
    async fn look(&mut self) -> Result<Found, StoreError> {
        let read = match self.store.reader.find(self.id).await {
            Ok(read) => read.map_err(StoreError::from),
            Err(error) => Err(error.of_read()),
        };
        let (found, checkpoint) = read.map_err(|error| self.failed(error))?;
        self.checkpoint = checkpoint;
        Ok(found)
    }

    /// A write without an answer was done after all if its revision is the one that is there.
    fn done_before(&mut self, found: &Found) -> Option<Stepped<T>> {
        let revision = found.revision()?;
        let is_this = |lost: &LostWrite<T>| lost.after.revision() == Some(revision);
        let place = self.lost.iter().position(is_this)?;
        let lost = self.lost.swap_remove(place);
        let checkpoint = self.checkpoint.take();
        Some(self.done(lost.after, lost.ending, lost.answer, checkpoint))
    }

    async fn write(&mut self, change: Change, answer: T) -> Result<Written<T>, StoreError> {
        let Change {
            step,
            after,
            refusal,
            ending,
            publish: _,
        } = change;
        let Some(committer) = self.store.committer() else {
            return Err(self.failed(closed()));
        };
        let wants_checkpoint = step.wants_checkpoint();
        match committer.commit(step).await {
            Ok(Answer::Done(checkpoint)) => {
                let after = if wants_checkpoint {
                    after.with_checkpoint(checkpoint.as_deref())
                } else {
                    after
                };
                let done = self.done(after, ending, answer, checkpoint);
                Ok(Written::Done(done))
            }
            Ok(Answer::Limit) => match refusal {
                Some(refusal) => Err(refusal),
                None => Ok(Written::Done(self.stepped(answer))),
            },
            Ok(Answer::OutboxFull) => Err(self.failed(StoreError::Refused {
                reason: RefusalReason::OutboxFull {
                    limit: self.store.config.outbox_max,
                },
                retry_after_ms: FULL_RETRY_MS,
            })),
            Ok(Answer::Changed(fields)) => {
                conflicted(1);
                let read = self.store.reader.take_in(self.id, fields);
                let (found, checkpoint) = read.map_err(|error| self.failed(error.into()))?;
                self.checkpoint = checkpoint;
                Ok(Written::Changed(found))
            }
            Err(CommitError::Late) => Ok(Written::Late),
            Err(CommitError::Link(LinkError::Lost(_))) if self.lost.len() < LOSSES_MAX => {
                self.lost.push(LostWrite {
                    after,
                    ending,
                    answer,
                });
                Ok(Written::Lost)
            }
            Err(error) => Err(self.failed(error.of_write())),
        }
    }

    fn done(
        &self,
        after: Found,
        ending: Option<Ending>,
        answer: T,
        checkpoint: Option<Vec<u8>>,
    ) -> Stepped<T> {
        self.store.reader.remember(self.id, &after);
        if let Some(ending) = ending {
            ending.count();
        }
        Stepped { answer, checkpoint }
    }

    fn stepped(&mut self, answer: T) -> Stepped<T> {
        Stepped {
            answer,
            checkpoint: self.checkpoint.take(),
        }
    }

    /// What a caller is told that gets no answer: with a lost write behind it, nobody knows.
    fn failed(&self, error: StoreError) -> StoreError {
        if self.lost.is_empty() {
            return error;
        }
        match error {
            StoreError::Unavailable { why } => StoreError::Unknown { why },
            StoreError::Unknown { .. } | StoreError::Refused { .. } => error,
        }
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable {
        why: "it was closed".into(),
    }
}

/// The job that was found, if it is of this tenant: another one's looks absent.
fn owned<'a>(found: &'a Found, tenant: &Tenant) -> Option<&'a Known> {
    found.job().filter(|known| known.job.tenant == *tenant)
}
