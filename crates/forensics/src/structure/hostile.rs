//! Files that are made to hurt, through all stages: each ends in a refusal or a limit, or is walked as far as it goes.
//! Compressed texts that grow without end are among the tests of the analysis.

use crate::samples::{self, Field, Pdf, full_box, iso_box, movie};
use crate::sniff::Hints;
use crate::{Analysis, Limits, Refusal, analyze};

fn see(bytes: &[u8]) -> Analysis {
    analyze(bytes, &Hints::default(), &Limits::default())
}

fn refused(bytes: &[u8]) -> Option<&'static str> {
    see(bytes).refusal.as_ref().map(Refusal::class)
}

fn limit(bytes: &[u8]) -> Option<String> {
    let first = see(bytes).limits.into_iter().next();
    first.map(|hit| hit.limit)
}

fn has_fact(bytes: &[u8], fact: &str) -> bool {
    see(bytes).history.iter().any(|known| known.fact == fact)
}

#[test]
fn forged_sizes_are_refused() {
    for form in [b"WEBPVP8 ", b"WAVEdata"] {
        let forged = [
            b"RIFF\xff\xff\xff\x7f".as_slice(),
            form,
            b"\xff\xff\xff\x7f",
        ]
        .concat();
        assert_eq!(forged.len(), 20);
        assert_eq!(refused(&forged), Some("corrupt_media"));
    }
    let cut = b"RIFF\xff\xff\xff\x7fAVI LIST\xff\xff\xff\x7f";
    assert!(has_fact(cut, "truncated"));
    assert_eq!(
        refused(&samples::png_header(60_000, 60_000)),
        Some("limit_pixels")
    );
    let heif = [60_000_u32; 2].map(u32::to_be_bytes).concat();
    let properties = [
        iso_box(b"ipco", &full_box(b"ispe", 0, 0, &heif)),
        full_box(b"ipma", 0, 0, b"\0\0\0\x01\0\x01\x01\x01"),
    ];
    let meta = [
        full_box(b"pitm", 0, 0, b"\0\x01"),
        full_box(b"iinf", 0, 0, b"\0\0"),
        iso_box(b"iprp", &properties.concat()),
    ];
    let heif = [
        iso_box(b"ftyp", b"heic\0\0\0\0"),
        full_box(b"meta", 0, 0, &meta.concat()),
    ];
    assert_eq!(refused(&heif.concat()), Some("limit_pixels"));
}

#[test]
fn nesting_and_numbers_hit_their_limits() {
    let nested = (0..1_000).fold(Vec::new(), |inner, _| iso_box(b"moov", &inner));
    let nested = [iso_box(b"ftyp", b"isom\0\0\0\0"), nested].concat();
    assert_eq!(limit(&nested).as_deref(), Some("box_depth_max"));
    let many = [movie("", &[]), iso_box(b"free", &[]).repeat(100_001)].concat();
    assert_eq!(limit(&many).as_deref(), Some("boxes_max"));
    let bomb = samples::tiff(&[Field::Longs(0x014a, vec![8; 9_000])]);
    assert_eq!(limit(&bomb).as_deref(), Some("sub_directories_max"));
    let frame = samples::segment(0xc2, &[8, 0, 8, 0, 8, 1, 1, 0x11, 0]);
    let scan = samples::segment(0xda, &[1, 1, 0, 0, 0, 0]);
    let scans = [
        b"\xff\xd8".to_vec(),
        frame,
        scan.repeat(1_000),
        b"\xff\xd9".to_vec(),
    ];
    assert_eq!(limit(&scans.concat()).as_deref(), Some("jpeg_scans_max"));
}

#[test]
fn circles_end() {
    let directory = b"II*\0\x08\0\0\0\0\0\x08\0\0\0";
    assert_eq!(directory.len(), 14);
    assert!(has_fact(directory, "metadata_loop"));
    let pdf = Pdf::page().end("");
    let at = pdf.bytes.len();
    let circle = format!("xref\n0 0\ntrailer<</Prev {at}>>\nstartxref\n{at}\n%%EOF\n");
    let circle = [pdf.bytes, circle.into_bytes()].concat();
    assert!(has_fact(&circle, "xref_loop"));
}

#[test]
fn one_file_of_two_formats_is_told() {
    let comment = samples::segment(0xfe, b"%PDF-1.4\n1 0 obj<<>>endobj");
    let both = samples::with_segments(&samples::jpeg(90), &[comment]);
    assert!(has_fact(&both, "polyglot"));
    let hidden = [movie("", &[]), samples::jpeg(90)].concat();
    assert!(has_fact(&hidden, "trailing_data"));
    assert!(!has_fact(&hidden, "polyglot"));
}
