//! The frame header (ITU-T T.81, B.2.2): what kind of JPEG it is, its size, its components.

use super::unread::{Fault, Unread};
use crate::bytes::{Order, count, u16_at};
use crate::limits::Limits;
use crate::structure::jpeg::segments::Segment;

/// Baseline.
const SOF0: u8 = 0xc0;
/// Extended sequential, Huffman coding.
const SOF1: u8 = 0xc1;
/// Progressive, Huffman coding.
const SOF2: u8 = 0xc2;
/// Samples along each side of a block.
const SIDE: usize = 8;
const PRECISION_BITS: u8 = 8;
/// The other precision that the standard has for coefficients (table B.2).
const EXTENDED_PRECISION_BITS: u8 = 12;
/// The largest sampling factor.
const FACTOR_MAX: usize = 4;

/// A frame header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) is_progressive: bool,
    width: usize,
    height: usize,
    /// One, three or four; the first is no smaller than the others.
    pub(super) components: Vec<Component>,
}

/// A colour component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Component {
    pub(super) id: u8,
    /// Blocks of a unit of an interleaved scan, side by side: 1 to 4.
    pub(super) across: usize,
    /// The same one below the other.
    pub(super) down: usize,
    /// Number of its quantisation table.
    pub(super) table: u8,
}

impl Frame {
    pub(super) fn read(segment: &Segment<'_>, limits: &Limits) -> Result<Self, Unread> {
        let is_progressive = match segment.marker {
            SOF0 | SOF1 => false,
            SOF2 => true,
            other => return Err(Unread::Unsupported { what: kind(other) }),
        };
        let precision = segment.data.first().filter(|bits| **bits != PRECISION_BITS);
        if let Some(&bits) = precision {
            let what = if bits == EXTENDED_PRECISION_BITS {
                "a precision of 12 bits"
            } else {
                "a precision other than 8 bits"
            };
            return Err(Unread::Unsupported { what });
        }
        let damaged = |why| Unread::damaged(segment.offset, why);
        let side = |at| u16_at(segment.data, at, Order::Big).map(usize::from);
        let (Some(height), Some(width)) = (side(1), side(3)) else {
            return Err(damaged("the frame header is cut off"));
        };
        let frame = Self {
            is_progressive,
            width,
            height,
            components: components(segment.data).map_err(damaged)?,
        };
        frame.check_size(limits, damaged)?;
        frame.check_components()?;
        Ok(frame)
    }

    fn check_size(&self, limits: &Limits, damaged: impl Fn(Fault) -> Unread) -> Result<(), Unread> {
        if self.height == 0 {
            let what = "a height that follows the first scan";
            return Err(Unread::Unsupported { what });
        }
        if self.width == 0 {
            return Err(damaged("the picture has no columns"));
        }
        let side = count(self.width.max(self.height));
        if side > u64::from(limits.side_pixels_max) {
            return Err(Unread::limit("side_pixels_max", limits.side_pixels_max));
        }
        if count(self.width).saturating_mul(count(self.height)) > limits.pixels_max {
            return Err(Unread::limit("pixels_max", limits.pixels_max));
        }
        Ok(())
    }

    fn check_components(&self) -> Result<(), Unread> {
        if !matches!(self.components.len(), 1 | 3 | 4) {
            let what = "another number of components than 1, 3 or 4";
            return Err(Unread::Unsupported { what });
        }
        let (across, down) = self.factors();
        let is_smaller = |first: &Component| first.across < across || first.down < down;
        if self.components.first().is_some_and(is_smaller) {
            let what = "a first component that is smaller than the picture";
            return Err(Unread::Unsupported { what });
        }
        Ok(())
    }

    /// The largest sampling factors.
    fn factors(&self) -> (usize, usize) {
        let largest = |factor: fn(&Component) -> usize| {
            let factors = self.components.iter().map(factor);
            factors.max().unwrap_or(1)
        };
        (
            largest(|component| component.across),
            largest(|component| component.down),
        )
    }

    /// Blocks of a row, and rows of blocks, that it takes to cover the picture.
    pub(super) fn blocks(&self) -> (usize, usize) {
        (self.width.div_ceil(SIDE), self.height.div_ceil(SIDE))
    }

    /// Units of a row, and rows of units, in interleaved scans (A.2.3).
    pub(super) fn units(&self) -> (usize, usize) {
        let (across, down) = self.factors();
        (
            self.width.div_ceil(SIDE * across),
            self.height.div_ceil(SIDE * down),
        )
    }
}

