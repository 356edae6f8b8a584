//! The dead-leaves model: discs of all sizes fall on one another. Their outlines have the statistics of photographs
//! (Lee, Mumford and Huang, 2001), and no two places are alike.

use crate::random::Random;

const RADIUS_MIN: f32 = 5.0;
const RADIUS_MAX: f32 = 240.0;

/// How often a place is covered on average, so that hardly any ground is left to see.
const LAYERS: f32 = 7.0;

/// Light as it falls on the sensor: linear, 0 to 1, one plane per colour.
pub(crate) struct Scene {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) planes: [Vec<f32>; 3],
}

/// A disc with a tint and a slope of brightness.
struct Leaf {
    x: f32,
    y: f32,
    radius: f32,
    tint: [f32; 3],
    slope: [f32; 2],
}

/// Lets leaves fall until the ground is covered.
pub(crate) fn dead_leaves(width: usize, height: usize, random: &mut Random) -> Scene {
    let mut scene = Scene {
        width,
        height,
        planes: [(); 3].map(|()| vec![0.2; width * height]),
    };
    let area = width as f32 * height as f32;
    let mut covered = 0.0;
    while covered < area * LAYERS {
        let leaf = Leaf::random(width as f32, height as f32, random);
        covered += std::f32::consts::PI * leaf.radius * leaf.radius;
        scene.drop_leaf(&leaf);
    }
    scene
}

impl Leaf {
    fn random(width: f32, height: f32, random: &mut Random) -> Self {
        // Radii by the inverse cube: every scale covers about the same area.
        let (small, large) = (
            1.0 / (RADIUS_MIN * RADIUS_MIN),
            1.0 / (RADIUS_MAX * RADIUS_MAX),
        );
        let radius = 1.0 / (large + (small - large) * random.unit()).sqrt();
        let light = random.between(0.05, 0.75);
        let tint = [(); 3].map(|()| (light * random.between(0.75, 1.25)).min(0.9));
        Self {
            x: random.between(-radius, width + radius),
            y: random.between(-radius, height + radius),
            radius,
            tint,
            slope: [
                random.between(-0.3, 0.3) / radius,
                random.between(-0.3, 0.3) / radius,
            ],
        }
    }
}

impl Scene {
    fn drop_leaf(&mut self, leaf: &Leaf) {
        for y in span(leaf.y, leaf.radius, self.height) {
            let dy = y as f32 - leaf.y;
            let half = (leaf.radius * leaf.radius - dy * dy).max(0.0).sqrt();
            let across = span(leaf.x, half, self.width);
            let first_shade =
                1.0 + dy * leaf.slope[1] + (across.start as f32 - leaf.x) * leaf.slope[0];
            let row = y * self.width;
            for (plane, tint) in self.planes.iter_mut().zip(leaf.tint) {
                let mut light = tint * first_shade;
                let step = tint * leaf.slope[0];
                for value in &mut plane[row + across.start..row + across.end] {
                    *value = light;
                    light += step;
                }
            }
        }
    }
}

/// The pixels within `reach` of `centre`, inside `0..end`.
fn span(centre: f32, reach: f32, end: usize) -> std::ops::Range<usize> {
    let start = pixel(centre - reach, end);
    start..pixel(centre + reach, end).max(start)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "clamped to the picture first"
)]
fn pixel(place: f32, end: usize) -> usize {
    place.ceil().clamp(0.0, end as f32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scene_follows_from_the_seed_and_fills_the_range_of_light() {
        let scene = dead_leaves(120, 80, &mut Random::new(3));
        assert_eq!(
            scene.planes,
            dead_leaves(120, 80, &mut Random::new(3)).planes
        );
        assert_ne!(
            scene.planes,
            dead_leaves(120, 80, &mut Random::new(4)).planes
        );
        for plane in &scene.planes {
            assert_eq!(plane.len(), 120 * 80);
            assert!(plane.iter().all(|light| (0.0..=1.5).contains(light)));
            let mean = plane.iter().sum::<f32>() / plane.len() as f32;
            let variance = plane
                .iter()
                .map(|light| (light - mean) * (light - mean))
                .sum::<f32>()
                / plane.len() as f32;
            assert!(variance > 0.005, "a scene has contrast: {variance}");
        }
    }
}
