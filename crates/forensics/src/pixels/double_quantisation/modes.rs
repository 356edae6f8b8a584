//! The modes of the DCT that are looked at: low frequencies, for high ones are mostly zero.

use super::histogram::Histogram;
use crate::levels::Levels;

/// Places in a block (`8 v + u`), from low to high frequencies as files order them, without the mean.
pub(super) const PLACES: [usize; 20] = [
    1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40,
];
/// How many of them, from the lowest, speak for the picture as a whole.
const GLOBAL: usize = 9;
/// How many of those must agree.
const GLOBAL_AGREE: usize = 3;

/// Counts the levels of each mode of [`PLACES`].
pub(super) fn histograms(levels: &Levels) -> [Histogram; PLACES.len()] {
    let mut histograms = PLACES.map(|_| Histogram::default());
    for block in levels.blocks() {
        for (histogram, place) in histograms.iter_mut().zip(PLACES) {
            histogram.add(block[place]);
        }
    }
    histograms
}

/// How periodic the levels are, 0 to 1: the mean of the most periodic modes; nothing if too few have levels enough.
pub(super) fn score(histograms: &[Histogram], non_zero_min: u32) -> Option<f64> {
    let mut scores: Vec<f64> = histograms
        .iter()
        .take(GLOBAL)
        .filter(|histogram| histogram.non_zero() >= non_zero_min)
        .map(Histogram::periodicity)
        .collect();
    scores.sort_by(|left, right| right.total_cmp(left));
    let agreeing = scores.get(..GLOBAL_AGREE)?;
    Some(agreeing.iter().sum::<f64>() / GLOBAL_AGREE as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mode_is_counted_at_its_place() {
        let mut block = [0; 64];
        block[8] = 5;
        block[40] = -7;
        let levels = Levels::new(1, [1; 64], vec![block]).expect("levels");
        let histograms = histograms(&levels);
        assert_eq!(histograms[1].sizes()[5], 1);
        assert_eq!(histograms[19].sizes()[7], 1);
        assert_eq!(histograms[0].sizes()[0], 1);
    }

    #[test]
    fn modes_with_too_few_levels_have_no_say() {
        let with = |count: u16| {
            let mut histogram = Histogram::default();
            (0..count).for_each(|_| histogram.add(1));
            histogram
        };
        let enough = vec![with(400); GLOBAL_AGREE];
        assert!(score(&enough, 400).is_some());
        let few = [with(400), with(400), with(399)];
        assert!(score(&few, 400).is_none());
        let late: Vec<_> = vec![with(0); GLOBAL].into_iter().chain(enough).collect();
        assert!(score(&late, 400).is_none());
    }
}
