//! Which part of the picture a thumbnail shows, and how alike the two are there.

use std::ops::Range;

use super::grey::{Bounds, Grey, Sums};

/// Pixels of both that must lie over each other before their likeness means anything.
pub(super) const SHARED_MIN: usize = 256;
/// Deviation of grey levels below which a picture is plain, and likeness means nothing.
pub(super) const PLAIN: f64 = 3.0;
/// Pixels that are looked at while a frame is being fitted; more cost time and change nothing.
const FITTED: usize = 2_000;

/// Where the pixels of a thumbnail lie in the picture: pixel `i` of a row covers `x + i · step_x` to
/// `x + (i + 1) · step_x`. A thumbnail of what was cropped away since reaches over the edges.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Frame {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) step_x: f64,
    pub(super) step_y: f64,
}

/// The part of a thumbnail that shows something, in whole pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) w: usize,
    pub(super) h: usize,
}

/// Sums over pixels of two pictures that lie over each other.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Likeness {
    pub(super) shared: usize,
    first: f64,
    second: f64,
    first_squared: f64,
    second_squared: f64,
    product: f64,
}

impl Frame {
    /// The content over this box of the picture.
    pub(super) fn over(content: Content, bounds: &Bounds) -> Self {
        let step_x = (bounds.right - bounds.left) / content.w as f64;
        let step_y = (bounds.bottom - bounds.top) / content.h as f64;
        Self {
            x: bounds.left - content.x as f64 * step_x,
            y: bounds.top - content.y as f64 * step_y,
            step_x,
            step_y,
        }
    }

    /// What pixel `(i, j)` of the thumbnail covers in the picture.
    pub(super) fn covered(&self, i: usize, j: usize) -> Bounds {
        let (i, j) = (i as f64, j as f64);
        Bounds {
            left: self.x + i * self.step_x,
            top: self.y + j * self.step_y,
            right: self.x + (i + 1.0) * self.step_x,
            bottom: self.y + (j + 1.0) * self.step_y,
        }
    }

    /// The frame moved by pixels of the thumbnail, then scaled around the middle of the content.
    fn moved(&self, content: Content, right: f64, down: f64, scale: f64) -> Self {
        let middle_x = content.x as f64 + content.w as f64 / 2.0;
        let middle_y = content.y as f64 + content.h as f64 / 2.0;
        Self {
            x: self.x + (right + middle_x * (1.0 - scale)) * self.step_x,
            y: self.y + (down + middle_y * (1.0 - scale)) * self.step_y,
            step_x: self.step_x * scale,
            step_y: self.step_y * scale,
        }
    }

    /// Likeness over the pixels of the content that lie wholly in the picture, every `stride`th of them either way.
    pub(super) fn likeness(
        &self,
        thumbnail: &Grey,
        content: Content,
        picture: &Sums,
        stride: usize,
    ) -> Likeness {
        let mut likeness = Likeness::default();
        let columns = inside(self.x, self.step_x, picture.width());
        let columns = columns.start.max(content.x)..columns.end.min(content.x + content.w);
        let rows = inside(self.y, self.step_y, picture.height());
        let rows = rows.start.max(content.y)..rows.end.min(content.y + content.h);
        for j in rows.step_by(stride.max(1)) {
            for i in columns.clone().step_by(stride.max(1)) {
                let Some(small) = thumbnail.at(i, j) else {
                    continue;
                };
                if let Some(large) = picture.mean(&self.covered(i, j)) {
                    likeness.add(small.into(), large);
                }
            }
        }
        likeness
    }

    /// The best frame near this one, by moving it up to `reach` pixels of the thumbnail at a time, then less.
    pub(super) fn fitted(
        self,
        thumbnail: &Grey,
        content: Content,
        picture: &Sums,
        reach: f64,
    ) -> Self {
        /// Moves of one reach, so that the search ends.
        const MOVES_MAX: usize = 4;
        const REACH_MIN: f64 = 0.25;
        let stride = stride(content);
        let score = |frame: &Self| frame.likeness(thumbnail, content, picture, stride).rho();
        let (mut best, mut best_score) = (self, score(&self));
        let mut reach = reach;
        while reach >= REACH_MIN {
            let grown = reach / content.w.max(1) as f64;
            let moves = [
                (reach, 0.0, 1.0),
                (-reach, 0.0, 1.0),
                (0.0, reach, 1.0),
                (0.0, -reach, 1.0),
                (0.0, 0.0, 1.0 + grown),
                (0.0, 0.0, 1.0 - grown),
            ];
            for _ in 0..MOVES_MAX {
                let next = moves
                    .map(|(right, down, scale)| best.moved(content, right, down, scale))
                    .map(|frame| (score(&frame), frame))
                    .into_iter()
                    .max_by(|left, right| left.0.total_cmp(&right.0));
                match next {
                    Some((score, frame)) if score > best_score => {
                        (best_score, best) = (score, frame);
                    }
                    _ => break,
                }
            }
            reach /= 2.0;
        }
        best
    }
}

