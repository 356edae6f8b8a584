//! One group's streams of a kind, as a source of deliveries for one subscription.

use std::sync::Arc;
use std::time::Duration;

use assay_core::envelope::Envelope;
use assay_core::kind::Lane;
use assay_core::port::Delivery;
use assay_core::retry::DeadLetterReason;
use tokio::time::Instant;

use super::Parts;
use super::entry::{Entry, EntryId};
use super::holdings::Place;
use super::in_hand::InHand;
use super::judge::{Verdict, judge};
use super::low_slots::LowSlots;
use super::plan::{Known, Room};
use super::settler::Fate;
use super::streams::{KindStreams, STREAMS, StreamNo};
use super::take::{self, Request, by_lane};
use crate::metric_definitions::redis::{Call, Dropped, dropped};
use crate::redis::link::LinkError;

/// While there is enough to take, streams from which nothing is to be taken are looked at this often.
const LOOK_AROUND_PERIOD: Duration = Duration::from_millis(10);
/// How long an entry waits that only later code can read, in milliseconds.
const NEWER_VERSION_RETRY_MS: u64 = 30_000;

/// One group's streams, and what is known of them.
pub(super) struct Source {
    parts: Arc<Parts>,
    streams: Arc<KindStreams>,
    low_slots: Arc<LowSlots>,
    known: Known,
    seen: [EntryId; STREAMS],
    look_around_at: Instant,
    comes_back_at: Option<Instant>,
}

impl Source {
    pub(super) fn new(
        parts: &Arc<Parts>,
        streams: &Arc<KindStreams>,
        low_slots: &Arc<LowSlots>,
    ) -> Self {
        Self {
            parts: Arc::clone(parts),
            streams: Arc::clone(streams),
            low_slots: Arc::clone(low_slots),
            known: Known::default(),
            seen: Default::default(),
            look_around_at: Instant::now(),
            comes_back_at: None,
        }
    }

    /// When the next delayed entry comes back, as far as is known.
    pub(super) fn comes_back_at(&self) -> Option<Instant> {
        self.comes_back_at
    }

    /// Takes at most `slots` entries. Finding none, it has looked everywhere.
    pub(super) async fn take(&mut self, slots: usize) -> Result<Vec<Delivery>, LinkError> {
        let now = Instant::now();
        let back = self.comes_back_at.is_some_and(|at| at <= now);
        let look_around = back || self.look_around_at <= now;
        let entries = self.ask(slots, look_around).await?;
        if entries.is_empty() && !look_around {
            let entries = self.ask(slots, true).await?;
            return self.deliver(entries).await;
        }
        self.deliver(entries).await
    }

    async fn ask(&mut self, slots: usize, look_around: bool) -> Result<Vec<Entry>, LinkError> {
        let room = Room {
            slots,
            low: self.low_slots.free(),
        };
        let now_ms = self.parts.access.clock.now_ms();
        let request = Request {
            consumer: &self.parts.consumer,
            room,
            plan: self.known.plan(room, now_ms),
            seen: &self.seen,
            look_around: look_around.then(|| self.parts.access.given_ms()),
        };
        let link = self.parts.access.link(Call::Take);
        let taken = take::take(&link, &self.streams, &request).await?;
        let now = Instant::now();
        if look_around {
            self.comes_back_at = taken.comes_back_in.map(|after| now + after);
            self.look_around_at = now + LOOK_AROUND_PERIOD;
        }
        if taken.entries.len() < slots {
            // Who found less than asked for wants to know more.
            self.look_around_at = now;
        }
        for (stream, head) in StreamNo::ALL.into_iter().zip(taken.heads) {
            self.known.learn(stream, head);
        }
        take::see(&mut self.seen, &taken.entries);
        let lanes = by_lane(taken.entries, |entry| entry.stream);
        Ok(self.known.order(lanes, now_ms))
    }

    async fn deliver(&self, entries: Vec<Entry>) -> Result<Vec<Delivery>, LinkError> {
        let found = match self.parts.access.read(&entries).await {
            Ok(found) => found,
            Err(error) => {
                for entry in entries {
                    self.parts.desk.settle_soon(self.place(&entry), Fate::Back);
                }
                return Err(error);
            }
        };
        let mut deliveries = Vec::with_capacity(entries.len());
        for (entry, found) in entries.into_iter().zip(found) {
            let verdict = judge(&entry.content, &found);
            if let Verdict::Deliver(envelope) = verdict {
                deliveries.push(self.hand_over(&entry, envelope));
            } else {
                self.refuse(&entry, &verdict);
            }
        }
        Ok(deliveries)
    }

    fn hand_over(&self, entry: &Entry, envelope: Arc<Envelope>) -> Delivery {
        let low_slot = (entry.stream.lane() == Lane::Low).then(|| self.low_slots.take());
        let desk = self.parts.desk.clone();
        let in_hand = InHand::new(desk, Arc::clone(&envelope), self.place(entry), low_slot);
        Delivery::new(envelope, Box::new(in_hand))
    }

    fn refuse(&self, entry: &Entry, verdict: &Verdict) {
        let (kind, id) = (self.streams.kind, entry.id);
        let fate = match verdict {
            Verdict::Gone => {
                dropped(kind, Dropped::Gone);
                tracing::warn!(job.kind = kind.as_str(), entry = %id, "dropped entry {id}: there is no record of its job");
                Fate::Acknowledged
            }
            Verdict::Newer => {
                tracing::warn!(job.kind = kind.as_str(), entry = %id, "put off entry {id}: only a newer version can read it");
                Fate::Later {
                    after_ms: NEWER_VERSION_RETRY_MS,
                }
            }
            Verdict::Unreadable(why) => {
                dropped(kind, Dropped::Undecodable);
                tracing::error!(job.kind = kind.as_str(), entry = %id, "put entry {id} among the dead letters: {why}");
                Fate::Dead {
                    why: DeadLetterReason::Undecodable,
                    envelope: None,
                }
            }
            Verdict::Stale | Verdict::Deliver(_) => {
                dropped(kind, Dropped::Stale);
                Fate::Acknowledged
            }
        };
        self.parts.desk.settle_soon(self.place(entry), fate);
    }

    fn place(&self, entry: &Entry) -> Place {
        Place {
            streams: Arc::clone(&self.streams),
            stream: entry.stream,
            id: entry.id,
        }
    }
}
