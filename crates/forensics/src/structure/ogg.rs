//! Ogg: pages with their checksums (RFC 3533), and the headers of what they carry.

mod page;

use serde::{Deserialize, Serialize};

use self::page::Page;
use super::{Structure, vorbis};
use crate::bytes::{Order, u16_at, u32_at};
use crate::refusal::Refusal;
use crate::sniff::Format;

/// Streams that are written out and followed.
const STREAMS_MAX: usize = 16;

/// How an Ogg file is built.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OggLayout {
    /// What is carried, e.g. `opus`, in the order of the streams, cut after 16.
    pub streams: Vec<String>,
    /// Samples per second of the first stream of sound.
    pub sample_rate: u32,
    /// Channels of the first stream of sound.
    pub channels: u16,
    /// The library that wrote the comments.
    pub vendor: Option<String>,
    /// Pages found.
    pub pages: u64,
    /// Pages whose checksum is wrong.
    pub bad_checksums: u64,
    /// Pages that are not there, by the numbers of those that are.
    pub missing_pages: u64,
    /// Whether a page is cut off, or the last is not marked as the last.
    pub truncated: bool,
    /// Bytes after the last page.
    pub trailing_bytes: u64,
}

/// One stream: its number, and the number that its next page should have.
struct Stream {
    serial: u32,
    next_page: u32,
    has_ended: bool,
}

pub(super) fn walk(bytes: &[u8], structure: &mut Structure) -> Result<OggLayout, Refusal> {
    let mut layout = OggLayout::default();
    let mut streams: Vec<Stream> = Vec::new();
    let mut at = 0;
    while let Some(page) = Page::at(bytes, at) {
        layout.pages += 1;
        layout.bad_checksums += u64::from(!page.checksum_holds);
        follow(&page, &mut streams, &mut layout);
        note(&page, &mut layout, structure);
        at = page.end;
    }
    if layout.pages == 0 {
        return Err(Refusal::CorruptMedia {
            mime: Format::Ogg.mime().to_owned(),
            reason: "the first page is cut off".to_owned(),
        });
    }
    let is_cut = bytes
        .get(at..)
        .is_some_and(|rest| rest.starts_with(page::MAGIC));
    layout.truncated = is_cut || streams.iter().any(|stream| !stream.has_ended);
    if layout.truncated {
        structure.truncated("the sound: the last page is missing");
    }
    if !is_cut {
        layout.trailing_bytes = structure.trailing_after("recording", bytes, at);
    }
    tell(&layout, structure);
    Ok(layout)
}

fn follow(page: &Page<'_>, streams: &mut Vec<Stream>, layout: &mut OggLayout) {
    let known = streams
        .iter_mut()
        .find(|stream| stream.serial == page.serial);
    if let Some(stream) = known {
        let missing = page.number.wrapping_sub(stream.next_page);
        // Numbers that run backwards are a new recording under an old name, not pages by the billion.
        if missing < u32::MAX / 2 {
            layout.missing_pages += u64::from(missing);
        }
        stream.next_page = page.number.wrapping_add(1);
        stream.has_ended = page.is_last;
        return;
    }
    if streams.len() < STREAMS_MAX {
        streams.push(Stream {
            serial: page.serial,
            next_page: page.number.wrapping_add(1),
            has_ended: page.is_last,
        });
    }
}

/// Reads what the first pages of a stream say. A packet that goes on in the next page is read as far as this one goes.
fn note(page: &Page<'_>, layout: &mut OggLayout, structure: &mut Structure) {
    let body = page.body;
    let magics: [&[u8]; 3] = [b"\x03vorbis", b"OpusTags", b"\x81theora"];
    let comments = magics.into_iter().find(|magic| body.starts_with(magic));
    if let (Some(magic), None) = (comments, &layout.vendor) {
        let skipped = magic.len();
        let data = body.get(skipped..).unwrap_or_default();
        layout.vendor = vorbis::read(data, page.body_at + skipped, structure);
    }
    if !page.is_first || layout.streams.len() == STREAMS_MAX {
        return;
    }
    let (name, channels_at, rate_at) = if body.starts_with(b"\x01vorbis") {
        ("vorbis", Some(11), Some(12))
    } else if body.starts_with(b"OpusHead") {
        ("opus", Some(9), Some(12))
    } else if body.starts_with(b"\x80theora") {
        ("theora", None, None)
    } else if body.starts_with(b"\x7fFLAC") {
        ("flac", None, None)
    } else if body.starts_with(b"Speex   ") {
        ("speex", None, None)
    } else {
        ("unknown", None, None)
    };
    layout.streams.push(name.to_owned());
    let channels = channels_at.and_then(|at| u16_at(body, at, Order::Little));
    let rate = rate_at.and_then(|at| u32_at(body, at, Order::Little));
    if let (Some(channels), Some(rate), 0) = (channels, rate, layout.channels) {
        layout.channels = channels & 0xff;
        layout.sample_rate = rate;
    }
}

fn tell(layout: &OggLayout, structure: &mut Structure) {
    let streams = layout.streams.join(", ");
    let OggLayout {
        channels,
        sample_rate,
        bad_checksums,
        missing_pages,
        ..
    } = layout;
    if *channels > 0 {
        structure.fact(
            "audio_format",
            format!("{channels} channels, {sample_rate} Hz, {streams}"),
        );
    }
    if *bad_checksums > 0 {
        structure.fact(
            "bad_checksum",
            format!("{bad_checksums} pages with a wrong checksum"),
        );
    }
    if *missing_pages > 0 {
        structure.fact(
            "pages_missing",
            format!(
                "{missing_pages} pages are missing, by the numbers of the others: cut or damaged"
            ),
        );
    }
}

#[cfg(test)]
mod tests;
