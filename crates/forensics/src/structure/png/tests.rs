use proptest::prelude::*;

use super::*;
use crate::samples::{self, chunk, text_chunk, with_chunks};

fn look(bytes: &[u8], limits: &Limits) -> (PngLayout, Structure) {
    let mut structure = Structure::default();
    let layout = walk(bytes, limits, &mut structure).expect("has a header");
    (layout, structure)
}

fn has_fact(structure: &Structure, fact: &str) -> bool {
    structure.facts.iter().any(|known| known.fact == fact)
}

#[test]
fn chunks_are_read_in_order() {
    let png = with_chunks(
        &samples::png(),
        &[text_chunk("Title", "x"), text_chunk("Author", "y")],
    );
    let (layout, structure) = look(&png, &Limits::default());
    assert_eq!((layout.bit_depth, layout.colour_type), (8, 2));
    assert_eq!(layout.chunk_order, "IHDR tEXt IDAT IEND");
    assert_eq!(layout.bad_checksums, 0);
    assert!(!layout.truncated && !layout.interlaced && !layout.animated);
    assert_eq!(structure.blocks.len(), 2);
    assert_eq!(structure.blocks[1].slice(&png), b"Author\0y");
    assert!(structure.facts.is_empty());
}

#[test]
fn wrong_checksum_is_a_fact() {
    let mut text = text_chunk("Title", "x");
    *text.last_mut().expect("not empty") ^= 1;
    let (layout, structure) = look(&with_chunks(&samples::png(), &[text]), &Limits::default());
    assert_eq!(layout.bad_checksums, 1);
    let fact = &structure.facts[0];
    assert_eq!(
        fact.detail,
        "1 chunks with a wrong checksum, the first is tEXt"
    );
}

#[test]
fn cut_file_and_trailing_bytes_are_told() {
    let png = samples::png();
    let (layout, structure) = look(&png[..png.len() - 5], &Limits::default());
    assert!(layout.truncated && has_fact(&structure, "truncated"));
    let longer = [png, b"more".to_vec()].concat();
    let (layout, structure) = look(&longer, &Limits::default());
    assert_eq!(layout.trailing_bytes, 4);
    assert!(has_fact(&structure, "trailing_data"));
}

#[test]
fn chunks_are_bounded() {
    let limits = Limits {
        chunks_max: 10,
        ..Limits::default()
    };
    let plain = look(&samples::png(), &Limits::default()).0.chunks as usize;
    let hits = |n: usize| {
        let png = with_chunks(&samples::png(), &vec![text_chunk("a", "b"); n - plain]);
        look(&png, &limits).1.limits.len()
    };
    assert_eq!(hits(10), 0);
    assert_eq!(hits(11), 1);
}

#[test]
fn credentials_and_animation_are_told() {
    let png = with_chunks(
        &samples::png(),
        &[chunk(b"caBX", b"jumb"), chunk(b"acTL", &[0; 8])],
    );
    let (layout, structure) = look(&png, &Limits::default());
    assert!(layout.animated);
    assert!(has_fact(&structure, "jumbf") && has_fact(&structure, "animated"));
}

#[test]
fn file_without_a_header_is_refused() {
    let signature = b"\x89PNG\r\n\x1a\n".as_slice();
    for body in [
        Vec::new(),
        chunk(b"IDAT", b"x"),
        chunk(b"IHDR", &[0; 12]),
        chunk(b"IHDR", &[0; 13]),
    ] {
        let mut structure = Structure::default();
        let refusal = walk(
            &[signature, &body].concat(),
            &Limits::default(),
            &mut structure,
        );
        assert_eq!(refusal.expect_err("no header").class(), "corrupt_media");
    }
}

proptest! {
    #[test]
    fn no_mutation_makes_it_panic(
        cut in 0usize..400,
        changes in prop::collection::vec((0usize..400, any::<u8>()), 0..20),
    ) {
        let chunks = [text_chunk("a", "b"), samples::compressed_text_chunk("c", b"d"), chunk(b"eXIf", b"e")];
        let mut png = with_chunks(&samples::png_header(9, 9), &chunks);
        for (at, byte) in changes {
            let len = png.len();
            png[at % len] = byte;
        }
        png.truncate(cut.max(8));
        let mut structure = Structure::default();
        let _walked = walk(&png, &Limits::default(), &mut structure);
        for block in &structure.blocks {
            prop_assert!(block.offset + block.bytes <= png.len() as u64);
        }
    }
}
