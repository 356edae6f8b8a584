//! How much likelier the levels of each block are if it was not compressed before with the rest.

use image::RgbImage;

use crate::bytes::index;
use crate::pixels::double_quantisation::earlier::Mode;
use crate::pixels::double_quantisation::histogram::SIZES;
use crate::pixels::double_quantisation::{Earlier, Field, Traces};

/// The most (nats) that one level says, for or against.
const LEVEL_RATIO_MAX: f64 = 4.0;
/// Added to each count, so that what is rare says little.
const PSEUDO_COUNT: f64 = 2.0;
/// Pixels of a block that may have been cut to the range of a byte, as luma or in a colour; with more, the coefficients
/// are no longer those that were stored.
const CLIPPED_MAX: usize = 4;
/// Luma that counts as black, and from which on it counts as white.
const BLACK: u8 = 1;
const WHITE: u8 = 254;
/// Mean value below which noise is cut off at black.
const DARK: u32 = 16;

/// Log likelihood ratios by size of level, of one mode.
struct Table {
    place: usize,
    ratios: [f32; SIZES],
}

/// The sum of the ratios (nats) of each block, positive if it lacks the earlier compression. Blocks that are clipped,
/// dark, empty, or over the edge of the picture have no say.
pub(super) fn field(traces: &Traces<'_>, earlier: &Earlier) -> Field {
    let tables: Vec<Table> = earlier.modes.iter().map(table).collect();
    let columns = traces.levels.columns();
    let blocks = traces.levels.blocks().iter().enumerate();
    let cells = blocks.map(|(at, block)| {
        if is_empty(block, &tables) {
            return None;
        }
        let (x, y) = (8 * (at % columns), 8 * (at / columns));
        let has_say = !is_clipped(&traces.luma.block(x, y)?)
            && clipped_colours(traces.picture, x, y) <= CLIPPED_MAX;
        has_say.then(|| sum(block, &tables))
    });
    Field::new(columns, cells.collect())
}

/// What each size of level says.
///
/// Lin et al. take the levels of one period for equally likely without an earlier compression. That holds only if the
/// histogram is much wider than the period, so here it is the histogram of the shifted grid, which has the picture's own
/// shape. With the earlier compression it is the histogram of the file, as theirs is.
fn table(mode: &Mode) -> Table {
    let (seen, once): (f64, f64) = (mode.seen.iter().sum(), mode.once.iter().sum());
    let scale = seen / once.max(1.0);
    let ratio = |size: usize| {
        let once = mode.once[size] * scale + PSEUDO_COUNT;
        let ratio = (once / (mode.seen[size] + PSEUDO_COUNT)).ln();
        ratio.clamp(-LEVEL_RATIO_MAX, LEVEL_RATIO_MAX)
    };
    #[expect(clippy::cast_possible_truncation, reason = "within ±4")]
    let ratios = std::array::from_fn(|size| ratio(size) as f32);
    Table {
        place: mode.place,
        ratios,
    }
}

fn sum(block: &[i16; 64], tables: &[Table]) -> f32 {
    let ratio = |table: &Table| {
        let size = usize::from(block[table.place].unsigned_abs());
        table.ratios.get(size).copied().unwrap_or(0.0)
    };
    tables.iter().map(ratio).sum()
}

fn is_empty(block: &[i16; 64], tables: &[Table]) -> bool {
    tables.iter().all(|table| block[table.place] == 0)
}

fn is_clipped(pixels: &[u8; 64]) -> bool {
    let clipped = |value: &&u8| **value <= BLACK || **value >= WHITE;
    let sum: u32 = pixels.iter().map(|&value| u32::from(value)).sum();
    sum < 64 * DARK || pixels.iter().filter(clipped).count() > CLIPPED_MAX
}

/// Pixels of a block of which a colour is at an end of its range. The block is inside of the picture.
fn clipped_colours(picture: &RgbImage, x: usize, y: usize) -> usize {
    let (width, raw) = (index(picture.width()), picture.as_raw());
    let rows = (y..y + 8).filter_map(|y| {
        let start = 3 * (y * width + x);
        raw.get(start..start + 3 * 8)
    });
    let pixels = rows.flat_map(|row| row.chunks_exact(3));
    pixels
        .filter(|pixel| pixel.iter().any(|&value| value == 0 || value == u8::MAX))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_with_a_colour_at_an_end_are_counted_within_the_block() {
        let mut picture = RgbImage::from_pixel(24, 16, image::Rgb([90, 120, 150]));
        picture.put_pixel(8, 8, image::Rgb([0, 120, 150]));
        picture.put_pixel(15, 15, image::Rgb([90, 120, 255]));
        picture.put_pixel(16, 8, image::Rgb([255, 120, 0]));
        picture.put_pixel(9, 9, image::Rgb([1, 254, 150]));
        assert_eq!(clipped_colours(&picture, 8, 8), 2);
        assert_eq!(clipped_colours(&picture, 0, 0), 0);
    }

    #[test]
    fn clipped_and_dark_blocks_have_no_say() {
        let with = |count: usize, value: u8| {
            let mut pixels = [128; 64];
            pixels[..count].fill(value);
            is_clipped(&pixels)
        };
        for value in [0, BLACK, WHITE, 255] {
            assert!(!with(CLIPPED_MAX, value));
            assert!(with(CLIPPED_MAX + 1, value));
        }
        assert!(!with(64, BLACK + 15) && !with(64, WHITE - 1));
        assert!(is_clipped(&[15; 64]) && !is_clipped(&[16; 64]));
    }

    #[test]
    fn what_is_missing_in_the_file_speaks_for_a_foreign_block() {
        let mut seen = [0.0; SIZES];
        let mut once = [0.0; SIZES];
        (seen[0], seen[3], seen[6]) = (6000.0, 3000.0, 1000.0);
        once[..7].copy_from_slice(&[2000.0, 2000.0, 2000.0, 1000.0, 1000.0, 1000.0, 500.0]);
        let table = table(&Mode {
            place: 1,
            first: 6,
            seen,
            once,
        });
        assert!(table.ratios[1] > 3.9 && table.ratios[5] > 3.9);
        assert!(table.ratios[0] < -0.9 && table.ratios[3] < -0.9);
        assert_eq!(table.ratios[60], 0.0);
        let mut block = [0; 64];
        block[1] = -1;
        assert_eq!(sum(&block, &[table]), 4.0);
        block[1] = 61;
        assert!(!is_empty(
            &block,
            &[Table {
                place: 1,
                ratios: [1.0; SIZES]
            }]
        ));
        assert_eq!(
            sum(
                &block,
                &[Table {
                    place: 1,
                    ratios: [1.0; SIZES]
                }]
            ),
            0.0
        );
    }
}
