//! ISO base media (ISO/IEC 14496-12) and QuickTime: boxes within boxes. MP4, MOV, M4A, HEIF and AVIF share them.
//!
//! Not here: the media itself. Of `mdat` only the first bytes are searched for the name of an encoder.

mod boxes;
mod date;
mod items;
mod movie;
mod rules;
mod tags;
mod walker;

use serde::{Deserialize, Serialize};

pub use items::Items;
pub use movie::{Movie, Track};

use self::walker::Walker;
use super::Structure;
use crate::limits::Limits;
use crate::refusal::Refusal;
use crate::sniff::Size;

/// How an ISO media file is built.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IsoLayout {
    /// The brand that the file is written for.
    pub major_brand: String,
    /// Its version.
    pub minor_version: u32,
    /// Brands whose readers can read it, cut after 32.
    pub compatible_brands: Vec<String>,
    /// All boxes in their order, those within others in brackets, e.g. `ftyp moov(mvhd trak(tkhd)) mdat`; runs of equal
    /// ones as one, cut after 2 000 characters.
    pub tree: String,
    /// Boxes found.
    pub boxes: u32,
    /// Deepest nesting; the boxes of the file are at 1.
    pub depth: u32,
    /// Whether the index (`moov`) comes before the media (`mdat`), if both are there.
    pub is_index_first: Option<bool>,
    /// Whether it is written in fragments, as for streaming.
    pub is_fragmented: bool,
    /// What the index says.
    pub movie: Option<Movie>,
    /// The pictures of HEIF and AVIF.
    pub items: Option<Items>,
    /// Boxes that only one maker's cameras write, as maker and name, e.g. `GoPro GPMF`.
    pub vendor_boxes: Vec<String>,
    /// The encoder that signed the media, if it did in its first bytes.
    pub encoder: Option<String>,
    /// Whether a box is damaged: smaller than its header, or longer than the box that holds it.
    pub is_broken: bool,
    /// Whether a box is cut off.
    pub truncated: bool,
    /// Bytes after the last box.
    pub trailing_bytes: u64,
}

pub(super) fn walk(
    bytes: &[u8],
    mime: &str,
    limits: &Limits,
    structure: &mut Structure,
) -> Result<IsoLayout, Refusal> {
    let mut walker = Walker::new(bytes, limits, structure);
    let end = walker.run();
    let (mut layout, holds_media) = walker.finish();
    if !holds_media {
        return Err(Refusal::CorruptMedia {
            mime: mime.to_owned(),
            reason: "there is neither an index nor media behind the header".to_owned(),
        });
    }
    if layout.truncated {
        structure.truncated("a box");
    } else if let Some(end) = end {
        let media = if mime.starts_with("image/") {
            "picture"
        } else {
            "recording"
        };
        layout.trailing_bytes = structure.trailing_after(media, bytes, end);
    }
    rules::tell(&layout, structure);
    Ok(layout)
}

/// The size of the main picture of a HEIF or AVIF file.
pub(crate) fn declared_size(bytes: &[u8], limits: &Limits) -> Option<Size> {
    let mut structure = Structure::default();
    let mut walker = Walker::new(bytes, limits, &mut structure);
    let _end = walker.run();
    walker.finish().0.items?.size
}

#[cfg(test)]
mod tests;
