//! Looks over TIFF directories (EXIF has the same) without reading values, so that a trap is seen before a parser
//! follows it: loops, thousands of sub-directories, endless lists, giant texts.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::bytes::{Order, index, slice, u16_at, u32_at};
use crate::evidence::LimitHit;
use crate::limits::Limits;
use crate::sniff::Size;

const ENTRY_BYTES: usize = 12;
const TYPE_ASCII: u16 = 2;
const TYPE_SHORT: u16 = 3;

const TAG_WIDTH: u16 = 0x0100;
const TAG_HEIGHT: u16 = 0x0101;
const TAG_SUB_DIRECTORIES: u16 = 0x014a;
const TAG_THUMBNAIL: u16 = 0x0201;
const TAG_THUMBNAIL_BYTES: u16 = 0x0202;
const TAG_XMP: u16 = 0x02bc;
const TAG_EXIF: u16 = 0x8769;
const TAG_GPS: u16 = 0x8825;
const TAG_MAKER_NOTE: u16 = 0x927c;
const TAG_INTEROPERABILITY: u16 = 0xa005;

/// What the directories hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Survey {
    /// Directories seen.
    pub directories: u32,
    /// Entries in all of them.
    pub entries: u32,
    /// Deepest nesting; the first directory is at 0.
    pub depth: u32,
    /// Sub-directories declared (TIFF tag 330).
    pub sub_directories: u32,
    /// Whether a directory points to one that was already seen.
    pub has_loop: bool,
    /// Whether a directory or an entry points beyond the end.
    pub is_broken: bool,
    /// Whether there is an embedded small picture.
    pub has_thumbnail: bool,
    /// Where the small picture lies, as offset and length from the TIFF header; not checked.
    pub thumbnail: Option<(u32, u32)>,
    /// Bytes of the maker's note.
    pub maker_note_bytes: u32,
    /// Size declared by the first directory.
    pub size: Option<Size>,
    /// The bound that ended the survey early.
    pub hit: Option<LimitHit>,
    /// Where an XMP packet lies, as offset and length from the TIFF header.
    pub xmp: Option<(u32, u32)>,
}

/// Looks over all directories that can be reached from the header.
pub(crate) fn survey(tiff: &[u8], limits: &Limits) -> Survey {
    let mut surveyor = Surveyor {
        tiff,
        order: Order::Big,
        limits,
        seen: HashSet::new(),
        pending: Vec::new(),
        survey: Survey::default(),
    };
    surveyor.run();
    surveyor.survey
}

/// The size that the first directory declares.
pub(crate) fn declared_size(tiff: &[u8], limits: &Limits) -> Option<Size> {
    survey(tiff, limits).size
}

struct Surveyor<'a> {
    tiff: &'a [u8],
    order: Order,
    limits: &'a Limits,
    seen: HashSet<u32>,
    /// Directories to look at: offset and depth. Bounded, as each pointer counts against a limit.
    pending: Vec<(u32, u32)>,
    survey: Survey,
}

struct Entry {
    tag: u16,
    value_type: u16,
    count: u32,
    /// Where the four bytes of value or offset lie.
    value_at: usize,
    /// Those four bytes as a number.
    value: u32,
}

