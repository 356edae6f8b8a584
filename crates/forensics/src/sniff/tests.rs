use proptest::prelude::*;

use super::*;
use crate::samples;

fn named(name: &str) -> Hints {
    Hints {
        file_name: Some(name.to_owned()),
        declared_mime: None,
    }
}

fn look(bytes: &[u8], hints: &Hints) -> Result<Sniff, Refusal> {
    sniff(bytes, hints, &Limits::default())
}

#[test]
fn formats_are_known_by_their_bytes() {
    let mp4 = |brand: &[u8]| [b"\0\0\0\x14ftyp".as_slice(), brand, b"\0\0\0\0mif1"].concat();
    let table: [(&[u8], Format); 22] = [
        (&samples::jpeg(90), Format::Jpeg),
        (&samples::png(), Format::Png),
        (b"GIF89a\x01\0\x01\0", Format::Gif),
        (b"RIFF\x04\0\0\0WEBPVP8 ", Format::Webp),
        (b"RIFF\x04\0\0\0WAVEfmt ", Format::Wav),
        (b"RIFF\x04\0\0\0AVI LIST", Format::Avi),
        (b"II\x2a\0\x08\0\0\0", Format::Tiff),
        (b"MM\0\x2a\0\0\0\x08", Format::Tiff),
        (b"BM\0\0\0\0\0\0\0\0\0\0\0\0\x28\0\0\0", Format::Bmp),
        (&mp4(b"heic"), Format::Heif),
        (&mp4(b"avif"), Format::Avif),
        (b"\0\0\0\x14ftypisom\0\0\0\0mp42", Format::Mp4),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", Format::Mov),
        (b"\0\0\0\x14ftypM4A \0\0\0\0isom", Format::M4a),
        (b"ID3\x04\0\0", Format::Mp3),
        (b"\xff\xfb\x90\x64", Format::Mp3),
        (b"fLaC\0\0\0\x22", Format::Flac),
        (b"OggS\0\x02", Format::Ogg),
        (b"%PDF-1.7\n", Format::Pdf),
        (b"PK\x03\x04\x14\0", Format::Zip),
        ("Grüße\r\n".as_bytes(), Format::Text),
        (b"\x01\x02\x03", Format::Unknown),
    ];
    for (bytes, format) in table {
        assert_eq!(detect(bytes), format, "{}", bytes[..3].escape_ascii());
    }
}

#[test]
fn words_are_not_mistaken_for_media() {
    assert_eq!(detect(b"BMW is a car maker\n"), Format::Text);
    assert_eq!(detect(b"RIFF raff"), Format::Text);
    assert_eq!(detect(b"\xff\xfe\0\0"), Format::Unknown);
    assert_eq!(detect(b"a file that begins with %PDF-1.7\n"), Format::Text);
    assert_eq!(detect(b"\0\0%PDF-1.7\n"), Format::Pdf);
    // A character that the look-ahead cuts in two.
    let long = "é".repeat(40_000);
    assert_eq!(detect(format!("x{long}").as_bytes()), Format::Text);
}

#[test]
fn empty_input_is_refused() {
    assert_eq!(look(b"", &Hints::default()), Err(Refusal::EmptyInput));
}

#[test]
fn mislabelled_file_is_a_fact() {
    let facts = look(b"just words\n", &named("holiday.JPG"))
        .expect("within limits")
        .facts;
    assert_eq!(facts.len(), 1);
    assert_eq!(facts[0].fact, "mislabelled");
    assert_eq!(
        facts[0].detail,
        "the name ends in .JPG, the bytes are text/plain"
    );
    let png = samples::png();
    let hints = Hints {
        file_name: Some("a.png".to_owned()),
        declared_mime: Some("image/jpeg".to_owned()),
    };
    let facts = look(&png, &hints).expect("within limits").facts;
    assert_eq!(
        facts[0].detail,
        "the declared type is image/jpeg, the bytes are image/png"
    );
}

#[test]
fn right_or_unknown_labels_are_no_fact() {
    let png = samples::png();
    for name in ["a.png", "a", "a.b.PNG", "a.unknown", "."] {
        assert!(
            look(&png, &named(name))
                .expect("within limits")
                .facts
                .is_empty(),
            "{name}"
        );
    }
    let hints = Hints {
        file_name: None,
        declared_mime: Some("application/octet-stream".to_owned()),
    };
    assert!(look(&png, &hints).expect("within limits").facts.is_empty());
}

