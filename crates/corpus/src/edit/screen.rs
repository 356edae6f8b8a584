//! Pictures on screens: what a screenshot holds besides a photograph.

use image::imageops::replace;
use image::{Rgb, RgbImage};

use crate::edit::letters::write;

const PAPER: Rgb<u8> = Rgb([246, 246, 244]);
const INK: Rgb<u8> = Rgb([40, 42, 46]);
const BAR: Rgb<u8> = Rgb([222, 225, 230]);

/// Height of a window's title bar.
const BAR_HEIGHT: u32 = 43;
/// Space around what a window shows. Not a multiple of eight: windows lie anywhere.
const MARGIN: u32 = 29;
/// From one line of text to the next.
const LINE_STEP: u32 = 18;
const LINE: &str = "A LINE OF WORDS BELOW THE PICTURE";

/// The picture as a viewer shows it: a bar above, a line of text below.
#[must_use]
pub fn window(picture: &RgbImage) -> RgbImage {
    shown(&[picture], 1)
}

/// The pictures one below the other on a page, with text between them.
#[must_use]
pub fn page(pictures: &[&RgbImage]) -> RgbImage {
    shown(pictures, 4)
}

fn shown(pictures: &[&RgbImage], lines: u32) -> RgbImage {
    let width = pictures.iter().map(|picture| picture.width()).max();
    let width = width.unwrap_or(0) + 2 * MARGIN;
    let text_height = MARGIN + lines * LINE_STEP;
    let heights = pictures.iter().map(|picture| picture.height());
    let height = BAR_HEIGHT + heights.map(|it| it + text_height + MARGIN).sum::<u32>();
    let mut screen = RgbImage::from_fn(
        width,
        height,
        |_, y| {
            if y < BAR_HEIGHT { BAR } else { PAPER }
        },
    );
    write(&mut screen, "PHOTOS", (MARGIN, BAR_HEIGHT / 3), 2, INK);
    let mut y = BAR_HEIGHT + MARGIN;
    for picture in pictures {
        replace(&mut screen, *picture, i64::from(MARGIN), i64::from(y));
        y += picture.height() + MARGIN / 2;
        for line in 0..lines {
            write(&mut screen, LINE, (MARGIN, y + line * LINE_STEP), 2, INK);
        }
        y += text_height + MARGIN / 2;
    }
    screen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screen_shows_the_picture_and_more() {
        let picture = RgbImage::from_pixel(64, 48, Rgb([1, 2, 3]));
        let screen = window(&picture);
        let shown = screen.pixels().filter(|pixel| pixel.0 == [1, 2, 3]);
        assert_eq!(shown.count(), 64 * 48);
        assert_eq!(
            screen.get_pixel(MARGIN, BAR_HEIGHT + MARGIN).0,
            [1, 2, 3],
            "where no grid of eight would put it"
        );
    }

    #[test]
    fn a_page_has_room_for_all_its_pictures() {
        let picture = RgbImage::from_pixel(64, 48, Rgb([1, 2, 3]));
        let other = RgbImage::from_pixel(80, 30, Rgb([3, 2, 1]));
        let screen = page(&[&picture, &other]);
        let count = |colour| screen.pixels().filter(|pixel| pixel.0 == colour).count();
        assert_eq!(count([1, 2, 3]), 64 * 48);
        assert_eq!(count([3, 2, 1]), 80 * 30);
    }
}
