//! XMP: the properties that tell of origin and editing.

use roxmltree::{Document, Node, ParsingOptions};
use serde::{Deserialize, Serialize};

use super::{Metadata, Place, xmp_guard};
use crate::bytes::{Order, count, index, u32_at};
use crate::evidence::LimitHit;
use crate::limits::Limits;
use crate::text::clip;

/// Values kept of one property that repeats.
const VALUES_MAX: usize = 32;
/// Nodes inside a property that its text is put together from: elements may be nested in their like.
const TEXT_NODES_MAX: usize = 256;
/// Characters kept of one property.
const PROPERTY_CHARS_MAX: usize = 64 * 1024;
/// Identifier, total length and offset before the data of a part.
const PART_HEADER_BYTES: usize = 40;
const PART_IDENTIFIER_BYTES: usize = 32;

const IPTC_EXTENSION: &str = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/";
const XMP: &str = "http://ns.adobe.com/xap/1.0/";
const MEDIA_MANAGEMENT: &str = "http://ns.adobe.com/xap/1.0/mm/";
const RESOURCE_EVENT: &str = "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#";
const PHOTOSHOP: &str = "http://ns.adobe.com/photoshop/1.0/";
const CAMERA_RAW: &str = "http://ns.adobe.com/camera-raw-settings/1.0/";
const DUBLIN_CORE: &str = "http://purl.org/dc/elements/1.1/";
const EXIF: &str = "http://ns.adobe.com/exif/1.0/";
const PDF: &str = "http://ns.adobe.com/pdf/1.3/";
const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";

/// Properties of media management that hold the metadata of other files: of what was placed in this one, or opened.
const OF_OTHER_FILES: [&str; 3] = ["Pantry", "Ingredients", "DerivedFrom"];
/// Properties that IPTC Core has taken over from Photoshop. Cameras and picture agencies write them.
const PHOTOSHOP_OF_IPTC: [&str; 14] = [
    "AuthorsPosition",
    "CaptionWriter",
    "Category",
    "City",
    "Country",
    "Credit",
    "DateCreated",
    "Headline",
    "Instructions",
    "Source",
    "State",
    "SupplementalCategories",
    "TransmissionReference",
    "Urgency",
];

/// Properties whose text marks are looked for in.
const TEXTS: [(&str, &str); 7] = [
    (IPTC_EXTENSION, "DigitalSourceType"),
    (XMP, "CreatorTool"),
    (RESOURCE_EVENT, "softwareAgent"),
    (PHOTOSHOP, "Credit"),
    (DUBLIN_CORE, "description"),
    (EXIF, "UserComment"),
    (DUBLIN_CORE, "creator"),
];

/// What an XMP packet says, cut to be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Xmp {
    /// Bytes of all packets.
    pub bytes: u64,
    /// IPTC digital source types, as written.
    pub digital_source_types: Vec<String>,
    /// Software that made the file first.
    pub creator_tools: Vec<String>,
    /// Software that made the PDF.
    pub producers: Vec<String>,
    /// Software in the history of edits.
    pub software_agents: Vec<String>,
    /// Actions in the history of edits.
    pub actions: Vec<String>,
    /// Credit lines.
    pub credits: Vec<String>,
    /// When the content was made.
    pub created: Option<String>,
    /// When it was changed last.
    pub modified: Option<String>,
    /// Whether settings of a raw converter are there.
    pub has_camera_raw: bool,
    /// Whether properties of Photoshop are there.
    pub has_photoshop: bool,
    /// Whether it names a file that it was made from.
    pub has_derived_from: bool,
}

/// Reads one packet into what is known already.
pub(super) fn read(packet: &[u8], limits: &Limits, metadata: &mut Metadata) {
    let Ok(text) = std::str::from_utf8(packet) else {
        metadata.fact("xmp_unreadable", "an XMP packet is not UTF-8");
        return;
    };
    // Some writers end the packet with zeros.
    let text = text.trim_matches(['\0', '\u{feff}']).trim();
    if let Some(hit) = xmp_guard::check(text) {
        metadata.limits.push(hit);
        return;
    }
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: limits.xmp_nodes_max,
        ..ParsingOptions::default()
    };
    match Document::parse_with_options(text, options) {
        Ok(document) => collect(&document, text.len(), metadata),
        Err(roxmltree::Error::NodesLimitReached) => metadata.limits.push(LimitHit::structure(
            "xmp_nodes_max",
            limits.xmp_nodes_max,
            "the XMP packet was not read",
        )),
        Err(roxmltree::Error::DtdDetected) => {
            metadata.fact(
                "xmp_refused",
                "an XMP packet with a document type, which XMP has not",
            );
        }
        Err(error) => metadata.fact("xmp_unreadable", format!("XMP cannot be read: {error}")),
    }
}

