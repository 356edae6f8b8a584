use serde_json::Value;

use super::*;
use crate::samples;
use crate::sniff::{Hints, sniff};

fn walk(bytes: &[u8]) -> Structure {
    let limits = Limits::default();
    let sniff = sniff(bytes, &Hints::default(), &limits).expect("within limits");
    structure(bytes, &sniff, &limits).expect("intact")
}

#[test]
fn formats_without_a_walker_have_no_layout() {
    assert_eq!(walk(b"words\n"), Structure::default());
    assert_eq!(walk(b"GIF89a\x01\0\x01\0"), Structure::default());
}

/// The structure crosses from a child process to its parent in this form.
#[test]
fn every_layout_comes_out_of_json_as_it_went_in() {
    let fmt = b"\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0";
    let sound: [(&[u8; 4], &[u8]); 2] = [(b"fmt ", fmt), (b"data", &[7; 64])];
    let stream = samples::list(b"hdrl", &[(b"strh", b"vidsMJPG")]);
    let flac = [b"fLaC\x80\0\0\x22".as_slice(), &[7; 34]].concat();
    let files = [
        samples::jpeg(90),
        samples::png(),
        samples::riff(b"WEBP", &[(b"VP8 ", &[1; 20])]),
        samples::tiff(&[samples::Field::Short(0x0112, 1)]),
        samples::movie("", &[]),
        samples::riff(b"AVI ", &[(b"LIST", &stream)]),
        samples::riff(b"WAVE", &sound),
        [b"\xff\xfb\x90\x64".as_slice(), &[0; 413]].concat(),
        flac,
        [b"OggS\0\x02".as_slice(), &[0; 20], b"\x01\x01x"].concat(),
        samples::Pdf::page().end("").bytes,
    ];
    for file in files {
        let structure = walk(&file);
        assert!(structure.layout.is_some());
        let json = serde_json::to_value(&structure).expect("has a form");
        let read: Structure = serde_json::from_value(json).expect("can be read");
        assert_eq!(read, structure);
    }
}

#[test]
fn polyglot_is_a_fact() {
    let archive = [samples::jpeg(90), b"PK\x03\x04rest".to_vec()].concat();
    let facts = walk(&archive).facts;
    let fact = facts
        .iter()
        .find(|fact| fact.fact == "trailing_data")
        .expect("told");
    assert_eq!(
        fact.detail,
        "8 bytes after the end of the picture, that look like application/zip"
    );
}

#[test]
fn trap_in_exif_is_taken_out_before_any_parser_sees_it() {
    let bomb = samples::tiff(&[samples::Field::Longs(0x014a, vec![8; 1_001])]);
    let jpeg = samples::with_segments(&samples::jpeg(90), &[samples::exif_segment(&bomb)]);
    let structure = walk(&jpeg);
    assert!(
        structure
            .blocks
            .iter()
            .all(|block| block.kind != BlockKind::Exif)
    );
    assert_eq!(structure.limits[0].limit, "sub_directories_max");
    assert_eq!(structure.limits[0].class, "limit_structure");
}

#[test]
fn blocks_are_bounded() {
    let blocks = |n: usize| {
        let comments = vec![samples::segment(0xfe, b"x"); n];
        walk(&samples::with_segments(&samples::jpeg(90), &comments))
    };
    let full = blocks(BLOCKS_MAX);
    assert_eq!(full.blocks.len(), BLOCKS_MAX);
    assert!(full.limits.is_empty());
    let over = blocks(BLOCKS_MAX + 2);
    assert_eq!(over.blocks.len(), BLOCKS_MAX);
    assert_eq!(over.limits.len(), 1);
}

#[test]
fn tags_are_bounded_and_the_writer_is_told_once() {
    let tags = |n: usize| {
        let mut structure = Structure::default();
        for _ in 0..n {
            structure.tag(Tag::of("Software", b"Lavf60", None));
            structure.tag(Tag::of("Comment", b" ", None));
        }
        structure.tell_writer();
        structure
    };
    let full = tags(TAGS_MAX);
    assert_eq!(full.tags.len(), TAGS_MAX);
    assert!(full.limits.is_empty());
    assert_eq!(full.facts.len(), 1);
    assert_eq!(
        full.facts[0].detail,
        "the container names its software: Lavf60"
    );
    let over = tags(TAGS_MAX + 2);
    assert_eq!((over.tags.len(), over.limits.len()), (TAGS_MAX, 1));
}

#[test]
fn every_format_with_a_walker_has_a_layout() {
    let layouts = [
        samples::riff(b"AVI ", &[(b"JUNK", b"x")]),
        samples::movie("", &[]),
        samples::Pdf::page().end("").bytes,
    ];
    let names: Vec<Value> = layouts
        .iter()
        .map(|bytes| serde_json::to_value(walk(bytes).layout).expect("serialise")["format"].take())
        .collect();
    assert_eq!(names, ["avi", "iso", "pdf"]);
}
