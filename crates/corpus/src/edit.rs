//! What people do to pictures, honestly or not: from pixels to pixels.
//!
//! Not here: in which file a picture came and in which it goes ([`crate::recipe`]).

pub mod letters;
pub mod overlay;
pub mod paste;
pub mod screen;

use image::RgbImage;
use image::imageops::{self, FilterType};

/// The part of the picture that is left when `x` columns and `y` rows are cut off at the left and at the top. At least
/// one pixel is left.
#[must_use]
pub fn cropped(picture: &RgbImage, x: u32, y: u32) -> RgbImage {
    let (x, y) = (
        x.min(picture.width().saturating_sub(1)),
        y.min(picture.height().saturating_sub(1)),
    );
    let (width, height) = (picture.width() - x, picture.height() - y);
    imageops::crop_imm(picture, x, y, width, height).to_image()
}

/// The picture in another size, in hundredths of its sides.
#[must_use]
pub fn scaled(picture: &RgbImage, percent: u32) -> RgbImage {
    let side = |pixels: u32| (pixels * percent).div_ceil(100).max(1);
    let (width, height) = (side(picture.width()), side(picture.height()));
    imageops::resize(picture, width, height, FilterType::CatmullRom)
}

/// The picture with its longer side at most `side_max`; larger ones are scaled down.
#[must_use]
pub fn within(picture: &RgbImage, side_max: u32) -> RgbImage {
    let longer = picture.width().max(picture.height());
    if longer <= side_max {
        return picture.clone();
    }
    let side = |pixels: u32| (pixels * side_max / longer).max(1);
    let (width, height) = (side(picture.width()), side(picture.height()));
    imageops::resize(picture, width, height, FilterType::Triangle)
}

/// The picture a quarter turned.
#[must_use]
pub fn turned(picture: &RgbImage) -> RgbImage {
    imageops::rotate90(picture)
}

/// The picture with contrast in hundredths of what it was, around the middle grey, and then `brighter` levels lighter.
#[must_use]
pub fn toned(picture: &RgbImage, contrast_percent: i32, brighter: i32) -> RgbImage {
    let tone = |level: u8| {
        let level = (i32::from(level) - 128) * contrast_percent / 100 + 128 + brighter;
        u8::try_from(level.clamp(0, 255)).unwrap_or(u8::MAX)
    };
    let mut picture = picture.clone();
    for level in picture.iter_mut() {
        *level = tone(*level);
    }
    picture
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(width: u32, height: u32) -> RgbImage {
        let level = |at: u32| u8::try_from(at % 256).unwrap();
        RgbImage::from_fn(width, height, |x, y| image::Rgb([level(x), level(y), 9]))
    }

    #[test]
    fn cropping_moves_the_origin_and_always_leaves_something() {
        let picture = cropped(&ramp(20, 16), 3, 5);
        assert_eq!(picture.dimensions(), (17, 11));
        assert_eq!(picture.get_pixel(0, 0).0, [3, 5, 9]);
        assert_eq!(cropped(&ramp(20, 16), 20, 99).dimensions(), (1, 1));
    }

    #[test]
    fn sizes_follow_what_was_asked_for() {
        assert_eq!(scaled(&ramp(20, 10), 50).dimensions(), (10, 5));
        assert_eq!(scaled(&ramp(20, 10), 125).dimensions(), (25, 13));
        assert_eq!(within(&ramp(20, 10), 20), ramp(20, 10));
        assert_eq!(within(&ramp(20, 10), 19).dimensions(), (19, 9));
        assert_eq!(turned(&ramp(20, 10)).dimensions(), (10, 20));
    }

    #[test]
    fn tones_stay_in_range() {
        let picture = RgbImage::from_raw(2, 1, vec![0, 128, 255, 10, 100, 200]).unwrap();
        assert_eq!(toned(&picture, 100, 0), picture);
        assert_eq!(toned(&picture, 100, 20).as_raw()[..3], [20, 148, 255]);
        assert_eq!(toned(&picture, 200, 0).as_raw()[..3], [0, 128, 255]);
    }
}
