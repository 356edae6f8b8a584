//! Formats by their first bytes.

use super::format::Format;
use crate::bytes::slice;
use crate::structure::{id3, mp3};

/// Bytes that are looked at to tell text from the rest.
const TEXT_BYTES_LOOKED_AT: usize = 64 * 1024;
/// The header of a PDF may stand behind other bytes up to here.
pub(super) const PDF_HEADER_BYTES_MAX: usize = 1024;
/// Brands of an ISO media file that are looked at.
const BOX_BRANDS_MAX: usize = 32;

const PREFIXES: [(&[u8], Format); 15] = [
    (b"\xff\xd8\xff", Format::Jpeg),
    (b"\x89PNG\r\n\x1a\n", Format::Png),
    (b"GIF87a", Format::Gif),
    (b"GIF89a", Format::Gif),
    (b"II\x2a\0", Format::Tiff),
    (b"MM\0\x2a", Format::Tiff),
    (b"\xff\x0a", Format::JpegXl),
    (b"\0\0\0\x0cJXL \r\n\x87\n", Format::JpegXl),
    (b"\x1a\x45\xdf\xa3", Format::Matroska),
    (b"fLaC", Format::Flac),
    (b"OggS", Format::Ogg),
    (b"ID3", Format::Mp3),
    (b"%PDF-", Format::Pdf),
    (b"PK\x03\x04", Format::Zip),
    (b"PK\x05\x06", Format::Zip),
];

/// The format of these bytes.
pub(crate) fn detect(bytes: &[u8]) -> Format {
    if let Some((_, format)) = PREFIXES.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return if is_tagged_flac(bytes) {
            Format::Flac
        } else {
            *format
        };
    }
    if let Some(format) = riff(bytes).or_else(|| iso_media(bytes)) {
        return format;
    }
    if is_bmp(bytes) {
        return Format::Bmp;
    }
    if is_mpeg_audio(bytes) {
        return Format::Mp3;
    }
    if is_late_pdf(bytes) {
        return Format::Pdf;
    }
    if is_text(bytes) {
        return Format::Text;
    }
    Format::Unknown
}

/// Readers accept a PDF whose header does not come first; a text that only speaks of one stays a text.
fn is_late_pdf(bytes: &[u8]) -> bool {
    let head = bytes.get(..PDF_HEADER_BYTES_MAX).unwrap_or(bytes);
    head.windows(6)
        .any(|window| window.starts_with(b"%PDF-") && window.ends_with(b"1"))
        && !is_text(bytes)
}

fn riff(bytes: &[u8]) -> Option<Format> {
    if !bytes.starts_with(b"RIFF") && !bytes.starts_with(b"RF64") {
        return None;
    }
    match bytes.get(8..12)? {
        b"WEBP" => Some(Format::Webp),
        b"WAVE" => Some(Format::Wav),
        b"AVI " => Some(Format::Avi),
        _ => None,
    }
}

/// ISO base media: the brands of the `ftyp` box, the major one first.
fn iso_media(bytes: &[u8]) -> Option<Format> {
    if bytes.get(4..8)? != b"ftyp" {
        // QuickTime files older than the box.
        let kind = bytes.get(4..8)?;
        return (kind == b"moov" || kind == b"wide" || kind == b"mdat").then_some(Format::Mov);
    }
    let len = u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?);
    let end = usize::try_from(len).unwrap_or(usize::MAX).min(bytes.len());
    let brands = bytes.get(8..end).unwrap_or_default().chunks_exact(4);
    let mut image = None;
    for (index, brand) in brands.take(BOX_BRANDS_MAX).enumerate() {
        match brand {
            b"avif" | b"avis" => return Some(Format::Avif),
            b"heic" | b"heix" | b"hevc" | b"hevx" | b"heim" | b"heis" | b"mif1" | b"msf1" => {
                image = Some(Format::Heif);
            }
            b"M4A " | b"M4B " if index == 0 => return Some(Format::M4a),
            b"qt  " if index == 0 => return Some(Format::Mov),
            _ => {}
        }
    }
    Some(image.unwrap_or(Format::Mp4))
}

/// "BM" alone is also the start of words: the header's size must be one that exists.
fn is_bmp(bytes: &[u8]) -> bool {
    bytes.starts_with(b"BM")
        && matches!(
            bytes.get(14..18),
            Some([12 | 40 | 52 | 56 | 64 | 108 | 124, 0, 0, 0])
        )
}

/// An MPEG audio frame without a tag before it, and another behind it, if the bytes go so far: two bytes alone are in
/// anything.
fn is_mpeg_audio(bytes: &[u8]) -> bool {
    mp3::is_frame(bytes)
}

/// The tag of MP3 may stand before a FLAC file, too.
fn is_tagged_flac(bytes: &[u8]) -> bool {
    let end = id3::end_of(bytes, 0);
    end.and_then(|end| slice(bytes, end, 4)) == Some(b"fLaC")
}

fn is_text(bytes: &[u8]) -> bool {
    let head = bytes.get(..TEXT_BYTES_LOOKED_AT).unwrap_or(bytes);
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        // A character that the cut runs through is no error.
        Err(error) if error.error_len().is_none() && head.len() < bytes.len() => {
            let whole = head.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(whole).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !valid.is_empty()
        && valid
            .chars()
            .all(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r' | '\u{c}'))
}