#[test]
fn sizes_are_read_from_headers() {
    let size = |bytes: &[u8]| look(bytes, &Hints::default()).expect("within limits").size;
    let expected = Some(Size {
        width: 96,
        height: 64,
    });
    assert_eq!(size(&samples::jpeg(90)), expected);
    assert_eq!(size(&samples::png()), expected);
    assert_eq!(size(b"GIF89a\x60\0\x40\0"), expected);
    let mut bmp = b"BM\0\0\0\0\0\0\0\0\0\0\0\0\x28\0\0\0\x60\0\0\0".to_vec();
    bmp.extend((-64i32).to_le_bytes());
    assert_eq!(size(&bmp), expected);
    let lossy = b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01\x2a\x60\0\x40\0";
    assert_eq!(size(lossy), expected);
    let extended = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x5f\0\0\x3f\0\0";
    assert_eq!(size(extended), expected);
    // 95 and 63 in 14 bits each.
    let lossless = b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f\x5f\xc0\x0f\0";
    assert_eq!(size(lossless), expected);
    let tiff = samples::tiff(&[
        samples::Field::Short(0x100, 96),
        samples::Field::Long(0x101, 64),
    ]);
    assert_eq!(size(&tiff), expected);
}

#[test]
fn giant_header_is_refused_with_one_sentence() {
    let refusal = look(&samples::png_header(60_000, 60_000), &Hints::default());
    let refusal = refusal.expect_err("beyond limits");
    assert_eq!(refusal.class(), "limit_pixels");
    assert_eq!(
        refusal.to_string(),
        "decode picture of 60000 x 60000 pixels: at most 64000000 pixels and 20000 along a side are \
         allowed; send a smaller picture"
    );
}

#[test]
fn bounds_hold_at_n_and_not_at_one_more() {
    let png = samples::png_header(8_000, 8_000);
    let check = |limits: Limits| sniff(&png, &Hints::default(), &limits).map_err(|r| r.class());
    let plain = Limits::default();
    let len = png.len() as u64;
    assert!(check(plain.clone()).is_ok());
    let table = [
        (
            Limits {
                pixels_max: 64_000_000,
                ..plain.clone()
            },
            None,
        ),
        (
            Limits {
                pixels_max: 63_999_999,
                ..plain.clone()
            },
            Some("limit_pixels"),
        ),
        (
            Limits {
                side_pixels_max: 8_000,
                ..plain.clone()
            },
            None,
        ),
        (
            Limits {
                side_pixels_max: 7_999,
                ..plain.clone()
            },
            Some("limit_pixels"),
        ),
        (
            Limits {
                image_bytes_max: len,
                ..plain.clone()
            },
            None,
        ),
        (
            Limits {
                image_bytes_max: len - 1,
                ..plain
            },
            Some("limit_bytes"),
        ),
    ];
    for (limits, class) in table {
        assert_eq!(check(limits).err(), class);
    }
}

#[test]
fn each_kind_has_its_own_bound_on_bytes() {
    let limits = Limits {
        image_bytes_max: 1,
        audio_bytes_max: 2,
        document_bytes_max: 3,
        video_bytes_max: 4,
        ..Limits::default()
    };
    let max = |bytes: &[u8]| limits.bytes_max(detect(bytes).kind());
    assert_eq!(max(b"GIF89a"), 1);
    assert_eq!(max(b"OggS"), 2);
    assert_eq!(max(b"%PDF-"), 3);
    assert_eq!(max(b"text"), 3);
    assert_eq!(max(b"\x1a\x45\xdf\xa3"), 4);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        start in prop::sample::select(vec![
            b"RIFF\0\0\0\0WEBPVP8X".to_vec(), b"\0\0\0\x20ftyp".to_vec(), b"BM".to_vec(),
            b"II\x2a\0".to_vec(), b"\xff\xd8\xff".to_vec(), b"GIF89a".to_vec(), Vec::new(),
        ]),
        rest in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let bytes = [start, rest].concat();
        let _looked = look(&bytes, &Hints::default());
    }
}
