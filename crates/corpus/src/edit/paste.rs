//! Parts of pictures put where they were not.

use assay_forensics::Region;
use image::RgbImage;
use image::imageops::{crop_imm, replace};

/// Distance between the places that are compared to find a busy one.
const SEARCH_STEP: u32 = 16;

/// Puts `patch` over the picture with its upper left corner at `(x, y)`; what reaches over an edge is lost. Answers
/// where it lies.
pub fn paste(picture: &mut RgbImage, patch: &RgbImage, x: u32, y: u32) -> Region {
    replace(picture, patch, i64::from(x), i64::from(y));
    Region {
        x,
        y,
        w: patch.width().min(picture.width().saturating_sub(x)),
        h: patch.height().min(picture.height().saturating_sub(y)),
    }
}

/// Copies the busiest square of `side` pixels by `shift` to the right and downwards: who hides something copies what
/// looks like something. Answers where the copy lies; nothing if it has no room.
pub fn copy_within(picture: &mut RgbImage, side: u32, shift: (u32, u32)) -> Option<Region> {
    let room = |length: u32, shift: u32| length.checked_sub(side + shift);
    let (right, down) = (
        room(picture.width(), shift.0)?,
        room(picture.height(), shift.1)?,
    );
    let (x, y) = busiest(picture, side, right, down);
    let patch = crop_imm(picture, x, y, side, side).to_image();
    Some(paste(picture, &patch, x + shift.0, y + shift.1))
}

/// Where the square with the most change between neighbours lies, among those that begin within `0..=right` and
/// `0..=down`.
fn busiest(picture: &RgbImage, side: u32, right: u32, down: u32) -> (u32, u32) {
    let step = usize::try_from(SEARCH_STEP).unwrap_or(1);
    let rows = (0..=down).step_by(step);
    let places = rows.flat_map(|y| (0..=right).step_by(step).map(move |x| (x, y)));
    places
        .max_by_key(|&(x, y)| change(picture, side, x, y))
        .unwrap_or_default()
}

/// Sum of the differences of green between horizontal neighbours.
fn change(picture: &RgbImage, side: u32, x: u32, y: u32) -> u64 {
    let rows = y..(y + side).min(picture.height());
    let green = |x: u32, y: u32| picture.get_pixel(x, y).0[1];
    rows.map(|y| {
        let columns = x..(x + side).min(picture.width()).saturating_sub(1);
        columns
            .map(|x| u64::from(green(x, y).abs_diff(green(x + 1, y))))
            .sum::<u64>()
    })
    .sum()
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn a_copy_is_the_busiest_part_moved_by_the_shift() {
        let mut picture = RgbImage::from_fn(96, 80, |x, y| {
            let busy = (32..48).contains(&x) && (16..32).contains(&y);
            Rgb([0, if busy && x % 2 == 0 { 200 } else { 10 }, 0])
        });
        let before = picture.clone();
        let region = copy_within(&mut picture, 16, (40, 20)).unwrap();
        assert_eq!(
            region,
            Region {
                x: 72,
                y: 36,
                w: 16,
                h: 16
            }
        );
        for (x, y) in [(0, 0), (7, 9), (15, 15)] {
            assert_eq!(
                picture.get_pixel(72 + x, 36 + y),
                before.get_pixel(32 + x, 16 + y)
            );
        }
    }

    #[test]
    fn a_copy_needs_room() {
        assert!(copy_within(&mut RgbImage::new(40, 40), 16, (24, 24)).is_some());
        assert!(copy_within(&mut RgbImage::new(40, 40), 16, (25, 24)).is_none());
    }

    #[test]
    fn what_reaches_over_an_edge_is_lost() {
        let region = paste(&mut RgbImage::new(20, 20), &RgbImage::new(8, 8), 15, 3);
        assert_eq!((region.w, region.h), (5, 8));
    }
}
