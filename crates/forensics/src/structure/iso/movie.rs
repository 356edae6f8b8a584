//! The index: times, tracks, who handles them.

use serde::{Deserialize, Serialize};

use super::boxes::{IsoBox, name};
use super::date;
use crate::bytes::{Order, slice, u32_at, u64_at};
use crate::sniff::Size;
use crate::text::clip;

/// Tracks that are written out.
const TRACKS_MAX: usize = 32;
/// Where the name of the compressor stands in the description of a picture track: its length, then 31 bytes.
const COMPRESSOR_AT: usize = 50;
const COMPRESSOR_BYTES_MAX: usize = 31;
/// Fields before the name in a `hdlr` box, behind its version.
const HANDLER_NAME_AT: usize = 20;

/// What the index (`moov`) says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movie {
    /// Whether there is a header (`mvhd`).
    pub has_header: bool,
    /// When it was made, `YYYY-MM-DDThh:mm:ssZ`; nothing if the header says zero.
    pub created: Option<String>,
    /// When it was changed last.
    pub modified: Option<String>,
    /// Length in milliseconds.
    pub duration_ms: u64,
    /// Tracks in their order, cut after 32.
    pub tracks: Vec<Track>,
}

/// A track.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Track {
    /// What it is: `vide`, `soun`, `meta`, …
    pub kind: String,
    /// The name of its handler, which tells of the writer.
    pub handler: String,
    /// The codec of its first description, e.g. `avc1`.
    pub codec: String,
    /// The name of the compressor, if the description has one.
    pub compressor: Option<String>,
    /// Size at which pictures are shown.
    pub size: Option<Size>,
    /// Entries of its edit list.
    pub edits: u32,
    /// Units of its time in a second.
    pub timescale: u32,
    /// Where its first edit begins in the media, in units of its time.
    pub starts_at: u64,
}

impl Movie {
    pub(super) fn note(&mut self, parent: Option<[u8; 4]>, found: &IsoBox<'_>) {
        if &found.kind == b"mvhd" && !self.has_header {
            self.header(found);
        }
        if &found.kind == b"trak" {
            self.tracks.push(Track::default());
        }
        let Some(track) = self.tracks.last_mut() else {
            return;
        };
        match (parent.as_ref(), &found.kind) {
            (Some(b"trak"), b"tkhd") => track.size = shown_size(found),
            (Some(b"mdia"), b"mdhd") => track.header(found),
            (Some(b"mdia"), b"hdlr") => track.handler(found),
            (Some(b"stbl"), b"stsd") => track.description(found),
            (Some(b"edts"), b"elst") => track.edits(found),
            _ => {}
        }
    }

    /// Drops the tracks that are too many to be written out.
    pub(super) fn finish(&mut self) {
        self.tracks.truncate(TRACKS_MAX);
    }

    fn header(&mut self, found: &IsoBox<'_>) {
        let Some((version, _, fields)) = found.versioned() else {
            return;
        };
        let number = |at: usize| u64::from(u32_at(fields, at, Order::Big).unwrap_or_default());
        let long = |at: usize| u64_at(fields, at, Order::Big).unwrap_or_default();
        let (created, modified, scale, duration) = if version == 0 {
            (number(0), number(4), number(8), number(12))
        } else {
            (long(0), long(8), number(16), long(20))
        };
        self.has_header = true;
        self.created = date::to_text(created);
        self.modified = date::to_text(modified);
        self.duration_ms = duration
            .saturating_mul(1_000)
            .checked_div(scale)
            .unwrap_or_default();
    }
}

/// 16.16 fixed point at the end of the box.
fn shown_size(found: &IsoBox<'_>) -> Option<Size> {
    let at = found.body.len().checked_sub(8)?;
    let size = Size {
        width: u32_at(found.body, at, Order::Big)? >> 16,
        height: u32_at(found.body, at + 4, Order::Big)? >> 16,
    };
    (size.pixels() > 0).then_some(size)
}

impl Track {
    /// How much media its edit list leaves out at the start, in milliseconds.
    #[must_use]
    pub fn starts_at_ms(&self) -> u64 {
        self.starts_at
            .saturating_mul(1_000)
            .checked_div(u64::from(self.timescale))
            .unwrap_or_default()
    }

    fn header(&mut self, found: &IsoBox<'_>) {
        if let Some((version, _, fields)) = found.versioned() {
            let at = if version == 0 { 8 } else { 16 };
            self.timescale = u32_at(fields, at, Order::Big).unwrap_or_default();
        }
    }

    fn handler(&mut self, found: &IsoBox<'_>) {
        let Some((_, _, fields)) = found.versioned() else {
            return;
        };
        if let Some(kind) = slice(fields, 4, 4).and_then(|raw| raw.first_chunk::<4>()) {
            self.kind = name(*kind);
        }
        let raw = fields.get(HANDLER_NAME_AT..).unwrap_or_default();
        // QuickTime puts the length in front, ISO a zero behind.
        let raw = match raw {
            [len, rest @ ..] if usize::from(*len) == rest.len() && !rest.is_empty() => rest,
            raw => raw.split(|&byte| byte == 0).next().unwrap_or_default(),
        };
        self.handler = clip(String::from_utf8_lossy(raw).trim());
    }

    /// The first description: its size, codec, and for pictures the compressor.
    fn description(&mut self, found: &IsoBox<'_>) {
        let Some((_, _, fields)) = found.versioned() else {
            return;
        };
        let entry = fields.get(4..).unwrap_or_default();
        if let Some(codec) = slice(entry, 4, 4).and_then(|raw| raw.first_chunk::<4>()) {
            self.codec = name(*codec).trim_end().to_owned();
        }
        if self.kind == "vide" {
            self.compressor = compressor(entry);
        }
    }

    fn edits(&mut self, found: &IsoBox<'_>) {
        let Some((version, _, fields)) = found.versioned() else {
            return;
        };
        self.edits = u32_at(fields, 0, Order::Big).unwrap_or_default();
        // The place in the media where the first edit begins; -1 is an empty edit, which delays.
        let start = if version == 0 {
            u32_at(fields, 8, Order::Big).map(|at| i64::from(at.cast_signed()))
        } else {
            u64_at(fields, 12, Order::Big).map(u64::cast_signed)
        };
        self.starts_at = start
            .and_then(|at| u64::try_from(at).ok())
            .unwrap_or_default();
    }
}

fn compressor(entry: &[u8]) -> Option<String> {
    let len = usize::from(*entry.get(COMPRESSOR_AT)?).min(COMPRESSOR_BYTES_MAX);
    let raw = slice(entry, COMPRESSOR_AT + 1, len)?;
    let text = String::from_utf8_lossy(raw);
    let text = text.trim_matches(['\0', ' ']);
    (!text.is_empty()).then(|| clip(text))
}
