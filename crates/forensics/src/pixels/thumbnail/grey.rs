//! Small grey pictures: averaged down, turned, and summed so that the mean of any box is four look-ups away.

use crate::raster::Plane;

/// A grey picture, 0 to 255.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Grey {
    pub(super) width: usize,
    pub(super) height: usize,
    samples: Vec<f32>,
}

/// Sums over all boxes that begin at the upper left.
pub(super) struct Sums {
    width: usize,
    height: usize,
    /// Row by row, with a row and a column of zeros first.
    sums: Vec<f64>,
}

/// A box with edges between pixels or inside them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bounds {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

impl Grey {
    /// Rows of `width` samples; nothing if they are not full, or if there are none.
    pub(super) fn new(width: usize, samples: Vec<f32>) -> Option<Self> {
        let height = samples.len().checked_div(width)?;
        (height > 0 && width * height == samples.len()).then_some(Self {
            width,
            height,
            samples,
        })
    }

    /// A picture made for a test, sample by sample.
    #[cfg(test)]
    pub(super) fn drawn(width: usize, height: usize, sample: impl Fn(usize, usize) -> f32) -> Self {
        let samples = (0..width * height).map(|at| sample(at % width, at / width));
        Self::new(width, samples.collect()).expect("whole rows")
    }

    /// The plane, averaged over squares so that no side is longer than `side_max`, and the side of a square in pixels.
    /// Pixels that fill no square are left out.
    pub(super) fn reduced(plane: &Plane, side_max: usize) -> Option<(Self, usize)> {
        let square = plane
            .width()
            .max(plane.height())
            .div_ceil(side_max.max(1))
            .max(1);
        let width = plane.width() / square;
        let area = (square * square) as f32;
        let mut samples = Vec::with_capacity(width * (plane.height() / square));
        let mut sums = vec![0u32; width];
        for (y, row) in plane.rows().enumerate() {
            for (sum, pixels) in sums.iter_mut().zip(row.chunks_exact(square)) {
                *sum += pixels.iter().copied().map(u32::from).sum::<u32>();
            }
            if y % square == square - 1 {
                samples.extend(sums.iter().map(|&sum| sum as f32 / area));
                sums.fill(0);
            }
        }
        Some((Self::new(width, samples)?, square))
    }

    /// What is bright, dark.
    pub(super) fn negative(&self) -> Self {
        Self {
            samples: self.samples.iter().map(|level| 255.0 - level).collect(),
            ..*self
        }
    }

    pub(super) fn at(&self, x: usize, y: usize) -> Option<f32> {
        if x < self.width {
            self.samples.get(y * self.width + x).copied()
        } else {
            None
        }
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.samples.chunks_exact(self.width)
    }

    /// The picture upright, if it is stored in this orientation of EXIF (1 to 8; others turn nothing).
    pub(super) fn upright(&self, orientation: u32) -> Self {
        let (width, height) = (self.width, self.height);
        let (right, low) = (width - 1, height - 1);
        let is_across = (5..=8).contains(&orientation);
        let (turned_width, turned_height) = if is_across {
            (height, width)
        } else {
            (width, height)
        };
        let mut samples = Vec::with_capacity(self.samples.len());
        for y in 0..turned_height {
            for x in 0..turned_width {
                let (from_x, from_y) = match orientation {
                    2 => (right - x, y),
                    3 => (right - x, low - y),
                    4 => (x, low - y),
                    5 => (y, x),
                    6 => (y, low - x),
                    7 => (right - y, low - x),
                    8 => (right - y, x),
                    _ => (x, y),
                };
                samples.push(self.at(from_x, from_y).unwrap_or_default());
            }
        }
        Self {
            width: turned_width,
            height: turned_height,
            samples,
        }
    }
}

impl Sums {
    pub(super) fn of(grey: &Grey) -> Self {
        let stride = grey.width + 1;
        let mut sums = vec![0.0; stride];
        sums.reserve(stride * grey.height);
        for (y, row) in grey.rows().enumerate() {
            let mut along = 0.0;
            sums.push(0.0);
            for (x, &sample) in row.iter().enumerate() {
                along += f64::from(sample);
                let above = sums.get(y * stride + x + 1).copied().unwrap_or_default();
                sums.push(above + along);
            }
        }
        Self {
            width: grey.width,
            height: grey.height,
            sums,
        }
    }

    pub(super) fn width(&self) -> f64 {
        self.width as f64
    }

    pub(super) fn height(&self) -> f64 {
        self.height as f64
    }

    /// The mean over a box, pixels that it cuts counting by their share; nothing if it is empty or reaches over an
    /// edge.
    pub(super) fn mean(&self, bounds: &Bounds) -> Option<f64> {
        let Bounds {
            left,
            top,
            right,
            bottom,
        } = *bounds;
        let area = (right - left) * (bottom - top);
        let is_inside =
            left >= 0.0 && top >= 0.0 && right <= self.width() && bottom <= self.height();
        // Not so for what is not a number, either.
        if !(is_inside && left < right && top < bottom && area > 0.0) {
            return None;
        }
        let sum =
            self.up_to(right, bottom)? - self.up_to(left, bottom)? - self.up_to(right, top)?
                + self.up_to(left, top)?;
        Some(sum / area)
    }

