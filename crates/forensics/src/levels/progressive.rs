//! Blocks that come in passes of rising detail (ITU-T T.81, annex G).
//!
//! A pass brings a band of coefficients, and of those all but their last bits, or one bit more.

use std::ops::RangeInclusive;

use super::bits::Bits;
use super::scan::Part;
use super::sequential::{BEYOND_BLOCK, NO_CODE, RUN_MAX, difference, level, place};
use super::unread::Fault;
use crate::structure::jpeg::tables::COEFFICIENTS;

/// A pass over coefficients other than the mean value.
pub(super) struct Band {
    /// The first and the last, by their place in the file: 1 to 63.
    pub(super) from: usize,
    pub(super) to: usize,
    /// Bits of each level that are left to later passes, at most 13.
    pub(super) low: u32,
    /// Blocks from here on, this one included, that bring nothing new.
    empty: u32,
}

/// What has come of each coefficient of the luma, by its place in the file.
#[derive(Debug, Clone)]
pub(super) struct Progress {
    /// Bits that are still to come; nothing if the coefficient has not come at all.
    missing: [Option<u8>; COEFFICIENTS],
}

/// The mean value without its last `low` bits (G.1.2.1).
pub(super) fn mean(
    bits: &mut Bits<'_>,
    part: &mut Part,
    low: u32,
    block: &mut [i16; COEFFICIENTS],
) -> Result<(), Fault> {
    let value = difference(bits, part)?;
    block[0] = level(i32::from(value) << low)?;
    Ok(())
}

/// One bit more of the mean value.
pub(super) fn refine_mean(bits: &mut Bits<'_>, low: u32, block: &mut [i16; COEFFICIENTS]) {
    if bits.bit() {
        block[0] |= 1 << low;
    }
}

impl Band {
    pub(super) fn new(from: usize, to: usize, low: u32) -> Self {
        Self {
            from,
            to,
            low,
            empty: 0,
        }
    }

    /// Runs do not go on behind a restart.
    pub(super) fn restart(&mut self) {
        self.empty = 0;
    }

    /// The levels of the band without their last bits (G.1.2.2).
    pub(super) fn first(
        &mut self,
        bits: &mut Bits<'_>,
        part: &Part,
        block: &mut [i16; COEFFICIENTS],
    ) -> Result<(), Fault> {
        if self.empty > 0 {
            self.empty -= 1;
            return Ok(());
        }
        let mut number = self.from;
        while number <= self.to {
            let symbol = bits.symbol(&part.ac).ok_or(NO_CODE)?;
            let (run, category) = (symbol >> 4, symbol & 0x0f);
            if category == 0 && run < RUN_MAX {
                self.empty = run_of_blocks(bits, run) - 1;
                return Ok(());
            }
            number += usize::from(run);
            if category > 0 {
                if number > self.to {
                    return Err(BEYOND_BLOCK);
                }
                block[place(number)] = level(bits.value(category.into()) << self.low)?;
            }
            number += 1;
        }
        Ok(())
    }

    /// One bit more of the levels of the band (G.1.2.3): new levels of size one by runs of zeros, and in between a
    /// bit for each level that is known not to be zero.
    pub(super) fn refine(
        &mut self,
        bits: &mut Bits<'_>,
        part: &Part,
        block: &mut [i16; COEFFICIENTS],
    ) -> Result<(), Fault> {
        let mut number = self.from;
        while self.empty == 0 && number <= self.to {
            let symbol = bits.symbol(&part.ac).ok_or(NO_CODE)?;
            let (run, category) = (symbol >> 4, symbol & 0x0f);
            let mut new = 0;
            match category {
                0 if run < RUN_MAX => {
                    self.empty = run_of_blocks(bits, run);
                    break;
                }
                0 => {}
                1 => {
                    new = if bits.bit() {
                        1 << self.low
                    } else {
                        -(1 << self.low)
                    }
                }
                _ => return Err(NO_CODE),
            }
            number = self.refine_up_to_zero(bits, number, run, block);
            if new != 0 {
                if number > self.to {
                    return Err(BEYOND_BLOCK);
                }
                block[place(number)] = new;
            }
            number += 1;
        }
        if self.empty > 0 {
            self.empty -= 1;
            self.refine_rest(bits, number, block);
        }
        Ok(())
    }

    /// Refines what is not zero, from here to the end of the band.
    fn refine_rest(&self, bits: &mut Bits<'_>, from: usize, block: &mut [i16; COEFFICIENTS]) {
        // Without this a few bytes could have us look at every level of a large picture again and again.
        if block[1..].iter().fold(0, |all, level| all | level) == 0 {
            return;
        }
        for number in from..=self.to {
            refine_level(bits, self.low, &mut block[place(number)]);
        }
    }

    /// Refines what is not zero, up to the zero that follows `run` others; returns its place, or the one behind the
    /// band.
    fn refine_up_to_zero(
        &self,
        bits: &mut Bits<'_>,
        from: usize,
        run: u8,
        block: &mut [i16; COEFFICIENTS],
    ) -> usize {
        let mut zeros = run;
        for number in from..=self.to {
            let level = &mut block[place(number)];
            if *level != 0 {
                refine_level(bits, self.low, level);
            } else if zeros == 0 {
                return number;
            } else {
                zeros -= 1;
            }
        }
        self.to + 1
    }
}

/// Blocks of a run without new levels: 1 to 32,767.
fn run_of_blocks(bits: &mut Bits<'_>, run: u8) -> u32 {
    let category = u32::from(run.min(RUN_MAX - 1));
    (1 << category) + bits.take(category)
}

fn refine_level(bits: &mut Bits<'_>, low: u32, level: &mut i16) {
    if *level != 0 && bits.bit() {
        // Earlier passes left this bit zero, so that nothing can overflow.
        *level = level.saturating_add(level.signum() << low);
    }
}

impl Progress {
    pub(super) fn new() -> Self {
        Self {
            missing: [None; COEFFICIENTS],
        }
    }

    /// Notes a pass over a band that goes on where `high` bits were missing, or from nothing if that is zero.
    pub(super) fn pass(
        &mut self,
        band: RangeInclusive<usize>,
        high: u8,
        low: u8,
    ) -> Result<(), Fault> {
        let before = (high > 0).then_some(high);
        for missing in self.missing.get_mut(band).unwrap_or_default() {
            if *missing != before {
                return Err("a pass does not go on where the one before it ended");
            }
            *missing = Some(low);
        }
        Ok(())
    }

    /// Whether all has come.
    pub(super) fn is_complete(&self) -> bool {
        self.missing.iter().all(|&missing| missing == Some(0))
    }

    /// Whether at least the mean values have come.
    pub(super) fn has_means(&self) -> bool {
        self.missing[0].is_some()
    }
}
