//! The envelopes of one kind that wait. No locks, no waiting: [`super::kind_queue`] does that.

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

#[derive(Default)]
struct LaneQueue {
    /// Came back from a worker; in order of publishing, read first.
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
    /// A new envelope, behind the others of its lane.
    pub(super) fn push(&mut self, envelope: Arc<Envelope>) {
        self.lanes[envelope.lane as usize].fresh.push_back(envelope);
    }

    /// An envelope that was in hand, before the new ones of its lane.
    pub(super) fn push_returned(&mut self, envelope: Arc<Envelope>) {
        let returned = &mut self.lanes[envelope.lane as usize].returned;
        let at =
            returned.partition_point(|other| other.published_at_ms <= envelope.published_at_ms);
        returned.insert(at, envelope);
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
            let head = self.lanes[lane as usize].head();
            head.filter(|_| readable)
                .map(|envelope| envelope.published_at_ms)
        })
    }
}

impl LaneQueue {
    fn head(&self) -> Option<&Arc<Envelope>> {
        self.returned.front().or_else(|| self.fresh.front())
    }

    fn pop(&mut self) -> Option<Arc<Envelope>> {
        let envelope = self
            .returned
            .pop_front()
            .or_else(|| self.fresh.pop_front())?;
        if self.fresh.is_empty() && self.fresh.capacity() > KEPT_ENTRIES {
            self.fresh.shrink_to(KEPT_ENTRIES);
        }
        Some(envelope)
    }

    fn len(&self) -> usize {
        self.returned.len() + self.fresh.len()
    }

    fn oldest_published_at_ms(&self) -> Option<u64> {
        let heads = [self.returned.front(), self.fresh.front()];
        heads
            .into_iter()
            .flatten()
            .map(|envelope| envelope.published_at_ms)
            .min()
    }
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use assay_core::id::JobId;
    use assay_core::job::JobSpec;
    use assay_core::kind::JobKind;

    use super::*;

    const ALL: Room = Room {
        slots: usize::MAX,
        low: usize::MAX,
    };

    fn envelope(lane: Lane, published_at_ms: u64) -> Arc<Envelope> {
        let mut spec = JobSpec::new(JobKind::Batch, Vec::new(), published_at_ms);
        spec.lane = lane;
        let id = JobId::from_bytes([1; 16]);
        Arc::new(Envelope::new(id, &spec, published_at_ms))
    }

    fn ages(taken: &[Arc<Envelope>]) -> Vec<u64> {
        taken.iter().map(|taken| taken.published_at_ms).collect()
    }

    #[test]
    fn what_came_back_goes_first_and_in_order() {
        let mut waiting = Waiting::default();
        for at_ms in [5, 6] {
            waiting.push(envelope(Lane::Normal, at_ms));
        }
        for at_ms in [3, 1, 2] {
            waiting.push_returned(envelope(Lane::Normal, at_ms));
        }
        let [_, normal, _] = waiting.depth();
        assert_eq!((normal.ready, normal.oldest_published_at_ms), (5, Some(1)));
        assert_eq!(ages(&waiting.take(ALL, 10)), [1, 2, 3, 5, 6]);
    }

    #[test]
    fn the_low_lane_is_read_only_where_there_is_room_for_it() {
        let mut waiting = Waiting::default();
        for at_ms in 1..=4 {
            waiting.push(envelope(Lane::Low, at_ms));
        }
        waiting.push(envelope(Lane::High, 9));
        let room = Room { slots: 4, low: 2 };
        assert_eq!(ages(&waiting.take(room, 10)), [9, 1, 2]);
        let room = Room { slots: 4, low: 0 };
        assert!(waiting.take(room, 10).is_empty());
        assert_eq!(waiting.depth()[0].ready, 2);
    }

    #[test]
    fn what_is_delayed_comes_in_at_its_time() {
        let (mut waiting, start) = (Waiting::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        waiting.push_delayed(envelope(Lane::Normal, 2), at(20));
        waiting.push_delayed(envelope(Lane::Normal, 1), at(10));
        assert_eq!(waiting.comes_back_at(), Some(at(10)));
        waiting.let_in(at(9));
        assert_eq!(waiting.depth()[1].ready, 0);
        waiting.let_in(at(10));
        assert_eq!(ages(&waiting.take(ALL, 50)), [1]);
        waiting.let_in(at(20));
        assert_eq!(ages(&waiting.take(ALL, 50)), [2]);
        assert_eq!(waiting.comes_back_at(), None);
    }

    #[test]
    fn a_lane_that_runs_empty_gives_memory_back() {
        let mut waiting = Waiting::default();
        for at_ms in 0..10 * KEPT_ENTRIES as u64 {
            waiting.push(envelope(Lane::Normal, at_ms));
        }
        assert_eq!(waiting.take(ALL, 0).len(), 10 * KEPT_ENTRIES);
        assert!(waiting.lanes[Lane::Normal as usize].fresh.capacity() <= KEPT_ENTRIES);
    }
}
