//! What metadata says: read, flattened into texts with their places, and held against the picture.

mod comment;
mod consistency;
mod exif;
mod exif_thumbnail;
mod png_text;
mod producer;
mod xmp;
mod xmp_guard;

use serde::{Deserialize, Serialize};

pub use exif::Exif;
pub use exif_thumbnail::{THUMBNAIL_BYTES_MAX, exif_thumbnail};
pub use xmp::Xmp;

use crate::bytes::count;
use crate::evidence::{Fact, LimitHit};
use crate::limits::{Limits, XMP_PACKETS_MAX};
use crate::sniff::Sniff;
use crate::structure::{BlockKind, Structure};
use png_text::Inflater;

/// All metadata of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The EXIF fields that matter.
    pub exif: Option<Exif>,
    /// The XMP properties that matter.
    pub xmp: Option<Xmp>,
    /// Every text, whole. What comes from text chunks and comments is bounded by [`Limits::text_bytes_max`].
    pub texts: Vec<Text>,
    /// What it tells of the file's history, and where it contradicts the picture.
    pub facts: Vec<Fact>,
    /// Bounds that were hit; what they cut off was not looked at.
    pub limits: Vec<LimitHit>,
}

/// One text in metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// Which container holds it.
    pub place: Place,
    /// Under which name.
    pub key: String,
    /// As it stands there, not cleaned.
    pub value: String,
}

/// A container of texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A text chunk of PNG.
    Png,
    /// A comment segment of JPEG.
    JpegComment,
    /// An EXIF field.
    Exif,
    /// An XMP property.
    Xmp,
    /// A field of the container itself.
    Container,
}

/// Reads the metadata that the structure has found.
#[must_use]
pub fn metadata(bytes: &[u8], sniff: &Sniff, structure: &Structure, limits: &Limits) -> Metadata {
    let mut metadata = Metadata::default();
    let mut inflater = Inflater::new(limits);
    let mut packets: Vec<&[u8]> = Vec::new();
    let mut parts: Vec<&[u8]> = Vec::new();
    let mut inflated_packets: Vec<String> = Vec::new();
    for block in &structure.blocks {
        let data = block.slice(bytes);
        match block.kind {
            BlockKind::Exif => exif::read(data, limits, &mut metadata),
            BlockKind::Xmp => packets.push(data),
            BlockKind::XmpPart => parts.push(data),
            BlockKind::Comment => {
                if let Some(value) = inflater.plain(data, "COM") {
                    metadata.text(Place::JpegComment, "COM", &value);
                }
            }
            BlockKind::Text | BlockKind::CompressedText | BlockKind::InternationalText => {
                match inflater.read(block.kind, data) {
                    Some((key, packet)) if key == png_text::XMP_KEYWORD => {
                        inflated_packets.push(packet);
                    }
                    Some((key, value)) => metadata.text(Place::Png, &key, &value),
                    None => {}
                }
            }
            BlockKind::Icc | BlockKind::Photoshop => {}
        }
    }
    for tag in &structure.tags {
        let whole = tag
            .whole
            .and_then(|span| inflater.plain(span.slice(bytes), &tag.key));
        metadata.text(
            Place::Container,
            &tag.key,
            whole.as_ref().unwrap_or(&tag.value),
        );
    }
    metadata.limits.extend(inflater.finish());
    let extension = xmp::join_parts(&parts, limits, &mut metadata);
    let inflated = inflated_packets.iter().map(String::as_bytes);
    let all = packets
        .into_iter()
        .chain(inflated)
        .chain(extension.as_deref());
    read_packets(all, limits, &mut metadata);
    consistency::check(sniff, structure, &mut metadata);
    producer::check(structure, &mut metadata);
    metadata
}

/// Reads packets as long as all of them together stay within the bound.
fn read_packets<'a>(
    packets: impl Iterator<Item = &'a [u8]>,
    limits: &Limits,
    metadata: &mut Metadata,
) {
    let bytes_max = limits.xmp_bytes_max;
    let mut left = bytes_max;
    for packet in packets.take(XMP_PACKETS_MAX) {
        let Some(rest) = left.checked_sub(count(packet.len())) else {
            let detail = format!("an XMP packet of {} bytes was not read", packet.len());
            metadata
                .limits
                .push(LimitHit::bytes("xmp_bytes_max", bytes_max, detail));
            return;
        };
        left = rest;
        xmp::read(packet, limits, metadata);
    }
}

impl Metadata {
    fn fact(&mut self, fact: &str, detail: impl AsRef<str>) {
        self.facts.push(Fact::new(fact, detail));
    }

    /// Keeps a text, if there is something in it.
    fn text(&mut self, place: Place, key: &str, value: &str) {
        let value = value.trim_matches(['\0', ' ', '\n', '\r', '\t']);
        if !value.is_empty() {
            self.texts.push(Text {
                place,
                key: key.to_owned(),
                value: value.to_owned(),
            });
        }
    }
}

impl Text {
    /// Place and name, e.g. `exif.Software`.
    #[must_use]
    pub fn location(&self) -> String {
        let place = match self.place {
            Place::Png => "png",
            Place::JpegComment => "jpeg",
            Place::Exif => "exif",
            Place::Xmp => "xmp",
            Place::Container => "container",
        };
        crate::text::clip(&format!("{place}.{}", self.key))
    }
}

#[cfg(test)]
mod tests;
