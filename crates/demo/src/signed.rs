//! Signs a photograph, and damages it afterwards.

use assay_corpus::camera::Photograph;
use assay_corpus::jpeg;
use assay_provenance::test_signer::{Declaration, Media, TestAuthority};

use crate::material::Error;

const JPEG: &str = "image/jpeg";

/// How many places are changed.
const FLIPS: usize = 3;

/// Most places tried per flip. Almost any bit of a scan can be flipped without losing the picture.
const TRIES_MAX: usize = 64;

/// The photograph as a camera with a key of its own would hand it out.
pub(crate) fn sign(
    authority: &TestAuthority,
    photograph: &Photograph,
    title: &str,
) -> Result<Vec<u8>, Error> {
    let media = |bytes: &[u8]| Media {
        mime: JPEG.to_owned(),
        bytes: bytes.to_vec(),
    };
    let declaration = Declaration {
        title: Some(title.to_owned()),
        thumbnail: photograph.thumbnail.as_deref().map(media),
        ..Declaration::capture()
    };
    authority
        .sign(&media(&photograph.jpeg), &declaration)
        .map_err(|source| Error::Sign { source })
}

/// The same file with a few bits of the picture flipped, around its middle. Markers stay what they are, so
/// common decoders still show a picture.
pub(crate) fn alter(jpeg: &[u8]) -> Result<Vec<u8>, Error> {
    let start = jpeg::scan_start(jpeg).ok_or(Error::NothingToAlter)?;
    let middle = start + (jpeg.len() - start) / 2;
    let mut altered = jpeg.to_vec();
    for at in (middle..jpeg.len().saturating_sub(1))
        .take(TRIES_MAX * FLIPS)
        .filter(|at| may_flip(jpeg, *at))
        .take(FLIPS)
    {
        altered[at] ^= 1;
    }
    if altered == jpeg {
        return Err(Error::NothingToAlter);
    }
    Ok(altered)
}

/// Keeps clear of markers and of their escapes, and makes no new ones.
fn may_flip(jpeg: &[u8], at: usize) -> bool {
    [at - 1, at, at + 1].iter().all(|near| jpeg[*near] < 0xfe)
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};

    use super::*;

    fn picture(seed: u32) -> Vec<u8> {
        let value = |x: u32| u8::try_from(x % 256).unwrap();
        let picture = RgbImage::from_fn(64, 64, |x, y| {
            Rgb([value(x * 3 * seed), value(y * seed), value(x * y)])
        });
        jpeg::encode(&picture, 90).unwrap()
    }

    #[test]
    fn a_few_bits_of_the_scan_change_and_the_rest_stays() {
        let jpeg = picture(1);
        let altered = alter(&jpeg).unwrap();
        let changed: Vec<usize> = (0..jpeg.len())
            .filter(|at| jpeg[*at] != altered[*at])
            .collect();
        assert_eq!(changed.len(), FLIPS);
        assert!(changed[0] > jpeg::scan_start(&jpeg).unwrap());
        assert_eq!(altered.len(), jpeg.len());
    }

    #[test]
    fn altered_pictures_decode() {
        for seed in 1..40 {
            let altered = alter(&picture(seed)).unwrap();
            let decoded = image::load_from_memory(&altered);
            assert!(decoded.is_ok(), "{seed}: {:?}", decoded.err());
        }
    }

    #[test]
    fn a_file_without_a_picture_cannot_be_altered() {
        assert!(matches!(alter(b"no picture"), Err(Error::NothingToAlter)));
    }
}
