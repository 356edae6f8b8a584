//! WAV: the chunks, the format, and figures of the samples.

use serde::{Deserialize, Serialize};

use super::pcm::{self, Coding, PcmFigures};
use super::riff::{self, Chunk, Container, Names};
use super::{Block, BlockKind, Structure, id3, spectrum};
use crate::bytes::{Order, count, u16_at, u32_at};
use crate::limits::Limits;
use crate::refusal::Refusal;
use crate::sniff::Format;

const CODEC_PCM: u16 = 1;
const CODEC_FLOAT: u16 = 3;
/// The codec stands in the first bytes of an identifier further behind.
const CODEC_EXTENSIBLE: u16 = 0xfffe;
const EXTENSIBLE_CODEC_AT: usize = 24;
/// From here on clipping is told, in parts per million: single full-scale samples are in any loud recording.
const CLIPPED_PPM_TOLD: u32 = 1_000;
/// Below this share of what the file could hold, the bandwidth is told. Many sounds simply have little at the top.
const BANDWIDTH_PERCENT_TOLD: u64 = 75;
/// From here on an offset is told, in parts per million.
const DC_PPM_TOLD: u32 = 10_000;

/// How a WAV file is built.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WavLayout {
    /// Names of the chunks in their order, cut after 64.
    pub chunk_order: String,
    /// Chunks found.
    pub chunks: u32,
    /// How samples are stored. In JSON `format` says already which of the layouts this is.
    #[serde(rename = "sample_format")]
    pub format: Option<WavFormat>,
    /// Bytes of samples.
    pub data_bytes: u64,
    /// Figures of the samples, if they are plain.
    pub figures: Option<PcmFigures>,
    /// Above this frequency there is nothing but what is 40 dB below the rest, if the samples are plain.
    pub bandwidth_hz: Option<u32>,
    /// Whether a chunk is cut off.
    pub truncated: bool,
    /// Bytes after the end that the container declares.
    pub trailing_bytes: u64,
}

/// How samples are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WavFormat {
    /// Number of the codec: 1 whole numbers, 3 floating point, others compressed.
    pub codec: u16,
    /// Channels.
    pub channels: u16,
    /// Samples per second of a channel.
    pub sample_rate: u32,
    /// Bits of a sample.
    pub bits: u16,
}

pub(super) fn walk(
    bytes: &[u8],
    limits: &Limits,
    structure: &mut Structure,
) -> Result<WavLayout, Refusal> {
    let mut layout = WavLayout::default();
    let container = Container::of(bytes);
    let mut chunks = container.chunks(bytes, limits);
    let mut names = Names::default();
    for chunk in chunks.by_ref() {
        layout.chunks += 1;
        names.push(chunk.kind);
        note(bytes, &chunk, limits, &mut layout, structure);
    }
    if layout.format.is_none() {
        return Err(Refusal::CorruptMedia {
            mime: Format::Wav.mime().to_owned(),
            reason: "there is no format before the samples".to_owned(),
        });
    }
    layout.chunk_order = names.join();
    let ending = riff::tell_ending(
        "recording",
        bytes,
        &container,
        chunks.end(),
        limits,
        structure,
    );
    layout.truncated = ending.truncated;
    layout.trailing_bytes = ending.trailing_bytes;
    tell(&layout, structure);
    Ok(layout)
}

fn note(
    bytes: &[u8],
    chunk: &Chunk<'_>,
    limits: &Limits,
    layout: &mut WavLayout,
    structure: &mut Structure,
) {
    match &chunk.kind {
        b"fmt " => layout.format = layout.format.or_else(|| format(chunk.data)),
        b"data" => {
            layout.data_bytes += count(chunk.data.len());
            if let (None, Some(format)) = (layout.figures, layout.format) {
                layout.figures = format.figures(chunk.data);
                layout.bandwidth_hz = format.bandwidth_hz(chunk.data);
            }
        }
        b"LIST" => riff::note_info(bytes, chunk, limits, structure),
        b"id3 " | b"ID3 " => {
            let _end = id3::read(bytes, chunk.offset, structure);
        }
        b"bext" => structure.fact_once(
            "broadcast_extension",
            "a broadcast extension, as recorders and studio software write it",
        ),
        b"_PMX" => structure.block(Block::new(BlockKind::Xmp, chunk.offset, chunk.data.len())),
        b"C2PA" => structure.content_credentials(),
        _ => {}
    }
}

