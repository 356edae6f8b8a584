//! A look at TIFF bytes before the validator gets them.
//!
//! The validator reads every directory that a TIFF names, as often as it is named. A file of a few kilobytes can keep
//! it busy for minutes, so a TIFF (DNG, NEF, ARW too) goes in only if it may hold a credential at all and names few
//! directories. This look is linear in the bytes and allocates next to nothing.
//!
//! Not here: the reading of TIFF tags for their own sake (forensics).

use std::collections::BTreeSet;

/// Most subordinate directories that a TIFF may name.
pub(crate) const SUBDIRECTORIES_MAX: u64 = 1_000;

/// Most directories in the main chain.
pub(crate) const DIRECTORIES_MAX: usize = 1_000;

/// Most entries in all directories of the main chain, so that overlapping directories cost no more than large ones.
pub(crate) const ENTRIES_MAX: usize = 1_000_000;

/// One of these is in the bytes of every file that has a credential inside.
const MARKS: [&[u8]; 2] = [b"jumb", b"c2pa"];

const SUBDIRECTORIES_TAG: u64 = 0x014a;

/// Why `bytes` should not be given to the validator. `None` for anything but a TIFF.
pub(crate) fn reason_to_skip(bytes: &[u8]) -> Option<String> {
    let layout = Layout::of(bytes)?;
    if !MARKS
        .iter()
        .any(|mark| bytes.windows(mark.len()).any(|window| window == *mark))
    {
        return Some("no mark of a credential in the bytes of this TIFF".to_owned());
    }
    match layout.count_subdirectories(bytes) {
        Ok(count) if count <= SUBDIRECTORIES_MAX => None,
        Ok(count) => Some(format!(
            "the TIFF names {count} subordinate directories, more than {SUBDIRECTORIES_MAX}"
        )),
        Err(Endless) => Some("the TIFF's directories go in a circle or are too many".to_owned()),
    }
}

/// The chain of directories has no end within the bounds.
struct Endless;

/// Byte order and field widths.
#[derive(Clone, Copy)]
struct Layout {
    big_endian: bool,
    /// `BigTIFF`: addresses and counts of eight bytes.
    wide: bool,
}

impl Layout {
    fn of(bytes: &[u8]) -> Option<Self> {
        let (big_endian, wide) = match bytes.get(..4)? {
            b"II*\0" => (false, false),
            b"MM\0*" => (true, false),
            b"II+\0" => (false, true),
            b"MM\0+" => (true, true),
            _ => return None,
        };
        Some(Self { big_endian, wide })
    }

    /// The sum over the main chain. An address outside the file ends the chain: the validator refuses such a file.
    fn count_subdirectories(self, bytes: &[u8]) -> Result<u64, Endless> {
        let (mut count, mut entries) = (0_u64, 0_usize);
        let mut seen = BTreeSet::new();
        let mut next = self.address(bytes, if self.wide { 8 } else { 4 });
        while let Some(start) = next.filter(|address| *address != 0) {
            if !seen.insert(start) || seen.len() > DIRECTORIES_MAX {
                return Err(Endless);
            }
            let Some(directory) = Directory::at(self, bytes, start) else {
                break;
            };
            entries = entries.saturating_add(directory.entries);
            if entries > ENTRIES_MAX {
                return Err(Endless);
            }
            count = count.saturating_add(directory.subdirectories());
            next = directory.next();
        }
        Ok(count)
    }

    fn address(self, bytes: &[u8], at: usize) -> Option<u64> {
        self.number(bytes, at, if self.wide { 8 } else { 4 })
    }

    fn number(self, bytes: &[u8], at: usize, width: usize) -> Option<u64> {
        let field = bytes.get(at..at.checked_add(width)?)?;
        let join = |number: u64, byte: &u8| (number << 8) | u64::from(*byte);
        Some(if self.big_endian {
            field.iter().fold(0, join)
        } else {
            field.iter().rev().fold(0, join)
        })
    }
}

struct Directory<'a> {
    layout: Layout,
    bytes: &'a [u8],
    first_entry: usize,
    entries: usize,
}

impl<'a> Directory<'a> {
    fn at(layout: Layout, bytes: &'a [u8], start: u64) -> Option<Self> {
        let start = usize::try_from(start).ok()?;
        let width = if layout.wide { 8 } else { 2 };
        let entries = usize::try_from(layout.number(bytes, start, width)?).ok()?;
        Some(Self {
            layout,
            bytes,
            first_entry: start.checked_add(width)?,
            entries,
        })
    }

