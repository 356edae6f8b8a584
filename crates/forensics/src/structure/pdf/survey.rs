//! What all objects of a document together show. Values are looked at one by one and not kept.

use std::collections::{BTreeMap, HashSet};

use super::JpegStream;
use super::class::Class;
use super::look::Look;
use super::object_stream::{self, Budget};
use super::scan::{Object, Objects};
use super::signature::{self, Signature};
use super::text::{date, decode};
use super::value::{Dict, Value};
use crate::bytes::count;
use crate::evidence::LimitHit;
use crate::limits::Limits;
use crate::structure::Span;

/// Signatures that are looked at; further ones are only counted.
const SIGNATURES_MAX: usize = 64;
/// JPEG streams that are noted; further ones are only counted.
const JPEG_STREAMS_MAX: usize = 256;
/// References from pages and annotations that are kept, and as many resources of pages.
const REFERENCES_MAX: usize = 1_000_000;
/// Kinds of resources: a dictionary without a type that has one of them is one of resources.
const RESOURCES: [&[u8]; 6] = [
    b"Font",
    b"XObject",
    b"ExtGState",
    b"ColorSpace",
    b"Pattern",
    b"Shading",
];

/// An object, reduced to what tells whether it was changed.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) number: u32,
    /// Where it, or the stream that it lies in, begins in the file.
    pub(super) offset: usize,
    pub(super) class: Class,
    /// Equal for equal objects, however they are written.
    pub(super) digest: u64,
    /// What readers see of it, if it is one of a page or of what leads to pages.
    pub(super) look: Option<Look>,
}

/// The document's own description, by its last version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Info {
    pub(super) producer: Option<String>,
    pub(super) creator: Option<String>,
    pub(super) created: Option<String>,
    pub(super) modified: Option<String>,
}

#[derive(Default)]
pub(super) struct Survey {
    pub(super) entries: Vec<Entry>,
    /// Objects that pages name as their content, with the place of the page.
    pub(super) contents: Vec<(u32, usize)>,
    /// Objects that pages name as their resources, with the place of the page.
    pub(super) resources: Vec<(u32, usize)>,
    /// What arrays and dictionaries of resources that are objects of their own refer to, with their place.
    pub(super) links: Vec<(u32, usize, Vec<u32>)>,
    /// Objects that annotations name as their looks.
    pub(super) appearances: HashSet<u32>,
    pub(super) signatures: Vec<Signature>,
    /// Signatures that are not looked at, for want of room.
    pub(super) signatures_left_out: u32,
    pub(super) jpeg_streams: Vec<JpegStream>,
    /// JPEG streams that are not noted, for want of room.
    pub(super) jpeg_streams_left_out: u32,
    pub(super) info: Info,
    /// The description of the document in XMP, and where it stands.
    pub(super) xmp: BTreeMap<u32, Span>,
    /// Objects that catalogs name as such descriptions.
    pub(super) catalog_metadata: HashSet<u32>,
    /// Actions and other parts that do something, by name.
    pub(super) active: BTreeMap<&'static str, u32>,
    pub(super) has_credentials: bool,
    pub(super) is_linearised: bool,
    pub(super) unreadable: u32,
    /// Object streams that were not read.
    pub(super) unread_streams: u32,
    pub(super) hits: Vec<LimitHit>,
    /// References and resources kept so far.
    kept: usize,
}

/// Looks at every object of the file. `info` is the number of the document's own description, if it is known; what lies in
/// streams of an encrypted document cannot be read.
pub(super) fn survey(
    bytes: &[u8],
    info: Option<u32>,
    is_encrypted: bool,
    limits: &Limits,
) -> Survey {
    let mut survey = Survey::default();
    let mut budget = Budget::new(limits);
    let mut objects = Objects::new(bytes);
    for object in objects.by_ref() {
        if !survey.has_room(limits) {
            break;
        }
        survey.look_at_object(bytes, &object, info, is_encrypted);
        let holds_objects = object.value.dict().is_some_and(|dict| dict.is_a(b"ObjStm"));
        if holds_objects && is_encrypted {
            survey.unread_streams = survey.unread_streams.saturating_add(1);
        } else if holds_objects {
            object_stream::read(&object, &mut budget, &mut |number, value| {
                let has_room = survey.has_room(limits);
                if has_room {
                    let place = Place {
                        number,
                        offset: object.offset,
                        digest: value.digest(None),
                    };
                    survey.look_at(&place, value, false, info, is_encrypted);
                }
                has_room
            });
        }
    }
    survey.unreadable = objects.unreadable;
    survey.unread_streams = survey.unread_streams.saturating_add(budget.unread);
    survey.hits.extend(budget.hit);
    survey
}

