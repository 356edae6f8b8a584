//! Finds, among many fingerprints, those that are near to one.
//!
//! An array that is read from one end to the other: nothing to keep in balance, nothing that a hostile picture could
//! make slow, and the processor reads ahead. An entry takes 40 bytes, 200 MB at the bound; a search for all eight
//! variants takes 11 ms a million entries on one core (measured, optimised).
//!
//! Not here: whose pictures they are. There is one index for each owner, and nobody finds what is in another's.

use std::collections::BinaryHeap;

use super::bits::Bits;
use super::variants::{Pose, Variant};

/// Most fingerprints of an index.
pub const ENTRIES_MAX: usize = 5_000_000;
/// Most answers of one search.
pub const HITS_MAX: usize = 100;
/// Most bits in which a copy differs, as recommended for PDQ, which has as many (Facebook 2019). Unrelated pictures differ in
/// about 128.
pub const MATCH_DISTANCE_MAX: u32 = 31;
/// Room for so many more entries is made at a time: doubling it would take twice the memory.
const GROWTH_ENTRIES: usize = 65_536;

/// Fingerprints of one algorithm, and what each is called.
#[derive(Debug)]
pub struct FlatIndex {
    bits: Vec<Bits>,
    ids: Vec<u64>,
    entries_max: usize,
}

/// Something that was found. The nearest is the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// Bits in which it differs.
    pub distance: u32,
    /// What it is called.
    pub id: u64,
    /// Which variant it is near to: the one that was looked for lies like this in what was found.
    pub pose: Pose,
}

/// The index takes no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the index holds {entries_max} fingerprints, which is its bound")]
pub struct Full {
    /// The bound.
    pub entries_max: usize,
}

impl Default for FlatIndex {
    fn default() -> Self {
        Self::bounded(ENTRIES_MAX)
    }
}

impl FlatIndex {
    /// An empty index of `entries_max` fingerprints at most, and no more than [`ENTRIES_MAX`].
    #[must_use]
    pub fn bounded(entries_max: usize) -> Self {
        Self {
            bits: Vec::new(),
            ids: Vec::new(),
            entries_max: entries_max.min(ENTRIES_MAX),
        }
    }

    /// Takes a fingerprint in. Nothing is looked for under `id`, so the same one may be given twice.
    ///
    /// # Errors
    /// [`Full`]: it is not taken in.
    pub fn push(&mut self, bits: Bits, id: u64) -> Result<(), Full> {
        if self.bits.len() >= self.entries_max {
            return Err(Full {
                entries_max: self.entries_max,
            });
        }
        if self.bits.len() == self.bits.capacity() {
            self.bits.reserve_exact(GROWTH_ENTRIES);
            self.ids.reserve_exact(GROWTH_ENTRIES);
        }
        self.bits.push(bits);
        self.ids.push(id);
        Ok(())
    }

    /// How many fingerprints there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bits.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bits.is_empty()
    }

    /// The fingerprints that differ from one of `variants` in `distance_max` bits or fewer, the nearest first and those of
    /// one distance by their ids; the [`HITS_MAX`] nearest if there are more.
    #[must_use]
    pub fn nearest(&self, variants: &[Variant], distance_max: u32) -> Vec<Hit> {
        let mut hits = BinaryHeap::with_capacity(HITS_MAX + 1);
        for (&bits, &id) in self.bits.iter().zip(&self.ids) {
            let Some((distance, pose)) = closest(bits, variants, distance_max) else {
                continue;
            };
            hits.push(Hit { distance, id, pose });
            if hits.len() > HITS_MAX {
                hits.pop();
            }
        }
        hits.into_sorted_vec()
    }
}

