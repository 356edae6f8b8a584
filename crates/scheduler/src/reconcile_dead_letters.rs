//! Publishes again what a queue moved out of the way although its job has not ended.

use std::sync::Arc;

use assay_core::job::Job;
use assay_core::kind::JobKind;
use assay_core::port::{DeadLetter, DeadLetters, JobQueue, JobStore, QueueError};
use assay_core::retry::DeadLetterReason;
use async_trait::async_trait;

use crate::activity::{Activity, ActivityName, Error, Report};
use crate::metric_definitions;
use crate::reconcile::store;

/// Looks through the dead letters of every kind. An envelope whose job is to run is published again; one that
/// nobody needs is forgotten; one that nobody can judge stays, for people.
pub struct ReconcileDeadLetters {
    dead_letters: Arc<dyn DeadLetters>,
    store: Arc<dyn JobStore>,
    queue: Arc<dyn JobQueue>,
    limit: usize,
}

/// What becomes of a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Its job is to run.
    PublishAgain,
    /// Its job has ended, or goes on by a later envelope.
    Forget,
    /// It stays.
    Keep(Kept),
}

/// Why a dead letter stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// Nobody can read it.
    Undecodable,
    /// A worker found that its record is gone for good.
    Orphan,
}

impl Kept {
    pub(crate) const ALL: [Self; 2] = [Self::Undecodable, Self::Orphan];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Undecodable => DeadLetterReason::Undecodable.as_str(),
            Self::Orphan => DeadLetterReason::Orphan.as_str(),
        }
    }
}

impl ReconcileDeadLetters {
    /// Looks at no more than `limit` letters of a kind at a time.
    #[must_use]
    pub fn new(
        dead_letters: Arc<dyn DeadLetters>,
        store: Arc<dyn JobStore>,
        queue: Arc<dyn JobQueue>,
        limit: usize,
    ) -> Self {
        Self {
            dead_letters,
            store,
            queue,
            limit,
        }
    }

    /// Looks through the letters of a kind; answers how many were settled, and shows how many stay.
    async fn look_through(&self, kind: JobKind) -> Result<Report, Error> {
        let reader = self.dead_letters.read_dead_letters(kind).await;
        let mut reader = reader.map_err(queue("begin to read dead letters"))?;
        let mut kept = Kept::ALL.map(|why| (why, 0));
        let (mut changed, mut seen, mut failed) = (0, 0, None);
        while seen < self.limit {
            let letter = reader.next().await;
            let Some(letter) = letter.map_err(queue("read dead letters"))? else {
                break;
            };
            seen += 1;
            match self.settle(letter).await {
                Ok(Some(why)) => kept
                    .iter_mut()
                    .filter(|(other, _)| *other == why)
                    .for_each(|(_, count)| *count += 1),
                Ok(None) => changed += 1,
                // Its lane is full, say: those of the other letters are not.
                Err(error) if matches!(error, Error::Queue { .. }) => {
                    failed = failed.or(Some(error));
                }
                Err(error) => return Err(error),
            }
        }
        for (why, count) in kept {
            metric_definitions::dead_letters_kept(kind, why, count);
        }
        // What stays is seen again each time: going on at once would find nothing else.
        let more = seen == self.limit && changed > 0;
        failed.map_or(Ok(Report { changed, more }), Err)
    }

    /// Settles a letter; why it stays, if it does.
    async fn settle(&self, letter: DeadLetter) -> Result<Option<Kept>, Error> {
        let Some(delivery) = letter.delivery else {
            return Ok(Some(Kept::Undecodable));
        };
        let envelope = Arc::clone(&delivery.envelope);
        let job = self.store.get(&envelope.tenant, envelope.job_id).await;
        let job = job.map_err(store("look at the job of a dead letter"))?;
        let (id, why) = (envelope.job_id, &letter.why);
        match fate(job.as_ref(), envelope.generation, why) {
            Fate::Keep(kept) => return Ok(Some(kept)),
            Fate::Forget => {}
            Fate::PublishAgain => {
                tracing::warn!(job.id = %id, why, "job {id} is to run and its envelope was moved out of the way ({why}): it is published again");
                let published = self.queue.publish(&envelope).await;
                published.map_err(queue("publish dead letters again"))?;
            }
        }
        let settled = delivery.ack().await;
        settled.map_err(queue("acknowledge dead letters"))?;
        Ok(None)
    }
}

#[async_trait]
impl Activity for ReconcileDeadLetters {
    fn name(&self) -> ActivityName {
        ActivityName::ReconcileDeadLetters
    }

    async fn activate(&self) -> Result<Report, Error> {
        let mut report = Report::default();
        let mut failed = None;
        for kind in JobKind::ALL {
            match self.look_through(kind).await {
                Ok(of_kind) => {
                    report.changed += of_kind.changed;
                    report.more |= of_kind.more;
                }
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(report), Err)
    }
}

/// What becomes of an envelope of `generation` that was moved out of the way for `why`. One that is published
/// again for nothing does no harm: its claim finds out.
fn fate(job: Option<&Job>, generation: u64, why: &str) -> Fate {
    match job {
        None if why == DeadLetterReason::Orphan.as_str() => Fate::Keep(Kept::Orphan),
        // Its claim makes the record again, or finds that it is an orphan.
        None => Fate::PublishAgain,
        Some(job) if generation < job.generation => Fate::Forget,
        // A later generation than the record's tells of what the store has lost.
        Some(job) if job.state.is_terminal() && generation == job.generation => Fate::Forget,
        Some(_) => Fate::PublishAgain,
    }
}

fn queue(step: &'static str) -> impl FnOnce(QueueError) -> Error {
    move |source| Error::Queue { step, source }
}

#[cfg(test)]
mod tests {
    use assay_core::id::JobId;
    use assay_core::job::JobSpec;
    use assay_core::state::JobState;
    use assay_core::transition::{Admission, submit};

    use super::*;

    #[test]
    fn what_is_to_run_is_published_again_and_what_has_ended_is_forgotten() {
        let spec = JobSpec::new(JobKind::Batch, Vec::new(), 1);
        let mut job = submit(JobId::from_bytes([1; 16]), &spec, Admission::Accept, 1).job;
        job.generation = 5;
        for state in JobState::ALL {
            job.state = state;
            let of = |generation| fate(Some(&job), generation, "delivery_limit");
            let own = if state.is_terminal() {
                Fate::Forget
            } else {
                Fate::PublishAgain
            };
            assert_eq!(of(4), Fate::Forget, "{state}");
            assert_eq!(of(5), own, "{state}");
            assert_eq!(of(6), Fate::PublishAgain, "{state}");
        }
    }

    #[test]
    fn an_envelope_without_a_record_is_judged_by_a_claim_and_then_kept() {
        assert_eq!(fate(None, 1, "delivery_limit"), Fate::PublishAgain);
        assert_eq!(fate(None, 1, "orphan"), Fate::Keep(Kept::Orphan));
    }
}
