//! Goes from box to box, into those that hold others, and hands each to whom it concerns.

use super::boxes::{IsoBox, VERSION_BYTES, is_name, name};
use super::items::ItemTable;
use super::tags::Tags;
use super::{IsoLayout, rules};
use crate::bytes::{find, slice};
use crate::evidence::LimitHit;
use crate::limits::Limits;
use crate::structure::{Block, BlockKind, Structure};
use crate::text::clip;

const BRANDS_MAX: usize = 32;
const TREE_CHARS_MAX: usize = 2_000;
/// First bytes of the media that are searched for the name of an encoder.
const MEDIA_BYTES_LOOKED_AT: usize = 64 * 1024;
/// Longest name of an encoder.
const ENCODER_BYTES_MAX: usize = 48;
/// How encoders begin their names in the stream.
const ENCODERS: [&[u8]; 4] = [b"x264 - core ", b"x265 (build ", b"SVT-AV1", b"Lavc"];

/// Boxes that hold nothing but boxes.
const CONTAINERS: [&[u8; 4]; 16] = [
    b"moov", b"trak", b"mdia", b"minf", b"dinf", b"stbl", b"edts", b"udta", b"mvex", b"moof",
    b"traf", b"mfra", b"ilst", b"iprp", b"ipco", b"gmhd",
];
/// Boxes that a file is made of. Anything else that runs beyond the end is no box.
const OF_FILE: [&[u8; 4]; 15] = [
    b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"moof", b"mfra", b"meta", b"uuid",
    b"sidx", b"styp", b"pnot", b"pdin", b"udta",
];

const UUID_XMP: [u8; 16] = *b"\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac";
const UUID_C2PA: [u8; 16] = *b"\xd8\xfe\xc3\xd6\x1b\x0e\x48\x3c\x92\x97\x58\x28\x87\x7e\xc4\x81";

pub(super) struct Walker<'a, 's> {
    bytes: &'a [u8],
    limits: &'s Limits,
    structure: &'s mut Structure,
    layout: IsoLayout,
    /// The boxes that we are in.
    path: Vec<[u8; 4]>,
    /// The last box of the tree, if nothing is in it.
    last_leaf: Option<[u8; 4]>,
    tags: Tags,
    items: ItemTable<'a>,
    index_at: Option<usize>,
    media_at: Option<usize>,
    has_hit: bool,
}

impl<'a, 's> Walker<'a, 's> {
    pub(super) fn new(bytes: &'a [u8], limits: &'s Limits, structure: &'s mut Structure) -> Self {
        Self {
            bytes,
            limits,
            structure,
            layout: IsoLayout::default(),
            path: Vec::new(),
            last_leaf: None,
            tags: Tags::default(),
            items: ItemTable::default(),
            index_at: None,
            media_at: None,
            has_hit: false,
        }
    }

    /// Walks the file; answers where its last box ends, unless a bound stopped the walk.
    pub(super) fn run(&mut self) -> Option<usize> {
        let end = self.level(0, self.bytes.len());
        (!self.has_hit).then_some(end)
    }

    /// What was found, and whether there is any media.
    pub(super) fn finish(mut self) -> (IsoLayout, bool) {
        self.layout.items = self.items.finish(self.bytes, self.structure);
        if let Some(movie) = &mut self.layout.movie {
            movie.finish();
        }
        self.layout.is_index_first = self
            .index_at
            .zip(self.media_at)
            .map(|(index, media)| index < media);
        let holds_media = self.index_at.is_some()
            || self.media_at.is_some()
            || self.layout.is_fragmented
            || self.layout.items.is_some()
            || self.has_hit;
        (self.layout, holds_media)
    }

    /// The boxes from `at` to `until`; answers where the last of them ends.
    fn level(&mut self, mut at: usize, until: usize) -> usize {
        while at < until && !self.has_hit {
            let found = IsoBox::at(self.bytes, at, until).filter(|found| self.is_box(found));
            let Some(found) = found else {
                self.layout.is_broken |= !self.path.is_empty() && self.is_no_padding(at, until);
                break;
            };
            if self.layout.boxes == self.limits.boxes_max {
                self.hit("boxes_max", self.limits.boxes_max, "too many boxes");
                break;
            }
            self.layout.boxes += 1;
            if found.is_cut && self.path.is_empty() {
                self.layout.truncated = true;
            } else if found.is_cut && !self.layout.truncated {
                self.layout.is_broken = true;
            }
            self.visit(&found);
            at = found.end;
        }
        at
    }

    fn is_box(&self, found: &IsoBox<'_>) -> bool {
        match self.path.last() {
            // Here a name may be the number of a key.
            Some(b"ilst") => true,
            Some(_) => is_name(found.kind),
            None => is_name(found.kind) && (!found.is_cut || OF_FILE.contains(&&found.kind)),
        }
    }

