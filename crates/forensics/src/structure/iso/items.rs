//! The items of HEIF and AVIF (ISO/IEC 14496-12 section 8.11, 23008-12): pictures and the metadata beside them.

mod location;

use serde::{Deserialize, Serialize};

use self::location::Location;
use super::boxes::{IsoBox, name};
use crate::bytes::{Order, index, slice, u16_at, u32_at};
use crate::sniff::Size;
use crate::structure::{Block, BlockKind, Structure};
use crate::text::clip;

/// Items with metadata that are looked for.
const WANTED_MAX: usize = 16;
/// Kinds of auxiliary pictures that are written out.
const AUXILIARY_MAX: usize = 16;
const CONTENT_TYPE_XMP: &[u8] = b"application/rdf+xml";

/// The items of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Items {
    /// Items found.
    pub count: u32,
    /// The kind of the main picture: `hvc1`, `av01`, or `grid` if it is put together from tiles.
    pub main_kind: Option<String>,
    /// Its size.
    pub size: Option<Size>,
    /// What auxiliary pictures are for, by their identifiers.
    pub auxiliary: Vec<String>,
}

/// An item whose bytes are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wanted {
    id: u32,
    kind: BlockKind,
}

/// The boxes about items, as they lie in the file. They refer to each other, so they are read when all are there.
#[derive(Default)]
pub(super) struct ItemTable<'a> {
    main: Option<u32>,
    infos: Option<&'a [u8]>,
    locations: Option<&'a [u8]>,
    associations: Option<&'a [u8]>,
    /// One per property, in their order: the size that it gives.
    sizes: Vec<Option<Size>>,
    auxiliary: Vec<String>,
    /// Where the data inside the index begins.
    inner_at: usize,
}

impl<'a> ItemTable<'a> {
    pub(super) fn note(&mut self, parent: Option<[u8; 4]>, found: &IsoBox<'a>) {
        match (parent.as_ref(), &found.kind) {
            (Some(b"meta"), b"pitm") => self.main = main_item(found.body),
            (Some(b"meta"), b"iinf") => self.infos = Some(found.body),
            (Some(b"meta"), b"iloc") => self.locations = Some(found.body),
            (Some(b"meta"), b"idat") => self.inner_at = found.body_at,
            (Some(b"iprp"), b"ipma") => self.associations = Some(found.body),
            (Some(b"ipco"), _) => {
                self.sizes.push(size(found));
                self.note_auxiliary(found);
            }
            _ => {}
        }
    }

    fn note_auxiliary(&mut self, found: &IsoBox<'_>) {
        if &found.kind != b"auxC" || self.auxiliary.len() == AUXILIARY_MAX {
            return;
        }
        let text = found.body.get(4..).unwrap_or_default();
        let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
        let text = clip(&String::from_utf8_lossy(text));
        if !self.auxiliary.contains(&text) {
            self.auxiliary.push(text);
        }
    }

    /// Reads the table, and notes where metadata lies.
    pub(super) fn finish(self, bytes: &'a [u8], structure: &mut Structure) -> Option<Items> {
        let infos = self.infos?;
        let mut items = Items {
            size: self.main_size(),
            auxiliary: self.auxiliary,
            ..Items::default()
        };
        let wanted = read_infos(infos, self.main, &mut items);
        let locations = self.locations.unwrap_or_default();
        let ids: Vec<u32> = wanted.iter().map(|item| item.id).collect();
        let found = location::find(locations, self.inner_at, &ids);
        for (item, location) in wanted.into_iter().zip(found) {
            note_location(bytes, item, location, structure);
        }
        Some(items)
    }

    /// The size among the properties of the main item.
    fn main_size(&self) -> Option<Size> {
        let numbers = properties_of(self.associations?, self.main?)?;
        numbers
            .into_iter()
            .find_map(|number| *self.sizes.get(number.checked_sub(1)?)?)
    }
}

fn main_item(body: &[u8]) -> Option<u32> {
    match body.first()? {
        0 => u16_at(body, 4, Order::Big).map(u32::from),
        _ => u32_at(body, 4, Order::Big),
    }
}

