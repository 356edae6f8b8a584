use proptest::prelude::*;

use super::*;
use crate::samples::{info_list, list, riff};

fn header() -> Vec<u8> {
    let mut avih = vec![0; 56];
    avih[16..20].copy_from_slice(&250_u32.to_le_bytes());
    avih[32..36].copy_from_slice(&640_u32.to_le_bytes());
    avih[36..40].copy_from_slice(&480_u32.to_le_bytes());
    let stream = list(b"strl", &[(b"strh", b"vidsMJPG\0\0\0\0")]);
    list(b"hdrl", &[(b"avih", &avih), (b"LIST", &stream)])
}

fn look(bytes: &[u8]) -> (AviLayout, Structure) {
    let mut structure = Structure::default();
    let layout = walk(bytes, &Limits::default(), &mut structure).expect("has a chunk");
    (layout, structure)
}

#[test]
fn header_streams_and_writer_are_read() {
    let file = riff(
        b"AVI ",
        &[
            (b"LIST", &header()),
            (b"LIST", &info_list(&[(b"ISFT", "Lavf58.29.100")])),
            (b"LIST", &list(b"movi", &[(b"00dc", &[7; 9])])),
            (b"idx1", &[0; 16]),
        ],
    );
    let (layout, structure) = look(&file);
    assert_eq!(layout.chunk_order, "hdrl INFO movi idx1");
    assert_eq!(layout.streams, ["vids MJPG"]);
    assert_eq!(layout.frames, 250);
    let size = layout.size.expect("declared");
    assert_eq!((size.width, size.height), (640, 480));
    assert_eq!(structure.tags[0].value, "Lavf58.29.100");
    assert!(structure.facts.is_empty(), "{:?}", structure.facts);
}

#[test]
fn parts_of_a_large_file_are_no_trailing_data() {
    let first = riff(b"AVI ", &[(b"LIST", &header())]);
    let part = riff(b"AVIX", &[(b"LIST", &list(b"movi", &[(b"00dc", &[7; 8])]))]);
    let (layout, structure) = look(&[first.as_slice(), &part, &part].concat());
    assert_eq!((layout.parts, layout.trailing_bytes), (2, 0));
    assert!(structure.facts.is_empty());
    let cut = [first.as_slice(), &part[..part.len() - 3]].concat();
    assert!(look(&cut).0.truncated);
    let more = [first.as_slice(), &part, b"\xff\xd8\xff\xe0"].concat();
    let (layout, structure) = look(&more);
    assert_eq!(layout.trailing_bytes, 4);
    assert!(structure.facts[0].detail.ends_with("image/jpeg"));
}

#[test]
fn streams_and_names_are_bounded() {
    let found = |n: usize| {
        let streams = vec![(b"strh", b"vidsMJPG".as_slice()); n];
        let (layout, _) = look(&riff(b"AVI ", &streams));
        (layout.streams.len(), layout.chunk_order.split(' ').count())
    };
    assert_eq!((found(16), found(17)), ((16, 16), (16, 17)));
    assert_eq!((found(64).1, found(65).1), (64, 64));
}

#[test]
fn lists_are_not_followed_without_end() {
    let mut nested = list(b"hdrl", &[(b"strh", b"vidsMJPG")]);
    for _ in 0..1_000 {
        nested = list(b"hdrl", &[(b"LIST", &nested)]);
    }
    let (layout, _) = look(&riff(b"AVI ", &[(b"LIST", &nested)]));
    assert!(layout.streams.is_empty());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(body in prop::collection::vec(prop_oneof![0u8..8, any::<u8>()], 0..120)) {
        let bytes = [b"RIFF\x40\0\0\0AVI LIST\x30\0\0\0hdrl".as_slice(), &body].concat();
        let _walked = walk(&bytes, &Limits::default(), &mut Structure::default());
    }
}
