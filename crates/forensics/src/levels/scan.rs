//! The compressed data of a scan, unit by unit (ITU-T T.81, A.2 and F.2).

use super::bits::Bits;
use super::frame::Frame;
use super::header::Header;
use super::huffman::Huffman;
use super::progressive::{self, Band};
use super::sequential;
use super::unread::Fault;
use crate::structure::jpeg::tables::COEFFICIENTS;

/// The blocks of the first component that cover the picture.
pub(super) struct Target {
    pub(super) columns: usize,
    /// Row by row.
    pub(super) blocks: Vec<[i16; COEFFICIENTS]>,
}

/// A component of a scan while it is read.
pub(super) struct Part {
    pub(super) dc: Huffman,
    pub(super) ac: Huffman,
    /// The mean value of its block before.
    pub(super) prediction: i16,
}

/// How a scan brings its blocks.
pub(super) enum Pass {
    Whole,
    Mean { low: u32 },
    MeanBit { low: u32 },
    Band(Band),
    BandBit(Band),
}

/// A scan while it is read.
pub(super) struct Scan<'a> {
    bits: Bits<'a>,
    parts: Vec<Part>,
    pass: Pass,
    units: Units,
    /// Units between two restart markers; 0 if there are none.
    interval: usize,
}

/// What is repeated over the picture.
struct Units {
    columns: usize,
    rows: usize,
    /// Blocks of the first component in one unit, side by side and one below the other.
    across: usize,
    down: usize,
    slots: Vec<Slot>,
}

/// One block of a unit.
#[derive(Clone, Copy)]
struct Slot {
    part: usize,
    /// Where in the unit it is, if it is of the first component; others are read over.
    kept: Option<(usize, usize)>,
}

impl Pass {
    /// The pass that a header of this frame announces.
    pub(super) fn of(header: &Header, frame: &Frame) -> Self {
        let low = header.low.into();
        match (frame.is_progressive, header.from, header.high) {
            (false, ..) => Self::Whole,
            (true, 0, 0) => Self::Mean { low },
            (true, 0, _) => Self::MeanBit { low },
            (true, _, 0) => Self::Band(Band::new(header.from, header.to, low)),
            (true, ..) => Self::BandBit(Band::new(header.from, header.to, low)),
        }
    }

    /// Which tables it reads with: for mean values, for the others.
    pub(super) fn tables(&self) -> (bool, bool) {
        match self {
            Self::Whole => (true, true),
            Self::Mean { .. } => (true, false),
            Self::MeanBit { .. } => (false, false),
            Self::Band(_) | Self::BandBit(_) => (false, true),
        }
    }
}

impl Part {
    pub(super) fn new(dc: Huffman, ac: Huffman) -> Self {
        Self {
            dc,
            ac,
            prediction: 0,
        }
    }
}

impl Units {
    /// The units of a scan, which has one part for each of its members.
    fn of(header: &Header, frame: &Frame) -> Self {
        if header.members.len() < 2 {
            // One component alone comes block by block, whatever its factors (A.2.2).
            let (columns, rows) = frame.blocks();
            return Self {
                columns,
                rows,
                across: 1,
                down: 1,
                slots: vec![Slot {
                    part: 0,
                    kept: Some((0, 0)),
                }],
            };
        }
        let (columns, rows) = frame.units();
        let mut units = Self {
            columns,
            rows,
            across: 1,
            down: 1,
            slots: Vec::new(),
        };
        for (part, member) in header.members.iter().enumerate() {
            let Some(component) = frame.components.get(member.component) else {
                continue;
            };
            let is_first = member.component == 0;
            if is_first {
                (units.across, units.down) = (component.across, component.down);
            }
            for y in 0..component.down {
                units.slots.extend((0..component.across).map(|x| Slot {
                    part,
                    kept: is_first.then_some((x, y)),
                }));
            }
        }
        units
    }
}

impl<'a> Scan<'a> {
    /// A scan that brings the first component, with or without others.
    pub(super) fn new(
        compressed: &'a [u8],
        header: &Header,
        frame: &Frame,
        parts: Vec<Part>,
        interval: usize,
    ) -> Self {
        Self {
            bits: Bits::new(compressed),
            parts,
            pass: Pass::of(header, frame),
            units: Units::of(header, frame),
            interval,
        }
    }

    /// Bytes of the compressed data that were looked at.
    pub(super) fn at(&self) -> usize {
        self.bits.at()
    }

    pub(super) fn read(&mut self, target: &mut Target) -> Result<(), Fault> {
        let slots = std::mem::take(&mut self.units.slots);
        let mut number: usize = 0;
        for row in 0..self.units.rows {
            for column in 0..self.units.columns {
                if self.interval > 0 && number > 0 && number.is_multiple_of(self.interval) {
                    self.restart(number / self.interval - 1)?;
                }
                self.unit(column, row, &slots, target)?;
                number += 1;
            }
        }
        Ok(())
    }

    fn unit(
        &mut self,
        column: usize,
        row: usize,
        slots: &[Slot],
        target: &mut Target,
    ) -> Result<(), Fault> {
        let mut read_over = [0; COEFFICIENTS];
        for slot in slots {
            let kept = match slot.kept {
                Some((x, y)) => {
                    target.block(column * self.units.across + x, row * self.units.down + y)
                }
                None => None,
            };
            self.block(slot.part, kept.unwrap_or(&mut read_over))?;
        }
        if self.bits.is_overdrawn() {
            return Err("the compressed data ends too early");
        }
        Ok(())
    }

    fn block(&mut self, part: usize, block: &mut [i16; COEFFICIENTS]) -> Result<(), Fault> {
        let bits = &mut self.bits;
        let Some(part) = self.parts.get_mut(part) else {
            return Err("a component of a scan has no tables");
        };
        match &mut self.pass {
            Pass::Whole => sequential::whole(bits, part, block),
            Pass::Mean { low } => progressive::mean(bits, part, *low, block),
            Pass::MeanBit { low } => {
                progressive::refine_mean(bits, *low, block);
                Ok(())
            }
            Pass::Band(band) => band.first(bits, part, block),
            Pass::BandBit(band) => band.refine(bits, part, block),
        }
    }

    /// Restarts are numbered by turns.
    fn restart(&mut self, number: usize) -> Result<(), Fault> {
        self.bits
            .restart(u8::try_from(number % 8).unwrap_or_default())?;
        for part in &mut self.parts {
            part.prediction = 0;
        }
        if let Pass::Band(band) | Pass::BandBit(band) = &mut self.pass {
            band.restart();
        }
        Ok(())
    }
}

impl Target {
    /// The block there; nothing if it is only padding of a unit.
    fn block(&mut self, column: usize, row: usize) -> Option<&mut [i16; COEFFICIENTS]> {
        if column >= self.columns {
            return None;
        }
        self.blocks.get_mut(row * self.columns + column)
    }
}
