use proptest::prelude::*;

use super::*;
use crate::samples::vorbis_comments;

fn page(flags: u8, number: u32, body: &[u8]) -> Vec<u8> {
    let whole = body.len() / 255;
    let mut table = vec![255; whole];
    table.push(u8::try_from(body.len() % 255).expect("below 255"));
    let mut page = [
        b"OggS\0".as_slice(),
        &[flags],
        &[0; 8],
        &9_u32.to_le_bytes(),
        &number.to_le_bytes(),
        &[0; 4],
        &[u8::try_from(table.len()).expect("one page")],
        &table,
        body,
    ]
    .concat();
    let sum = page::sum(&page);
    page[22..26].copy_from_slice(&sum.to_le_bytes());
    page
}

fn opus() -> Vec<Vec<u8>> {
    let tags = vorbis_comments("libopus 1.3.1", &["ENCODER=opusenc"]);
    vec![
        page(2, 0, b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\0\0"),
        page(0, 1, &[b"OpusTags".as_slice(), &tags].concat()),
        page(0, 2, &[7; 600]),
        page(4, 3, &[7; 20]),
    ]
}

fn look(bytes: &[u8]) -> (OggLayout, Structure) {
    let mut structure = Structure::default();
    let layout = walk(bytes, &mut structure).expect("has a page");
    (layout, structure)
}

fn facts(structure: &Structure) -> Vec<&str> {
    structure.facts.iter().map(|f| f.fact.as_str()).collect()
}

#[test]
fn headers_and_vendor_are_read() {
    let (layout, structure) = look(&opus().concat());
    assert_eq!((layout.channels, layout.sample_rate), (2, 48_000));
    assert_eq!(layout.streams, ["opus"]);
    assert_eq!(layout.vendor.as_deref(), Some("libopus 1.3.1"));
    assert_eq!((layout.pages, layout.bad_checksums), (4, 0));
    assert_eq!(structure.tags.len(), 2);
    assert_eq!(facts(&structure), ["audio_format"]);
}

#[test]
fn checksum_is_that_of_the_standard() {
    // CRC-32/MPEG-2 without its initial value, over the text that catalogues of checksums use.
    assert_eq!(page::sum(b"123456789"), 0x89a1_897f);
}

#[test]
fn damage_and_cuts_are_told() {
    let mut pages = opus();
    pages[2][100] ^= 1;
    let (layout, structure) = look(&pages.concat());
    assert_eq!(layout.bad_checksums, 1);
    assert_eq!(facts(&structure), ["audio_format", "bad_checksum"]);

    let mut pages = opus();
    pages.remove(2);
    let (layout, structure) = look(&pages.concat());
    assert_eq!(layout.missing_pages, 1);
    assert_eq!(facts(&structure), ["audio_format", "pages_missing"]);

    let whole = opus().concat();
    let (layout, structure) = look(&whole[..whole.len() - 1]);
    assert!(layout.truncated);
    assert_eq!(facts(&structure), ["truncated", "audio_format"]);
}

#[test]
fn streams_are_bounded() {
    let streams = |n: u8| {
        let first = |serial: u8| {
            let mut first = page(2 | 4, 0, b"OpusHead\x01\x02");
            first[14] = serial;
            first
        };
        let pages: Vec<u8> = (0..n).flat_map(first).collect();
        look(&pages).0.streams.len()
    };
    assert_eq!((streams(16), streams(17)), (16, 16));
}

#[test]
fn what_follows_is_told() {
    let (layout, structure) = look(&[opus().concat(), b"%PDF-1.4 ...".to_vec()].concat());
    assert_eq!(layout.trailing_bytes, 12);
    assert!(structure.facts[0].detail.ends_with("application/pdf"));
}

#[test]
fn without_a_page_it_is_damaged() {
    let refusal = walk(b"OggS\0\x02", &mut Structure::default());
    assert_eq!(refusal.expect_err("no page").class(), "corrupt_media");
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(body in prop::collection::vec(prop_oneof![0u8..8, any::<u8>()], 0..120), cut in 0usize..700) {
        let bytes = [b"OggS\0".as_slice(), &body].concat();
        let _walked = walk(&bytes, &mut Structure::default());
        let mut pages = opus().concat();
        pages.splice(cut..cut, body);
        let _walked = walk(&pages, &mut Structure::default());
    }
}