fn size(found: &IsoBox<'_>) -> Option<Size> {
    (&found.kind == b"ispe").then_some(())?;
    Some(Size {
        width: u32_at(found.body, 4, Order::Big)?,
        height: u32_at(found.body, 8, Order::Big)?,
    })
}

/// Counts items, and picks those with metadata.
fn read_infos(body: &[u8], main: Option<u32>, items: &mut Items) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    let mut at = if body.first() == Some(&0) { 6 } else { 8 };
    while let Some(found) = IsoBox::at(body, at, body.len()) {
        at = found.end;
        items.count = items.count.saturating_add(1);
        let Some((id, kind, rest)) = info(&found) else {
            continue;
        };
        if Some(id) == main {
            items.main_kind = Some(name(kind));
        }
        let kind = match &kind {
            b"Exif" => BlockKind::Exif,
            b"mime" if is_xmp(rest) => BlockKind::Xmp,
            _ => continue,
        };
        if wanted.len() < WANTED_MAX {
            wanted.push(Wanted { id, kind });
        }
    }
    wanted
}

/// Number, kind, and what comes behind.
fn info<'a>(found: &IsoBox<'a>) -> Option<(u32, [u8; 4], &'a [u8])> {
    let (version, _, fields) = found.versioned()?;
    let (id, at) = match version {
        2 => (u32::from(u16_at(fields, 0, Order::Big)?), 4),
        3 => (u32_at(fields, 0, Order::Big)?, 6),
        _ => return None,
    };
    let kind = *slice(fields, at, 4)?.first_chunk::<4>()?;
    Some((id, kind, fields.get(at + 4..)?))
}

/// A name, then the content type; both end with a zero.
fn is_xmp(rest: &[u8]) -> bool {
    rest.split(|&byte| byte == 0).nth(1) == Some(CONTENT_TYPE_XMP)
}

/// The numbers of the properties of one item, from 1.
fn properties_of(body: &[u8], item: u32) -> Option<Vec<usize>> {
    let head = u32_at(body, 0, Order::Big)?;
    let [version, ..] = head.to_be_bytes();
    let is_wide = head & 1 != 0;
    let entries = u32_at(body, 4, Order::Big)?;
    let mut at = 8;
    for _ in 0..entries {
        let (id, id_bytes) = if version == 0 {
            (u32::from(u16_at(body, at, Order::Big)?), 2)
        } else {
            (u32_at(body, at, Order::Big)?, 4)
        };
        let count = usize::from(*body.get(at + id_bytes)?);
        let width = if is_wide { 2 } else { 1 };
        let numbers = slice(body, at + id_bytes + 1, count * width)?;
        if id == item {
            // The highest bit says that a reader must understand the property.
            let narrow = |raw: &[u8]| match *raw {
                [high, low] => usize::from(high & 0x7f) << 8 | usize::from(low),
                [only] => usize::from(only & 0x7f),
                _ => 0,
            };
            return Some(numbers.chunks_exact(width).map(narrow).collect());
        }
        at += id_bytes + 1 + count * width;
    }
    None
}

fn note_location(bytes: &[u8], item: Wanted, location: Location, structure: &mut Structure) {
    let (at, len) = match location {
        Location::At { offset, len } if slice(bytes, offset, len).is_some() => (offset, len),
        Location::At { .. } => {
            return structure.fact_once(
                "item_outside_file",
                "metadata of the picture should lie where the file has ended",
            );
        }
        Location::Scattered => {
            return structure.fact_once(
                "item_scattered",
                "metadata of the picture lies in several pieces and was not read",
            );
        }
        Location::Elsewhere | Location::Missing => return,
    };
    if item.kind != BlockKind::Exif {
        return structure.block(Block::new(item.kind, at, len));
    }
    // A length, and so many bytes before the header of the directories.
    let skipped = u32_at(bytes, at, Order::Big).map(|before| index(before).saturating_add(4));
    if let Some(left) = skipped.and_then(|skipped| len.checked_sub(skipped)) {
        structure.block(Block::new(BlockKind::Exif, at + (len - left), left));
    }
}
