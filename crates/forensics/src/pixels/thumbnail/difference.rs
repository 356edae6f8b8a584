//! Where a thumbnail and its picture differ, once they lie over each other and have the same tones.

use super::align::Alignment;
use super::frame::Likeness;
use super::grey::Sums;

/// Difference of grey levels, averaged over 3 × 3 pixels, above which something else is shown.
pub(super) const DIFFERENCE_MIN: f64 = 40.0;
/// Contrasts that a change of tones may come to; beyond them it is no such change.
const GAIN: std::ops::RangeInclusive<f64> = 0.4..=2.5;

/// What differs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Difference {
    /// Pixels of the thumbnail of which the picture has something.
    pub(super) compared: usize,
    /// Those of the largest area that differs.
    pub(super) differing: usize,
    /// Likeness of the two where they do not differ.
    pub(super) rest: Likeness,
    /// The box around that area in pixels of the thumbnail: left, top, right, bottom, the last two not in it.
    pub(super) bounds: Option<[usize; 4]>,
    /// Contrast of the thumbnail over that of the picture.
    pub(super) gain: f64,
    /// Brightness of the thumbnail less that of the picture, in grey levels.
    pub(super) offset: f64,
    /// Width of the thumbnail.
    width: usize,
    /// Per pixel of the thumbnail; nothing where the picture has nothing.
    residuals: Vec<Option<f64>>,
}

/// A pixel of the thumbnail and what lies under it.
type Pair = Option<(f64, f64)>;

/// Compares what lies over each other.
pub(super) fn difference(alignment: &Alignment, picture: &Sums) -> Difference {
    let (width, pairs) = pairs(alignment, picture);
    let (gain, offset) = tones(&pairs);
    let raw: Vec<Option<f64>> = pairs
        .iter()
        .map(|pair| pair.map(|(small, large)| small - gain * large - offset))
        .collect();
    let residuals = smoothed(&raw, width);
    let area = largest(&residuals, width);
    let mean = |of: fn((f64, f64)) -> f64| average(pairs.iter().flatten().copied().map(of));
    Difference {
        compared: residuals.iter().flatten().count(),
        differing: area.len(),
        rest: rest(&pairs, &residuals),
        bounds: bounds(&area, width),
        gain,
        offset: mean(|(small, _)| small) - mean(|(_, large)| large),
        width,
        residuals,
    }
}

impl Difference {
    /// Share of what was compared that the largest area takes.
    pub(super) fn share(&self) -> f64 {
        self.differing as f64 / self.compared.max(1) as f64
    }

    /// The difference at a pixel of the thumbnail, in grey levels of either sign.
    pub(super) fn at(&self, i: usize, j: usize) -> Option<f64> {
        if i >= self.width {
            return None;
        }
        self.residuals.get(j * self.width + i).copied().flatten()
    }
}

fn pairs(alignment: &Alignment, picture: &Sums) -> (usize, Vec<Pair>) {
    let Alignment {
        thumbnail,
        content,
        frame,
        ..
    } = alignment;
    let columns = content.x..content.x + content.w;
    let rows = content.y..content.y + content.h;
    let mut pairs = Vec::with_capacity(thumbnail.width * thumbnail.height);
    for j in 0..thumbnail.height {
        for i in 0..thumbnail.width {
            let is_shown = columns.contains(&i) && rows.contains(&j);
            let large = is_shown
                .then(|| picture.mean(&frame.covered(i, j)))
                .flatten();
            let small = thumbnail.at(i, j).map(f64::from);
            pairs.push(small.zip(large));
        }
    }
    (thumbnail.width, pairs)
}

fn rest(pairs: &[Pair], residuals: &[Option<f64>]) -> Likeness {
    let mut rest = Likeness::default();
    for (pair, residual) in pairs.iter().zip(residuals) {
        if let (&Some((small, large)), &Some(level)) = (pair, residual)
            && level.abs() <= DIFFERENCE_MIN
        {
            rest.add(small, large);
        }
    }
    rest
}

/// Gain and offset that make the picture's tones the thumbnail's: least squares, and again without what does not fit,
/// so that an area that differs does not shift the rest.
fn tones(pairs: &[Pair]) -> (f64, f64) {
    let first = line(pairs.iter().flatten().copied());
    let (gain, offset) = first;
    let fitting = pairs
        .iter()
        .flatten()
        .copied()
        .filter(|(small, large)| (small - gain * large - offset).abs() <= DIFFERENCE_MIN);
    line(fitting)
}

