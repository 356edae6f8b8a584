//! From raw numbers to a picture: the missing two colours of each pixel, and the tone curve.

use image::RgbImage;

use crate::camera::sensor::{Mosaic, WHITE, colour_at};
use crate::error::Error;

/// Develops a mosaic into a picture of `width` by `height`.
pub(crate) fn develop(mosaic: &Mosaic, width: u32, height: u32) -> Result<RgbImage, Error> {
    let tones = tone_curve();
    let mut pixels = Vec::with_capacity(mosaic.samples.len() * 3);
    let rows = mosaic.samples.chunks_exact(mosaic.stride);
    let neighbours = rows.clone().zip(rows.clone().skip(1)).zip(rows.skip(2));
    for (y, ((above, row), below)) in neighbours.enumerate() {
        for x in 0..mosaic.stride - 2 {
            let [red, green, blue] = colours(
                &above[x..x + 3],
                &row[x..x + 3],
                &below[x..x + 3],
                colour_at(x, y),
                y,
            );
            pixels.extend([tones[red], tones[green], tones[blue]]);
        }
    }
    RgbImage::from_raw(width, height, pixels).ok_or(Error::Geometry)
}

/// Bilinear: a missing colour is the mean of the nearest pixels that have it. Each argument is three pixels wide.
fn colours(above: &[u16], row: &[u16], below: &[u16], colour: usize, y: usize) -> [usize; 3] {
    let number = |sample: u16| usize::from(sample);
    let here = number(row[1]);
    let beside = (number(row[0]) + number(row[2])) / 2;
    let upright = (number(above[1]) + number(below[1])) / 2;
    match colour {
        0 | 2 => {
            let corners =
                (number(above[0]) + number(above[2]) + number(below[0]) + number(below[2])) / 4;
            let green = (beside + upright) / 2;
            if colour == 0 {
                [here, green, corners]
            } else {
                [corners, green, here]
            }
        }
        _ if y & 1 == 0 => [beside, here, upright],
        _ => [upright, here, beside],
    }
}

/// Gamma 2: near the usual curve, and a square root is the same on every machine.
fn tone_curve() -> Vec<u8> {
    (0..=WHITE)
        .map(|raw| tone(f32::from(raw) / f32::from(WHITE)))
        .collect()
}

#[expect(clippy::cast_possible_truncation, reason = "light is at most 1")]
fn tone(light: f32) -> u8 {
    (light.sqrt() * 255.0 + 0.5) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::FIRST;
    use crate::camera::scene::Scene;
    use crate::camera::sensor::expose;
    use crate::random::Random;

    #[test]
    fn an_even_colour_comes_out_as_it_went_in() {
        let planes = [0.09, 0.25, 0.64].map(|light: f32| vec![light; 32 * 16]);
        let mosaic = expose(
            &Scene {
                width: 32,
                height: 16,
                planes,
            },
            &FIRST.sensor,
            &mut Random::new(5),
        );
        let picture = develop(&mosaic, 32, 16).unwrap();
        for (channel, expected) in [0.3, 0.5, 0.8].into_iter().enumerate() {
            let mean = picture
                .pixels()
                .map(|p| f32::from(p.0[channel]))
                .sum::<f32>()
                / (32.0 * 16.0);
            assert!(
                (mean - expected * 255.0).abs() < 2.0,
                "channel {channel}: {mean}"
            );
        }
    }

    #[test]
    fn the_curve_goes_from_black_to_white() {
        let tones = tone_curve();
        assert_eq!((tones[0], tones[usize::from(WHITE)]), (0, 255));
        assert!(tones.is_sorted());
    }

    #[test]
    fn another_size_than_the_mosaics_is_an_error() {
        let planes = [(); 3].map(|()| vec![0.5; 16]);
        let mosaic = expose(
            &Scene {
                width: 4,
                height: 4,
                planes,
            },
            &FIRST.sensor,
            &mut Random::new(5),
        );
        assert!(matches!(develop(&mosaic, 5, 5), Err(Error::Geometry)));
    }
}
