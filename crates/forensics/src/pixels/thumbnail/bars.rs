//! Black bars that fill up a thumbnail whose picture has another shape: EXIF asks for 160 × 120 pixels whatever it is.

use super::align::SHAPE_TOLERANCE;
use super::frame::Content;
use super::grey::Grey;

/// Mean grey level of a row or column up to which it may belong to a black bar.
const BAR_LEVEL_MAX: f32 = 32.0;

/// The thumbnail without the black bars that fill it up where the picture has another shape (width by height).
pub(super) fn without_bars(thumbnail: &Grey, shape: f64) -> Content {
    let (w, h) = (thumbnail.width, thumbnail.height);
    let everything = Content { x: 0, y: 0, w, h };
    let own = w as f64 / h as f64;
    if shape > own * (1.0 + SHAPE_TOLERANCE) {
        let bar = bar(h, w as f64 / shape);
        let is_dark = |y: usize| mean((0..w).filter_map(|x| thumbnail.at(x, y))) <= BAR_LEVEL_MAX;
        if is_bar(bar, h, is_dark) {
            return Content {
                y: bar,
                h: h - 2 * bar,
                ..everything
            };
        }
    } else if shape < own * (1.0 - SHAPE_TOLERANCE) {
        let bar = bar(w, h as f64 * shape);
        let is_dark = |x: usize| mean((0..h).filter_map(|y| thumbnail.at(x, y))) <= BAR_LEVEL_MAX;
        if is_bar(bar, w, is_dark) {
            return Content {
                x: bar,
                w: w - 2 * bar,
                ..everything
            };
        }
    }
    everything
}

/// Rows of either bar, if what is shown takes so many of all. The row in which both meet belongs to the bar.
#[expect(
    clippy::cast_possible_truncation,
    reason = "less than the side of a thumbnail"
)]
fn bar(side: usize, shown: f64) -> usize {
    let bar = ((side as f64 - shown) / 2.0).ceil().max(0.0) as usize;
    bar.min(side.saturating_sub(1) / 2)
}

fn is_bar(bar: usize, side: usize, is_dark: impl Fn(usize) -> bool) -> bool {
    // The innermost row is mixed.
    let outer = bar.saturating_sub(1);
    outer > 0 && (0..outer).all(|at| is_dark(at) && is_dark(side - 1 - at))
}

fn mean(samples: impl Iterator<Item = f32>) -> f32 {
    let (sum, count) = samples.fold((0.0, 0.0f32), |(sum, count), sample| {
        (sum + sample, count + 1.0)
    });
    sum / count.max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_taken_off_where_the_shapes_differ() {
        // 3:2 in 4:3: of 120 rows 106.7 show something.
        let barred = Grey::drawn(
            160,
            120,
            |_, y| if (7..113).contains(&y) { 90.0 } else { 3.0 },
        );
        let content = without_bars(&barred, 1.5);
        assert_eq!(
            content,
            Content {
                x: 0,
                y: 7,
                w: 160,
                h: 106
            }
        );
        let sideways = Grey::drawn(
            120,
            160,
            |x, _| if (7..113).contains(&x) { 90.0 } else { 3.0 },
        );
        let content = without_bars(&sideways, 1.0 / 1.5);
        assert_eq!(
            content,
            Content {
                x: 7,
                y: 0,
                w: 106,
                h: 160
            }
        );
    }

    #[test]
    fn a_dark_picture_of_the_right_shape_and_bright_edges_stay() {
        let all = Content {
            x: 0,
            y: 0,
            w: 160,
            h: 120,
        };
        let dark = Grey::drawn(160, 120, |_, _| 3.0);
        assert_eq!(without_bars(&dark, 4.0 / 3.0), all);
        let bright = Grey::drawn(160, 120, |_, _| 90.0);
        assert_eq!(without_bars(&bright, 1.5), all);
        assert_eq!(without_bars(&bright, 0.001), all);
        assert_eq!(without_bars(&bright, 1_000.0), all);
    }
}
