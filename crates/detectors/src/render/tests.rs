use image::{ImageEncoder, Rgb, RgbImage};
use proptest::prelude::*;

use super::*;

fn rendition(variant: Variant, form: Form) -> Rendition {
    Rendition { variant, form }
}

fn pixels(width: u32, height: u32, fit: Fit) -> Form {
    Form::Pixels { width, height, fit }
}

/// Left half black, right half white.
fn halves(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| {
        Rgb([if x < width / 2 { 0 } else { 255 }; 3])
    })
}

fn png(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    picture
        .write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)
        .unwrap();
    bytes
}

/// A JPEG whose EXIF asks for a quarter turn clockwise (orientation 6).
fn turned_jpeg(picture: &RgbImage) -> Vec<u8> {
    let mut exif = b"II*\0\x08\0\0\0\x01\0".to_vec();
    exif.extend([0x12, 0x01, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0]);
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
    encoder.set_exif_metadata(exif).unwrap();
    picture.write_with_encoder(encoder).unwrap();
    bytes
}

fn file(rendered: Rendered) -> RgbImage {
    let Rendered::File(bytes) = rendered else {
        panic!("{rendered:?}");
    };
    image::load_from_memory_with_format(&bytes, ImageFormat::Jpeg)
        .unwrap()
        .into_rgb8()
}

fn samples(rendered: Rendered) -> Pixels {
    let Rendered::Pixels(pixels) = rendered else {
        panic!("{rendered:?}");
    };
    pixels
}

#[test]
fn a_variant_is_a_jpeg_of_its_size() {
    let bytes = png(&halves(101, 8));
    let limits = Limits::default();
    for (variant, size) in [(Variant::SavedAgain, (101, 8)), (Variant::Smaller, (75, 6))] {
        let made = render(&bytes, rendition(variant, Form::File), &limits).unwrap();
        assert_eq!(file(made).dimensions(), size, "{variant:?}");
    }
}

#[test]
fn the_smallest_picture_has_variants_too() {
    let bytes = png(&halves(1, 1));
    for variant in Variant::CHANGED {
        let made = render(&bytes, rendition(variant, Form::File), &Limits::default()).unwrap();
        assert_eq!(file(made).dimensions(), (1, 1));
    }
}

#[test]
fn a_picture_is_cropped_or_stretched_to_fit() {
    let picture = RgbImage::from_fn(12, 4, |x, _| Rgb([if x < 2 { 0 } else { 255 }; 3]));
    let bytes = png(&picture);
    let of = |fit| {
        let made = render(
            &bytes,
            rendition(Variant::Original, pixels(2, 2, fit)),
            &Limits::default(),
        );
        samples(made.unwrap()).rgb().to_vec()
    };
    // The middle is all white; of the whole, a sixth is black.
    assert_eq!(of(Fit::Crop), [255; 12]);
    assert!(of(Fit::Stretch).iter().any(|sample| *sample < 220));
}

#[test]
fn a_picture_is_turned_as_it_wants_to_be() {
    let bytes = turned_jpeg(&halves(16, 8));
    let made = render(
        &bytes,
        rendition(Variant::SavedAgain, Form::File),
        &Limits::default(),
    );
    let turned = file(made.unwrap());
    assert_eq!(turned.dimensions(), (8, 16));
    assert!(turned.get_pixel(4, 1)[0] < 60 && turned.get_pixel(4, 14)[0] > 195);
}

#[test]
fn what_cannot_be_decoded_says_so() {
    let limits = Limits {
        side_pixels_max: 100,
        ..Limits::default()
    };
    let whole = rendition(Variant::SavedAgain, Form::File);
    for bytes in [
        png(&halves(101, 1)),
        b"just some words".to_vec(),
        Vec::new(),
    ] {
        let made = render(&bytes, whole, &limits);
        assert!(matches!(made, Err(RenderError::Undecodable(_))), "{made:?}");
    }
    assert!(render(&png(&halves(100, 1)), whole, &limits).is_ok());
}

#[test]
fn what_is_made_comes_through_text() {
    let bytes = png(&halves(4, 4));
    for form in [Form::File, pixels(2, 2, Fit::Stretch)] {
        let made = render(
            &bytes,
            rendition(Variant::SavedAgain, form),
            &Limits::default(),
        )
        .unwrap();
        let text = serde_json::to_string(&made).unwrap();
        assert_eq!(serde_json::from_str::<Rendered>(&text).unwrap(), made);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_bytes_make_it_panic(tail in proptest::collection::vec(any::<u8>(), 0..200), cut in 0_usize..400) {
        let mut bytes = png(&halves(9, 9));
        bytes.truncate(cut);
        bytes.extend(&tail);
        for variant in Variant::CHANGED {
            drop(render(&bytes, rendition(variant, pixels(3, 3, Fit::Crop)), &Limits::default()));
        }
    }
}
