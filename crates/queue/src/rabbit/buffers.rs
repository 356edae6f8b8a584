//! What a subscription received and nobody has taken yet, and which of it is next. Pure.
//!
//! The broker sends as much as a place's prefetch allows, and more when some of it is settled. So a lane whose buffer is
//! empty may be full on the broker; its turn is waited for, for a moment. Otherwise whoever takes quickly would be
//! given what is less urgent because it happened to be there.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use assay_core::envelope::Envelope;
use assay_core::kind::Lane;
use assay_core::lanes::{Heads, Turns, WEIGHTS};
use bytes::Bytes;
use tokio::time::Instant;

use super::names::{PLACES, Place};

/// How long the broker may take to send more after some was settled.
pub(super) const REFILL_PATIENCE: Duration = Duration::from_millis(30);

/// A delivery that waits to be taken.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) at: Receipt,
    pub(super) envelope: Arc<Envelope>,
    /// The envelope as it came.
    pub(super) body: Bytes,
}

/// Where a delivery came from and what the broker calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Receipt {
    pub(super) place: Place,
    pub(super) tag: u64,
    /// Which of the subscription's channels.
    pub(super) epoch: u64,
    /// Which of the subscription's rounds of consumers.
    pub(super) round: u64,
}

/// How much may be taken of the low lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) low: usize,
}

/// What is next.
#[derive(Debug)]
pub(super) enum Next {
    Take(Held),
    /// Nothing yet: look again when something came, and then at the latest.
    WaitUntil(Instant),
    Nothing,
}

/// The buffers of a subscription.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    places: [PlaceBuffer; PLACES],
    turns: Turns,
    /// Not to be taken yet.
    early: BinaryHeap<Reverse<Early>>,
    round: u64,
}

#[derive(Debug, Default)]
struct PlaceBuffer {
    prefetch: usize,
    /// Received in this round and not settled.
    outstanding: usize,
    held: VecDeque<Held>,
    /// The broker had as much out as it may, so it may have more.
    saturated: bool,
    refill_until: Option<Instant>,
}

#[derive(Debug)]
struct Early {
    at: Instant,
    held: Held,
}

impl Buffers {
    /// The broker was asked to send, place by place as much as `prefetch` says.
    pub(super) fn opened(&mut self, prefetch: impl Fn(Lane) -> u16, round: u64, now: Instant) {
        self.clear();
        self.round = round;
        for place in Place::all() {
            self.places[place.number()] = PlaceBuffer {
                prefetch: usize::from(prefetch(place.lane)),
                saturated: true,
                refill_until: Some(now + REFILL_PATIENCE),
                ..PlaceBuffer::default()
            };
        }
    }

    /// Forgets everything; answers what there was.
    pub(super) fn clear(&mut self) -> Vec<Held> {
        let mut all: Vec<_> = self
            .early
            .drain()
            .map(|Reverse(early)| early.held)
            .collect();
        for place in &mut self.places {
            all.extend(std::mem::take(place).held);
        }
        all
    }

    /// A delivery came, whatever becomes of it.
    pub(super) fn received(&mut self, place: Place) {
        let of = &mut self.places[place.number()];
        of.outstanding += 1;
        if of.outstanding >= of.prefetch {
            of.saturated = true;
            of.refill_until = None;
        }
    }

    /// A delivery may be taken, in order of publishing.
    pub(super) fn hold(&mut self, held: Held) {
        let of = &mut self.places[held.at.place.number()].held;
        let published = held.envelope.published_at_ms;
        let place = of.partition_point(|other| other.envelope.published_at_ms <= published);
        of.insert(place, held);
    }

    /// A delivery may be taken then.
    pub(super) fn hold_until(&mut self, at: Instant, held: Held) {
        self.early.push(Reverse(Early { at, held }));
    }

    /// When the next may be taken that may not yet.
    pub(super) fn comes_at(&self) -> Option<Instant> {
        self.early.peek().map(|Reverse(early)| early.at)
    }

    /// The broker was told what became of a delivery.
    pub(super) fn settled(&mut self, at: Receipt, now: Instant) {
        let of = &mut self.places[at.place.number()];
        if at.round != self.round || of.outstanding == 0 {
            return;
        }
        of.outstanding -= 1;
        if of.saturated {
            of.refill_until = Some(now + REFILL_PATIENCE);
        }
    }

    /// How many wait in a lane, and when the oldest of them was published.
    pub(super) fn waiting(&self, lane: Lane) -> (u64, Option<u64>) {
        let places = Place::all().filter(|place| place.lane == lane);
        let held = places.flat_map(|place| &self.places[place.number()].held);
        let early = self.early.iter().map(|Reverse(early)| &early.held);
        let early = early.filter(|held| held.at.place.lane == lane);
        let (mut count, mut oldest) = (0, None);
        for held in held.chain(early) {
            count += 1;
            let published = held.envelope.published_at_ms;
            oldest = Some(oldest.map_or(published, |oldest: u64| oldest.min(published)));
        }
        (count, oldest)
    }

    /// The next delivery, lane by lane as [`assay_core::lanes`] says, what was resumed before the others of its lane.
    pub(super) fn next(&mut self, room: Room, now: Instant, now_ms: u64) -> Next {
        self.let_in(now);
        let heads = self.heads(room, now_ms);
        let Some((lane, turns)) = self.turns.read(&heads, &WEIGHTS, now_ms) else {
            return Next::Nothing;
        };
        for resumed in [true, false] {
            let of = &mut self.places[Place { lane, resumed }.number()];
            if let Some(held) = of.held.pop_front() {
                self.turns = turns;
                return Next::Take(held);
            }
            if let Some(until) = of.refill_until {
                return Next::WaitUntil(until);
            }
        }
        Next::Nothing
    }

    fn let_in(&mut self, now: Instant) {
        while self.comes_at().is_some_and(|at| at <= now) {
            if let Some(Reverse(early)) = self.early.pop() {
                self.hold(early.held);
            }
        }
        for of in &mut self.places {
            if of.refill_until.is_some_and(|until| until <= now) {
                of.refill_until = None;
                of.saturated = of.outstanding >= of.prefetch;
            }
        }
    }

    fn heads(&self, room: Room, now_ms: u64) -> Heads {
        Lane::ALL.map(|lane| {
            if lane == Lane::Low && room.low == 0 {
                return None;
            }
            let places =
                [true, false].map(|resumed| &self.places[Place { lane, resumed }.number()]);
            let heads = places.iter().filter_map(|of| of.held.front());
            let oldest = heads.map(|held| held.envelope.published_at_ms).min();
            let expected = places.iter().any(|of| of.refill_until.is_some());
            oldest.or_else(|| expected.then_some(now_ms))
        })
    }
}

impl Early {
    fn key(&self) -> (Instant, u64) {
        (self.at, self.held.at.tag)
    }
}

impl PartialEq for Early {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Early {}

impl PartialOrd for Early {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Early {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

#[cfg(test)]
mod tests;
