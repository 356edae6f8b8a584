//! Blocks that come whole (ITU-T T.81, F.2.2): the difference of the mean value, then runs of zeros and what ends them.

use super::bits::Bits;
use super::scan::Part;
use super::unread::Fault;
use crate::structure::jpeg::tables::{COEFFICIENTS, ZIGZAG};

pub(super) const NO_CODE: Fault = "the compressed data holds a code that no table has";
pub(super) const BEYOND_BLOCK: Fault = "a run of zeros goes beyond its block";
const BEYOND_RANGE: Fault = "a level is beyond what a picture can have";
/// The largest magnitude category of a difference (F.1.2.1, with room for more than 8 bits).
const CATEGORY_MAX: u8 = 15;
/// A symbol that stands for sixteen zeros has this run, and no category.
pub(super) const RUN_MAX: u8 = 15;

/// Place in the block of the coefficient at this place in the file; `number` is below 64.
#[inline]
pub(super) fn place(number: usize) -> usize {
    usize::from(ZIGZAG[number % COEFFICIENTS]) % COEFFICIENTS
}

/// A level as it is kept.
#[inline]
pub(super) fn level(value: i32) -> Result<i16, Fault> {
    i16::try_from(value).map_err(|_| BEYOND_RANGE)
}

/// Adds the next difference to the prediction.
#[inline]
pub(super) fn difference(bits: &mut Bits<'_>, part: &mut Part) -> Result<i16, Fault> {
    let category = bits.symbol(&part.dc).ok_or(NO_CODE)?;
    if category > CATEGORY_MAX {
        return Err(BEYOND_RANGE);
    }
    let value = level(i32::from(part.prediction) + bits.value(category.into()))?;
    part.prediction = value;
    Ok(value)
}

/// Fills a block; levels that are zero are not written.
pub(super) fn whole(
    bits: &mut Bits<'_>,
    part: &mut Part,
    block: &mut [i16; COEFFICIENTS],
) -> Result<(), Fault> {
    block[0] = difference(bits, part)?;
    let mut number = 1;
    while number < COEFFICIENTS {
        let symbol = bits.symbol(&part.ac).ok_or(NO_CODE)?;
        let (run, category) = (symbol >> 4, symbol & 0x0f);
        if category == 0 {
            match run {
                0 => return Ok(()),
                RUN_MAX => number += 16,
                _ => return Err(NO_CODE),
            }
            continue;
        }
        number += usize::from(run);
        if number >= COEFFICIENTS {
            return Err(BEYOND_BLOCK);
        }
        block[place(number)] = level(bits.value(category.into()))?;
        number += 1;
    }
    if number > COEFFICIENTS {
        return Err(BEYOND_BLOCK);
    }
    Ok(())
}
