//! How far up plain samples reach: what was recorded by telephone, packed by a codec or made at a lower rate has nothing
//! above some frequency, whatever the file could hold.
//!
//! The power spectrum is averaged over segments with a Hann window (Welch, IEEE Trans. Audio Electroacoust. 15, 1967).
//! The bandwidth ends where all that follows is 40 dB below the mean of 1 to 4 kHz, where speech and music are strong.

use std::f64::consts::PI;

use super::pcm::Coding;
use crate::bytes::{count, index};

/// Samples of a segment; a power of two.
const SEGMENT: usize = 2_048;
/// Segments looked at, spread over the whole recording.
const SEGMENTS_MAX: usize = 256;
/// The band that others are held against.
const BAND_HZ: (u32, u32) = (1_000, 4_000);
/// 40 dB as a ratio of powers.
const FLOOR: f64 = 1e-4;

struct Transform {
    /// `exp(-2 π i k / n)` for the first half of k.
    turns: Vec<(f64, f64)>,
    window: Vec<f64>,
}

/// Where the bandwidth ends, in Hz. Nothing if the file is too short, silent, or cannot hold more than the band itself.
pub(super) fn bandwidth_hz(
    data: &[u8],
    coding: Coding,
    channels: u16,
    sample_rate: u32,
) -> Option<u32> {
    let (low, high) = BAND_HZ;
    if sample_rate / 2 <= high {
        return None;
    }
    let power = mean_power(data, coding, usize::from(channels))?;
    let bin = |hertz: u32| index(hertz).saturating_mul(SEGMENT) / index(sample_rate);
    let band = power
        .get(bin(low)..bin(high))
        .filter(|band| !band.is_empty())?;
    let reference = band.iter().sum::<f64>() / band.len() as f64;
    if reference <= 0.0 {
        return None;
    }
    let last = power.iter().rposition(|&power| power > reference * FLOOR)?;
    let hertz = count(last + 1) * u64::from(sample_rate) / count(SEGMENT);
    u32::try_from(hertz).ok()
}

/// Power by frequency, up to half the sample rate, averaged over segments.
fn mean_power(data: &[u8], coding: Coding, channels: usize) -> Option<Vec<f64>> {
    let frame_bytes = channels
        .checked_mul(coding.bytes())
        .filter(|&bytes| bytes > 0)?;
    let frames = data.len() / frame_bytes;
    let segments = (frames / SEGMENT).min(SEGMENTS_MAX);
    if segments == 0 {
        return None;
    }
    let transform = Transform::new();
    let mut sum = vec![0.0; SEGMENT / 2];
    for segment in 0..segments {
        let start = (frames - SEGMENT) * segment / segments;
        let raw = data.get(start * frame_bytes..(start + SEGMENT) * frame_bytes)?;
        let mixed = raw.chunks_exact(frame_bytes).map(|frame| {
            let levels = frame.chunks_exact(coding.bytes());
            levels.map(|raw| f64::from(coding.level(raw))).sum()
        });
        for (sum, power) in sum.iter_mut().zip(transform.power(mixed)) {
            *sum += power;
        }
    }
    Some(sum)
}

impl Transform {
    fn new() -> Self {
        let turn = |k: usize, n: usize| 2.0 * PI * k as f64 / n as f64;
        Self {
            turns: (0..SEGMENT / 2)
                .map(|k| (turn(k, SEGMENT).cos(), -turn(k, SEGMENT).sin()))
                .collect(),
            window: (0..SEGMENT)
                .map(|k| 0.5 - 0.5 * turn(k, SEGMENT - 1).cos())
                .collect(),
        }
    }

