//! The envelopes of one kind that wait. No locks, no waiting: [`super::kind_queue`] does that.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

use assay_core::envelope::Envelope;
use assay_core::kind::Lane;
use assay_core::lanes::{Heads, Turns, WEIGHTS};
use assay_core::port::LaneDepth;
use tokio::time::Instant;

/// A lane that runs empty gives back memory beyond this many entries.
const KEPT_ENTRIES: usize = 4_096;

/// What waits, in its lanes, and what comes back later.
#[derive(Default)]
pub(super) struct Waiting {
    lanes: [LaneQueue; Lane::ALL.len()],
    turns: Turns,
    delayed: BinaryHeap<Reverse<Delayed>>,
    delayed_count: u64,
    /// No more comes in and no more goes out.
    pub(super) closed: bool,
}

/// How much may be taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Envelopes in all.
    pub(super) slots: usize,
    /// Of these, envelopes of the low lane.
    pub(super) low: usize,
}

/// One lane, read from the first of its parts that is not empty. Each is in order of publishing.
#[derive(Default)]
struct LaneQueue {
    /// Had begun and lost their workers.
    resumed: VecDeque<Arc<Envelope>>,
    /// Came back from a worker that did not begin them.
    returned: VecDeque<Arc<Envelope>>,
    fresh: VecDeque<Arc<Envelope>>,
}

/// Comes back at a time. Ordered by that time, then by arrival.
struct Delayed {
    at: Instant,
    number: u64,
    envelope: Arc<Envelope>,
}

impl Waiting {
    /// A new envelope, behind the others of its lane unless it is resumed.
    pub(super) fn push(&mut self, envelope: Arc<Envelope>) {
        let lane = &mut self.lanes[envelope.lane as usize];
        if envelope.resumed {
            insert(&mut lane.resumed, envelope);
        } else {
            lane.fresh.push_back(envelope);
        }
    }

    /// An envelope that was in hand, before the new ones of its lane.
    pub(super) fn push_returned(&mut self, envelope: Arc<Envelope>) {
        let lane = &mut self.lanes[envelope.lane as usize];
        if envelope.resumed {
            insert(&mut lane.resumed, envelope);
        } else {
            insert(&mut lane.returned, envelope);
        }
    }

    /// An envelope that was in hand and comes back at `at`.
    pub(super) fn push_delayed(&mut self, envelope: Arc<Envelope>, at: Instant) {
        let number = self.delayed_count;
        self.delayed_count += 1;
        self.delayed.push(Reverse(Delayed {
            at,
            number,
            envelope,
        }));
    }

    /// Lets in what was to come back by `now`.
    pub(super) fn let_in(&mut self, now: Instant) {
        while self.comes_back_at().is_some_and(|at| at <= now) {
            if let Some(Reverse(delayed)) = self.delayed.pop() {
                self.push_returned(delayed.envelope);
            }
        }
    }

    /// When the next delayed envelope comes back.
    pub(super) fn comes_back_at(&self) -> Option<Instant> {
        self.delayed.peek().map(|Reverse(delayed)| delayed.at)
    }

    /// Takes what `room` allows, lane by lane as [`assay_core::lanes`] says.
    pub(super) fn take(&mut self, mut room: Room, now_ms: u64) -> Vec<Arc<Envelope>> {
        let mut taken = Vec::new();
        while taken.len() < room.slots {
            let Some((lane, turns)) = self.turns.read(&self.heads(room), &WEIGHTS, now_ms) else {
                break;
            };
            self.turns = turns;
            taken.extend(self.lanes[lane as usize].pop());
            if lane == Lane::Low {
                room.low -= 1;
            }
        }
        taken
    }

    /// How much waits in each lane.
    pub(super) fn depth(&self) -> [LaneDepth; Lane::ALL.len()] {
        Lane::ALL.map(|lane| {
            let queue = &self.lanes[lane as usize];
            LaneDepth {
                lane,
                ready: queue.len() as u64,
                oldest_published_at_ms: queue.oldest_published_at_ms(),
            }
        })
    }

    fn heads(&self, room: Room) -> Heads {
        Lane::ALL.map(|lane| {
            let readable = lane != Lane::Low || room.low > 0;
            // The oldest and not the next: a resumed one was published again just now, and those behind it
            // must not seem younger for that.
            let oldest = self.lanes[lane as usize].oldest_published_at_ms();
            oldest.filter(|_| readable)
        })
    }
}

impl LaneQueue {
    fn pop(&mut self) -> Option<Arc<Envelope>> {
        let envelope = self
            .resumed
            .pop_front()
            .or_else(|| self.returned.pop_front())
            .or_else(|| self.fresh.pop_front())?;
        if self.fresh.is_empty() && self.fresh.capacity() > KEPT_ENTRIES {
            self.fresh.shrink_to(KEPT_ENTRIES);
        }
        Some(envelope)
    }

    fn len(&self) -> usize {
        self.resumed.len() + self.returned.len() + self.fresh.len()
    }

    fn oldest_published_at_ms(&self) -> Option<u64> {
        let heads = [&self.resumed, &self.returned, &self.fresh].map(VecDeque::front);
        heads
            .into_iter()
            .flatten()
            .map(|envelope| envelope.published_at_ms)
            .min()
    }
}

/// Puts an envelope where its age belongs.
fn insert(part: &mut VecDeque<Arc<Envelope>>, envelope: Arc<Envelope>) {
    let at = part.partition_point(|other| other.published_at_ms <= envelope.published_at_ms);
    part.insert(at, envelope);
}

impl Delayed {
    fn key(&self) -> (Instant, u64) {
        (self.at, self.number)
    }
}

impl PartialEq for Delayed {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Delayed {}

impl PartialOrd for Delayed {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Delayed {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}
