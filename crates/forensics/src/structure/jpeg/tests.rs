use proptest::prelude::*;

use super::*;
use crate::samples::{self, segment, with_segments};
use crate::structure::BlockKind;

fn look(bytes: &[u8], limits: &Limits) -> (JpegLayout, Structure) {
    let mut structure = Structure::default();
    let layout = walk(bytes, limits, &mut structure).expect("has a frame");
    (layout, structure)
}

fn layout(bytes: &[u8]) -> JpegLayout {
    look(bytes, &Limits::default()).0
}

fn has_fact(structure: &Structure, fact: &str) -> bool {
    structure.facts.iter().any(|known| known.fact == fact)
}

/// A frame header for three components, 4:2:0, without picture data.
fn frame(marker: u8) -> Vec<u8> {
    segment(
        marker,
        &[8, 0, 64, 0, 96, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1],
    )
}

fn scan() -> Vec<u8> {
    [
        segment(0xda, &[1, 1, 0, 0, 63, 0]),
        b"\x12\xff\x00\x34\xff\xd0\x56".to_vec(),
    ]
    .concat()
}

fn built(parts: &[Vec<u8>]) -> Vec<u8> {
    [b"\xff\xd8".to_vec(), parts.concat(), b"\xff\xd9".to_vec()].concat()
}

#[test]
fn structure_of_an_encoder_is_read() {
    let (layout, structure) = look(&samples::jpeg(90), &Limits::default());
    assert!(!layout.progressive && !layout.truncated);
    assert_eq!(layout.scans, 1);
    assert_eq!(layout.precision, 8);
    assert_eq!(layout.components.len(), 3);
    assert_eq!(layout.tables.len(), 2);
    assert_eq!(layout.trailing_bytes, 0);
    assert!(
        layout.marker_order.contains("DQT"),
        "{}",
        layout.marker_order
    );
    assert!(layout.huffman_digest.is_some());
    assert_eq!(layout.huffman, Some(HuffmanTables::Standard));
    assert_eq!((layout.adobe, layout.thumbnail), (None, None));
    assert!(has_fact(&structure, "ijg_tables"));
}

#[test]
fn quality_is_found_exactly() {
    for quality in [1, 10, 49, 50, 75, 90, 95, 100] {
        let found = layout(&samples::jpeg(quality)).quality.expect("has tables");
        assert!(found.exact, "quality {quality}");
        assert_eq!(found.quality, quality);
    }
}

#[test]
fn tables_of_its_own_are_told() {
    let mut jpeg = samples::jpeg(90);
    let table = jpeg
        .windows(2)
        .position(|pair| pair == [0xff, 0xdb])
        .expect("has a table");
    jpeg[table + 5] += 1;
    let (layout, structure) = look(&jpeg, &Limits::default());
    let quality = layout.quality.expect("has tables");
    assert_eq!(
        (quality.quality, quality.exact, quality.distance),
        (90, false, 1)
    );
    assert!(has_fact(&structure, "own_tables"));
}

#[test]
fn traces_of_an_editor_are_told() {
    let mut steps = vec![0];
    steps.extend([6, 4, 4, 4, 5]);
    steps.extend([8; 58]);
    steps.push(162);
    let mut huffman = vec![0x10; 17];
    huffman[1..].fill(0);
    huffman[2] = 1;
    huffman.push(0x01);
    let parts = [
        segment(0xee, b"Adobe\0\x64\0\0\0\0\0"),
        segment(0xec, b"Ducky\0\x01\0\x04\0\0\0\x3c\0\0"),
        segment(0xdb, &steps),
        frame(0xc0),
        segment(0xc4, &huffman),
        scan(),
    ];
    let (layout, structure) = look(&built(&parts), &Limits::default());
    assert_eq!(layout.ducky_quality, Some(60));
    assert_eq!(layout.huffman, Some(HuffmanTables::Own));
    for fact in [
        "own_tables",
        "photoshop_tables",
        "own_huffman_tables",
        "plain_colours",
        "ducky_quality",
    ] {
        assert!(has_fact(&structure, fact), "{fact}");
    }
}

#[test]
fn sampling_has_its_usual_name() {
    assert_eq!(
        layout(&built(&[frame(0xc0), scan()])).sampling.as_deref(),
        Some("4:2:0")
    );
}

#[test]
fn progressive_frames_are_told_from_baseline() {
    let (layout, structure) = look(&built(&[frame(0xc2), scan(), scan()]), &Limits::default());
    assert!(layout.progressive);
    assert_eq!(layout.scans, 2);
    assert!(has_fact(&structure, "progressive"));
}

#[test]
fn scans_are_bounded() {
    let hits = |n: usize| {
        let parts = [vec![frame(0xc2)], vec![scan(); n]].concat();
        look(&built(&parts), &Limits::default()).1.limits.len()
    };
    assert_eq!(hits(64), 0);
    assert_eq!(hits(65), 1);
    assert_eq!(hits(1_000), 1);
}