    fn subdirectories(&self) -> u64 {
        let mut count = 0_u64;
        for entry in 0..self.entries {
            let Some(at) = self.entry_at(entry) else {
                break;
            };
            // The tag and type are two bytes each in both layouts; the count follows.
            match (
                self.layout.number(self.bytes, at, 2),
                self.layout.address(self.bytes, at.saturating_add(4)),
            ) {
                (Some(SUBDIRECTORIES_TAG), Some(named)) => count = count.saturating_add(named),
                (Some(_), Some(_)) => {}
                _ => break,
            }
        }
        count
    }

    fn next(&self) -> Option<u64> {
        self.layout
            .address(self.bytes, self.entry_at(self.entries)?)
    }

    fn entry_at(&self, index: usize) -> Option<usize> {
        let width = if self.layout.wide { 20 } else { 12 };
        self.first_entry.checked_add(index.checked_mul(width)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A little-endian TIFF with directories at their places: each names `subdirectories` and leads to the next.
    fn tiff(directories: &[u32], last_leads_to: u32) -> Vec<u8> {
        let mut bytes = b"II*\0\x08\0\0\0".to_vec();
        for (index, subdirectories) in directories.iter().enumerate() {
            let after = u32::try_from(8 + 18 * (index + 1)).unwrap();
            let next = if index + 1 == directories.len() {
                last_leads_to
            } else {
                after
            };
            bytes.extend([1, 0, 0x4a, 0x01, 4, 0]);
            bytes.extend(subdirectories.to_le_bytes());
            bytes.extend([0, 0, 0, 0]);
            bytes.extend(next.to_le_bytes());
        }
        bytes.extend(b"c2pa");
        bytes
    }

    fn max() -> u32 {
        u32::try_from(SUBDIRECTORIES_MAX).unwrap()
    }

    #[test]
    fn other_files_are_not_looked_at() {
        assert_eq!(reason_to_skip(b""), None);
        assert_eq!(reason_to_skip(b"II*"), None);
        assert_eq!(reason_to_skip(b"\xff\xd8\xff\xe0 and c2pa"), None);
    }

    #[test]
    fn a_tiff_without_a_mark_is_skipped() {
        let mut bytes = tiff(&[0], 0);
        assert_eq!(reason_to_skip(&bytes), None);
        bytes.truncate(bytes.len() - 4);
        assert!(reason_to_skip(&bytes).unwrap().contains("no mark"));
    }

    #[test]
    fn subordinate_directories_are_counted_over_the_whole_chain_and_bounded() {
        assert_eq!(reason_to_skip(&tiff(&[max()], 0)), None);
        assert!(
            reason_to_skip(&tiff(&[max() + 1], 0))
                .unwrap()
                .contains("names 1001")
        );
        assert!(
            reason_to_skip(&tiff(&[max(), 1], 0))
                .unwrap()
                .contains("names 1001")
        );
        assert!(reason_to_skip(&tiff(&[u32::MAX; 2], 0)).is_some());
    }

    #[test]
    fn the_chain_is_bounded_and_may_not_go_in_a_circle() {
        assert_eq!(reason_to_skip(&tiff(&[0; DIRECTORIES_MAX], 0)), None);
        assert!(
            reason_to_skip(&tiff(&[0; DIRECTORIES_MAX + 1], 0))
                .unwrap()
                .contains("circle")
        );
        assert!(reason_to_skip(&tiff(&[0], 8)).unwrap().contains("circle"));
    }

    #[test]
    fn entries_are_bounded() {
        let wide = |entries: usize| {
            let mut bytes = b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0".to_vec();
            bytes.extend(u64::try_from(entries).unwrap().to_le_bytes());
            bytes.extend(b"jumb");
            bytes
        };
        assert_eq!(reason_to_skip(&wide(ENTRIES_MAX)), None);
        assert!(
            reason_to_skip(&wide(ENTRIES_MAX + 1))
                .unwrap()
                .contains("too many")
        );
    }

    #[test]
    fn a_directory_outside_the_file_ends_the_chain() {
        assert_eq!(reason_to_skip(&tiff(&[0], 70_000)), None);
    }

    #[test]
    fn the_other_layouts_are_read_too() {
        let mut big = b"MM\0*\0\0\0\x08\0\x01\x01\x4a\0\x04\0\0\x03\xe9\0\0\0\0\0\0\0\0".to_vec();
        big.extend(b"jumb");
        assert!(reason_to_skip(&big).unwrap().contains("names 1001"));
        let mut wide = b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0".to_vec();
        wide.extend([
            1, 0, 0, 0, 0, 0, 0, 0, 0x4a, 0x01, 4, 0, 0xe9, 0x03, 0, 0, 0, 0, 0, 0,
        ]);
        wide.extend([0; 16]);
        wide.extend(b"jumb");
        assert!(reason_to_skip(&wide).unwrap().contains("names 1001"));
    }
}
