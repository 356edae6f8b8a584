use std::time::Duration;

use assay_core::id::JobId;
use assay_core::job::JobSpec;
use assay_core::kind::JobKind;
use assay_core::lanes::PROMOTED_AFTER_MS;

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
fn what_is_resumed_goes_before_everything_else_of_its_lane() {
    let mut waiting = Waiting::default();
    let resumed = |at_ms| {
        let envelope = Envelope::clone(&envelope(Lane::Normal, at_ms));
        Arc::new(Envelope {
            resumed: true,
            ..envelope
        })
    };
    waiting.push(envelope(Lane::Normal, 2));
    waiting.push_returned(envelope(Lane::Normal, 1));
    for at_ms in [8, 7] {
        waiting.push(resumed(at_ms));
    }
    waiting.push_returned(resumed(6));
    let [_, normal, _] = waiting.depth();
    assert_eq!((normal.ready, normal.oldest_published_at_ms), (5, Some(1)));
    let two = Room { slots: 2, ..ALL };
    let in_hand = waiting.take(two, 10);
    assert_eq!(ages(&in_hand), [6, 7]);
    for envelope in in_hand {
        waiting.push_returned(envelope);
    }
    assert_eq!(ages(&waiting.take(ALL, 10)), [6, 7, 8, 1, 2]);
}

/// What was resumed just now stands before envelopes that have waited long.
#[test]
fn a_lane_is_as_old_as_its_oldest() {
    let mut waiting = Waiting::default();
    for number in 0..4 {
        let mut resumed = Envelope::clone(&envelope(Lane::Normal, PROMOTED_AFTER_MS + number));
        resumed.resumed = true;
        waiting.push(Arc::new(resumed));
        waiting.push(envelope(Lane::Normal, 0));
        waiting.push(envelope(Lane::High, PROMOTED_AFTER_MS));
    }
    let room = Room { slots: 4, ..ALL };
    let taken = waiting.take(room, PROMOTED_AFTER_MS);
    let normal = taken.iter().filter(|taken| taken.lane == Lane::Normal);
    assert_eq!(normal.count(), 2, "it weighs as much as the high lane");
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