/// Which object is looked at.
struct Place {
    number: u32,
    offset: usize,
    digest: u64,
}

impl Survey {
    /// Whether another object may be looked at; the first one too many is a limit hit.
    fn has_room(&mut self, limits: &Limits) -> bool {
        if count(self.entries.len()) < u64::from(limits.pdf_objects_max) {
            return true;
        }
        if self.hits.iter().all(|hit| hit.limit != "pdf_objects_max") {
            let detail = "further objects of the document were not looked at";
            let max = limits.pdf_objects_max;
            self.hits
                .push(LimitHit::structure("pdf_objects_max", max, detail));
        }
        false
    }

    fn look_at_object(
        &mut self,
        bytes: &[u8],
        object: &Object<'_>,
        info: Option<u32>,
        is_encrypted: bool,
    ) {
        let place = Place {
            number: object.number,
            offset: object.offset,
            digest: object.value.digest(object.stream.map(|stream| stream.data)),
        };
        self.look_at(
            &place,
            &object.value,
            object.stream.is_some(),
            info,
            is_encrypted,
        );
        let Some(dict) = object.value.dict() else {
            return;
        };
        self.note_stream(object, dict, is_encrypted);
        if let Some(signature) = signature::read(bytes, object.offset, object.end, dict) {
            self.note_signature(signature);
        }
    }

    /// The first one too many is a limit hit.
    fn note_signature(&mut self, signature: Signature) {
        if self.signatures.len() < SIGNATURES_MAX {
            self.signatures.push(signature);
            return;
        }
        if self.signatures_left_out == 0 {
            self.hits.push(LimitHit::structure(
                "pdf_signatures_max",
                count(SIGNATURES_MAX),
                "further signatures of the document were not looked at",
            ));
        }
        self.signatures_left_out = self.signatures_left_out.saturating_add(1);
    }

    fn note_stream(&mut self, object: &Object<'_>, dict: &Dict<'_>, is_encrypted: bool) {
        let Some(stream) = object.stream.filter(|_| !is_encrypted) else {
            return;
        };
        let span = Span::new(stream.offset, stream.data.len());
        if dict.is_a(b"Metadata") && !dict.has(b"Filter") {
            self.xmp.insert(object.number, span);
        }
        if is_jpeg(dict) {
            let side = |name: &[u8]| {
                let side = dict.number(name).unwrap_or_default();
                u32::try_from(side).unwrap_or_default()
            };
            self.note_jpeg(JpegStream {
                object: object.number,
                span,
                width: side(b"Width"),
                height: side(b"Height"),
            });
        }
    }

    /// The first one too many is a limit hit.
    fn note_jpeg(&mut self, stream: JpegStream) {
        if self.jpeg_streams.len() < JPEG_STREAMS_MAX {
            self.jpeg_streams.push(stream);
            return;
        }
        if self.jpeg_streams_left_out == 0 {
            self.hits.push(LimitHit::structure(
                "pdf_jpeg_streams_max",
                count(JPEG_STREAMS_MAX),
                "further pictures in JPEG of the document were not looked at",
            ));
        }
        self.jpeg_streams_left_out = self.jpeg_streams_left_out.saturating_add(1);
    }

