//! Bars that fill up a thumbnail whose picture has another shape: EXIF asks for 160 × 120 pixels whatever it is. They are
//! black nearly always, and seldom white or grey.

use super::align::SHAPE_TOLERANCE;
use super::frame::Content;
use super::grey::Grey;

/// Mean grey level of a row or column up to which it may belong to a black bar.
const BAR_LEVEL_MAX: f32 = 32.0;

/// Deviation of grey levels within a row or column up to which it may belong to a bar of another tone, and from the
/// outermost one.
const BAR_DEVIATION_MAX: f32 = 6.0;

/// The thumbnail without the bars that fill it up where the picture has another shape (width by height); nothing if it has
/// none.
pub(super) fn without_bars(thumbnail: &Grey, shape: f64) -> Option<Content> {
    let (w, h) = (thumbnail.width, thumbnail.height);
    let everything = Content { x: 0, y: 0, w, h };
    let own = w as f64 / h as f64;
    if shape > own * (1.0 + SHAPE_TOLERANCE) {
        let bar = bar(h, w as f64 / shape);
        let row = |y: usize| Line::of((0..w).filter_map(|x| thumbnail.at(x, y)));
        return is_bar(bar, h, row).then_some(Content {
            y: bar,
            h: h - 2 * bar,
            ..everything
        });
    }
    if shape < own * (1.0 - SHAPE_TOLERANCE) {
        let bar = bar(w, h as f64 * shape);
        let column = |x: usize| Line::of((0..h).filter_map(|y| thumbnail.at(x, y)));
        return is_bar(bar, w, column).then_some(Content {
            x: bar,
            w: w - 2 * bar,
            ..everything
        });
    }
    None
}

/// A row or column.
#[derive(Clone, Copy)]
struct Line {
    mean: f32,
    deviation: f32,
}

impl Line {
    fn of(samples: impl Iterator<Item = f32> + Clone) -> Self {
        let mean = mean(samples.clone());
        let squares = samples.map(|sample| (sample - mean) * (sample - mean));
        Self {
            mean,
            deviation: self::mean(squares).sqrt(),
        }
    }

    fn is_dark(self) -> bool {
        self.mean <= BAR_LEVEL_MAX
    }

    fn is_plain_like(self, outermost: Self) -> bool {
        self.deviation <= BAR_DEVIATION_MAX
            && (self.mean - outermost.mean).abs() <= BAR_DEVIATION_MAX
    }
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

fn is_bar(bar: usize, side: usize, line: impl Fn(usize) -> Line) -> bool {
    // The innermost row is mixed.
    let outer = bar.saturating_sub(1);
    let lines = || (0..outer).flat_map(|at| [line(at), line(side - 1 - at)]);
    let Some(outermost) = lines().next() else {
        return false;
    };
    let is_plain_like = |line: Line| line.is_plain_like(outermost);
    // Where everything is plain there is no bar to be seen.
    lines().all(Line::is_dark)
        || lines().all(is_plain_like) && !(0..side).map(&line).all(is_plain_like)
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
            Some(Content {
                x: 0,
                y: 7,
                w: 160,
                h: 106
            })
        );
        let is_shown = |y: usize| (7..113).contains(&y);
        let white = Grey::drawn(
            160,
            120,
            |x, y| {
                if is_shown(y) { (x % 100) as f32 } else { 250.0 }
            },
        );
        assert_eq!(without_bars(&white, 1.5), content);
        // Above white, below grey: the picture's own.
        let two_tones = Grey::drawn(160, 120, |x, y| match y {
            0..7 => 250.0,
            7..113 => (x % 100) as f32,
            _ => 128.0,
        });
        assert_eq!(without_bars(&two_tones, 1.5), None);
        let sideways = Grey::drawn(
            120,
            160,
            |x, _| if (7..113).contains(&x) { 90.0 } else { 3.0 },
        );
        let content = without_bars(&sideways, 1.0 / 1.5);
        assert_eq!(
            content,
            Some(Content {
                x: 7,
                y: 0,
                w: 106,
                h: 160
            })
        );
    }

    #[test]
    fn a_dark_picture_of_the_right_shape_and_bright_edges_stay() {
        let dark = Grey::drawn(160, 120, |_, _| 3.0);
        assert_eq!(without_bars(&dark, 4.0 / 3.0), None);
        let bright = Grey::drawn(160, 120, |_, _| 90.0);
        assert_eq!(without_bars(&bright, 1.5), None);
        assert_eq!(without_bars(&bright, 0.001), None);
        assert_eq!(without_bars(&bright, 1_000.0), None);
    }
}