fn format(data: &[u8]) -> Option<WavFormat> {
    let number = |at| u16_at(data, at, Order::Little);
    let codec = match number(0)? {
        CODEC_EXTENSIBLE => number(EXTENSIBLE_CODEC_AT)?,
        codec => codec,
    };
    Some(WavFormat {
        codec,
        channels: number(2)?,
        sample_rate: u32_at(data, 4, Order::Little)?,
        bits: number(14)?,
    })
}

impl WavFormat {
    fn coding(&self) -> Option<Coding> {
        match (self.codec, self.bits) {
            (CODEC_PCM, 8) => Some(Coding::Unsigned8),
            (CODEC_PCM, 16) => Some(Coding::Signed16),
            (CODEC_PCM, 24) => Some(Coding::Signed24),
            (CODEC_PCM, 32) => Some(Coding::Signed32),
            (CODEC_FLOAT, 32) => Some(Coding::Float32),
            _ => None,
        }
    }

    fn figures(&self, data: &[u8]) -> Option<PcmFigures> {
        pcm::measure(data, self.coding()?, self.channels, self.sample_rate)
    }

    fn bandwidth_hz(&self, data: &[u8]) -> Option<u32> {
        spectrum::bandwidth_hz(data, self.coding()?, self.channels, self.sample_rate)
    }

    fn describe(&self) -> String {
        let Self {
            codec,
            channels,
            sample_rate,
            bits,
        } = self;
        let coding = match *codec {
            CODEC_PCM => format!("{bits} bits"),
            CODEC_FLOAT => format!("{bits} bits, floating point"),
            0x06 => "A-law".to_owned(),
            0x07 => "mu-law".to_owned(),
            0x55 => "MP3".to_owned(),
            _ => format!("codec {codec:#06x}"),
        };
        format!("{channels} channels, {sample_rate} Hz, {coding}")
    }
}

fn tell(layout: &WavLayout, structure: &mut Structure) {
    if let Some(format) = &layout.format {
        structure.fact("audio_format", format.describe());
    }
    tell_bandwidth(layout, structure);
    let Some(figures) = &layout.figures else {
        return;
    };
    if figures.clipped_ppm >= CLIPPED_PPM_TOLD {
        let ppm = figures.clipped_ppm;
        structure.fact(
            "clipping",
            format!(
                "{ppm} of a million samples are at the end of the scale: recorded or made too loud"
            ),
        );
    }
    if figures.zero_runs > 0 {
        let PcmFigures {
            zero_runs,
            zero_run_ms_max,
            ..
        } = figures;
        structure.fact(
            "digital_silence",
            format!(
                "{zero_runs} stretches in which every sample is exactly zero, the longest of {zero_run_ms_max} ms: \
                 as noise gates, cuts and synthesis leave them, and some recorders at the start"
            ),
        );
    }
    if figures.dc_ppm.unsigned_abs() >= DC_PPM_TOLD {
        let ppm = figures.dc_ppm;
        structure.fact(
            "dc_offset",
            format!(
                "the mean of all samples is {ppm} millionths of full scale away from zero, as from simple recorders"
            ),
        );
    }
}

fn tell_bandwidth(layout: &WavLayout, structure: &mut Structure) {
    let (Some(format), Some(hertz)) = (&layout.format, layout.bandwidth_hz) else {
        return;
    };
    let half_rate = format.sample_rate / 2;
    if u64::from(hertz) * 100 < u64::from(half_rate) * BANDWIDTH_PERCENT_TOLD {
        structure.fact(
            "bandwidth",
            format!(
                "hardly any sound above {hertz} Hz, though the file could hold up to {half_rate} Hz: as after a \
                 telephone or a codec, from simple recorders, or made at a lower rate"
            ),
        );
    }
}

#[cfg(test)]
mod tests;