    /// The sum over the box from the upper left to this point. Between whole pixels the sums are linear either way.
    fn up_to(&self, x: f64, y: f64) -> Option<f64> {
        let (column, right) = split(x, self.width);
        let (row, down) = split(y, self.height);
        let stride = self.width + 1;
        let at = row * stride + column;
        let below = at + stride;
        let corner = |at: usize| self.sums.get(at).copied();
        // On the last row and column there is nothing further, and nothing is asked of it.
        let along = |at: usize| -> Option<f64> {
            let near = corner(at)?;
            if right == 0.0 {
                return Some(near);
            }
            Some(near + right * (corner(at + 1)? - near))
        };
        let upper = along(at)?;
        if down == 0.0 {
            return Some(upper);
        }
        Some(upper + down * (along(below)? - upper))
    }
}

/// The whole pixels in a place within `0..=end`, and the rest.
#[expect(
    clippy::cast_possible_truncation,
    reason = "clamped to the sides of a picture first"
)]
fn split(place: f64, end: usize) -> (usize, f64) {
    let whole = place.floor().clamp(0.0, end as f64);
    (whole as usize, place - whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counting(width: usize, height: usize) -> Grey {
        Grey::drawn(width, height, |x, y| (y * width + x) as f32)
    }

    #[test]
    fn squares_are_averaged_and_a_rest_is_left_out() {
        let plane = Plane::new(5, (0..25).collect()).expect("whole rows");
        let (small, square) = Grey::reduced(&plane, 3).expect("a picture");
        assert_eq!(square, 2);
        assert_eq!(small.samples, [3.0, 5.0, 13.0, 15.0]);
        let (same, square) = Grey::reduced(&plane, 5).expect("a picture");
        assert_eq!((same, square), (counting(5, 5), 1));
        let line = Plane::new(9, vec![0; 9]).expect("whole rows");
        assert_eq!(Grey::reduced(&line, 4), None);
    }

    #[test]
    fn orientations_are_those_of_exif() {
        // The letters of EXIF: row 0 and column 0 of what is stored are the named sides of what is shown.
        let stored = counting(3, 2);
        let shown = |orientation| stored.upright(orientation).samples;
        assert_eq!(shown(1), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(shown(2), [2.0, 1.0, 0.0, 5.0, 4.0, 3.0]);
        assert_eq!(shown(3), [5.0, 4.0, 3.0, 2.0, 1.0, 0.0]);
        assert_eq!(shown(4), [3.0, 4.0, 5.0, 0.0, 1.0, 2.0]);
        assert_eq!(shown(5), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        assert_eq!(shown(6), [3.0, 0.0, 4.0, 1.0, 5.0, 2.0]);
        assert_eq!(shown(7), [5.0, 2.0, 4.0, 1.0, 3.0, 0.0]);
        assert_eq!(shown(8), [2.0, 5.0, 1.0, 4.0, 0.0, 3.0]);
        assert_eq!(stored.upright(6).upright(8), stored);
        assert_eq!(stored.upright(0), stored);
    }

    #[test]
    fn means_of_boxes_count_cut_pixels_by_their_share() {
        let sums = Sums::of(&counting(4, 3));
        let mean = |left, top, right, bottom| {
            sums.mean(&Bounds {
                left,
                top,
                right,
                bottom,
            })
        };
        assert_eq!(mean(0.0, 0.0, 4.0, 3.0), Some(5.5));
        assert_eq!(mean(1.0, 1.0, 2.0, 2.0), Some(5.0));
        assert_eq!(mean(0.5, 0.0, 1.5, 1.0), Some(0.5));
        assert_eq!(mean(0.25, 0.5, 0.75, 1.5), Some(2.0));
        assert_eq!(mean(3.5, 2.5, 4.0, 3.0), Some(11.0));
    }

    #[test]
    fn boxes_that_are_empty_or_reach_over_an_edge_have_no_mean() {
        let sums = Sums::of(&counting(4, 3));
        for (left, top, right, bottom) in [
            (0.0, 0.0, 4.1, 3.0),
            (-0.1, 0.0, 4.0, 3.0),
            (0.0, 0.0, 4.0, 3.1),
            (2.0, 0.0, 2.0, 3.0),
            (3.0, 0.0, 2.0, 3.0),
            (f64::NAN, 0.0, 2.0, 3.0),
            (0.0, 0.0, f64::INFINITY, 3.0),
        ] {
            let bounds = Bounds {
                left,
                top,
                right,
                bottom,
            };
            assert_eq!(sums.mean(&bounds), None, "{bounds:?}");
        }
    }
}
