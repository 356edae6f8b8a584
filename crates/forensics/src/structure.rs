//! How a file is built: which parts it has, in which order, and where the metadata lies.
//!
//! The walkers copy nothing, look at each byte a bounded number of times, and stop at the first bound that is hit.

pub(crate) mod directory;
pub(crate) mod jpeg;
mod place;
mod png;
mod tiff;
mod webp;

use serde::{Deserialize, Serialize};

pub use directory::Survey;
pub use jpeg::{Component, JpegLayout, QualityEstimate, QuantisationTable};
pub use place::{Block, BlockKind};
pub use png::PngLayout;
pub use webp::WebpLayout;

use crate::bytes::count;
use crate::evidence::{Fact, LimitHit};
use crate::limits::{BLOCKS_MAX, Limits};
use crate::refusal::Refusal;
use crate::sniff::{Format, Sniff, detect};

/// How a file is built.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Structure {
    /// What is particular to the format; nothing if there is no walker for it.
    pub layout: Option<Layout>,
    /// Where metadata lies.
    pub blocks: Vec<Block>,
    /// What the structure tells of the file's history.
    pub facts: Vec<Fact>,
    /// Bounds that were hit. With one, the file is not given to a decoder.
    pub limits: Vec<LimitHit>,
}

/// The particulars of a format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "format", rename_all = "snake_case")]
pub enum Layout {
    /// Markers and tables.
    Jpeg(JpegLayout),
    /// Chunks.
    Png(PngLayout),
    /// RIFF chunks.
    Webp(WebpLayout),
    /// Directories.
    Tiff(Survey),
}

/// Walks the file by its format.
///
/// # Errors
/// The header promises a picture and there is none behind it.
pub fn structure(bytes: &[u8], sniff: &Sniff, limits: &Limits) -> Result<Structure, Refusal> {
    let mut structure = Structure::default();
    structure.layout = match sniff.format {
        Format::Jpeg => Some(Layout::Jpeg(jpeg::walk(bytes, limits, &mut structure)?)),
        Format::Png => Some(Layout::Png(png::walk(bytes, limits, &mut structure)?)),
        Format::Webp => Some(Layout::Webp(webp::walk(bytes, limits, &mut structure)?)),
        Format::Tiff => Some(Layout::Tiff(tiff::walk(bytes, limits, &mut structure)?)),
        Format::Gif
        | Format::Bmp
        | Format::Heif
        | Format::Avif
        | Format::JpegXl
        | Format::Mp4
        | Format::Mov
        | Format::M4a
        | Format::Matroska
        | Format::Avi
        | Format::Wav
        | Format::Mp3
        | Format::Flac
        | Format::Ogg
        | Format::Pdf
        | Format::Zip
        | Format::Text
        | Format::Unknown => None,
    };
    check_directories(bytes, limits, &mut structure);
    Ok(structure)
}

impl Structure {
    fn fact(&mut self, fact: &str, detail: impl AsRef<str>) {
        self.facts.push(Fact::new(fact, detail));
    }

    /// Notes a block; the first one too many is a limit hit, the rest is dropped.
    fn block(&mut self, block: Block) {
        if self.blocks.len() < BLOCKS_MAX {
            self.blocks.push(block);
            return;
        }
        if self.limits.iter().all(|hit| hit.limit != "blocks_max") {
            let hit = LimitHit::structure(
                "blocks_max",
                count(BLOCKS_MAX),
                "further metadata blocks were not looked at",
            );
            self.limits.push(hit);
        }
    }

    fn truncated(&mut self, inside: &str) {
        self.fact("truncated", format!("the file ends inside {inside}"));
    }

    /// A fact if bytes follow the end of the picture, with what they look like.
    fn trailing(&mut self, bytes: &[u8], end: usize) -> u64 {
        let rest = bytes.get(end..).unwrap_or_default();
        if rest.is_empty() {
            return 0;
        }
        let format = detect(rest);
        let what = if rest.iter().all(|&byte| byte == 0) {
            "all zero".to_owned()
        } else if format == Format::Unknown {
            "of no known format".to_owned()
        } else {
            format!("that look like {}", format.mime())
        };
        let len = rest.len();
        self.fact(
            "trailing_data",
            format!("{len} bytes after the end of the picture, {what}"),
        );
        count(len)
    }
}

/// Takes out EXIF blocks whose directories are a trap, so that no parser sees them.
fn check_directories(bytes: &[u8], limits: &Limits, structure: &mut Structure) {
    let blocks = std::mem::take(&mut structure.blocks);
    for block in blocks {
        if block.kind != BlockKind::Exif {
            structure.blocks.push(block);
            continue;
        }
        let survey = directory::survey(block.slice(bytes), limits);
        if survey.has_loop {
            structure.fact(
                "metadata_loop",
                "a directory of the metadata points back to one before it",
            );
        }
        match survey.hit {
            Some(hit) => structure.limits.push(hit),
            None => structure.blocks.push(block),
        }
    }
}

#[cfg(test)]
mod tests;