    /// The power of one segment, without its mean: an offset is no sound.
    fn power(&self, samples: impl Iterator<Item = f64>) -> Vec<f64> {
        let samples: Vec<f64> = samples.collect();
        let mean = samples.iter().sum::<f64>() / samples.len().max(1) as f64;
        let mut values: Vec<(f64, f64)> = samples
            .iter()
            .zip(&self.window)
            .map(|(sample, window)| ((sample - mean) * window, 0.0))
            .collect();
        values.resize(SEGMENT, (0.0, 0.0));
        self.run(&mut values);
        let half = values.iter().take(SEGMENT / 2);
        half.map(|(real, imaginary)| real * real + imaginary * imaginary)
            .collect()
    }

    /// The discrete Fourier transform in place (Cooley and Tukey 1965, radix 2).
    fn run(&self, values: &mut [(f64, f64)]) {
        let bits = SEGMENT.trailing_zeros();
        for at in 0..SEGMENT {
            let reversed = at.reverse_bits() >> (usize::BITS - bits);
            if at < reversed {
                values.swap(at, reversed);
            }
        }
        let mut half = 1;
        while half < SEGMENT {
            let step = SEGMENT / (2 * half);
            for block in values.chunks_exact_mut(2 * half) {
                let (upper, lower) = block.split_at_mut(half);
                let turns = self.turns.iter().step_by(step);
                for ((a, b), (cos, sin)) in upper.iter_mut().zip(lower).zip(turns) {
                    let turned = (b.0 * cos - b.1 * sin, b.0 * sin + b.1 * cos);
                    *b = (a.0 - turned.0, a.1 - turned.1);
                    *a = (a.0 + turned.0, a.1 + turned.1);
                }
            }
            half *= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 44_100;

    /// Tones at every 100 Hz up to a frequency, each with a phase of its own.
    fn tones(up_to_hz: u32, seconds_tenth: u32) -> Vec<u8> {
        let frames = RATE * seconds_tenth / 10;
        let level = |frame: u32| {
            let tones = (1..=up_to_hz / 100).map(|tone| {
                let turns = f64::from(tone) * 100.0 * f64::from(frame) / f64::from(RATE);
                (2.0 * PI * turns + f64::from(tone * tone)).sin()
            });
            #[expect(clippy::cast_possible_truncation, reason = "well within the range")]
            let level = (tones.sum::<f64>() * 300.0) as i16;
            level
        };
        (0..frames)
            .flat_map(|frame| level(frame).to_le_bytes())
            .collect()
    }

    fn bandwidth(data: &[u8], channels: u16) -> Option<u32> {
        bandwidth_hz(data, Coding::Signed16, channels, RATE)
    }

    #[test]
    fn the_highest_tone_ends_the_bandwidth() {
        for up_to in [5_000, 8_000, 15_900] {
            let found = bandwidth(&tones(up_to, 2), 1).expect("long enough");
            assert!(found.abs_diff(up_to) < 100, "{up_to}: {found}");
        }
    }

    #[test]
    fn noise_reaches_to_the_end() {
        let mut state = 1_u32;
        let noise: Vec<u8> = (0..40_000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state.to_be_bytes()[0]
            })
            .collect();
        assert!(bandwidth(&noise, 2).expect("long enough") > 21_000);
    }

    #[test]
    fn silence_and_short_sounds_have_none() {
        assert_eq!(bandwidth(&vec![0; 2 * SEGMENT], 1), None);
        assert_eq!(bandwidth(&tones(5_000, 2)[..2 * SEGMENT - 1], 1), None);
        assert!(bandwidth(&tones(5_000, 2)[..2 * SEGMENT], 1).is_some());
        assert_eq!(bandwidth(&tones(5_000, 2), 0), None);
        let telephone = bandwidth_hz(&tones(5_000, 2), Coding::Signed16, 1, 8_000);
        assert_eq!(telephone, None);
    }

    #[test]
    fn a_long_recording_is_looked_at_here_and_there() {
        let short = tones(8_000, 2);
        let long = short.repeat(100);
        let found = bandwidth(&long, 1).expect("long enough");
        assert!(found.abs_diff(8_000) < 100, "{found}");
    }
}