impl Surveyor<'_> {
    fn run(&mut self) {
        self.order = match self.tiff.get(..4) {
            Some(b"II\x2a\0") => Order::Little,
            Some(b"MM\0\x2a") => Order::Big,
            _ => {
                self.survey.is_broken = true;
                return;
            }
        };
        let Some(first) = u32_at(self.tiff, 4, self.order) else {
            self.survey.is_broken = true;
            return;
        };
        self.pending.push((first, 0));
        while let Some((offset, depth)) = self.pending.pop() {
            if self.survey.hit.is_some() {
                return;
            }
            self.directory(offset, depth);
        }
    }

    fn directory(&mut self, offset: u32, depth: u32) {
        if offset == 0 {
            return;
        }
        if !self.seen.insert(offset) {
            self.survey.has_loop = true;
            return;
        }
        if depth > self.limits.exif_depth_max {
            self.hit(
                "exif_depth_max",
                self.limits.exif_depth_max,
                "directories are nested too deep",
            );
            return;
        }
        let at = index(offset);
        let Some(entries) = u16_at(self.tiff, at, self.order) else {
            self.survey.is_broken = true;
            return;
        };
        // A chain of empty directories costs six bytes each.
        if self.survey.directories == self.limits.sub_directories_max {
            let max = self.limits.sub_directories_max;
            self.hit("sub_directories_max", max, "too many directories");
            return;
        }
        self.survey.directories += 1;
        self.survey.depth = self.survey.depth.max(depth);
        if !self.entries(at, entries, depth) {
            return;
        }
        let next_at = at.saturating_add(2 + usize::from(entries) * ENTRY_BYTES);
        if let Some(next) = u32_at(self.tiff, next_at, self.order) {
            self.pending.push((next, depth));
        }
    }

    /// Whether all entries were there and within bounds.
    fn entries(&mut self, at: usize, entries: u16, depth: u32) -> bool {
        let first_directory = self.survey.directories == 1;
        for number in 0..usize::from(entries) {
            let entry_at = at.saturating_add(2 + number * ENTRY_BYTES);
            let Some(entry) = self.entry_at(entry_at) else {
                self.survey.is_broken = true;
                return false;
            };
            self.survey.entries += 1;
            if self.survey.entries > self.limits.exif_entries_max {
                self.hit(
                    "exif_entries_max",
                    self.limits.exif_entries_max,
                    "too many entries",
                );
                return false;
            }
            self.entry(&entry, depth, first_directory);
        }
        true
    }

    fn entry_at(&self, at: usize) -> Option<Entry> {
        Some(Entry {
            tag: u16_at(self.tiff, at, self.order)?,
            value_type: u16_at(self.tiff, at.checked_add(2)?, self.order)?,
            count: u32_at(self.tiff, at.checked_add(4)?, self.order)?,
            value_at: at.checked_add(8)?,
            value: u32_at(self.tiff, at.checked_add(8)?, self.order)?,
        })
    }

    fn entry(&mut self, entry: &Entry, depth: u32, first_directory: bool) {
        let text_bytes_max = self.limits.exif_text_bytes_max;
        if entry.value_type == TYPE_ASCII && u64::from(entry.count) > text_bytes_max {
            let detail = format!("a text declares {} bytes", entry.count);
            self.survey.hit = Some(LimitHit::structure(
                "exif_text_bytes_max",
                text_bytes_max,
                detail,
            ));
            return;
        }
        match entry.tag {
            TAG_EXIF | TAG_GPS | TAG_INTEROPERABILITY => {
                self.pending.push((entry.value, depth + 1))
            }
            TAG_SUB_DIRECTORIES => self.sub_directories(entry, depth),
            TAG_THUMBNAIL => {
                self.survey.has_thumbnail = true;
                self.survey.thumbnail = Some((entry.value, 0));
            }
            TAG_THUMBNAIL_BYTES => {
                if let Some((_, bytes)) = &mut self.survey.thumbnail {
                    *bytes = entry.value;
                }
            }
            TAG_MAKER_NOTE => self.survey.maker_note_bytes = entry.count,
            TAG_XMP if slice(self.tiff, index(entry.value), index(entry.count)).is_some() => {
                self.survey.xmp = Some((entry.value, entry.count));
            }
            TAG_WIDTH | TAG_HEIGHT if first_directory => self.side(entry),
            _ => {}
        }
    }

    fn sub_directories(&mut self, entry: &Entry, depth: u32) {
        let declared = self.survey.sub_directories.saturating_add(entry.count);
        self.survey.sub_directories = declared;
        let max = self.limits.sub_directories_max;
        if declared > max {
            let detail = format!("{declared} sub-directories are declared");
            self.hit("sub_directories_max", max, &detail);
            return;
        }
        if entry.count == 1 {
            self.pending.push((entry.value, depth + 1));
            return;
        }
        for number in 0..index(entry.count) {
            let at = index(entry.value).saturating_add(number * 4);
            let Some(offset) = u32_at(self.tiff, at, self.order) else {
                self.survey.is_broken = true;
                return;
            };
            self.pending.push((offset, depth + 1));
        }
    }

    fn side(&mut self, entry: &Entry) {
        let value = if entry.value_type == TYPE_SHORT {
            u16_at(self.tiff, entry.value_at, self.order)
                .unwrap_or_default()
                .into()
        } else {
            entry.value
        };
        let size = self.survey.size.get_or_insert(Size {
            width: 0,
            height: 0,
        });
        if entry.tag == TAG_WIDTH {
            size.width = value;
        } else {
            size.height = value;
        }
    }

    fn hit(&mut self, limit: &str, max: u32, detail: &str) {
        self.survey.hit = Some(LimitHit::structure(limit, max, detail));
    }
}

#[cfg(test)]
mod tests;
