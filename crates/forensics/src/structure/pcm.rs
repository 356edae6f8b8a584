//! Figures of plain samples: clipping, digital silence, offset. They tell of capture and editing, not of a voice.

use serde::{Deserialize, Serialize};

/// Silence at least this long is counted. A recording of the world has noise in it all the time.
const ZERO_RUN_MS: u64 = 100;
/// One in parts per million.
const MILLION: i128 = 1_000_000;

/// How samples are stored, little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// 8 bits, 128 is zero.
    Unsigned8,
    Signed16,
    Signed24,
    Signed32,
    /// 32 bits, 1.0 is full scale.
    Float32,
}

/// What all samples together show.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PcmFigures {
    /// Samples of one channel.
    pub frames: u64,
    /// Samples at the end of the scale, of a million.
    pub clipped_ppm: u32,
    /// The mean of all samples, in millionths of full scale.
    pub dc_ppm: i32,
    /// The largest sample, in millionths of full scale.
    pub peak_ppm: u32,
    /// Stretches of at least 100 ms in which every sample is exactly zero.
    pub zero_runs: u32,
    /// The longest of them in milliseconds.
    pub zero_run_ms_max: u64,
}

struct Meter {
    channels: u64,
    zero_run_frames_min: u64,
    frames: u64,
    sum: i128,
    peak: u32,
    clipped: u64,
    zero_runs: u32,
    zero_run: u64,
    zero_run_max: u64,
}

/// Measures samples of interleaved channels; nothing without a whole frame.
pub(super) fn measure(
    data: &[u8],
    coding: Coding,
    channels: u16,
    sample_rate: u32,
) -> Option<PcmFigures> {
    let channels = usize::from(channels);
    if channels == 0 || sample_rate == 0 {
        return None;
    }
    let mut meter = Meter::new(channels, sample_rate);
    match coding {
        Coding::Unsigned8 => meter.run(data, channels, unsigned8),
        Coding::Signed16 => meter.run(data, channels, signed16),
        Coding::Signed24 => meter.run(data, channels, signed24),
        Coding::Signed32 => meter.run(data, channels, signed32),
        Coding::Float32 => meter.run(data, channels, float32),
    }
    meter.finish(sample_rate)
}

impl Coding {
    /// Bytes of one sample.
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::Unsigned8 => 1,
            Self::Signed16 => 2,
            Self::Signed24 => 3,
            Self::Signed32 | Self::Float32 => 4,
        }
    }

    /// One sample, on a scale of 32 bits; zero if there are not enough bytes.
    pub(super) fn level(self, raw: &[u8]) -> i32 {
        let level = match self {
            Self::Unsigned8 => raw.first_chunk().map(|raw| unsigned8(*raw)),
            Self::Signed16 => raw.first_chunk().map(|raw| signed16(*raw)),
            Self::Signed24 => raw.first_chunk().map(|raw| signed24(*raw)),
            Self::Signed32 => raw.first_chunk().map(|raw| signed32(*raw)),
            Self::Float32 => raw.first_chunk().map(|raw| float32(*raw)),
        };
        level.map_or(0, |(level, _)| level)
    }
}

fn unsigned8([raw]: [u8; 1]) -> (i32, bool) {
    let level = (i32::from(raw) - 128) << 24;
    (level, raw == 0 || raw == u8::MAX)
}

fn signed16(raw: [u8; 2]) -> (i32, bool) {
    let level = i16::from_le_bytes(raw);
    let is_clipped = level == i16::MAX || level == i16::MIN;
    (i32::from(level) << 16, is_clipped)
}

fn signed24([a, b, c]: [u8; 3]) -> (i32, bool) {
    let level = i32::from_le_bytes([0, a, b, c]);
    (level, level == i32::MAX & !0xff || level == i32::MIN)
}

fn signed32(raw: [u8; 4]) -> (i32, bool) {
    let level = i32::from_le_bytes(raw);
    (level, level == i32::MAX || level == i32::MIN)
}

fn float32(raw: [u8; 4]) -> (i32, bool) {
    let level = f32::from_le_bytes(raw);
    (scaled(level), level.abs() >= 1.0)
}

/// To the scale of whole numbers; what is beyond it, or no number, ends at its edge or at zero.
fn scaled(level: f32) -> i32 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "such a cast saturates, which is what is wanted"
    )]
    let scaled = (level * 2_147_483_648.0) as i32;
    // The smallest number that is not zero is not silence.
    if scaled == 0 && level != 0.0 && !level.is_nan() {
        1
    } else {
        scaled
    }
}

impl Meter {
    fn new(channels: usize, sample_rate: u32) -> Self {
        Self {
            channels: crate::bytes::count(channels),
            zero_run_frames_min: (u64::from(sample_rate) * ZERO_RUN_MS / 1_000).max(1),
            frames: 0,
            sum: 0,
            peak: 0,
            clipped: 0,
            zero_runs: 0,
            zero_run: 0,
            zero_run_max: 0,
        }
    }

