//! The compression before the last, as far as the levels tell.

use super::calibration;
use super::first_step::first_step;
use super::histogram::{Histogram, SIZES};
use super::modes::PLACES;
use crate::levels::Levels;
use crate::raster::Plane;
use crate::structure::jpeg::luma_steps;

/// Modes that must show the earlier compression before anything is said about it.
pub(in crate::pixels) const MODES_MIN: usize = 3;

/// An earlier compression, by a larger step than now in each of these modes.
#[derive(Debug, Clone)]
pub(in crate::pixels) struct Earlier {
    /// The quality whose tables (formula of the Independent JPEG Group) are nearest: about what it was.
    pub(in crate::pixels) quality: u8,
    /// At least [`MODES_MIN`].
    pub(in crate::pixels) modes: Vec<Mode>,
}

/// One mode in which the earlier compression shows.
#[derive(Debug, Clone)]
pub(in crate::pixels) struct Mode {
    /// Where in a block: `8 v + u`.
    pub(super) place: usize,
    /// The earlier step.
    pub(super) first: u16,
    /// Levels of the file by their size.
    pub(super) seen: [f64; SIZES],
    /// The same if the picture had not been compressed before, from as many coefficients as were looked at.
    pub(super) once: [f64; SIZES],
}

impl Earlier {
    /// Looks for it in the modes that `histograms` are of.
    pub(super) fn find(
        levels: &Levels,
        luma: &Plane,
        histograms: &[Histogram; PLACES.len()],
    ) -> Option<Self> {
        let steps = levels.steps();
        let sizes = calibration::sizes(luma, PLACES, steps);
        let modes: Vec<Mode> = PLACES
            .iter()
            .zip(histograms)
            .zip(&sizes)
            .filter_map(|((&place, histogram), sizes)| {
                let second = steps[place];
                Some(Mode {
                    place,
                    first: first_step(second, sizes, histogram)?,
                    seen: histogram.sizes().map(f64::from),
                    once: sizes.levels(second),
                })
            })
            .collect();
        (modes.len() >= MODES_MIN).then(|| Self {
            quality: quality_of(&modes),
            modes,
        })
    }
}

/// The quality whose steps are nearest (sum of differences) to these; the middle one, if several are.
fn quality_of(modes: &[Mode]) -> u8 {
    middle_of_nearest(|steps| {
        let differences = modes
            .iter()
            .map(|mode| u32::from(mode.first.abs_diff(steps[mode.place])));
        differences.sum()
    })
}

/// The quality whose steps are nearest to these of a file.
pub(in crate::pixels) fn quality_of_steps(steps: &[u16; 64]) -> u8 {
    middle_of_nearest(|ijg| {
        let differences = steps
            .iter()
            .zip(ijg)
            .map(|(step, ijg)| u32::from(step.abs_diff(*ijg)));
        differences.sum()
    })
}

fn middle_of_nearest(distance: impl Fn(&[u16; 64]) -> u32) -> u8 {
    let distances: Vec<(u32, u8)> = (1..=100)
        .map(|quality| (distance(&luma_steps(quality)), quality))
        .collect();
    let least = distances.iter().map(|(distance, _)| *distance).min();
    let nearest: Vec<u8> = distances
        .into_iter()
        .filter_map(|(distance, quality)| (Some(distance) == least).then_some(quality))
        .collect();
    nearest.get(nearest.len() / 2).copied().unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(place: usize, first: u16) -> Mode {
        Mode {
            place,
            first,
            seen: [0.0; SIZES],
            once: [0.0; SIZES],
        }
    }

    #[test]
    fn steps_tell_their_quality() {
        for quality in [10, 50, 75, 90, 98, 100] {
            assert_eq!(quality_of_steps(&luma_steps(quality)), quality);
        }
    }

    #[test]
    fn some_steps_tell_the_quality_even_if_one_is_wrong() {
        let steps = luma_steps(75);
        let mut modes: Vec<Mode> = PLACES.iter().map(|&at| mode(at, steps[at])).collect();
        assert_eq!(quality_of(&modes), 75);
        modes[4].first *= 2;
        assert_eq!(quality_of(&modes), 75);
    }
}