/// `small = gain · large + offset`; the gain is one if it cannot be told.
fn line(pairs: impl Iterator<Item = (f64, f64)> + Clone) -> (f64, f64) {
    let small = average(pairs.clone().map(|(small, _)| small));
    let large = average(pairs.clone().map(|(_, large)| large));
    let product = average(pairs.clone().map(|(s, l)| (s - small) * (l - large)));
    let square = average(pairs.map(|(_, l)| (l - large) * (l - large)));
    let gain = product / square;
    let gain = if GAIN.contains(&gain) { gain } else { 1.0 };
    (gain, small - gain * large)
}

fn average(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0f64), |(sum, count), value| {
        (sum + value, count + 1.0)
    });
    sum / count.max(1.0)
}

/// Means over 3 × 3 pixels, so that edges that are a little off, bright on one side and dark on the other, cancel out.
fn smoothed(raw: &[Option<f64>], width: usize) -> Vec<Option<f64>> {
    let width = width.max(1);
    let height = raw.len() / width;
    let around = |at: usize, end: usize| at.saturating_sub(1)..(at + 2).min(end);
    (0..raw.len())
        .map(|at| {
            raw.get(at).copied().flatten()?;
            let (x, y) = (at % width, at / width);
            let cells = around(y, height)
                .flat_map(|y| around(x, width).map(move |x| y * width + x))
                .filter_map(|at| raw.get(at).copied().flatten());
            Some(average(cells))
        })
        .collect()
}

/// The pixels of the largest area, all of which differ and each of which touches another at a side.
fn largest(residuals: &[Option<f64>], width: usize) -> Vec<usize> {
    let mut open: Vec<bool> = residuals
        .iter()
        .map(|residual| residual.is_some_and(|level| level.abs() > DIFFERENCE_MIN))
        .collect();
    let mut largest = Vec::new();
    for start in 0..open.len() {
        if open.get(start) == Some(&true) {
            let area = flood(&mut open, start, width.max(1));
            if area.len() > largest.len() {
                largest = area;
            }
        }
    }
    largest
}

fn flood(open: &mut [bool], start: usize, width: usize) -> Vec<usize> {
    let mut area = Vec::new();
    let mut pending = vec![start];
    while let Some(at) = pending.pop() {
        match open.get_mut(at) {
            Some(is_open) if *is_open => *is_open = false,
            _ => continue,
        }
        area.push(at);
        if at % width > 0 {
            pending.push(at - 1);
        }
        if at % width < width - 1 {
            pending.push(at + 1);
        }
        pending.extend(at.checked_sub(width));
        pending.push(at + width);
    }
    area
}

fn bounds(area: &[usize], width: usize) -> Option<[usize; 4]> {
    let columns = area.iter().map(|at| at.checked_rem(width).unwrap_or(0));
    let rows = area.iter().map(|at| at.checked_div(width).unwrap_or(0));
    Some([
        columns.clone().min()?,
        rows.clone().min()?,
        columns.max()? + 1,
        rows.max()? + 1,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_touch_at_sides_and_end_at_the_edge_of_a_row() {
        let high = Some(DIFFERENCE_MIN + 1.0);
        let low = Some(DIFFERENCE_MIN);
        let residuals = [
            [high, high, low, high],
            [low, low, high, high],
            [high, None, low, Some(-50.0)],
        ];
        let area = largest(residuals.as_flattened(), 4);
        assert_eq!(area.len(), 4);
        assert_eq!(bounds(&area, 4), Some([2, 0, 4, 3]));
        assert_eq!(bounds(&[], 4), None);
    }

    #[test]
    fn tones_are_found_beside_an_area_that_differs() {
        let pairs: Vec<Pair> = (0..1_000)
            .map(|at| {
                let large = f64::from(at % 200);
                let small = if at < 100 { 250.0 } else { 0.8 * large + 30.0 };
                Some((small, large))
            })
            .collect();
        let (gain, offset) = tones(&pairs);
        assert!((gain - 0.8).abs() < 0.03, "{gain}");
        assert!((offset - 30.0).abs() < 4.0, "{offset}");
    }

    #[test]
    fn tones_that_no_change_of_tones_explains_are_left_as_they_are() {
        let negative: Vec<Pair> = (0..200)
            .map(|at| Some((200.0 - f64::from(at), f64::from(at))))
            .collect();
        assert_eq!(tones(&negative).0, 1.0);
        assert_eq!(tones(&[None, None]), (1.0, 0.0));
    }

    #[test]
    fn an_edge_that_is_a_little_off_cancels_out() {
        let raw: Vec<Option<f64>> = (0..100)
            .map(|at| match at % 10 {
                4 => Some(90.0),
                5 => Some(-90.0),
                _ => Some(0.0),
            })
            .collect();
        let smooth = smoothed(&raw, 10);
        assert!(largest(&smooth, 10).is_empty(), "{smooth:?}");
    }
}