fn closest(bits: Bits, variants: &[Variant], distance_max: u32) -> Option<(u32, Pose)> {
    let near = variants.iter().filter_map(|variant| {
        let distance = bits.within(variant.bits, distance_max)?;
        Some((distance, variant.pose))
    });
    near.min()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn upright(bits: Bits) -> Variant {
        Variant {
            pose: Pose::Upright,
            bits,
        }
    }

    /// The first `count` bits set.
    fn ones(count: usize) -> Bits {
        Bits::collect(std::iter::repeat_n(true, count))
    }

    fn index(entries: impl IntoIterator<Item = (Bits, u64)>) -> FlatIndex {
        let mut index = FlatIndex::default();
        for (bits, id) in entries {
            index.push(bits, id).expect("has room");
        }
        index
    }

    #[test]
    fn the_nearest_come_first_and_what_is_too_far_does_not() {
        let index = index([(ones(32), 1), (ones(31), 2), (ones(2), 3), (ones(0), 4)]);
        let hits = index.nearest(&[upright(ones(0))], MATCH_DISTANCE_MAX);
        let found: Vec<_> = hits.iter().map(|hit| (hit.id, hit.distance)).collect();
        assert_eq!(found, [(4, 0), (3, 2), (2, 31)]);
    }

    #[test]
    fn an_entry_is_found_once_by_the_variant_that_is_nearest() {
        let index = index([(ones(5), 9)]);
        let mirrored = Variant {
            pose: Pose::Mirrored,
            bits: ones(4),
        };
        let hits = index.nearest(&[upright(ones(0)), mirrored], MATCH_DISTANCE_MAX);
        let expected = Hit {
            distance: 1,
            id: 9,
            pose: Pose::Mirrored,
        };
        assert_eq!(hits, [expected]);
    }

    #[test]
    fn nothing_is_found_without_entries_or_variants() {
        let empty = FlatIndex::default();
        assert!(empty.is_empty());
        assert_eq!(empty.nearest(&[upright(ones(0))], 256), []);
        assert_eq!(index([(ones(0), 1)]).nearest(&[], 256), []);
    }

    #[test]
    fn an_index_holds_its_bound_and_no_more() {
        let mut index = FlatIndex::bounded(3);
        for id in 0..3 {
            assert_eq!(index.push(ones(0), id), Ok(()));
        }
        assert_eq!(index.push(ones(0), 3), Err(Full { entries_max: 3 }));
        assert_eq!(index.len(), 3);
        assert_eq!(index.nearest(&[upright(ones(0))], 0).len(), 3);
        assert_eq!(FlatIndex::default().entries_max, ENTRIES_MAX);
        assert_eq!(FlatIndex::bounded(ENTRIES_MAX + 1).entries_max, ENTRIES_MAX);
    }

    #[test]
    fn answers_hold_their_bound_and_are_the_nearest() {
        let entries = |count: u64| (0..count).map(|id| (ones(20), id));
        let search = |index: &FlatIndex| index.nearest(&[upright(ones(0))], MATCH_DISTANCE_MAX);
        let most = HITS_MAX as u64;
        assert_eq!(search(&index(entries(most))).len(), HITS_MAX);
        let near = index(entries(most).chain([(ones(3), most)]));
        let hits = search(&near);
        assert_eq!(hits.len(), HITS_MAX);
        assert_eq!((hits[0].id, hits[0].distance), (most, 3));
        assert_eq!(
            hits[HITS_MAX - 1].id,
            most - 2,
            "the last of the far ones went"
        );
    }

    proptest! {
        #[test]
        fn a_search_finds_what_comparing_each_with_each_finds(
            stored in prop::collection::vec(any::<[u8; 32]>(), 0..40),
            looked_for in prop::collection::vec(any::<[u8; 32]>(), 0..8),
            distance_max in 100u32..140,
        ) {
            let stored: Vec<_> = stored.into_iter().map(Bits::from_bytes).zip(0u64..).collect();
            let variants: Vec<_> = looked_for.into_iter().map(Bits::from_bytes).zip(Pose::ALL)
                .map(|(bits, pose)| Variant { pose, bits })
                .collect();
            let found = index(stored.iter().copied()).nearest(&variants, distance_max);
            let mut expected = Vec::new();
            for (bits, id) in &stored {
                let all = variants.iter().map(|variant| (bits.distance(variant.bits), variant.pose));
                if let Some((distance, pose)) = all.min() && distance <= distance_max {
                    expected.push(Hit { distance, id: *id, pose });
                }
            }
            expected.sort();
            prop_assert_eq!(found, expected);
        }
    }
}
