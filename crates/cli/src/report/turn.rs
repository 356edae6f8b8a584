//! From pixels as a file stores them to the picture as a viewer turns it.
//!
//! Analyses look at stored pixels, and browsers turn a picture as its metadata says: marks and maps are turned
//! alike, by the orientations 1 to 8 of EXIF (JEITA CP-3451, tag 274).

use super::result::Region;

/// How a picture is turned when it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    orientation: u32,
    /// Pixels as stored.
    width: u32,
    /// Pixels as stored.
    height: u32,
}

impl Turn {
    /// The turn of a picture of this size; what is no orientation turns nothing.
    pub(super) fn new(orientation: Option<u32>, (width, height): (u32, u32)) -> Self {
        let known = orientation.filter(|number| (1..=8).contains(number));
        Self {
            orientation: known.unwrap_or(1),
            width,
            height,
        }
    }

    /// Width and height as shown.
    pub(super) fn size(self) -> (u32, u32) {
        if self.is_transposed() {
            (self.height, self.width)
        } else {
            (self.width, self.height)
        }
    }

    /// A region as shown; what lies outside of the picture is cut off, and nothing is left of some.
    pub(super) fn region(self, stored: Region) -> Option<Region> {
        let (x, y) = (stored.x.min(self.width), stored.y.min(self.height));
        let w = stored.w.min(self.width - x);
        let h = stored.h.min(self.height - y);
        let (right, below) = (self.width - x - w, self.height - y - h);
        let (x, y) = match self.orientation {
            2 => (right, y),
            3 => (right, below),
            4 => (x, below),
            5 => (y, x),
            6 => (below, x),
            7 => (below, right),
            8 => (y, right),
            _ => (x, y),
        };
        let (w, h) = if self.is_transposed() { (h, w) } else { (w, h) };
        (w > 0 && h > 0).then_some(Region { x, y, w, h })
    }

    /// The same as a matrix of SVG, for what is drawn in stored pixels.
    pub(super) fn matrix(self) -> String {
        let (width, height) = (self.width, self.height);
        match self.orientation {
            2 => format!("matrix(-1 0 0 1 {width} 0)"),
            3 => format!("matrix(-1 0 0 -1 {width} {height})"),
            4 => format!("matrix(1 0 0 -1 0 {height})"),
            5 => "matrix(0 1 1 0 0 0)".to_owned(),
            6 => format!("matrix(0 1 -1 0 {height} 0)"),
            7 => format!("matrix(0 -1 -1 0 {height} {width})"),
            8 => format!("matrix(0 -1 1 0 0 {width})"),
            _ => "matrix(1 0 0 1 0 0)".to_owned(),
        }
    }

    fn is_transposed(self) -> bool {
        self.orientation >= 5
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (u32, u32) = (40, 30);

    /// A corner of a region, put through the matrix.
    fn through(matrix: &str, x: u32, y: u32) -> (i64, i64) {
        let inner = matrix
            .strip_prefix("matrix(")
            .unwrap()
            .strip_suffix(')')
            .unwrap();
        let numbers: Vec<i64> = inner
            .split(' ')
            .map(|number| number.parse().unwrap())
            .collect();
        let (x, y) = (i64::from(x), i64::from(y));
        (
            numbers[0] * x + numbers[2] * y + numbers[4],
            numbers[1] * x + numbers[3] * y + numbers[5],
        )
    }

    #[test]
    fn regions_and_matrices_turn_alike() {
        let region = Region {
            x: 5,
            y: 7,
            w: 10,
            h: 4,
        };
        for orientation in 1..=8 {
            let turn = Turn::new(Some(orientation), SIZE);
            let turned = turn.region(region).unwrap();
            let one = through(&turn.matrix(), region.x, region.y);
            let other = through(&turn.matrix(), region.x + region.w, region.y + region.h);
            let corner = (one.0.min(other.0), one.1.min(other.1));
            let extent = ((one.0 - other.0).abs(), (one.1 - other.1).abs());
            assert_eq!(corner, (turned.x.into(), turned.y.into()), "{orientation}");
            assert_eq!(extent, (turned.w.into(), turned.h.into()), "{orientation}");
        }
    }

    #[test]
    fn a_phone_held_upright_turns_to_the_right() {
        let turn = Turn::new(Some(6), SIZE);
        assert_eq!(turn.size(), (30, 40));
        // The upper left corner as stored is the upper right one as shown.
        let corner = turn.region(Region {
            x: 0,
            y: 0,
            w: 1,
            h: 1,
        });
        assert_eq!(
            corner,
            Some(Region {
                x: 29,
                y: 0,
                w: 1,
                h: 1
            })
        );
    }

    #[test]
    fn what_lies_outside_is_cut_off() {
        let turn = Turn::new(None, SIZE);
        let huge = Region {
            x: 39,
            y: 29,
            w: u32::MAX,
            h: u32::MAX,
        };
        assert_eq!(
            turn.region(huge),
            Some(Region {
                x: 39,
                y: 29,
                w: 1,
                h: 1
            })
        );
        let outside = Region {
            x: u32::MAX,
            y: u32::MAX,
            w: 1,
            h: 1,
        };
        assert_eq!(turn.region(outside), None);
        for nonsense in [0, 9] {
            assert_eq!(Turn::new(Some(nonsense), SIZE), turn);
        }
    }
}
