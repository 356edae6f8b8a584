//! Records as they were last seen, so that a worker's step on a job that it has in hand is one round trip.
//!
//! A record here may be out of date: every write is guarded by its revision, and no answer is given from here
//! without one.

use std::collections::HashMap;

use assay_core::id::JobId;
use parking_lot::Mutex;

use super::record::Known;

/// What a record takes besides its payload, in bytes; roughly.
const RECORD_BYTES: usize = 2_048;

/// The latest records. When the young ones have filled their half, they become the old ones, and those that
/// were old are forgotten.
#[derive(Debug)]
pub(crate) struct Cache {
    half_bytes: usize,
    halves: Mutex<Halves>,
}

#[derive(Debug, Default)]
struct Halves {
    young: HashMap<JobId, Known>,
    young_bytes: usize,
    old: HashMap<JobId, Known>,
}

impl Cache {
    /// A cache that holds about `bytes_max` bytes.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            half_bytes: bytes_max / 2,
            halves: Mutex::default(),
        }
    }

    pub(crate) fn get(&self, id: JobId) -> Option<Known> {
        let halves = self.halves.lock();
        halves
            .young
            .get(&id)
            .or_else(|| halves.old.get(&id))
            .cloned()
    }

    /// Remembers a record. What has ended is of no more use and is forgotten.
    pub(crate) fn put(&self, known: Known) {
        let id = known.job.id;
        if known.job.state.is_terminal() {
            self.forget(id);
            return;
        }
        let bytes = bytes(&known);
        let mut halves = self.halves.lock();
        halves.old.remove(&id);
        if let Some(before) = halves.young.insert(id, known) {
            halves.young_bytes -= self::bytes(&before);
        }
        halves.young_bytes += bytes;
        if halves.young_bytes > self.half_bytes {
            halves.old = std::mem::take(&mut halves.young);
            halves.young_bytes = 0;
        }
    }

    pub(crate) fn forget(&self, id: JobId) {
        let mut halves = self.halves.lock();
        halves.old.remove(&id);
        if let Some(before) = halves.young.remove(&id) {
            halves.young_bytes -= bytes(&before);
        }
    }
}

fn bytes(known: &Known) -> usize {
    RECORD_BYTES + known.envelope.payload.len()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use assay_core::job::JobSpec;
    use assay_core::kind::JobKind;
    use assay_core::state::JobState;
    use assay_core::transition::{Admission, submit};

    use super::*;
    use crate::redis::record::Kept;

    fn known(number: u8) -> Known {
        let spec = JobSpec::new(JobKind::Batch, vec![0; RECORD_BYTES], 1_000);
        let made = submit(
            JobId::from_bytes([number; 16]),
            &spec,
            Admission::Queue,
            1_000,
        );
        Known {
            revision: 1,
            job: Arc::new(made.job),
            envelope: Arc::new(made.envelope.unwrap()),
            deadline_ms: 1,
            checkpoint: Kept::No,
        }
    }

    fn held(cache: &Cache) -> usize {
        let is_held = |number: &u8| cache.get(JobId::from_bytes([*number; 16])).is_some();
        (0..u8::MAX).filter(is_held).count()
    }

    #[test]
    fn it_keeps_its_bound_and_the_latest() {
        // Room for eight, so each half holds four.
        let cache = Cache::new(16 * RECORD_BYTES);
        for number in 0..100 {
            cache.put(known(number));
            assert!(held(&cache) <= 9, "{} after {number}", held(&cache));
            assert!(cache.get(JobId::from_bytes([number; 16])).is_some());
        }
        assert!(held(&cache) >= 4);
    }

    #[test]
    fn the_same_record_again_takes_no_more_room() {
        let cache = Cache::new(16 * RECORD_BYTES);
        cache.put(known(1));
        for _ in 0..100 {
            cache.put(known(2));
        }
        assert_eq!(held(&cache), 2);
    }

    #[test]
    fn what_has_ended_is_forgotten() {
        let cache = Cache::new(16 * RECORD_BYTES);
        let mut ended = known(1);
        cache.put(ended.clone());
        Arc::make_mut(&mut ended.job).state = JobState::Succeeded;
        cache.put(ended);
        assert_eq!(held(&cache), 0);
    }
}
