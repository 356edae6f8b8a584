//! A picture that was cropped since its thumbnail was made is a part of it. Parts of all sizes are tried in a coarse
//! thumbnail, and the best of them laid over the picture closely.

use super::align::{Alignment, Fit};
use super::frame::{Content, Frame};
use super::grey::{Bounds, Grey, Sums};

/// Likeness at which a part of the thumbnail is taken for the whole picture. Higher than for wholes, as many parts are
/// tried.
const CROP_NCC_MIN: f64 = 0.95;
/// Side of the thumbnail in which parts are searched.
const SEARCH_SIDE: usize = 48;
/// Sizes of parts that are tried, each a little smaller than the one before; the last is about two fifths.
const SEARCH_SIZES: i32 = 13;
const SEARCH_SHRINK: f64 = 0.925;
/// Pixels along a side of a part, at least.
const PART_SIDE_MIN: f64 = 8.0;
/// Parts that are looked at closely.
const SEARCH_BEST: usize = 4;
/// Pixels of the thumbnail by which a part may be off at first.
const REACH: f64 = 4.0;

/// The part of the thumbnail that is the whole picture, if there is one: the picture was cropped since.
pub(super) fn part(thumbnail: &Grey, picture: &Sums) -> Option<Alignment> {
    let all = Content {
        x: 0,
        y: 0,
        w: thumbnail.width,
        h: thumbnail.height,
    };
    let square = all.w.max(all.h).div_ceil(SEARCH_SIDE);
    let coarse = coarse(thumbnail, square)?;
    let mut found: Vec<(f64, Bounds)> = Vec::new();
    for bounds in parts(&coarse, picture.width() / picture.height()) {
        let content = Content {
            x: 0,
            y: 0,
            w: coarse.width,
            h: coarse.height,
        };
        let frame = frame_of_part(&bounds, picture);
        found.push((frame.likeness(&coarse, content, picture, 1).rho(), bounds));
    }
    found.sort_by(|left, right| right.0.total_cmp(&left.0));
    found.truncate(SEARCH_BEST);
    let best = found
        .into_iter()
        .map(|(_, bounds)| {
            let square = square as f64;
            let scaled = Bounds {
                left: bounds.left * square,
                top: bounds.top * square,
                right: bounds.right * square,
                bottom: bounds.bottom * square,
            };
            let frame = frame_of_part(&scaled, picture);
            let frame = frame.fitted(thumbnail, all, picture, REACH);
            (frame.likeness(thumbnail, all, picture, 1).rho(), frame)
        })
        .max_by(|left, right| left.0.total_cmp(&right.0));
    let (ncc, frame) = best.filter(|(ncc, _)| *ncc >= CROP_NCC_MIN)?;
    Some(Alignment {
        fit: Fit::Cropped,
        thumbnail: thumbnail.clone(),
        content: all,
        frame,
        ncc,
    })
}

/// The thumbnail averaged over squares of its pixels.
fn coarse(thumbnail: &Grey, square: usize) -> Option<Grey> {
    let sums = Sums::of(thumbnail);
    let (width, height) = (thumbnail.width / square, thumbnail.height / square);
    let side = square as f64;
    let frame = Frame {
        x: 0.0,
        y: 0.0,
        step_x: side,
        step_y: side,
    };
    let samples = (0..width * height)
        .filter_map(|at| sums.mean(&frame.covered(at % width, at / width)))
        .map(narrow)
        .collect();
    Grey::new(width, samples)
}

#[expect(clippy::cast_possible_truncation, reason = "a grey level")]
fn narrow(level: f64) -> f32 {
    level as f32
}

/// Boxes of a shape (width by height) inside a thumbnail, of several sizes, each at every place.
fn parts(thumbnail: &Grey, shape: f64) -> impl Iterator<Item = Bounds> {
    let (width, height) = (thumbnail.width as f64, thumbnail.height as f64);
    let widest = width.min(height * shape);
    let places = |room: f64| {
        (0..SEARCH_SIDE)
            .map(|at| at as f64)
            .take_while(move |at| *at <= room)
    };
    (0..SEARCH_SIZES)
        .map(move |size| widest * SEARCH_SHRINK.powi(size))
        .map(move |w| (w, w / shape))
        .take_while(|(w, h)| w.min(*h) >= PART_SIDE_MIN)
        .flat_map(move |(w, h)| {
            places(height - h).flat_map(move |top| {
                places(width - w).map(move |left| Bounds {
                    left,
                    top,
                    right: left + w,
                    bottom: top + h,
                })
            })
        })
}

/// The frame in which this box of a thumbnail is the whole picture.
fn frame_of_part(bounds: &Bounds, picture: &Sums) -> Frame {
    let step_x = picture.width() / (bounds.right - bounds.left);
    let step_y = picture.height() / (bounds.bottom - bounds.top);
    Frame {
        x: -bounds.left * step_x,
        y: -bounds.top * step_y,
        step_x,
        step_y,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_lie_inside_and_have_the_shape() {
        let small = Grey::drawn(48, 36, |_, _| 0.0);
        let mut count = 0;
        for bounds in parts(&small, 0.8) {
            count += 1;
            assert!(
                bounds.left >= 0.0 && bounds.right <= 48.0 + 1e-9,
                "{bounds:?}"
            );
            assert!(
                bounds.top >= 0.0 && bounds.bottom <= 36.0 + 1e-9,
                "{bounds:?}"
            );
            let shape = (bounds.right - bounds.left) / (bounds.bottom - bounds.top);
            assert!((shape - 0.8).abs() < 1e-6);
        }
        assert!((1_000..10_000).contains(&count), "{count}");
        assert_eq!(parts(&small, 0.01).count(), 0);
        assert_eq!(parts(&small, 100.0).count(), 0);
    }
}