fn components(data: &[u8]) -> Result<Vec<Component>, Fault> {
    let declared = data.get(5).copied().map_or(0, usize::from);
    let mut components: Vec<Component> = Vec::new();
    for raw in data.get(6..).unwrap_or_default().chunks_exact(3) {
        let [id, factors, table] = *raw else { continue };
        let component = Component {
            id,
            across: usize::from(factors >> 4),
            down: usize::from(factors & 0x0f),
            table,
        };
        let is_factor = |factor| (1..=FACTOR_MAX).contains(&factor);
        if !is_factor(component.across) || !is_factor(component.down) {
            return Err("a sampling factor is not between 1 and 4");
        }
        if components.iter().any(|known| known.id == id) {
            return Err("two components have the same number");
        }
        components.push(component);
    }
    if components.len() != declared {
        return Err("the frame header has not as many components as it says");
    }
    Ok(components)
}

/// What a frame marker that is not read stands for (table B.1).
fn kind(marker: u8) -> &'static str {
    match marker {
        0xc3 => "lossless JPEG",
        0xc5..=0xc7 => "hierarchical JPEG",
        0xcb => "lossless JPEG with arithmetic coding",
        0xcd..=0xcf => "hierarchical JPEG with arithmetic coding",
        _ => "arithmetic coding",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_within(marker: u8, data: &[u8], limits: &Limits) -> Result<Frame, Unread> {
        let segment = Segment {
            marker,
            offset: 4,
            data,
            compressed: &[],
        };
        Frame::read(&segment, limits)
    }

    fn read(marker: u8, data: &[u8]) -> Result<Frame, Unread> {
        read_within(marker, data, &Limits::default())
    }

    /// A header for `width` × 17 pixels.
    fn header(width: u8, components: &[[u8; 3]]) -> Vec<u8> {
        let declared = u8::try_from(components.len()).expect("few");
        [vec![8, 0, 17, 0, width, declared], components.concat()].concat()
    }

    #[test]
    fn padding_of_units_is_not_counted_among_the_blocks() {
        let data = header(33, &[[1, 0x22, 0], [2, 0x11, 1], [3, 0x11, 1]]);
        let frame = read(SOF0, &data).expect("baseline");
        assert_eq!(frame.blocks(), (5, 3));
        assert_eq!(frame.units(), (3, 2));
        assert!(!frame.is_progressive);
        assert!(read(SOF2, &data).expect("progressive").is_progressive);
    }

    #[test]
    fn kinds_that_are_not_read_are_named() {
        let data = header(8, &[[1, 0x11, 0]]);
        for marker in [0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf] {
            let unread = read(marker, &data).expect_err("not read");
            assert!(matches!(unread, Unread::Unsupported { .. }), "{marker:x}");
        }
        let mut deep = data.clone();
        deep[0] = 12;
        let mut without_height = data;
        without_height[2] = 0;
        let two = header(8, &[[1, 0x11, 0], [2, 0x11, 0]]);
        let small_first = header(8, &[[1, 0x11, 0], [2, 0x21, 0], [3, 0x11, 0]]);
        for data in [deep, without_height, two, small_first] {
            let unread = read(SOF0, &data).expect_err("not read");
            assert!(matches!(unread, Unread::Unsupported { .. }), "{unread}");
        }
    }

    #[test]
    fn contradictions_are_damage() {
        let whole = header(8, &[[1, 0x11, 0], [2, 0x11, 0], [3, 0x11, 0]]);
        let twice = header(8, &[[1, 0x11, 0], [1, 0x11, 0], [3, 0x11, 0]]);
        let factor_zero = header(8, &[[1, 0x01, 0]]);
        let factor_five = header(8, &[[1, 0x15, 0]]);
        let without_width = header(0, &[[1, 0x11, 0]]);
        for data in [
            &whole[..14],
            &twice,
            &factor_zero,
            &factor_five,
            &without_width,
            &whole[..3],
        ] {
            let unread = read(SOF0, data).expect_err("damaged");
            assert!(matches!(unread, Unread::Damaged { at: 4, .. }), "{unread}");
        }
        assert!(read(SOF0, &header(8, &[[1, 0x44, 0]])).is_ok());
    }

    #[test]
    fn size_is_bounded() {
        let data = header(33, &[[1, 0x11, 0]]);
        let within = |pixels_max, side_pixels_max| {
            let limits = Limits {
                pixels_max,
                side_pixels_max,
                ..Limits::default()
            };
            read_within(SOF0, &data, &limits)
        };
        assert!(within(33 * 17, 33).is_ok());
        assert_eq!(
            within(33 * 17 - 1, 33),
            Err(Unread::limit("pixels_max", 33u64 * 17 - 1))
        );
        assert_eq!(
            within(33 * 17, 32),
            Err(Unread::limit("side_pixels_max", 32u32))
        );
    }
}
