//! Lays a thumbnail over its picture: turned as it was stored, without black bars, and over the part that it shows.

use super::NCC_MIN;
use super::bars::without_bars;
use super::crop::part;
use super::frame::{Content, Frame};
use super::grey::{Bounds, Grey, Sums};

/// Difference of shapes up to which they are the same: sides of thumbnails are whole and small.
pub(super) const SHAPE_TOLERANCE: f64 = 0.02;
/// Likeness from which on a small move of the frame may make two pictures the same.
const FITTED_NCC_MIN: f64 = 0.4;
/// Pixels of a thumbnail by which a frame may be off.
const REACH: f64 = 1.0;

/// How the thumbnail lies over the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// As its orientation says.
    Expected,
    /// Turned or mirrored in another way.
    Turned,
    /// It shows more than the picture.
    Cropped,
    /// Not at all.
    Unlike,
}

/// A thumbnail over a picture.
#[derive(Debug, Clone)]
pub(super) struct Alignment {
    pub(super) fit: Fit,
    /// The thumbnail, turned as the picture is stored.
    pub(super) thumbnail: Grey,
    /// The part of it without bars.
    pub(super) content: Content,
    pub(super) frame: Frame,
    /// Likeness where both are.
    pub(super) ncc: f64,
}

/// The best way to lay the thumbnail over the picture whose orientation this is.
pub(super) fn align(thumbnail: &Grey, picture: &Sums, orientation: u32) -> Alignment {
    let expected = expected(orientation);
    let as_expected = best(&expected, thumbnail, picture);
    if as_expected.ncc >= NCC_MIN {
        return as_expected;
    }
    let others: Vec<u32> = (1..=8).filter(|way| !expected.contains(way)).collect();
    let turned = best(&others, thumbnail, picture);
    if turned.ncc >= NCC_MIN {
        let fit = Fit::Turned;
        return Alignment { fit, ..turned };
    }
    let part = expected
        .iter()
        .filter_map(|&way| part(&thumbnail.upright(way), picture))
        .max_by(|left, right| left.ncc.total_cmp(&right.ncc));
    part.unwrap_or(Alignment {
        fit: Fit::Unlike,
        ..as_expected
    })
}

/// Most cameras store both alike; some software turns one of them upright and leaves the other.
fn expected(orientation: u32) -> Vec<u32> {
    match orientation {
        6 | 8 => vec![1, 6, 8],
        2..=5 | 7 => vec![1, orientation],
        _ => vec![1],
    }
}

/// The best of several ways to turn the thumbnail; of equals the first.
fn best(ways: &[u32], thumbnail: &Grey, picture: &Sums) -> Alignment {
    ways.iter()
        .map(|&way| whole(thumbnail.upright(way), picture))
        .reduce(|best, next| if next.ncc > best.ncc { next } else { best })
        .unwrap_or_else(|| whole(thumbnail.clone(), picture))
}

/// The thumbnail over the whole picture, or over its middle if that is more alike: some software cuts thumbnails to a
/// shape of their own.
fn whole(thumbnail: Grey, picture: &Sums) -> Alignment {
    let everything = Content {
        x: 0,
        y: 0,
        w: thumbnail.width,
        h: thumbnail.height,
    };
    // What looks like bars may be what the picture shows.
    let barred = without_bars(&thumbnail, picture.width() / picture.height());
    let (content, frame, ncc) = barred
        .into_iter()
        .chain([everything])
        .map(|content| laid(&thumbnail, content, picture))
        .reduce(|best, next| if next.2 > best.2 { next } else { best })
        .unwrap_or_else(|| laid(&thumbnail, everything, picture));
    Alignment {
        fit: Fit::Expected,
        thumbnail,
        content,
        frame,
        ncc,
    }
}

/// The content over the whole picture or its middle, where that is, and how alike they are.
fn laid(thumbnail: &Grey, content: Content, picture: &Sums) -> (Content, Frame, f64) {
    let (width, height) = (picture.width(), picture.height());
    let step = (width / content.w as f64).min(height / content.h as f64);
    let share_w = step * content.w as f64 / width;
    let share_h = step * content.h as f64 / height;
    let (mut frame, mut ncc) = fit(thumbnail, content, &middle(picture, 1.0, 1.0), picture);
    if share_w.min(share_h) < 1.0 - SHAPE_TOLERANCE {
        let over_middle = fit(
            thumbnail,
            content,
            &middle(picture, share_w, share_h),
            picture,
        );
        if over_middle.1 > ncc {
            (frame, ncc) = over_middle;
        }
    }
    (content, frame, ncc)
}

/// The box around the middle of the picture that takes these shares of its sides.
fn middle(picture: &Sums, share_w: f64, share_h: f64) -> Bounds {
    let (width, height) = (picture.width(), picture.height());
    Bounds {
        left: width * (1.0 - share_w) / 2.0,
        top: height * (1.0 - share_h) / 2.0,
        right: width * (1.0 + share_w) / 2.0,
        bottom: height * (1.0 + share_h) / 2.0,
    }
}

/// The best frame near that over `bounds`, and the likeness there. What is not alike at all is not fitted.
fn fit(thumbnail: &Grey, content: Content, bounds: &Bounds, picture: &Sums) -> (Frame, f64) {
    let frame = Frame::over(content, bounds);
    let ncc = |frame: &Frame| frame.likeness(thumbnail, content, picture, 1).rho();
    let first = ncc(&frame);
    if first < FITTED_NCC_MIN {
        return (frame, first);
    }
    let frame = frame.fitted(thumbnail, content, picture, REACH);
    (frame, ncc(&frame))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expected_follows_from_the_orientation() {
        assert_eq!(expected(1), [1]);
        assert_eq!(expected(0), [1]);
        assert_eq!(expected(9), [1]);
        assert_eq!(expected(3), [1, 3]);
        assert_eq!(expected(6), [1, 6, 8]);
    }
}
