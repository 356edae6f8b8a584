//! The sensor: one colour per pixel, a pattern of its own, and noise.

use crate::camera::scene::Scene;
use crate::random::Random;

/// Largest number that the converter gives.
pub(crate) const WHITE: u16 = 4095;

/// What tells one sensor from another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sensor {
    /// From which its pattern follows: the pattern belongs to the camera, not to the picture.
    pub seed: u64,
    /// How much its pixels differ in sensitivity (deviation, relative).
    pub pattern: f32,
    /// Variance of the noise is `shot * light + read`, with white at 1.
    pub shot: f32,
    /// See `shot`.
    pub read: f32,
}

/// Raw numbers in rows of red-green and green-blue pairs, with a border of one pixel that mirrors the inside, so that
/// every pixel has all its neighbours.
pub(crate) struct Mosaic {
    /// Width with the border.
    pub(crate) stride: usize,
    pub(crate) samples: Vec<u16>,
}

/// Which plane of the scene a pixel sees.
pub(crate) fn colour_at(x: usize, y: usize) -> usize {
    (x & 1) + (y & 1)
}

/// Takes the picture.
pub(crate) fn expose(scene: &Scene, sensor: &Sensor, random: &mut Random) -> Mosaic {
    let (width, height, stride) = (scene.width, scene.height, scene.width + 2);
    let mut pattern = Random::new(sensor.seed);
    let mut samples = vec![0; stride * (height + 2)];
    for y in 0..height {
        for x in 0..width {
            let light = through_lens(&scene.planes[colour_at(x, y)], width, height, x, y);
            let signal = light * (1.0 + sensor.pattern * pattern.normal());
            let deviation = (sensor.shot * signal.max(0.0) + sensor.read).sqrt();
            samples[(y + 1) * stride + x + 1] = convert(signal + deviation * random.normal());
        }
    }
    let mut mosaic = Mosaic { stride, samples };
    mosaic.mirror_border(width, height);
    mosaic
}

/// No lens is sharper than its sensor: half of the light comes from the four neighbours.
fn through_lens(plane: &[f32], width: usize, height: usize, x: usize, y: usize) -> f32 {
    let row = y * width;
    let left = plane[row + x.saturating_sub(1)];
    let right = plane[row + (x + 1).min(width - 1)];
    let above = plane[y.saturating_sub(1) * width + x];
    let below = plane[(y + 1).min(height - 1) * width + x];
    0.5 * plane[row + x] + 0.125 * (left + right + above + below)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "clamped to the converter's range first"
)]
fn convert(signal: f32) -> u16 {
    (signal * f32::from(WHITE) + 0.5).clamp(0.0, f32::from(WHITE)) as u16
}

impl Mosaic {
    /// Mirrors across the outermost pixel, which keeps the colours in their places.
    fn mirror_border(&mut self, width: usize, height: usize) {
        let stride = self.stride;
        for y in 1..=height {
            self.samples[y * stride] = self.samples[y * stride + 2];
            self.samples[y * stride + width + 1] = self.samples[y * stride + width - 1];
        }
        self.samples.copy_within(2 * stride..3 * stride, 0);
        self.samples.copy_within(
            (height - 1) * stride..height * stride,
            (height + 1) * stride,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::FIRST;

    fn even_scene(light: f32) -> Scene {
        Scene {
            width: 64,
            height: 64,
            planes: [(); 3].map(|()| vec![light; 64 * 64]),
        }
    }

    fn spread(mosaic: &Mosaic) -> f32 {
        let inside: Vec<f32> = (1..=64)
            .flat_map(|y| &mosaic.samples[y * mosaic.stride + 1..=y * mosaic.stride + 64])
            .map(|sample| f32::from(*sample))
            .collect();
        let mean = inside.iter().sum::<f32>() / 4096.0;
        (inside
            .iter()
            .map(|sample| (sample - mean) * (sample - mean))
            .sum::<f32>()
            / 4096.0)
            .sqrt()
    }

    #[test]
    fn noise_grows_with_light() {
        let dark = spread(&expose(
            &even_scene(0.02),
            &FIRST.sensor,
            &mut Random::new(1),
        ));
        let bright = spread(&expose(
            &even_scene(0.6),
            &FIRST.sensor,
            &mut Random::new(1),
        ));
        assert!(bright > 3.0 * dark, "{dark} {bright}");
    }

    #[test]
    fn the_border_keeps_the_colours_in_their_places() {
        let mut scene = even_scene(0.0);
        scene.planes[0].fill(0.8);
        let mosaic = expose(&scene, &FIRST.sensor, &mut Random::new(1));
        let is_red = |x: usize, y: usize| mosaic.samples[y * mosaic.stride + x] > WHITE / 2;
        // Shifted by the border, red stands where both numbers are odd.
        for at in 0..66 {
            assert!(!is_red(at, 0), "row 0 is green and blue");
            assert_eq!(is_red(at, 65), at % 2 == 1, "row 65 is red and green");
            assert_eq!(is_red(65, at), at % 2 == 1, "column 65 is red and green");
        }
    }

    #[test]
    fn converter_ends_are_clamped() {
        assert_eq!(convert(-1.0), 0);
        assert_eq!(convert(1.0), WHITE);
        assert_eq!(convert(9.0), WHITE);
    }
}