    /// Some lists end with zeros. Fewer bytes than a header has are padding, too.
    fn is_no_padding(&self, at: usize, until: usize) -> bool {
        until - at >= 8 && slice(self.bytes, at, 8).is_some_and(|head| head != [0; 8])
    }

    fn visit(&mut self, found: &IsoBox<'a>) {
        let depth = u32::try_from(self.path.len() + 1).unwrap_or(u32::MAX);
        if depth > self.limits.box_depth_max {
            let max = self.limits.box_depth_max;
            self.hit("box_depth_max", max, "boxes are nested too deep");
            return;
        }
        self.layout.depth = self.layout.depth.max(depth);
        self.note(found);
        let Some(skipped) = skipped_before_boxes(found) else {
            self.grow_tree(found, "");
            return;
        };
        self.grow_tree(found, "(");
        self.path.push(found.kind);
        self.level(found.body_at + skipped, found.end);
        self.path.pop();
        self.close_tree();
    }

    fn note(&mut self, found: &IsoBox<'a>) {
        let parent = self.path.last().copied();
        match &found.kind {
            b"ftyp" => self.brands(found),
            b"moov" => {
                self.index_at.get_or_insert(found.body_at);
                self.layout.movie.get_or_insert_default();
            }
            b"mdat" if self.media_at.is_none() => {
                self.media_at = Some(found.body_at);
                self.layout.encoder = encoder(found.body);
            }
            b"moof" => self.layout.is_fragmented = true,
            b"uuid" => self.user_box(found),
            b"XMP_" if parent == Some(*b"udta") => {
                let block = Block::new(BlockKind::Xmp, found.body_at, found.body.len());
                self.structure.block(block);
            }
            _ => {}
        }
        if let Some(movie) = &mut self.layout.movie {
            movie.note(parent, found);
        }
        if self.path.first() == Some(b"meta") {
            self.items.note(parent, found);
        }
        self.tags.note(parent, found, self.structure);
        rules::note_vendor(found, &mut self.layout.vendor_boxes);
    }

    fn brands(&mut self, found: &IsoBox<'_>) {
        let mut brands = found.body.chunks_exact(4).map(|raw| {
            let name = raw.first_chunk().map(|raw| name(*raw));
            name.unwrap_or_default().trim_end().to_owned()
        });
        self.layout.major_brand = brands.next().unwrap_or_default();
        let version = slice(found.body, 4, 4).and_then(|raw| raw.first_chunk::<4>());
        self.layout.minor_version = version.map_or(0, |raw| u32::from_be_bytes(*raw));
        self.layout.compatible_brands = brands.skip(1).take(BRANDS_MAX).collect();
    }

    fn user_box(&mut self, found: &IsoBox<'_>) {
        if found.user_type == Some(UUID_XMP) {
            let block = Block::new(BlockKind::Xmp, found.body_at, found.body.len());
            self.structure.block(block);
        } else if found.user_type == Some(UUID_C2PA) {
            self.structure.content_credentials();
        }
    }

    fn grow_tree(&mut self, found: &IsoBox<'_>, bracket: &str) {
        let is_leaf = bracket.is_empty();
        if is_leaf && self.last_leaf == Some(found.kind) {
            return;
        }
        self.last_leaf = is_leaf.then_some(found.kind);
        let tree = &mut self.layout.tree;
        if tree.len() >= TREE_CHARS_MAX {
            return;
        }
        if !tree.is_empty() && !tree.ends_with('(') {
            tree.push(' ');
        }
        tree.push_str(found.name().trim_end());
        tree.push_str(bracket);
    }

    fn close_tree(&mut self) {
        self.last_leaf = None;
        if self.layout.tree.len() < TREE_CHARS_MAX {
            self.layout.tree.push(')');
        }
    }

    fn hit(&mut self, limit: &str, max: u32, detail: &str) {
        self.has_hit = true;
        self.structure
            .limits
            .push(LimitHit::structure(limit, max, detail));
    }
}

/// Bytes before the boxes that this one holds; nothing if it holds none.
fn skipped_before_boxes(found: &IsoBox<'_>) -> Option<usize> {
    if &found.kind == b"meta" {
        // ISO has a version here, QuickTime has none.
        let is_plain = slice(found.body, 4, 4) == Some(b"hdlr");
        return Some(if is_plain { 0 } else { VERSION_BYTES });
    }
    CONTAINERS.contains(&&found.kind).then_some(0)
}

/// The name that an encoder writes into its stream.
fn encoder(media: &[u8]) -> Option<String> {
    let start = media.get(..MEDIA_BYTES_LOOKED_AT).unwrap_or(media);
    let at = ENCODERS.iter().find_map(|sign| find(start, sign, 0))?;
    let name = start
        .get(at..)?
        .iter()
        .take(ENCODER_BYTES_MAX)
        .take_while(|byte| matches!(byte, b' '..=b'~'))
        .map(|&byte| char::from(byte));
    Some(clip(name.collect::<String>().trim_end()))
}
