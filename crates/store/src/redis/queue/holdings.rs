//! What this process holds: entries that were given to it and are not settled.
//!
//! Redis counts for how long nobody touched an entry that somebody holds. A process touches what it holds
//! every now and then, so what is not touched belongs to a process that is dead or hangs, or was lost on
//! the way to it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::entry::EntryId;
use super::streams::{KindStreams, StreamNo};

/// One entry, anywhere.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) streams: Arc<KindStreams>,
    pub(super) stream: StreamNo,
    pub(super) id: EntryId,
}

type Key = (usize, usize, StreamNo, EntryId);

impl Place {
    fn key(&self) -> Key {
        let kind = self.streams.kind as usize;
        (self.streams.group, kind, self.stream, self.id)
    }
}

/// The entries that this process holds, and when each was touched.
#[derive(Default)]
pub(super) struct Holdings(Mutex<HashMap<Key, (Place, Instant)>>);

impl Holdings {
    pub(super) fn add(&self, place: Place, now: Instant) {
        self.0.lock().insert(place.key(), (place, now));
    }

    pub(super) fn remove(&self, place: &Place) {
        self.0.lock().remove(&place.key());
    }

    /// What was not touched for `period`. It counts as touched now.
    pub(super) fn touch(&self, period: Duration, now: Instant) -> Vec<Place> {
        let mut held = self.0.lock();
        let stale = held
            .values_mut()
            .filter(|(_, touched)| now.duration_since(*touched) >= period);
        stale
            .map(|(place, touched)| {
                *touched = now;
                place.clone()
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use assay_core::kind::JobKind;

    use super::*;
    use crate::redis::keys::Keys;

    #[test]
    fn what_is_held_is_touched_once_in_a_period() {
        const PERIOD: Duration = Duration::from_secs(3);
        let keys = Keys::new("assay", 1);
        let streams = KindStreams::new(&keys.groups()[0], JobKind::Batch);
        let streams = Arc::new(streams);
        let place = |added_at_ms| Place {
            streams: Arc::clone(&streams),
            stream: StreamNo::ALL[1],
            id: EntryId {
                added_at_ms,
                number: 0,
            },
        };
        let (holdings, now) = (Holdings::default(), Instant::now());
        let at = |ms| now + Duration::from_millis(ms);
        (1..=2).for_each(|id| holdings.add(place(id), now));
        assert!(holdings.touch(PERIOD, at(2_999)).is_empty());
        holdings.add(place(3), at(2_999));
        holdings.remove(&place(2));
        let touched = holdings.touch(PERIOD, at(3_000));
        assert_eq!(touched.len(), 1);
        assert_eq!(touched[0].id, place(1).id);
        assert!(holdings.touch(PERIOD, at(3_000)).is_empty());
        assert_eq!(holdings.touch(PERIOD, at(5_999)).len(), 1);
    }
}
