//! What a queue beside the store offers to whoever looks for lost envelopes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use assay_core::envelope::Envelope;
use assay_core::id::JobId;
use assay_core::kind::{JobKind, Lane};
use assay_core::port::{
    DeadLetter, DeadLetterReader, DeadLetters, Delivery, MarkerQueue, Markers, QueueError,
    SentJobs, Settle, StoreError,
};
use assay_core::retry::DeadLetterReason;
use async_trait::async_trait;
use parking_lot::Mutex;

type Place = (JobKind, Lane);

/// Markers and sent jobs, as a test says.
#[derive(Default)]
pub(crate) struct ScriptedBroker {
    pub(crate) latest: Mutex<BTreeMap<Place, u64>>,
    pub(crate) oldest: Mutex<BTreeMap<Place, u64>>,
    /// How many jobs each lane has to send again.
    pub(crate) lost: Mutex<BTreeMap<Place, usize>>,
    /// What was asked for: where, before when, how many at most.
    pub(crate) asked: Mutex<Vec<(Place, u64, usize)>>,
    pub(crate) markers: Mutex<Vec<(Place, u64)>>,
    /// Lanes that take no marker.
    pub(crate) full: Mutex<BTreeSet<Place>>,
}

#[async_trait]
impl Markers for ScriptedBroker {
    async fn passed(&self, _: JobKind, _: Lane, _: u64) -> Result<(), StoreError> {
        panic!("the scheduler receives no markers")
    }

    async fn latest(&self, kind: JobKind, lane: Lane) -> Result<Option<u64>, StoreError> {
        Ok(self.latest.lock().get(&(kind, lane)).copied())
    }
}

#[async_trait]
impl MarkerQueue for ScriptedBroker {
    async fn publish_marker(
        &self,
        kind: JobKind,
        lane: Lane,
        published_at_ms: u64,
    ) -> Result<(), QueueError> {
        if self.full.lock().contains(&(kind, lane)) {
            return Err(QueueError::Unknown);
        }
        self.markers.lock().push(((kind, lane), published_at_ms));
        Ok(())
    }
}

#[async_trait]
impl SentJobs for ScriptedBroker {
    async fn send_again(
        &self,
        kind: JobKind,
        lane: Lane,
        before_ms: u64,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let place = (kind, lane);
        self.asked.lock().push((place, before_ms, limit));
        let mut lost = self.lost.lock();
        let left = lost.entry(place).or_default();
        let sent = limit.min(*left);
        *left -= sent;
        Ok(sent)
    }

    async fn oldest_ms(&self, kind: JobKind, lane: Lane) -> Result<Option<u64>, StoreError> {
        Ok(self.oldest.lock().get(&(kind, lane)).copied())
    }
}

/// Dead letters of one kind; what is not acknowledged stays.
#[derive(Clone, Default)]
pub(crate) struct ScriptedLetters(Arc<Mutex<Vec<Letter>>>);

#[derive(Clone)]
pub(crate) struct Letter {
    pub(crate) why: &'static str,
    pub(crate) envelope: Option<Envelope>,
}

impl ScriptedLetters {
    pub(crate) fn add(&self, why: &'static str, envelope: Option<Envelope>) {
        self.0.lock().push(Letter { why, envelope });
    }

    /// The jobs of the letters that are left; none for one that nobody can read.
    pub(crate) fn left(&self) -> Vec<Option<JobId>> {
        let job = |letter: &Letter| letter.envelope.as_ref().map(|envelope| envelope.job_id);
        self.0.lock().iter().map(job).collect()
    }
}

#[async_trait]
impl DeadLetters for ScriptedLetters {
    async fn read_dead_letters(
        &self,
        kind: JobKind,
    ) -> Result<Box<dyn DeadLetterReader>, QueueError> {
        let letters = match kind {
            JobKind::Batch => self.0.lock().clone(),
            JobKind::ContentVerification | JobKind::RuvProfile => Vec::new(),
        };
        Ok(Box::new(Reader {
            rest: letters.into_iter(),
            of: self.clone(),
        }))
    }
}

struct Reader {
    rest: std::vec::IntoIter<Letter>,
    of: ScriptedLetters,
}

#[async_trait]
impl DeadLetterReader for Reader {
    async fn next(&mut self) -> Result<Option<DeadLetter>, QueueError> {
        let letter = self.rest.next();
        Ok(letter.map(|letter| DeadLetter {
            why: letter.why.to_owned(),
            delivery: letter.envelope.map(|envelope| {
                let settle = Settles {
                    id: envelope.job_id,
                    of: self.of.clone(),
                };
                Delivery::new(Arc::new(envelope), Box::new(settle))
            }),
        }))
    }
}

struct Settles {
    id: JobId,
    of: ScriptedLetters,
}

#[async_trait]
impl Settle for Settles {
    async fn ack(self: Box<Self>) -> Result<(), QueueError> {
        let is_other = |letter: &Letter| {
            let job = letter.envelope.as_ref().map(|envelope| envelope.job_id);
            job != Some(self.id)
        };
        self.of.0.lock().retain(is_other);
        Ok(())
    }

    async fn retry(self: Box<Self>, _: Duration) -> Result<(), QueueError> {
        panic!("a dead letter is not asked for again")
    }

    async fn dead_letter(self: Box<Self>, _: DeadLetterReason) -> Result<(), QueueError> {
        panic!("it is one")
    }
}