/// Pixels that lie in the picture, of a row that begins at `start` and in which each takes a step of this size. One too
/// many at either end does no harm: it has no mean.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a cast saturates, and what is cut then lies outside"
)]
fn inside(start: f64, step: f64, side: f64) -> Range<usize> {
    let first = (-start / step).floor().max(0.0);
    let last = ((side - start) / step).ceil().max(0.0);
    first as usize..last as usize
}

/// So that about [`FITTED`] pixels are looked at.
fn stride(content: Content) -> usize {
    let mut stride = 1;
    while content.w * content.h / (stride * stride) > FITTED {
        stride += 1;
    }
    stride
}

impl Likeness {
    pub(super) fn add(&mut self, first: f64, second: f64) {
        self.shared += 1;
        self.first += first;
        self.second += second;
        self.first_squared += first * first;
        self.second_squared += second * second;
        self.product += first * second;
    }

    /// Normalised correlation, -1 to 1; 0 if one of them is plain or too little is shared.
    pub(super) fn rho(&self) -> f64 {
        let (first, second) = self.deviations();
        if self.shared < SHARED_MIN || first < PLAIN || second < PLAIN {
            return 0.0;
        }
        let n = self.shared as f64;
        let covariance = self.product / n - self.first / n * (self.second / n);
        (covariance / (first * second)).clamp(-1.0, 1.0)
    }

    /// Standard deviations of the two.
    pub(super) fn deviations(&self) -> (f64, f64) {
        let n = self.shared.max(1) as f64;
        let deviation =
            |sum: f64, squares: f64| (squares / n - (sum / n) * (sum / n)).max(0.0).sqrt();
        (
            deviation(self.first, self.first_squared),
            deviation(self.second, self.second_squared),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(grey: &Grey) -> Content {
        Content {
            x: 0,
            y: 0,
            w: grey.width,
            h: grey.height,
        }
    }

    fn all(sums: &Sums) -> Bounds {
        Bounds {
            left: 0.0,
            top: 0.0,
            right: sums.width(),
            bottom: sums.height(),
        }
    }

    /// Waves without a period that the picture has room for.
    fn waves(x: f32, y: f32) -> f32 {
        120.0 + 60.0 * (x / 9.0).sin() * (y / 13.0).cos() + 30.0 * ((x + 2.0 * y) / 23.0).sin()
    }

    #[test]
    fn a_picture_is_like_itself_and_unlike_its_negative() {
        let picture = Grey::drawn(40, 30, |x, y| waves(x as f32, y as f32));
        let negative = Grey::drawn(40, 30, |x, y| 255.0 - waves(x as f32, y as f32));
        let sums = Sums::of(&picture);
        let frame = Frame::over(whole(&picture), &all(&sums));
        let rho = |grey: &Grey| frame.likeness(grey, whole(grey), &sums, 1).rho();
        assert!((rho(&picture) - 1.0).abs() < 1e-6, "{}", rho(&picture));
        assert!((rho(&negative) + 1.0).abs() < 1e-6, "{}", rho(&negative));
    }

    #[test]
    fn too_few_shared_pixels_and_plain_pictures_say_nothing() {
        let of = |shared: usize, spread: f64| {
            let mut likeness = Likeness::default();
            for at in 0..shared {
                let value = if at % 2 == 0 { spread } else { -spread };
                likeness.add(value, value);
            }
            likeness.rho()
        };
        assert_eq!(of(SHARED_MIN - 1, 10.0), 0.0);
        assert!((of(SHARED_MIN, 10.0) - 1.0).abs() < 1e-9);
        assert_eq!(of(SHARED_MIN, PLAIN - 0.1), 0.0);
    }

    #[test]
    fn a_frame_that_is_off_is_fitted() {
        let picture = Grey::drawn(320, 240, |x, y| waves(x as f32, y as f32));
        let sums = Sums::of(&picture);
        // The thumbnail shows the box from (20, 12) to (308, 228), so its pixels are 3.6 by 3.6.
        let small = Grey::drawn(80, 60, |i, j| {
            waves(19.5 + 3.6 * (i as f32 + 0.5), 11.5 + 3.6 * (j as f32 + 0.5))
        });
        let content = whole(&small);
        let start = Frame::over(content, &all(&sums));
        let fitted = start.fitted(&small, content, &sums, 4.0);
        let rho = fitted.likeness(&small, content, &sums, 1).rho();
        assert!(rho > 0.995, "{rho} {fitted:?}");
        assert!((fitted.x - 20.0).abs() < 2.0, "{fitted:?}");
        assert!((fitted.y - 12.0).abs() < 2.0, "{fitted:?}");
    }
}