    fn look_at(
        &mut self,
        place: &Place,
        value: &Value<'_>,
        has_stream: bool,
        info: Option<u32>,
        is_encrypted: bool,
    ) {
        value.dicts(&mut |dict| self.note_active(dict));
        let mut entry = Entry {
            number: place.number,
            offset: place.offset,
            class: Class::Other,
            digest: place.digest,
            look: None,
        };
        if let Some(dict) = value.dict() {
            entry.class = Class::of(dict, has_stream);
            entry.look = Look::of(entry.class, dict).map(|look| self.within_room(look));
            self.note_references(entry.class, dict, place);
            self.is_linearised |= dict.has(b"Linearized");
            let is_info = info.map_or(entry.class == Class::Metadata && !has_stream, |number| {
                number == place.number
            });
            if is_info && !is_encrypted {
                self.info = Info::of(dict);
            }
        }
        if value.array().is_some() {
            let mut found = Vec::new();
            value.references(&mut found);
            self.link(place, found);
        }
        self.entries.push(entry);
    }

    fn within_room(&mut self, look: Look) -> Look {
        if self.kept >= REFERENCES_MAX {
            return look.without_resources();
        }
        self.kept += look.resources();
        look
    }

    /// Notes what leads from pages and annotations to what is drawn.
    fn note_references(&mut self, class: Class, dict: &Dict<'_>, place: &Place) {
        if class == Class::Catalog {
            self.catalog_metadata.extend(dict.reference(b"Metadata"));
        }
        if self.kept >= REFERENCES_MAX {
            return;
        }
        if class == Class::Page {
            let at = |number| (number, place.offset);
            let (contents, resources) =
                (dict.references(b"Contents"), dict.references(b"Resources"));
            self.kept += contents.len() + resources.len();
            self.contents.extend(contents.into_iter().map(at));
            self.resources.extend(resources.into_iter().map(at));
        } else if class == Class::Annotation || class == Class::Field {
            let appearances = dict.references(b"AP");
            self.kept += appearances.len();
            self.appearances.extend(appearances);
        } else if class == Class::Other && RESOURCES.iter().any(|kind| dict.has(kind)) {
            let found = RESOURCES.iter().flat_map(|kind| dict.references(kind));
            self.link(place, found.collect());
        }
    }

    fn link(&mut self, place: &Place, found: Vec<u32>) {
        if !found.is_empty() && self.kept < REFERENCES_MAX {
            self.kept += found.len();
            self.links.push((place.number, place.offset, found));
        }
    }

    fn note_active(&mut self, dict: &Dict<'_>) {
        let action = dict.name(b"S").unwrap_or_default();
        let kinds = [
            ("JavaScript", action == b"JavaScript" || dict.has(b"JS")),
            ("Launch", action == b"Launch"),
            ("SubmitForm", action == b"SubmitForm"),
            ("GoToR", action == b"GoToR" || action == b"GoToE"),
            ("OpenAction", dict.has(b"OpenAction")),
            ("AdditionalActions", dict.has(b"AA")),
            ("EmbeddedFile", dict.is_a(b"EmbeddedFile")),
            ("RichMedia", dict.is_a(b"RichMedia")),
            ("XFA", dict.has(b"XFA")),
        ];
        for (kind, _) in kinds.into_iter().filter(|(_, is_there)| *is_there) {
            let seen = self.active.entry(kind).or_default();
            *seen = seen.saturating_add(1);
        }
        self.has_credentials |= dict.name(b"AFRelationship") == Some(b"C2PA_Manifest");
    }
}

impl Info {
    fn of(dict: &Dict<'_>) -> Self {
        let text = |name: &[u8]| dict.get(name).and_then(decode);
        Self {
            producer: text(b"Producer"),
            creator: text(b"Creator"),
            created: text(b"CreationDate").map(|text| date(&text)),
            modified: text(b"ModDate").map(|text| date(&text)),
        }
    }
}

/// A JPEG file as it is, not packed once more.
fn is_jpeg(dict: &Dict<'_>) -> bool {
    let Some(filter) = dict.get(b"Filter").or_else(|| dict.get(b"F")) else {
        return false;
    };
    let only = match filter.array() {
        Some([only]) => only,
        Some(_) => return false,
        None => filter,
    };
    let Value::Name(name) = only else {
        return false;
    };
    name.as_ref() == b"DCTDecode" || name.as_ref() == b"DCT"
}