/// Puts together a packet that is split over segments. Each part says where it belongs.
pub(super) fn join_parts(
    parts: &[&[u8]],
    limits: &Limits,
    metadata: &mut Metadata,
) -> Option<Vec<u8>> {
    let first = parts.first()?.get(..PART_IDENTIFIER_BYTES)?;
    let mut pieces: Vec<(u32, &[u8])> = parts
        .iter()
        .filter(|part| part.starts_with(first))
        .filter_map(|part| {
            let offset = u32_at(part, PART_IDENTIFIER_BYTES + 4, Order::Big)?;
            Some((offset, part.get(PART_HEADER_BYTES..)?))
        })
        .collect();
    pieces.sort_by_key(|(offset, _)| *offset);
    let total: usize = pieces.iter().map(|(_, data)| data.len()).sum();
    if count(total) > limits.xmp_bytes_max {
        let detail = format!("an XMP packet has {total} bytes");
        metadata.limits.push(LimitHit::bytes(
            "xmp_bytes_max",
            limits.xmp_bytes_max,
            detail,
        ));
        return None;
    }
    let mut packet = Vec::with_capacity(total);
    for (offset, data) in pieces {
        if index(offset) != packet.len() {
            metadata.fact(
                "xmp_incomplete",
                "a part of the extended XMP packet is missing",
            );
            return None;
        }
        packet.extend_from_slice(data);
    }
    Some(packet)
}

fn collect(document: &Document<'_>, len: usize, metadata: &mut Metadata) {
    let mut xmp = metadata.xmp.take().unwrap_or_default();
    xmp.bytes += count(len);
    let mut pending = vec![document.root()];
    while let Some(node) = pending.pop() {
        let name = node.tag_name();
        if let Some(namespace) = name.namespace() {
            property(&mut xmp, metadata, namespace, name.name(), || {
                element_text(&node)
            });
        }
        let is_of_others =
            name.namespace() == Some(MEDIA_MANAGEMENT) && OF_OTHER_FILES.contains(&name.name());
        if !is_of_others {
            // In the order in which they stand.
            pending.extend(node.children().rev().filter(Node::is_element));
        }
        for attribute in node.attributes() {
            if let Some(namespace) = attribute.namespace() {
                let value = || Some(attribute.value().to_owned());
                property(&mut xmp, metadata, namespace, attribute.name(), value);
            }
        }
    }
    metadata.xmp = Some(xmp);
}

/// Notes one property; its text is made only if somebody wants it.
fn property(
    xmp: &mut Xmp,
    metadata: &mut Metadata,
    namespace: &str,
    name: &str,
    text: impl FnOnce() -> Option<String>,
) {
    xmp.has_camera_raw |= namespace == CAMERA_RAW;
    xmp.has_photoshop |= namespace == PHOTOSHOP && !PHOTOSHOP_OF_IPTC.contains(&name);
    xmp.has_derived_from |= namespace == MEDIA_MANAGEMENT && name == "DerivedFrom";
    let is_text = TEXTS.contains(&(namespace, name));
    let is_date = namespace == XMP && (name == "CreateDate" || name == "ModifyDate");
    let is_action = namespace == RESOURCE_EVENT && name == "action";
    let is_producer = namespace == PDF && name == "Producer";
    if !(is_text || is_date || is_action || is_producer) {
        return;
    }
    let Some(value) = text()
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
    else {
        return;
    };
    if is_text {
        keep_text(metadata, name, &value);
    }
    let shown = clip(&value);
    let values = match name {
        "CreateDate" => return xmp.created = Some(shown),
        "ModifyDate" => return xmp.modified = Some(shown),
        "DigitalSourceType" => &mut xmp.digital_source_types,
        "CreatorTool" => &mut xmp.creator_tools,
        "Producer" => &mut xmp.producers,
        "softwareAgent" => &mut xmp.software_agents,
        "action" => &mut xmp.actions,
        "Credit" => &mut xmp.credits,
        _ => return,
    };
    if values.len() < VALUES_MAX && !values.contains(&shown) {
        values.push(shown);
    }
}

/// A history repeats the same software many times: each text once, and not without end.
fn keep_text(metadata: &mut Metadata, key: &str, value: &str) {
    let mut same_key = metadata
        .texts
        .iter()
        .filter(|t| t.place == Place::Xmp && t.key == key);
    let is_new = same_key.clone().all(|text| text.value != value);
    if is_new && same_key.nth(VALUES_MAX - 1).is_none() {
        metadata.text(Place::Xmp, key, value);
    }
}

/// Its own text, or that of the list inside it, or the resource that it points to.
fn element_text(node: &Node<'_, '_>) -> Option<String> {
    if let Some(resource) = node.attribute((RDF, "resource")) {
        return Some(resource.to_owned());
    }
    let inner = node.descendants().take(TEXT_NODES_MAX);
    let texts = inner.filter(Node::is_text).filter_map(|text| text.text());
    let mut joined = String::new();
    for text in texts.map(str::trim).filter(|text| !text.is_empty()) {
        if !joined.is_empty() {
            joined.push(' ');
        }
        let left = PROPERTY_CHARS_MAX.saturating_sub(joined.len());
        joined.extend(text.chars().take(left));
    }
    Some(joined)
}
