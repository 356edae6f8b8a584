//! Whether a picture is like a photo. In drawings, screens and scans of text, what analyses take for traces of an edit is
//! everywhere, so they are not asked about those.

use crate::fingerprint::Picture;

/// A photo has less than this share of pixels that equal their right and lower neighbours. Photos were measured at 0.00
/// to 0.33, graphics and screens at 0.59 to 0.93.
pub const FLAT_SHARE_MAX: f64 = 0.40;
/// Fewer pixels tell too little.
pub const PIXELS_MIN: u64 = 100_000;
/// A photo has more grey levels than this.
pub const GREY_LEVELS_MAX_OF_GRAPHICS: u32 = 64;
/// Black and white, and nothing in between.
const GREY_LEVELS_BILEVEL: u32 = 2;

/// Why the picture is not like a photo, in words for people; nothing if it is like one.
#[must_use]
pub fn unlike_photo(picture: &Picture) -> Option<String> {
    let (width, height) = (picture.width, picture.height);
    let levels = picture.grey_levels;
    if u64::from(width) * u64::from(height) < PIXELS_MIN {
        return Some(format!(
            "the picture is too small: {width} x {height}, less than {PIXELS_MIN} pixels"
        ));
    }
    if levels <= GREY_LEVELS_BILEVEL {
        return Some(format!(
            "the picture has {levels} grey levels, like a scan of text"
        ));
    }
    if levels <= GREY_LEVELS_MAX_OF_GRAPHICS {
        return Some(format!(
            "the picture has {levels} grey levels, like a drawing; a photo has more than \
             {GREY_LEVELS_MAX_OF_GRAPHICS}"
        ));
    }
    // What is not a number is no share of a photo.
    let is_textured = picture.flat_share < FLAT_SHARE_MAX;
    (!is_textured).then(|| {
        format!(
            "{:.0} % of the picture is without any texture, like a drawing or a screen; of a photo less than {:.0} % is",
            100.0 * picture.flat_share,
            100.0 * FLAT_SHARE_MAX
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHOTO: Picture = Picture {
        width: 400,
        height: 250,
        flat_share: 0.399,
        grey_levels: 65,
    };

    fn reason(picture: Picture) -> String {
        unlike_photo(&picture).unwrap_or_default()
    }

    #[test]
    fn what_is_just_within_every_bound_is_like_a_photo() {
        assert_eq!(unlike_photo(&PHOTO), None);
        assert_eq!(
            unlike_photo(&Picture {
                grey_levels: 256,
                flat_share: 0.0,
                ..PHOTO
            }),
            None
        );
    }

    #[test]
    fn every_bound_is_kept() {
        let width = 399;
        assert!(reason(Picture { width, ..PHOTO }).contains("too small"));
        let grey_levels = 64;
        let drawing = Picture {
            grey_levels,
            ..PHOTO
        };
        assert!(reason(drawing).contains("like a drawing"));
        let grey_levels = 3;
        assert!(
            reason(Picture {
                grey_levels,
                ..PHOTO
            })
            .contains("like a drawing")
        );
        let grey_levels = 2;
        assert!(
            reason(Picture {
                grey_levels,
                ..PHOTO
            })
            .contains("scan of text")
        );
        for flat_share in [0.40, 0.93, f64::NAN] {
            let flat = Picture {
                flat_share,
                ..PHOTO
            };
            assert!(reason(flat).contains("without any texture"), "{flat_share}");
        }
    }

    #[test]
    fn no_size_overflows() {
        let side = u32::MAX;
        let largest = Picture {
            width: side,
            height: side,
            ..PHOTO
        };
        assert_eq!(unlike_photo(&largest), None);
    }
}