    /// Goes through all whole frames. A sample comes as a level and whether it is at the end of its scale.
    fn run<const N: usize>(
        &mut self,
        data: &[u8],
        channels: usize,
        sample: impl Fn([u8; N]) -> (i32, bool),
    ) {
        for frame in data.chunks_exact(channels * N) {
            let mut sum = 0_i64;
            let mut is_silent = true;
            let (samples, _) = frame.as_chunks::<N>();
            for raw in samples {
                let (level, is_clipped) = sample(*raw);
                sum += i64::from(level);
                self.peak = self.peak.max(level.unsigned_abs());
                self.clipped += u64::from(is_clipped);
                is_silent &= level == 0;
            }
            self.sum += i128::from(sum);
            self.frames += 1;
            self.note_silence(is_silent);
        }
    }

    fn note_silence(&mut self, is_silent: bool) {
        if !is_silent {
            self.zero_run = 0;
            return;
        }
        self.zero_run += 1;
        if self.zero_run == self.zero_run_frames_min {
            self.zero_runs = self.zero_runs.saturating_add(1);
        }
        self.zero_run_max = self.zero_run_max.max(self.zero_run);
    }

    fn finish(self, sample_rate: u32) -> Option<PcmFigures> {
        let samples = i128::from(self.frames) * i128::from(self.channels);
        if samples == 0 {
            return None;
        }
        let full_scale = i128::from(i32::MAX) + 1;
        let longest = if self.zero_runs > 0 {
            self.zero_run_max * 1_000 / u64::from(sample_rate)
        } else {
            0
        };
        Some(PcmFigures {
            frames: self.frames,
            clipped_ppm: u32::try_from(i128::from(self.clipped) * MILLION / samples).ok()?,
            dc_ppm: i32::try_from(self.sum * MILLION / samples / full_scale).ok()?,
            peak_ppm: u32::try_from(i128::from(self.peak) * MILLION / full_scale).ok()?,
            zero_runs: self.zero_runs,
            zero_run_ms_max: longest,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes16(samples: impl IntoIterator<Item = i16>) -> Vec<u8> {
        samples.into_iter().flat_map(i16::to_le_bytes).collect()
    }

    fn figures(data: &[u8], coding: Coding, channels: u16) -> PcmFigures {
        measure(data, coding, channels, 1_000).expect("a frame")
    }

    #[test]
    fn ends_of_the_scale_are_clipped() {
        let data = bytes16([0, i16::MAX, i16::MIN, i16::MAX - 1]);
        let found = figures(&data, Coding::Signed16, 2);
        assert_eq!((found.frames, found.clipped_ppm), (2, 500_000));
        assert_eq!(found.peak_ppm, 1_000_000);
        assert_eq!(
            figures(&[0, 255, 128, 127], Coding::Unsigned8, 1).clipped_ppm,
            500_000
        );
        let float = [1.0_f32, -1.5, 0.5, f32::NAN];
        let data: Vec<u8> = float.into_iter().flat_map(f32::to_le_bytes).collect();
        assert_eq!(figures(&data, Coding::Float32, 1).clipped_ppm, 500_000);
        let wide = [0xff, 0xff, 0x7f, 0, 0, 0x80, 1, 0, 0, 0, 0, 0x40];
        let found = figures(&wide, Coding::Signed24, 1);
        assert_eq!((found.frames, found.clipped_ppm), (4, 500_000));
        let whole = [i32::MAX, i32::MIN, 1, 2].map(i32::to_le_bytes).concat();
        assert_eq!(figures(&whole, Coding::Signed32, 1).clipped_ppm, 500_000);
    }

    #[test]
    fn the_mean_is_the_offset() {
        let data = bytes16([8_192, 24_576]);
        assert_eq!(figures(&data, Coding::Signed16, 1).dc_ppm, 500_000);
        let data = bytes16([-16_384]);
        assert_eq!(figures(&data, Coding::Signed16, 1).dc_ppm, -500_000);
    }

    #[test]
    fn silence_counts_from_a_tenth_of_a_second() {
        let runs = |frames: usize| {
            let silence = std::iter::repeat_n(0, 2 * frames);
            let data = bytes16([5, 5].into_iter().chain(silence).chain([0, 5]));
            let found = figures(&data, Coding::Signed16, 2);
            (found.zero_runs, found.zero_run_ms_max)
        };
        assert_eq!(runs(99), (0, 0));
        assert_eq!(runs(100), (1, 100));
        assert_eq!(runs(250), (1, 250));
    }

    #[test]
    fn without_a_frame_there_are_no_figures() {
        assert_eq!(measure(&[1], Coding::Signed16, 1, 8_000), None);
        assert_eq!(measure(&[1, 2], Coding::Signed16, 2, 8_000), None);
        assert_eq!(measure(&[1, 2], Coding::Signed16, 0, 8_000), None);
        assert_eq!(measure(&[1, 2], Coding::Signed16, 1, 0), None);
    }
}
