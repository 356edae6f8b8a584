//! The names of one installation, ready to be sent.

use assay_core::kind::{JobKind, Lane};
use assay_core::route::{BrokerNames, lane_key};
use lapin::types::ShortString;

use super::delay::BUCKETS;

/// The queues of a lane: what was resumed, and the rest.
pub(super) const PLACES_OF_LANE: usize = 2;
/// The queues of a kind.
pub(super) const PLACES: usize = Lane::ALL.len() * PLACES_OF_LANE;

/// One of the queues of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) lane: Lane,
    pub(super) resumed: bool,
}

impl Place {
    /// All, the most urgent first.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let lanes = Lane::ALL.into_iter().rev();
        lanes.flat_map(|lane| [true, false].map(|resumed| Self { lane, resumed }))
    }

    /// Its number, below [`PLACES`].
    pub(super) fn number(self) -> usize {
        self.lane as usize * PLACES_OF_LANE + usize::from(self.resumed)
    }
}

/// Every name of an installation.
pub(super) struct Names {
    pub(super) jobs: ShortString,
    pub(super) dead: ShortString,
    delays: Vec<ShortString>,
    kinds: Vec<KindNames>,
}

/// The names of a kind.
pub(super) struct KindNames {
    /// Its dead letters' queue.
    pub(super) dead: ShortString,
    /// What its dead letters are routed by.
    pub(super) dead_key: ShortString,
    lanes: Vec<LaneNames>,
}

/// The names of one place.
pub(super) struct LaneNames {
    pub(super) queue: ShortString,
    /// What its envelopes are routed by.
    pub(super) key: ShortString,
}

impl Names {
    pub(super) fn new(prefix: &str) -> Self {
        let names = BrokerNames::new(prefix);
        Self {
            jobs: names.jobs().into(),
            dead: names.dead().into(),
            delays: BUCKETS.map(|bucket| names.delay(bucket.name).into()).into(),
            kinds: JobKind::ALL.map(|kind| KindNames::new(&names, kind)).into(),
        }
    }

    pub(super) fn of(&self, kind: JobKind) -> &KindNames {
        &self.kinds[kind as usize]
    }

    /// The exchange and the queue of one of [`BUCKETS`].
    pub(super) fn delay(&self, bucket: usize) -> &ShortString {
        &self.delays[bucket]
    }
}

impl KindNames {
    fn new(names: &BrokerNames, kind: JobKind) -> Self {
        let mut places: Vec<Place> = Place::all().collect();
        places.sort_unstable_by_key(|place| place.number());
        let lanes = places.into_iter().map(|place| LaneNames {
            queue: names.lane(kind, place.lane, place.resumed).into(),
            key: lane_key(kind, place.lane, place.resumed).into(),
        });
        Self {
            dead: names.dead_of(kind).into(),
            dead_key: kind.as_str().into(),
            lanes: lanes.collect(),
        }
    }

    pub(super) fn of(&self, place: Place) -> &LaneNames {
        &self.lanes[place.number()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_has_its_own_names() {
        let names = Names::new("mine");
        for kind in JobKind::ALL {
            for place in Place::all() {
                let of = names.of(kind).of(place);
                assert_eq!(of.queue.as_str(), format!("mine.v1.{}", of.key.as_str()));
                assert_eq!(of.key.as_str().ends_with(".resumed"), place.resumed);
            }
        }
        let numbers: Vec<_> = Place::all().map(Place::number).collect();
        assert_eq!(numbers, [5, 4, 3, 2, 1, 0]);
    }
}
