//! JPEG: markers, tables, application segments, and what they tell of the encoder.

mod adobe;
mod application;
mod encoder;
mod huffman_tables;
mod quality;
pub(crate) mod segments;
pub(crate) mod tables;
mod thumbnail;

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use adobe::AdobeColours;
pub use huffman_tables::HuffmanTables;
pub use quality::QualityEstimate;
pub(crate) use quality::luma_steps;
use segments::{End, Segment, Segments, name};
pub use thumbnail::ThumbnailHeader;

use super::Structure;
use crate::bytes::count;
use crate::evidence::LimitHit;
use crate::limits::Limits;
use crate::refusal::Refusal;
use crate::sniff::{Format, Size};

/// Markers that are written out in `marker_order`.
const ORDER_MARKERS_MAX: usize = 64;
/// Tables that a JPEG can have at a time.
const TABLES_MAX: usize = 4;
/// Components that are kept; pictures have one, three or four.
const COMPONENTS_MAX: usize = 4;

/// How a JPEG is built.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JpegLayout {
    /// Whether it comes in passes of rising detail.
    pub progressive: bool,
    /// Bits per sample.
    pub precision: u8,
    /// Colour components in file order.
    pub components: Vec<Component>,
    /// Chroma subsampling as usually written, e.g. `4:2:0`.
    pub sampling: Option<String>,
    /// Scans found.
    pub scans: u32,
    /// Names of the markers in their order, cut after 64.
    pub marker_order: String,
    /// Identifiers of the application segments in their order.
    pub applications: Vec<String>,
    /// Quantisation tables by their number.
    pub tables: Vec<QuantisationTable>,
    /// The quality setting that fits the tables.
    pub quality: Option<QualityEstimate>,
    /// Start of the SHA-256 over the Huffman tables, in hex: equal for equal encoders without optimisation.
    pub huffman_digest: Option<String>,
    /// Where the Huffman tables come from.
    pub huffman: Option<HuffmanTables>,
    /// How colours are stored, if a segment of Adobe's says so.
    pub adobe: Option<AdobeColours>,
    /// The quality that "Save for Web" of Adobe Photoshop noted.
    pub ducky_quality: Option<u32>,
    /// How the small picture in EXIF was encoded.
    pub thumbnail: Option<ThumbnailHeader>,
    /// Whether the end marker is missing.
    pub truncated: bool,
    /// Bytes after the end marker.
    pub trailing_bytes: u64,
}

/// One colour component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// Identifier.
    pub id: u8,
    /// Horizontal sampling factor.
    pub horizontal: u8,
    /// Vertical sampling factor.
    pub vertical: u8,
    /// Number of its quantisation table.
    pub table: u8,
}

/// One quantisation table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuantisationTable {
    /// Number that components refer to.
    pub id: u8,
    /// 64 steps in zigzag order.
    pub steps: Vec<u16>,
}

/// The largest size that a header before the first scan declares.
pub(crate) fn declared_size(bytes: &[u8], limits: &Limits) -> Option<Size> {
    Segments::new(bytes, limits)
        .take_while(|segment| segment.marker != segments::SOS)
        .filter(|segment| segments::is_frame(segment.marker))
        .filter_map(|segment| frame_size(segment.data))
        .max_by_key(|size| size.pixels())
}

pub(super) fn walk(
    bytes: &[u8],
    limits: &Limits,
    structure: &mut Structure,
) -> Result<JpegLayout, Refusal> {
    let mut walk = Walk::default();
    let mut segments = Segments::new(bytes, limits);
    for segment in segments.by_ref() {
        walk.segment(&segment, structure);
    }
    if walk.size.is_none() {
        return Err(Refusal::CorruptMedia {
            mime: Format::Jpeg.mime().to_owned(),
            reason: "there is no frame header behind the first bytes".to_owned(),
        });
    }
    let mut layout = walk.finish();
    layout.scans = segments.scans();
    layout.thumbnail = thumbnail::header(bytes, structure, limits);
    tell_ending(bytes, &segments, limits, &mut layout, structure);
    encoder::tell(&layout, structure);
    Ok(layout)
}

impl JpegLayout {
    /// The quantisation table of the first component, 64 steps in zigzag order.
    #[must_use]
    pub fn luma_steps(&self) -> Option<&[u16]> {
        let number = self.components.first()?.table;
        let table = self.tables.iter().find(|table| table.id == number)?;
        Some(&table.steps)
    }
}

#[derive(Default)]
struct Walk {
    layout: JpegLayout,
    size: Option<Size>,
    markers: usize,
    huffman: Option<Sha256>,
}

impl Walk {
    fn segment(&mut self, segment: &Segment<'_>, structure: &mut Structure) {
        self.markers += 1;
        if self.markers <= ORDER_MARKERS_MAX {
            let space = if self.markers == 1 { "" } else { " " };
            // Writing to a string cannot fail.
            let _written = write!(self.layout.marker_order, "{space}{}", name(segment.marker));
        }
        match segment.marker {
            segments::COM => application::comment(segment, structure),
            marker if segments::is_application(marker) => self.application(segment, structure),
            _ => self.tables_and_frame(segment),
        }
    }

