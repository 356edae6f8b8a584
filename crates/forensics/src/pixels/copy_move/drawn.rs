//! Whether an area was written or drawn: letters are equal wherever they stand, and nobody copied them.

use crate::bytes::index;
use crate::evidence::Region;
use crate::raster::Plane;

/// Share of pixels equal to their right and lower neighbours from which on a picture is no photo. Photos have up to 0.33,
/// graphics from 0.59 on.
const FLAT_SHARE: f64 = 0.4;
/// Share of pixels near one of two grey levels from which on there are two tones: compressed text has from 0.87 on,
/// copied pieces of photos up to 0.71.
const TWO_TONE_SHARE: f64 = 0.8;
/// Grey levels around a tone that compression spreads it over.
const TONE_REACH: usize = 16;
/// Grey levels between the tones of text, so that it can be read. Low contrast is not two tones.
const TONE_DISTANCE: usize = 80;
/// Pixels that are looked at.
const LOOKED_AT: usize = 65_536;

/// Whether what the area shows has the flat surfaces or the two tones of text and drawings.
pub(super) fn is_drawn(plane: &Plane, area: Region) -> bool {
    let mut levels = [0u32; 256];
    let (mut flat, mut all) = (0u32, 0u32);
    for [level, right, below] in samples(plane, area) {
        all += 1;
        flat += u32::from(level == right && level == below);
        if let Some(count) = levels.get_mut(usize::from(level)) {
            *count += 1;
        }
    }
    let share = |count: u32| f64::from(count) / f64::from(all.max(1));
    share(flat) >= FLAT_SHARE || share(two_tones(&levels)) >= TWO_TONE_SHARE
}

/// Samples of the area, each with its right and lower neighbour.
fn samples(plane: &Plane, area: Region) -> impl Iterator<Item = [u8; 3]> {
    let [x, y, w, h] = [area.x, area.y, area.w, area.h].map(index);
    // Odd, so that it does not keep step with the dots of letters.
    let stride = (w.saturating_mul(h) / LOOKED_AT) | 1;
    let at = |x: usize, y: usize| {
        let is_inside = x < plane.width();
        let sample = || plane.samples().get(y * plane.width() + x).copied();
        is_inside.then(sample).flatten()
    };
    (0..w.saturating_mul(h))
        .step_by(stride)
        .map(move |place| (x + place % w.max(1), y + place / w.max(1)))
        .filter_map(move |(x, y)| Some([at(x, y)?, at(x + 1, y)?, at(x, y + 1)?]))
}

/// Pixels near one of the two most frequent tones that are far enough apart.
fn two_tones(levels: &[u32; 256]) -> u32 {
    let around = |tone: usize| {
        let first = tone.saturating_sub(TONE_REACH);
        levels
            .iter()
            .skip(first)
            .take(tone + TONE_REACH + 1 - first)
    };
    let near: Vec<u32> = (0..levels.len()).map(|tone| around(tone).sum()).collect();
    let most =
        |tones: &mut dyn Iterator<Item = (usize, u32)>| tones.max_by_key(|&(_, count)| count);
    let counted = || near.iter().copied().enumerate();
    let Some((first, count)) = most(&mut counted()) else {
        return 0;
    };
    let second = most(&mut counted().filter(|(tone, _)| tone.abs_diff(first) >= TONE_DISTANCE));
    // One tone alone is a surface, and smooth blocks are not compared.
    match second {
        Some((_, other)) if other > 0 => count + other,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Region = Region {
        x: 0,
        y: 0,
        w: 64,
        h: 48,
    };

    fn drawn(sample: impl Fn(usize) -> u8) -> bool {
        let samples = (0..64 * 48).map(sample).collect();
        is_drawn(&Plane::new(64, samples).expect("whole rows"), ALL)
    }

    /// Without a pattern.
    fn random(at: usize) -> usize {
        (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) % 1_000
    }

    fn byte(level: usize) -> u8 {
        u8::try_from(level).expect("a level")
    }

    #[test]
    fn flat_surfaces_are_drawn() {
        assert!(drawn(|at| byte(at % 64 / 8 * 30)));
    }

    #[test]
    fn two_tones_are_drawn_although_noise_lies_on_them() {
        assert!(drawn(|at| byte(
            30 + random(at) % 2 * 190 + random(at + 7_777) % 12
        )));
    }

    #[test]
    fn noise_of_low_or_of_full_contrast_is_not() {
        assert!(!drawn(|at| byte(100 + random(at) % 40)));
        assert!(!drawn(|at| byte(random(at) % 250)));
    }

    #[test]
    fn tones_are_two_from_their_distance_on() {
        let with_tones = |first: usize, second: usize| {
            let mut levels = [0; 256];
            (levels[first], levels[second]) = (60, 40);
            two_tones(&levels)
        };
        assert_eq!(with_tones(20, 20 + TONE_DISTANCE), 100);
        // A tone reaches over its neighbours, so the next one counts from the far end of its reach.
        assert_eq!(with_tones(120, 140), 0);
        assert_eq!(two_tones(&[0; 256]), 0);
    }

    #[test]
    fn an_area_outside_of_the_picture_is_not_drawn() {
        let plane = Plane::new(4, vec![9; 16]).expect("whole rows");
        let far = Region { x: 90, ..ALL };
        assert!(!is_drawn(&plane, far));
        assert!(!is_drawn(&plane, Region { w: 0, ..ALL }));
        let huge = Region {
            x: u32::MAX,
            y: u32::MAX,
            w: u32::MAX,
            h: 1,
        };
        assert!(!is_drawn(&plane, huge));
    }
}
