//! The crate as its callers see it: real media, signed in memory, then left alone, changed or damaged.
//!
//! Expected results follow the published ones for the C2PA's own sample files of the same making.

mod damage;
mod hostile;
mod standing;
mod statements;

use image::{ImageFormat, Rgb, RgbImage};

use crate::test_signer::{Declaration, Media, TestAuthority};
use crate::{Report, TrustLists, inspect};

fn picture() -> RgbImage {
    RgbImage::from_fn(96, 64, |x, y| {
        let noise = (x * 7919 + y * 104_729) % 41;
        Rgb([x * 2 + noise, y * 3 + noise, (x + y) + noise]
            .map(|value| u8::try_from(value % 256).unwrap()))
    })
}

fn encoded(format: ImageFormat, mime: &str) -> Media {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture().write_to(&mut bytes, format).unwrap();
    Media {
        mime: mime.to_owned(),
        bytes: bytes.into_inner(),
    }
}

fn jpeg() -> Media {
    encoded(ImageFormat::Jpeg, "image/jpeg")
}

fn png() -> Media {
    encoded(ImageFormat::Png, "image/png")
}

fn authority() -> TestAuthority {
    TestAuthority::new("camera.test").unwrap()
}

fn signed_by(authority: &TestAuthority, media: &Media, declaration: &Declaration) -> Media {
    Media {
        mime: media.mime.clone(),
        bytes: authority.sign(media, declaration).unwrap(),
    }
}

fn inspected(media: &Media, lists: &TrustLists) -> Report {
    inspect(&media.bytes, &media.mime, lists).unwrap()
}

/// Flips one bit of the picture itself, in the middle of the file's last half, far from the credential in front.
fn with_flipped_bit(media: &Media) -> Media {
    let mut media = media.clone();
    let at = media.bytes.len() - 400;
    media.bytes[at] ^= 0x10;
    media
}

/// Writes `new` over the only places where `old` stands.
fn with_text_replaced(media: &Media, old: &str, new: &str) -> Media {
    assert_eq!(old.len(), new.len());
    let mut media = media.clone();
    let places: Vec<usize> = media
        .bytes
        .windows(old.len())
        .enumerate()
        .filter(|(_, w)| *w == old.as_bytes())
        .map(|(i, _)| i)
        .collect();
    assert!(!places.is_empty());
    for at in places {
        media.bytes[at..at + old.len()].copy_from_slice(new.as_bytes());
    }
    media
}

fn has_code(report: &Report, name: &str) -> bool {
    report.codes.iter().any(|code| code.code == name)
}
