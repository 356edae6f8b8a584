//! MP3: tags before and behind, and every frame header between them.

mod frame;

use serde::{Deserialize, Serialize};

use self::frame::Header;
use super::{Structure, Tag, id3};
use crate::bytes::{Order, index, slice, u32_at};
use crate::refusal::Refusal;
use crate::sniff::Format;

/// Bytes of an ID3v1 tag, which is the last thing in a file.
const ID3V1_BYTES: usize = 128;
/// Bytes of an APE tag's footer.
const APE_FOOTER_BYTES: usize = 32;
/// Bytes of the encoder's name in an information frame.
const ENCODER_BYTES: usize = 9;

/// How an MP3 file is built.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mp3Layout {
    /// Samples per second of a channel, in the first frame.
    pub sample_rate: u32,
    /// Channels, in the first frame.
    pub channels: u16,
    /// Frames found.
    pub frames: u64,
    /// Length in milliseconds, by the number of frames.
    pub duration_ms: u64,
    /// The smallest rate of a frame, in kbit/s.
    pub bit_rate_min_kbps: u32,
    /// The largest rate of a frame, in kbit/s.
    pub bit_rate_max_kbps: u32,
    /// What the information frame names as encoder.
    pub encoder: Option<String>,
    /// Places where something else than frames stands between frames.
    pub gaps: u32,
    /// How often the sample rate or the number of channels changes.
    pub changes: u32,
    /// Whether the last frame is cut off.
    pub truncated: bool,
    /// Bytes between the last frame and the tags behind it.
    pub trailing_bytes: u64,
}

pub(super) fn walk(bytes: &[u8], structure: &mut Structure) -> Result<Mp3Layout, Refusal> {
    let start = id3::read(bytes, 0, structure).unwrap_or(0);
    let media = bytes.get(..tags_at(bytes)).unwrap_or(bytes);
    let mut layout = Mp3Layout::default();
    let Some(first_at) = frame::next(media, start) else {
        return Err(Refusal::CorruptMedia {
            mime: Format::Mp3.mime().to_owned(),
            reason: "there is no frame of sound".to_owned(),
        });
    };
    let end = frames(media, first_at, &mut layout);
    if let Some(encoder) = encoder(media, first_at) {
        structure.tag(Tag::of("Software", encoder.as_bytes(), None));
        layout.encoder = Some(encoder);
    }
    if layout.truncated {
        structure.truncated("a frame");
    } else {
        layout.trailing_bytes = structure.trailing_after("recording", media, end);
    }
    tell(&layout, structure);
    Ok(layout)
}

/// Whether a frame begins here and another follows, if the bytes go so far.
pub(crate) fn is_frame(bytes: &[u8]) -> bool {
    let Some(header) = Header::at(bytes, 0) else {
        return false;
    };
    match Header::at(bytes, header.bytes) {
        Some(next) => header.is_like(&next),
        None => header.bytes.saturating_add(4) > bytes.len(),
    }
}

/// Where the tags at the end of the file begin.
fn tags_at(bytes: &[u8]) -> usize {
    let mut end = bytes.len();
    let id3v1_at = end.saturating_sub(ID3V1_BYTES);
    if bytes
        .get(id3v1_at..)
        .is_some_and(|tag| tag.starts_with(b"TAG"))
    {
        end = id3v1_at;
    }
    ape_at(bytes, end).unwrap_or(end)
}

/// Where the APE tag begins that ends at `end`. Its size counts the footer, not the header.
fn ape_at(bytes: &[u8], end: usize) -> Option<usize> {
    const HAS_HEADER: u32 = 1 << 31;
    let footer_at = end.checked_sub(APE_FOOTER_BYTES)?;
    let footer = slice(bytes, footer_at, APE_FOOTER_BYTES)?;
    if !footer.starts_with(b"APETAGEX") {
        return None;
    }
    let size = index(u32_at(footer, 12, Order::Little)?);
    let header = if u32_at(footer, 20, Order::Little)? & HAS_HEADER == 0 {
        0
    } else {
        APE_FOOTER_BYTES
    };
    end.checked_sub(size.checked_add(header)?)
}

/// Goes from frame to frame; answers where the last one ends.
fn frames(media: &[u8], first_at: usize, layout: &mut Mp3Layout) -> usize {
    let mut at = first_at;
    let mut duration_us = 0_u64;
    let mut last: Option<Header> = None;
    loop {
        let Some(header) = Header::at(media, at) else {
            // Whatever stands between frames; a player skips it, too.
            match frame::next(media, at) {
                Some(next) => {
                    layout.gaps = layout.gaps.saturating_add(1);
                    at = next;
                    continue;
                }
                None => break,
            }
        };
        if last.is_some_and(|last| !last.is_like(&header)) {
            layout.changes = layout.changes.saturating_add(1);
        }
        layout.note(&header);
        duration_us += header.duration_us();
        last = Some(header);
        at += header.bytes;
        if at >= media.len() {
            layout.truncated = at > media.len();
            break;
        }
    }
    layout.duration_ms = duration_us / 1_000;
    at.min(media.len())
}

impl Mp3Layout {
    fn note(&mut self, header: &Header) {
        if self.frames == 0 {
            self.sample_rate = header.sample_rate;
            self.channels = header.channels;
            self.bit_rate_min_kbps = header.bit_rate_kbps;
        }
        self.frames += 1;
        self.bit_rate_min_kbps = self.bit_rate_min_kbps.min(header.bit_rate_kbps);
        self.bit_rate_max_kbps = self.bit_rate_max_kbps.max(header.bit_rate_kbps);
    }
}

/// The name in the information frame (Xing, Info), which many encoders write before the sound.
fn encoder(media: &[u8], at: usize) -> Option<String> {
    let header = Header::at(media, at)?;
    let info = at + 4 + header.side_bytes();
    let frame = media.get(info..(at + header.bytes).min(media.len()))?;
    if !frame.starts_with(b"Xing") && !frame.starts_with(b"Info") {
        return None;
    }
    // Each flag stands for a field that is there.
    let flags = u32_at(frame, 4, Order::Big)?;
    let fields = [(1, 4), (2, 4), (4, 100), (8, 4)];
    let skipped: usize = fields
        .iter()
        .filter(|(flag, _)| flags & flag != 0)
        .map(|(_, bytes)| bytes)
        .sum();
    let name = slice(frame, 8 + skipped, ENCODER_BYTES)?;
    let name = name.split(|&byte| byte == 0).next()?;
    let printable = !name.is_empty() && name.iter().all(|byte| matches!(byte, b' '..=b'~'));
    printable.then(|| String::from_utf8_lossy(name).trim().to_owned())
}

fn tell(layout: &Mp3Layout, structure: &mut Structure) {
    let Mp3Layout {
        channels,
        sample_rate,
        bit_rate_min_kbps: min,
        bit_rate_max_kbps: max,
        ..
    } = layout;
    let rate = if min == max {
        format!("{min} kbit/s")
    } else {
        format!("{min} to {max} kbit/s")
    };
    structure.fact(
        "audio_format",
        format!("{channels} channels, {sample_rate} Hz, MP3 of {rate}"),
    );
    if layout.gaps > 0 {
        let gaps = layout.gaps;
        structure.fact(
            "frames_interrupted",
            format!(
                "at {gaps} places something else stands between the frames, as where files were put together"
            ),
        );
    }
    if layout.changes > 0 {
        let changes = layout.changes;
        structure.fact(
            "format_changes",
            format!(
                "the sample rate or the number of channels changes {changes} times: parts of several recordings \
                 put together without encoding them again"
            ),
        );
    }
}

#[cfg(test)]
mod tests;
