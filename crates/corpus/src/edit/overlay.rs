//! What is written and drawn over pictures every day: captions, dates, logos.

use image::{Rgb, RgbImage};

use crate::edit::letters::{LETTER_HEIGHT, LETTER_STEP, width_of, write};

const WHITE: Rgb<u8> = Rgb([250, 250, 250]);
const AMBER: Rgb<u8> = Rgb([255, 150, 40]);
const CAPTION: &str = "HARBOUR AT NOON - PHOTO: A. NYONE";
const DATE: &str = "17.05.2026 10:21";
const LOGO: &str = "AGENCY";

/// A line of white text on a darkened band along the lower edge, as papers write it.
#[must_use]
pub fn captioned(picture: &RgbImage) -> RgbImage {
    let mut picture = picture.clone();
    let scale = fitting(picture.width() * 9 / 10, CAPTION);
    let band = (LETTER_HEIGHT + 6) * scale;
    let top = picture.height().saturating_sub(band);
    for y in top..picture.height() {
        for x in 0..picture.width() {
            darken(&mut picture, x, y);
        }
    }
    let left = picture.width().saturating_sub(width_of(CAPTION, scale)) / 2;
    write(&mut picture, CAPTION, (left, top + 3 * scale), scale, WHITE);
    picture
}

/// The date in the lower right corner, as cameras and telephones write it.
#[must_use]
pub fn date_stamped(picture: &RgbImage) -> RgbImage {
    let mut picture = picture.clone();
    let scale = fitting(picture.width() / 4, DATE);
    let margin = 3 * scale;
    let place = (
        picture
            .width()
            .saturating_sub(width_of(DATE, scale) + margin),
        picture
            .height()
            .saturating_sub(LETTER_HEIGHT * scale + margin),
    );
    write(&mut picture, DATE, place, scale, AMBER);
    picture
}

/// A disc with a name beside it in the upper left corner, as broadcasters put it.
#[must_use]
pub fn branded(picture: &RgbImage) -> RgbImage {
    let mut picture = picture.clone();
    let scale = fitting(picture.width() / 8, LOGO);
    let radius = LETTER_HEIGHT * scale;
    let centre = 2 * radius;
    disc(&mut picture, centre, radius);
    let place = (
        centre + radius + LETTER_STEP * scale / 2,
        centre.saturating_sub(radius / 2),
    );
    write(&mut picture, LOGO, place, scale, WHITE);
    picture
}

/// The largest size of a dot at which `text` is not wider than `width`, and at least one pixel.
fn fitting(width: u32, text: &str) -> u32 {
    (width / width_of(text, 1).max(1)).max(1)
}

/// Half as light, as a translucent band makes it.
fn darken(picture: &mut RgbImage, x: u32, y: u32) {
    for level in &mut picture.get_pixel_mut(x, y).0 {
        *level /= 2;
    }
}

fn disc(picture: &mut RgbImage, centre: u32, radius: u32) {
    let end = centre + radius;
    for y in 0..end.min(picture.height()) {
        for x in 0..end.min(picture.width()) {
            let (dx, dy) = (x.abs_diff(centre), y.abs_diff(centre));
            if dx * dx + dy * dy < radius * radius {
                picture.put_pixel(x, y, Rgb([190, 20, 30]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey() -> RgbImage {
        RgbImage::from_pixel(640, 480, Rgb([100, 100, 100]))
    }

    fn changed(picture: &RgbImage) -> f64 {
        let count = picture
            .pixels()
            .filter(|pixel| pixel.0 != [100, 100, 100])
            .count();
        count as f64 / (640.0 * 480.0)
    }

    #[test]
    fn overlays_change_a_small_part() {
        let caption = changed(&captioned(&grey()));
        assert!((0.02..0.10).contains(&caption), "{caption}");
        let date = changed(&date_stamped(&grey()));
        assert!((0.0005..0.01).contains(&date), "{date}");
        let logo = changed(&branded(&grey()));
        assert!((0.0005..0.02).contains(&logo), "{logo}");
    }

    #[test]
    fn tiny_pictures_are_written_on_too() {
        for overlay in [captioned, date_stamped, branded] {
            assert_eq!(overlay(&RgbImage::new(3, 2)).dimensions(), (3, 2));
        }
    }
}
