//! How a file is built: which parts it has, in which order, and where the metadata lies.
//!
//! The walkers copy nothing, look at each byte a bounded number of times, and stop at the first bound that is hit.

mod avi;
pub(crate) mod directory;
mod flac;
pub(crate) mod id3;
pub(crate) mod iso;
pub(crate) mod jpeg;
pub(crate) mod mp3;
mod ogg;
mod pcm;
mod pdf;
mod place;
mod png;
mod riff;
mod spectrum;
mod tiff;
mod vorbis;
mod wav;
mod webp;

use serde::{Deserialize, Serialize};

pub use avi::AviLayout;
pub use directory::Survey;
pub use flac::FlacLayout;
pub use iso::{IsoLayout, Items, Movie, Track};
pub use jpeg::{
    AdobeColours, Component, HuffmanTables, JpegLayout, QualityEstimate, QuantisationTable,
    ThumbnailHeader,
};
pub use mp3::Mp3Layout;
pub use ogg::OggLayout;
pub use pcm::PcmFigures;
pub(crate) use pdf::after_signature;
pub use pdf::{
    Added, JpegStream, PAGE_CONTENT_LOG10, PICTURES_MAX, PdfLayout, RESOURCES_LOG10, Signature,
};
pub use place::{Block, BlockKind, Span, Tag};
pub use png::PngLayout;
pub use wav::{WavFormat, WavLayout};
pub use webp::WebpLayout;

use crate::bytes::count;
use crate::evidence::{Fact, LimitHit};
use crate::limits::{BLOCKS_MAX, Limits, TAGS_MAX};
use crate::refusal::Refusal;
use crate::sniff::{Format, Sniff, detect};

/// How a file is built.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Structure {
    /// What is particular to the format; nothing if there is no walker for it.
    pub layout: Option<Layout>,
    /// Where metadata lies.
    pub blocks: Vec<Block>,
    /// Texts in fields of the container itself.
    pub tags: Vec<Tag>,
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
    /// Boxes: MP4, QuickTime, M4A, HEIF, AVIF.
    Iso(IsoLayout),
    /// RIFF chunks.
    Avi(AviLayout),
    /// RIFF chunks.
    Wav(WavLayout),
    /// Frames and tags.
    Mp3(Mp3Layout),
    /// Metadata blocks.
    Flac(FlacLayout),
    /// Pages.
    Ogg(OggLayout),
    /// Objects and revisions.
    Pdf(PdfLayout),
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
        Format::Heif | Format::Avif | Format::Mp4 | Format::Mov | Format::M4a => {
            let mime = sniff.format.mime();
            Some(Layout::Iso(iso::walk(bytes, mime, limits, &mut structure)?))
        }
        Format::Avi => Some(Layout::Avi(avi::walk(bytes, limits, &mut structure)?)),
        Format::Wav => Some(Layout::Wav(wav::walk(bytes, limits, &mut structure)?)),
        Format::Mp3 => Some(Layout::Mp3(mp3::walk(bytes, &mut structure)?)),
        Format::Flac => Some(Layout::Flac(flac::walk(bytes, &mut structure)?)),
        Format::Ogg => Some(Layout::Ogg(ogg::walk(bytes, &mut structure)?)),
        Format::Pdf => Some(Layout::Pdf(pdf::walk(bytes, limits, &mut structure)?)),
        Format::Gif
        | Format::Bmp
        | Format::JpegXl
        | Format::Matroska
        | Format::Zip
        | Format::Text
        | Format::Unknown => None,
    };
    check_directories(bytes, limits, &mut structure);
    structure.tell_writer();
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

    /// Keeps a text, if there is something in it; the first one too many is a limit hit, the rest is dropped.
    fn tag(&mut self, tag: Tag) {
        if tag.value.trim().is_empty() {
            return;
        }
        if self.tags.len() < TAGS_MAX {
            self.tags.push(tag);
            return;
        }
        if self.limits.iter().all(|hit| hit.limit != "tags_max") {
            let detail = "further texts of the container were not looked at";
            let hit = LimitHit::structure("tags_max", count(TAGS_MAX), detail);
            self.limits.push(hit);
        }
    }

    /// A fact that many parts of a file may show, told for the first of them.
    fn fact_once(&mut self, fact: &str, detail: &str) {
        if self.facts.iter().all(|known| known.fact != fact) {
            self.fact(fact, detail);
        }
    }

    fn content_credentials(&mut self) {
        self.fact_once(
            "jumbf",
            "a JUMBF container, where content credentials are kept",
        );
    }

    /// Which software signed the container, as it says.
    fn tell_writer(&mut self) {
        let mut names: Vec<&str> = Vec::new();
        for tag in self.tags.iter().filter(|tag| tag.key == "Software") {
            let name = tag.value.trim();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if !names.is_empty() {
            let detail = format!("the container names its software: {}", names.join("; "));
            self.fact("writer", detail);
        }
    }

    fn truncated(&mut self, inside: &str) {
        self.fact("truncated", format!("the file ends inside {inside}"));
    }

    /// A fact if bytes follow the end of the picture, with what they look like.
    fn trailing(&mut self, bytes: &[u8], end: usize) -> u64 {
        self.trailing_after("picture", bytes, end)
    }

    /// A fact if bytes follow the end of the media, with what they look like.
    fn trailing_after(&mut self, media: &str, bytes: &[u8], end: usize) -> u64 {
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
            format!("{len} bytes after the end of the {media}, {what}"),
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
mod hostile;
#[cfg(test)]
mod tests;
