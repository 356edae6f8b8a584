use proptest::prelude::*;

use super::*;
use crate::samples;

fn riff(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    samples::riff(b"WEBP", chunks)
}

fn look(bytes: &[u8], limits: &Limits) -> (WebpLayout, Structure) {
    let mut structure = Structure::default();
    let layout = walk(bytes, limits, &mut structure).expect("has a chunk");
    (layout, structure)
}

#[test]
fn metadata_chunks_are_located() {
    let file = riff(&[
        (b"VP8X", &[0; 10]),
        (b"EXIF", b"Exif\0\0II\x2a\0x"),
        (b"XMP ", b"<x/>"),
    ]);
    let (layout, structure) = look(&file, &Limits::default());
    assert_eq!(layout.chunk_order, "VP8X EXIF XMP");
    assert_eq!(structure.blocks[0].slice(&file), b"II\x2a\0x");
    assert_eq!(structure.blocks[1].slice(&file), b"<x/>");
    assert!(!layout.truncated);
}

#[test]
fn ends_are_told() {
    let file = riff(&[(b"VP8 ", &[1; 20])]);
    let longer = [file, b"rest".to_vec()].concat();
    assert_eq!(look(&longer, &Limits::default()).0.trailing_bytes, 4);
    let (layout, _) = look(
        &riff(&[(b"VP8 ", &[1; 20]), (b"XMP ", b"<x/>")])[..44],
        &Limits::default(),
    );
    assert!(layout.truncated);
    let forged = [b"RIFF\xff\xff\xff\xffWEBPVP8 ".as_slice(), &[0xff; 4]].concat();
    let refusal = walk(&forged, &Limits::default(), &mut Structure::default());
    assert_eq!(refusal.expect_err("no chunk").class(), "corrupt_media");
}

#[test]
fn chunks_are_bounded() {
    let limits = Limits {
        chunks_max: 3,
        ..Limits::default()
    };
    let hits = |n: usize| {
        look(&riff(&vec![(b"JUNK", b"x".as_slice()); n]), &limits)
            .1
            .limits
            .len()
    };
    assert_eq!(hits(3), 0);
    assert_eq!(hits(4), 1);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(body in prop::collection::vec(prop_oneof![0u8..8, any::<u8>()], 0..120)) {
        let bytes = [b"RIFF".as_slice(), &body].concat();
        let _walked = walk(&bytes, &Limits::default(), &mut Structure::default());
    }
}
