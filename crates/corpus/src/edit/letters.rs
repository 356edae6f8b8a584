//! Letters of five by seven dots, enough for captions and dates.

use image::{Rgb, RgbImage};

/// Dots across a letter.
pub const LETTER_WIDTH: u32 = 5;
/// Dots down a letter.
pub const LETTER_HEIGHT: u32 = 7;
/// Dots from one letter to the next.
pub const LETTER_STEP: u32 = 6;

/// Rows from the top; the leftmost dot is the highest of five bits.
type Glyph = [u8; 7];

const LETTERS: [Glyph; 26] = [
    [0x0e, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11],
    [0x1e, 0x11, 0x11, 0x1e, 0x11, 0x11, 0x1e],
    [0x0e, 0x11, 0x10, 0x10, 0x10, 0x11, 0x0e],
    [0x1e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x1e],
    [0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x1f],
    [0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x10],
    [0x0e, 0x11, 0x10, 0x17, 0x11, 0x11, 0x0f],
    [0x11, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11],
    [0x0e, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0e],
    [0x07, 0x02, 0x02, 0x02, 0x02, 0x12, 0x0c],
    [0x11, 0x12, 0x14, 0x18, 0x14, 0x12, 0x11],
    [0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x1f],
    [0x11, 0x1b, 0x15, 0x15, 0x11, 0x11, 0x11],
    [0x11, 0x19, 0x15, 0x15, 0x13, 0x11, 0x11],
    [0x0e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e],
    [0x1e, 0x11, 0x11, 0x1e, 0x10, 0x10, 0x10],
    [0x0e, 0x11, 0x11, 0x11, 0x15, 0x12, 0x0d],
    [0x1e, 0x11, 0x11, 0x1e, 0x14, 0x12, 0x11],
    [0x0f, 0x10, 0x10, 0x0e, 0x01, 0x01, 0x1e],
    [0x1f, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04],
    [0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e],
    [0x11, 0x11, 0x11, 0x11, 0x11, 0x0a, 0x04],
    [0x11, 0x11, 0x11, 0x15, 0x15, 0x1b, 0x11],
    [0x11, 0x11, 0x0a, 0x04, 0x0a, 0x11, 0x11],
    [0x11, 0x11, 0x0a, 0x04, 0x04, 0x04, 0x04],
    [0x1f, 0x01, 0x02, 0x04, 0x08, 0x10, 0x1f],
];

const DIGITS: [Glyph; 10] = [
    [0x0e, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0e],
    [0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e],
    [0x0e, 0x11, 0x01, 0x06, 0x08, 0x10, 0x1f],
    [0x0e, 0x11, 0x01, 0x06, 0x01, 0x11, 0x0e],
    [0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02],
    [0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e],
    [0x06, 0x08, 0x10, 0x1e, 0x11, 0x11, 0x0e],
    [0x1f, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08],
    [0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e],
    [0x0e, 0x11, 0x11, 0x0f, 0x01, 0x02, 0x0c],
];

const COLON: Glyph = [0x00, 0x04, 0x04, 0x00, 0x04, 0x04, 0x00];
const STOP: Glyph = [0x00, 0x00, 0x00, 0x00, 0x00, 0x0c, 0x0c];
const HYPHEN: Glyph = [0x00, 0x00, 0x00, 0x1f, 0x00, 0x00, 0x00];
const BLANK: Glyph = [0; 7];

/// Pixels that `text` takes from left to right, at `scale` pixels a dot.
#[must_use]
pub fn width_of(text: &str, scale: u32) -> u32 {
    let letters = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    letters.saturating_mul(LETTER_STEP).saturating_mul(scale)
}

/// Writes `text` with its upper left corner at `(x, y)`, `scale` pixels a dot. Letters become capitals, other signs than
/// `:`, `.` and `-` blanks; what reaches over an edge is lost.
pub fn write(picture: &mut RgbImage, text: &str, place: (u32, u32), scale: u32, colour: Rgb<u8>) {
    let mut x = place.0;
    for letter in text.chars() {
        draw(picture, glyph(letter), (x, place.1), scale, colour);
        x = x.saturating_add(LETTER_STEP * scale);
    }
}

fn glyph(letter: char) -> Glyph {
    let letter = letter.to_ascii_uppercase();
    let at = |first: char| usize::try_from(u32::from(letter) - u32::from(first)).unwrap_or(0);
    match letter {
        'A'..='Z' => LETTERS.get(at('A')).copied().unwrap_or(BLANK),
        '0'..='9' => DIGITS.get(at('0')).copied().unwrap_or(BLANK),
        ':' => COLON,
        '.' => STOP,
        '-' => HYPHEN,
        _ => BLANK,
    }
}

fn draw(picture: &mut RgbImage, glyph: Glyph, place: (u32, u32), scale: u32, colour: Rgb<u8>) {
    for (row, dots) in (0..LETTER_HEIGHT).zip(glyph) {
        let set = (0..LETTER_WIDTH).filter(|column| dots >> (LETTER_WIDTH - 1 - column) & 1 == 1);
        for column in set {
            let (x, y) = (place.0 + column * scale, place.1 + row * scale);
            dot(picture, x, y, scale, colour);
        }
    }
}

fn dot(picture: &mut RgbImage, x: u32, y: u32, scale: u32, colour: Rgb<u8>) {
    for y in y..(y + scale).min(picture.height()) {
        for x in x..(x + scale).min(picture.width()) {
            picture.put_pixel(x, y, colour);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INK: Rgb<u8> = Rgb([255, 0, 0]);

    fn written(text: &str, scale: u32) -> String {
        let mut picture = RgbImage::new(width_of(text, scale), LETTER_HEIGHT * scale);
        write(&mut picture, text, (0, 0), scale, INK);
        let sign = |(x, _, pixel): (u32, u32, &Rgb<u8>)| {
            let end = if x + 1 == picture.width() { "\n" } else { "" };
            format!("{}{end}", if *pixel == INK { '#' } else { ' ' })
        };
        picture.enumerate_pixels().map(sign).collect()
    }

    #[test]
    fn letters_look_like_letters() {
        let expected = [
            "  #   ##### ",
            " ##       # ",
            "  #      #  ",
            "  #     #   ",
            "  #    #    ",
            "  #    #    ",
            " ###   #    ",
        ];
        assert_eq!(written("17", 1).lines().collect::<Vec<_>>(), expected);
        assert_eq!(written("a", 1), written("A", 1));
        assert!(written("?", 1).trim().is_empty());
    }

    #[test]
    fn a_dot_becomes_as_large_as_asked_for() {
        let ink = |scale| written("X", scale).matches('#').count();
        assert_eq!(ink(3), 9 * ink(1));
    }

    #[test]
    fn what_reaches_over_an_edge_is_lost() {
        let mut picture = RgbImage::new(4, 4);
        write(&mut picture, "MMM", (2, 2), 2, INK);
        assert!(picture.pixels().any(|pixel| *pixel == INK));
    }
}