#[test]
fn markers_are_bounded() {
    let limits = Limits {
        jpeg_markers_max: 5,
        ..Limits::default()
    };
    let hits = |n: usize| {
        let parts = [vec![frame(0xc0)], vec![segment(0xdd, &[0, 0]); n]].concat();
        look(&built(&parts), &limits).1.limits.len()
    };
    assert_eq!(hits(4), 0);
    assert_eq!(hits(5), 1);
}

#[test]
fn metadata_segments_are_located() {
    let segments = [
        samples::exif_segment(b"II\x2a\0"),
        samples::xmp_segment("<x/>"),
        segment(0xe2, b"ICC_PROFILE\0\x01\x01profile"),
        segment(0xed, b"Photoshop 3.0\08BIM"),
        segment(0xec, b"Ducky\0\x01"),
        segment(0xee, b"Adobe\0\x64\0\0\0\0\x01"),
        segment(0xfe, b"a comment"),
    ];
    let jpeg = with_segments(&samples::jpeg(90), &segments);
    let (layout, structure) = look(&jpeg, &Limits::default());
    let found: Vec<(BlockKind, &[u8])> = structure
        .blocks
        .iter()
        .map(|block| (block.kind, block.slice(&jpeg)))
        .collect();
    assert_eq!(
        found,
        [
            (BlockKind::Exif, b"II\x2a\0".as_slice()),
            (BlockKind::Xmp, b"<x/>"),
            (BlockKind::Icc, b"\x01\x01profile"),
            (BlockKind::Photoshop, b"8BIM"),
            (BlockKind::Comment, b"a comment"),
        ]
    );
    for fact in ["photoshop_segment", "ducky_segment", "adobe_segment"] {
        assert!(has_fact(&structure, fact), "{fact}");
    }
    assert_eq!(layout.applications[0], "APP1 Exif");
    assert_eq!(layout.adobe, Some(AdobeColours::Ycc));
}

#[test]
fn cut_file_is_truncated_and_keeps_what_came_before() {
    let jpeg = samples::jpeg(90);
    let (layout, structure) = look(&jpeg[..jpeg.len() - 40], &Limits::default());
    assert!(layout.truncated);
    assert!(has_fact(&structure, "truncated"));
    assert_eq!(layout.components.len(), 3);
}

#[test]
fn bytes_after_the_end_are_told() {
    let jpeg = [samples::jpeg(90), vec![0; 10]].concat();
    let (layout, structure) = look(&jpeg, &Limits::default());
    assert_eq!(layout.trailing_bytes, 10);
    assert!(has_fact(&structure, "trailing_data"));
}

#[test]
fn stray_bytes_and_filling_are_survived() {
    let parts = [
        b"\xff\xff\xff".to_vec(),
        frame(0xc0),
        b"junk".to_vec(),
        scan(),
    ];
    let (layout, structure) = look(&built(&parts), &Limits::default());
    assert_eq!(layout.scans, 1);
    assert!(has_fact(&structure, "stray_bytes"));
}

#[test]
fn header_without_a_frame_is_refused() {
    let mut structure = Structure::default();
    let refusal = walk(
        b"\xff\xd8\xff\xe0garbage",
        &Limits::default(),
        &mut structure,
    );
    let refusal = refusal.expect_err("no frame");
    assert_eq!(refusal.class(), "corrupt_media");
    assert_eq!(
        refusal.to_string(),
        "read image/jpeg: there is no frame header behind the first bytes; the file is damaged, send \
         an intact copy"
    );
}

#[test]
fn largest_of_several_frames_counts_for_the_limits() {
    let mut large = frame(0xc0);
    large[5..9].copy_from_slice(&[0xff, 0xff, 0xff, 0xff]);
    let size = declared_size(&built(&[frame(0xc0), large, scan()]), &Limits::default());
    assert_eq!(
        size,
        Some(Size {
            width: 65_535,
            height: 65_535
        })
    );
}

proptest! {
    #[test]
    fn no_mutation_makes_it_panic(
        cut in 0usize..4_000,
        changes in prop::collection::vec((0usize..4_000, any::<u8>()), 0..20),
    ) {
        let mut jpeg = with_segments(
            &samples::jpeg(60),
            &[samples::xmp_segment("<x/>"), segment(0xfe, b"c")],
        );
        for (at, byte) in changes {
            let len = jpeg.len();
            jpeg[at % len] = byte;
        }
        jpeg.truncate(cut.max(3));
        let mut structure = Structure::default();
        let _walked = walk(&jpeg, &Limits::default(), &mut structure);
        for block in &structure.blocks {
            prop_assert!(block.offset + block.bytes <= jpeg.len() as u64);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(
        body in prop::collection::vec(prop_oneof![Just(0xffu8), 0xc0u8..=0xff, any::<u8>()], 0..300),
    ) {
        let mut structure = Structure::default();
        let bytes = [b"\xff\xd8\xff".as_slice(), &body].concat();
        let _walked = walk(&bytes, &Limits::default(), &mut structure);
    }
}
