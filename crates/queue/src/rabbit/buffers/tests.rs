use assay_core::id::JobId;
use assay_core::job::JobSpec;
use assay_core::kind::JobKind;

use super::*;

const ALL: Room = Room { low: usize::MAX };

fn place(lane: Lane, resumed: bool) -> Place {
    Place { lane, resumed }
}

fn held(place: Place, tag: u64) -> Held {
    let spec = JobSpec::new(JobKind::Batch, Vec::new(), tag);
    Held {
        at: Receipt {
            place,
            tag,
            epoch: 0,
            round: 1,
        },
        envelope: Arc::new(Envelope::new(JobId::from_bytes([1; 16]), &spec, tag)),
        body: Bytes::new(),
    }
}

fn opened(now: Instant) -> Buffers {
    let mut buffers = Buffers::default();
    buffers.opened(|lane| if lane == Lane::Low { 1 } else { 2 }, 1, now);
    buffers
}

fn receive(buffers: &mut Buffers, held: Held) {
    buffers.received(held.at.place);
    buffers.hold(held);
}

fn tag(next: Next) -> Option<u64> {
    match next {
        Next::Take(held) => Some(held.at.tag),
        Next::WaitUntil(_) | Next::Nothing => None,
    }
}

#[test]
fn what_may_still_be_on_its_way_is_waited_for_and_no_longer() {
    let start = Instant::now();
    let mut buffers = opened(start);
    receive(&mut buffers, held(place(Lane::Low, false), 1));
    let until = start + REFILL_PATIENCE;
    assert!(matches!(buffers.next(ALL, start, 0), Next::WaitUntil(at) if at == until));
    assert_eq!(tag(buffers.next(ALL, until, 0)), Some(1));
    assert!(matches!(buffers.next(ALL, until, 0), Next::Nothing));
}

#[test]
fn a_lane_that_was_full_is_expected_to_have_more_when_some_is_settled() {
    let start = Instant::now();
    let later = start + REFILL_PATIENCE;
    let mut buffers = opened(start);
    let (high, low) = (place(Lane::High, false), place(Lane::Low, false));
    for tag in [1, 2] {
        receive(&mut buffers, held(high, tag));
    }
    receive(&mut buffers, held(low, 3));
    assert_eq!(tag(buffers.next(ALL, later, 0)), Some(1));
    assert_eq!(
        tag(buffers.next(ALL, later, 0)),
        Some(3),
        "a turn of the low lane"
    );
    assert_eq!(tag(buffers.next(ALL, later, 0)), Some(2));
    assert!(matches!(buffers.next(ALL, later, 0), Next::Nothing));
    buffers.settled(held(high, 1).at, later);
    assert!(matches!(buffers.next(ALL, later, 0), Next::WaitUntil(_)));
    receive(&mut buffers, held(high, 4));
    assert_eq!(tag(buffers.next(ALL, later, 0)), Some(4));
    let other_round = Receipt {
        round: 0,
        ..held(high, 2).at
    };
    buffers.settled(other_round, later);
    assert!(matches!(buffers.next(ALL, later, 0), Next::Nothing));
}

#[test]
fn what_is_resumed_goes_first_and_all_by_age() {
    let start = Instant::now();
    let later = start + REFILL_PATIENCE;
    let mut buffers = opened(start);
    for tag in [5, 3] {
        receive(&mut buffers, held(place(Lane::Normal, false), tag));
    }
    for tag in [8, 6] {
        receive(&mut buffers, held(place(Lane::Normal, true), tag));
    }
    assert_eq!(buffers.waiting(Lane::Normal), (4, Some(3)));
    let order: Vec<_> = (0..4)
        .filter_map(|_| tag(buffers.next(ALL, later, 9)))
        .collect();
    assert_eq!(order, [6, 8, 3, 5]);
}

#[test]
fn the_low_lane_is_read_only_where_there_is_room_for_it() {
    let start = Instant::now();
    let later = start + REFILL_PATIENCE;
    let mut buffers = opened(start);
    receive(&mut buffers, held(place(Lane::Low, true), 1));
    assert_eq!(tag(buffers.next(Room { low: 0 }, later, 0)), None);
    assert_eq!(tag(buffers.next(Room { low: 1 }, later, 0)), Some(1));
}

#[test]
fn what_is_early_is_taken_at_its_time_and_goes_back_with_the_rest() {
    let opened_at = Instant::now();
    let start = opened_at + REFILL_PATIENCE;
    let mut buffers = opened(opened_at);
    let at = start + Duration::from_secs(1);
    buffers.hold_until(at, held(place(Lane::High, false), 1));
    buffers.hold_until(
        at + Duration::from_secs(1),
        held(place(Lane::High, false), 2),
    );
    assert_eq!(buffers.waiting(Lane::High), (2, Some(1)));
    assert_eq!(buffers.comes_at(), Some(at));
    assert_eq!(tag(buffers.next(ALL, start, 0)), None);
    assert_eq!(tag(buffers.next(ALL, at, 0)), Some(1));
    assert_eq!(buffers.clear().len(), 1);
    assert_eq!(buffers.comes_at(), None);
}