    fn application(&mut self, segment: &Segment<'_>, structure: &mut Structure) {
        match segment.marker {
            segments::APP12 => {
                let quality = adobe::ducky_quality(segment.data);
                self.layout.ducky_quality = self.layout.ducky_quality.or(quality);
            }
            segments::APP14 => {
                let colours = adobe::colours(segment.data);
                self.layout.adobe = self.layout.adobe.or(colours);
            }
            _ => {}
        }
        if let Some(id) = application::note(segment, structure) {
            self.layout.applications.push(id);
        }
    }

    /// What of a segment is needed to decode; the first frame counts.
    fn tables_and_frame(&mut self, segment: &Segment<'_>) {
        match segment.marker {
            segments::DQT => self.quantisation(segment.data),
            segments::DHT => self.huffman(segment.data),
            marker if segments::is_frame(marker) && self.size.is_none() => self.frame(segment),
            _ => {}
        }
    }

    fn frame(&mut self, segment: &Segment<'_>) {
        let Some((&precision, rest)) = segment.data.split_first() else {
            return;
        };
        self.size = frame_size(segment.data);
        self.layout.precision = precision;
        self.layout.progressive = segments::is_progressive(segment.marker);
        let components = rest.get(5..).unwrap_or_default().chunks_exact(3);
        self.layout.components = components
            .take(COMPONENTS_MAX)
            .filter_map(|raw| match *raw {
                [id, factors, table] => Some(Component {
                    id,
                    horizontal: factors >> 4,
                    vertical: factors & 0x0f,
                    table,
                }),
                _ => None,
            })
            .collect();
    }

    /// A table defined again replaces the earlier one.
    fn quantisation(&mut self, data: &[u8]) {
        for (id, steps) in tables::quantisation(data) {
            self.layout.tables.retain(|table| table.id != id);
            if self.layout.tables.len() < TABLES_MAX {
                let steps = steps.to_vec();
                self.layout.tables.push(QuantisationTable { id, steps });
            }
        }
    }

    fn huffman(&mut self, data: &[u8]) {
        self.huffman.get_or_insert_default().update(data);
        for codes in tables::huffman(data) {
            self.layout.huffman = Some(HuffmanTables::with(self.layout.huffman, &codes));
        }
    }

    fn finish(mut self) -> JpegLayout {
        self.layout.sampling = sampling(&self.layout.components);
        self.layout.quality = quality::estimate(&self.layout);
        self.layout.huffman_digest = self.huffman.map(|digest| {
            let digest = digest.finalize();
            digest
                .iter()
                .take(8)
                .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
        });
        self.layout
    }
}

fn frame_size(data: &[u8]) -> Option<Size> {
    match *data.get(1..5)? {
        [h1, h0, w1, w0] => Some(Size {
            width: u16::from_be_bytes([w1, w0]).into(),
            height: u16::from_be_bytes([h1, h0]).into(),
        }),
        _ => None,
    }
}

/// `J:a:b` from the factors of luma and the first chroma component, where they have a usual name.
fn sampling(components: &[Component]) -> Option<String> {
    let [luma, chroma, ..] = components else {
        return None;
    };
    let across = luma.horizontal.checked_div(chroma.horizontal)?;
    let down = luma.vertical.checked_div(chroma.vertical)?;
    let name = match (across, down) {
        (1, 1) => "4:4:4",
        (2, 1) => "4:2:2",
        (2, 2) => "4:2:0",
        (1, 2) => "4:4:0",
        (4, 1) => "4:1:1",
        (4, 2) => "4:1:0",
        _ => return Some(format!("{across}x{down}")),
    };
    Some(name.to_owned())
}

fn tell_ending(
    bytes: &[u8],
    segments: &Segments<'_>,
    limits: &Limits,
    layout: &mut JpegLayout,
    structure: &mut Structure,
) {
    match segments.end() {
        End::Marker(end) => layout.trailing_bytes = structure.trailing(bytes, end),
        End::Missing => {
            layout.truncated = true;
            structure.truncated("the picture data: there is no end marker");
        }
        End::ScansMax => {
            let max = limits.jpeg_scans_max;
            let detail = "the picture has more scans than any encoder writes";
            structure
                .limits
                .push(LimitHit::structure("jpeg_scans_max", max, detail));
        }
        End::MarkersMax => {
            let max = limits.jpeg_markers_max;
            let detail = "the picture has more markers than any encoder writes";
            structure
                .limits
                .push(LimitHit::structure("jpeg_markers_max", max, detail));
        }
    }
    let skipped = segments.skipped();
    if skipped > 0 {
        structure.fact(
            "stray_bytes",
            format!("{} bytes between markers belong to nothing", count(skipped)),
        );
    }
}

#[cfg(test)]
mod tests;
