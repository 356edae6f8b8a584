//! A picture that says a generator made it. No model was asked: what counts here is the text, in the form in which
//! widespread Stable Diffusion front ends write it.

use image::{Rgb, RgbImage};

use crate::error::Error;
use crate::png;
use crate::random::Random;

const SIDE: u32 = 512;
const LIGHTS: usize = 6;

/// Name of the PNG text in which settings stand.
pub const PARAMETERS: &str = "parameters";

/// The PNG file that belongs to `seed`.
///
/// # Errors
/// What the encoder says.
pub fn paint(seed: u64) -> Result<Vec<u8>, Error> {
    let mut random = Random::new(seed);
    let lights = [(); LIGHTS].map(|()| Light::random(&mut random));
    let picture = RgbImage::from_fn(SIDE, SIDE, |x, y| colour(&lights, x as f32, y as f32));
    Ok(png::with_text(
        &png::encode(&picture)?,
        PARAMETERS,
        &parameters(&mut random),
    ))
}

/// Prompt, negative prompt, settings: one line each.
#[must_use]
pub fn parameters(random: &mut Random) -> String {
    let seed = random.bits() >> 32;
    format!(
        "soft coloured lights in fog, long exposure\n\
         Negative prompt: text, watermark\n\
         Steps: 28, Sampler: DPM++ 2M Karras, CFG scale: 6.5, Seed: {seed}, Size: {SIDE}x{SIDE}, \
         Model hash: 31e35c80fc, Model: sd_xl_base_1.0, Version: v1.9.4"
    )
}

struct Light {
    x: f32,
    y: f32,
    reach: f32,
    tint: [f32; 3],
}

impl Light {
    fn random(random: &mut Random) -> Self {
        let side = SIDE as f32;
        Self {
            x: random.between(0.0, side),
            y: random.between(0.0, side),
            reach: random.between(40.0, 200.0),
            tint: [(); 3].map(|()| random.between(20.0, 200.0)),
        }
    }

    /// How much of it is seen at a distance.
    fn strength(&self, x: f32, y: f32) -> f32 {
        let (dx, dy) = ((x - self.x) / self.reach, (y - self.y) / self.reach);
        1.0 / (1.0 + dx * dx + dy * dy)
    }
}

fn colour(lights: &[Light], x: f32, y: f32) -> Rgb<u8> {
    let mut sum = [8.0_f32; 3];
    for light in lights {
        let strength = light.strength(x, y);
        for (value, tint) in sum.iter_mut().zip(light.tint) {
            *value += tint * strength;
        }
    }
    Rgb(sum.map(level))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "clamped to the range of a pixel first"
)]
fn level(value: f32) -> u8 {
    value.clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_what_readers_look_for() {
        let text = parameters(&mut Random::new(1));
        for part in [
            "Steps: ",
            "Sampler: ",
            "CFG scale: ",
            "Seed: ",
            "Model hash: ",
            "\nNegative prompt: ",
        ] {
            assert!(text.contains(part), "{part}");
        }
        assert!(text.is_ascii());
    }

    #[test]
    fn the_picture_follows_from_the_seed() {
        assert_eq!(paint(5).unwrap(), paint(5).unwrap());
        assert_ne!(paint(5).unwrap(), paint(6).unwrap());
    }
}
