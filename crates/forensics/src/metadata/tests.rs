use proptest::prelude::*;

use super::*;
use crate::bytes::index_u64;
use crate::limits::{TEXT_BYTES_MAX, TEXT_FREE_BYTES};
use crate::samples::{self, Field, compressed_text_chunk, with_chunks, with_segments};
use crate::sniff::{Hints, sniff};
use crate::structure::structure;

fn read_within(bytes: &[u8], limits: &Limits) -> Metadata {
    let sniff = sniff(bytes, &Hints::default(), limits).expect("within limits");
    let structure = structure(bytes, &sniff, limits).expect("intact");
    metadata(bytes, &sniff, &structure, limits)
}

fn read(bytes: &[u8]) -> Metadata {
    read_within(bytes, &Limits::default())
}

fn value<'a>(metadata: &'a Metadata, location: &str) -> Option<&'a str> {
    let text = metadata
        .texts
        .iter()
        .find(|text| text.location() == location)?;
    Some(&text.value)
}

fn facts<'a>(metadata: &'a Metadata, fact: &str) -> Vec<&'a str> {
    let same = metadata.facts.iter().filter(|known| known.fact == fact);
    same.map(|fact| fact.detail.as_str()).collect()
}

fn camera(exif: &[Field]) -> Vec<u8> {
    let first = [
        Field::Text(0x010f, "Acme"),
        Field::Text(0x0110, "A1"),
        Field::Text(0x0131, "Firmware 1.0"),
        Field::Text(0x0132, "2024:05:06 07:08:09"),
    ];
    samples::exif(&first, exif)
}

fn jpeg_with(tiff: &[u8]) -> Vec<u8> {
    with_segments(&samples::jpeg(90), &[samples::exif_segment(tiff)])
}

#[test]
fn exif_fields_are_read() {
    let comment = [b"ASCII\0\0\0".as_slice(), b"hello"].concat();
    let metadata = read(&jpeg_with(&camera(&[
        Field::Text(0x9003, "2024:05:06 07:08:08"),
        Field::Raw(0x9286, comment),
        Field::Long(0xa002, 96),
        Field::Long(0xa003, 64),
    ])));
    let exif = metadata.exif.as_ref().expect("read");
    assert_eq!(exif.make.as_deref(), Some("Acme"));
    assert_eq!(exif.model.as_deref(), Some("A1"));
    assert_eq!(exif.taken.as_deref(), Some("2024:05:06 07:08:08"));
    assert_eq!((exif.width, exif.height), (Some(96), Some(64)));
    assert_eq!(value(&metadata, "exif.UserComment"), Some("hello"));
    assert_eq!(value(&metadata, "exif.Software"), Some("Firmware 1.0"));
    assert!(facts(&metadata, "size_contradiction").is_empty());
    assert!(facts(&metadata, "date_contradiction").is_empty());
}

#[test]
fn contradictions_are_facts() {
    let metadata = read(&jpeg_with(&camera(&[
        Field::Text(0x9003, "2024:05:06 07:08:10"),
        Field::Long(0xa002, 4_000),
        Field::Long(0xa003, 3_000),
    ])));
    assert_eq!(
        facts(&metadata, "size_contradiction"),
        ["EXIF was written for 4000 x 3000, the picture is 96 x 64: cropped or resized since"]
    );
    assert_eq!(facts(&metadata, "date_contradiction").len(), 1);
    // The sample has the tables of the IJG, as files of many phones have: they contradict no camera.
    assert!(facts(&metadata, "software_after_camera").is_empty());
}

#[test]
fn turned_size_is_no_contradiction() {
    let turned = camera(&[Field::Long(0xa002, 64), Field::Long(0xa003, 96)]);
    assert!(facts(&read(&jpeg_with(&turned)), "size_contradiction").is_empty());
}

#[test]
fn software_segments_behind_a_camera_are_a_fact() {
    let segments = [
        samples::exif_segment(&camera(&[])),
        samples::segment(0xed, b"Photoshop 3.0\08BIM"),
    ];
    let metadata = read(&with_segments(&samples::jpeg(90), &segments));
    let told = facts(&metadata, "software_after_camera").join("\n");
    assert!(told.contains("photoshop_segment"), "{told}");
}

#[test]
fn damaged_exif_is_a_fact() {
    let metadata = read(&jpeg_with(b"II\x2a\0\xff\xff\0\0"));
    assert_eq!(
        facts(&metadata, "exif_damaged").len() + facts(&metadata, "exif_unreadable").len(),
        1
    );
    let twice = [
        samples::exif_segment(&camera(&[])),
        samples::exif_segment(&camera(&[])),
    ];
    let metadata = read(&with_segments(&samples::jpeg(90), &twice));
    assert_eq!(facts(&metadata, "second_exif").len(), 1);
}

#[test]
fn every_kind_of_png_text_is_read() {
    let international = [
        samples::chunk(b"iTXt", "Plain\0\0\0de\0\0Grüße".as_bytes()),
        samples::chunk(
            b"iTXt",
            &[b"Packed\0\x01\0\0\0".as_slice(), &samples::zlib(b"zipped")].concat(),
        ),
        samples::text_chunk("Title", "a title"),
        samples::chunk(b"tEXt", b"Latin\0caf\xe9"),
        compressed_text_chunk("Comment", b"squeezed"),
    ];
    let metadata = read(&with_chunks(&samples::png(), &international));
    assert_eq!(value(&metadata, "png.Plain"), Some("Grüße"));
    assert_eq!(value(&metadata, "png.Packed"), Some("zipped"));
    assert_eq!(value(&metadata, "png.Title"), Some("a title"));
    assert_eq!(value(&metadata, "png.Latin"), Some("café"));
    assert_eq!(value(&metadata, "png.Comment"), Some("squeezed"));
}

#[test]
fn damaged_png_text_is_passed_over() {
    let damaged = [
        samples::chunk(b"tEXt", b"no separator"),
        samples::chunk(b"tEXt", b"\0no key"),
        samples::chunk(b"zTXt", b"Method\0\x01abc"),
        samples::chunk(b"iTXt", b"Short\0\x01"),
        samples::chunk(b"zTXt", b"Stream\0\0not zlib"),
    ];
    assert!(
        read(&with_chunks(&samples::png(), &damaged))
            .texts
            .is_empty()
    );
}

#[test]
fn text_bomb_is_a_limit_hit() {
    let text = vec![b' '; 2 * index_u64(TEXT_BYTES_MAX)];
    let bomb = compressed_text_chunk("Comment", &text);
    assert!(bomb.len() < 10_000);
    let metadata = read(&with_chunks(&samples::png(), &[bomb]));
    assert!(metadata.texts.is_empty());
    assert_eq!(metadata.limits.len(), 1);
    assert_eq!(metadata.limits[0].class, "limit_bytes");
}

#[test]
fn a_crowd_of_text_bombs_costs_little_more_than_one() {
    let limits = Limits {
        text_bytes_max: 4 * TEXT_FREE_BYTES,
        ..Limits::default()
    };
    let texts = |bombs: usize| {
        let mut chunks = vec![compressed_text_chunk("Comment", &[0; 128 * 1024]); bombs];
        chunks.push(compressed_text_chunk("Title", b"words"));
        let metadata = read_within(&with_chunks(&samples::png(), &chunks), &limits);
        assert_eq!(metadata.limits.len(), 1);
        metadata.texts.len()
    };
    assert_eq!((texts(3), texts(4)), (1, 0));
}

#[test]
fn text_bytes_are_bounded_over_the_file() {
    let limits = Limits {
        text_bytes_max: 10,
        ..Limits::default()
    };
    let hits = |texts: [&str; 2]| {
        let chunks = texts.map(|text| compressed_text_chunk("k", text.as_bytes()));
        let metadata = read_within(&with_chunks(&samples::png(), &chunks), &limits);
        (metadata.texts.len(), metadata.limits.len())
    };
    assert_eq!(hits(["12345", "67890"]), (2, 0));
    assert_eq!(hits(["12345", "678901"]), (1, 1));
}

#[test]
fn ratio_is_bounded_beyond_the_free_bytes() {
    let free = usize::try_from(TEXT_FREE_BYTES).expect("small");
    let hit = |len: usize| {
        let chunk = compressed_text_chunk("k", &vec![b'x'; len]);
        let limits = read(&with_chunks(&samples::png(), &[chunk])).limits;
        limits.first().map(|hit| hit.limit.clone())
    };
    assert_eq!(hit(free), None);
    assert_eq!(hit(free + 1).as_deref(), Some("text_ratio_max"));
}

fn jpeg_with_xmp(packet: &str) -> Metadata {
    read(&with_segments(
        &samples::jpeg(90),
        &[samples::xmp_segment(packet)],
    ))
}

#[test]
fn xmp_properties_are_read_in_every_form() {
    let packet = samples::xmp(
        "xmp:CreatorTool='Adobe Photoshop 25.0' crs:Exposure='1' photoshop:Credit='A credit'",
        "<Iptc4xmpExt:DigitalSourceType rdf:resource='http://cv.iptc.org/x/digitalCapture'/>\
         <xmp:CreateDate>2024-05-06</xmp:CreateDate>\
         <dc:description><rdf:Alt><rdf:li>words</rdf:li></rdf:Alt></dc:description>\
         <xmpMM:DerivedFrom/>\
         <xmpMM:History><rdf:Seq><rdf:li stEvt:action='saved' stEvt:softwareAgent='Editor 1'/>\
         <rdf:li stEvt:action='saved' stEvt:softwareAgent='Editor 1'/></rdf:Seq></xmpMM:History>",
    );
    let metadata = jpeg_with_xmp(&packet);
    let xmp = metadata.xmp.as_ref().expect("read");
    assert_eq!(xmp.creator_tools, ["Adobe Photoshop 25.0"]);
    assert_eq!(
        xmp.digital_source_types,
        ["http://cv.iptc.org/x/digitalCapture"]
    );
    assert_eq!(xmp.software_agents, ["Editor 1"]);
    assert_eq!(xmp.actions, ["saved"]);
    assert_eq!(xmp.credits, ["A credit"]);
    assert_eq!(xmp.created.as_deref(), Some("2024-05-06"));
    assert!(xmp.has_camera_raw && xmp.has_derived_from && !xmp.has_photoshop);
    assert_eq!(value(&metadata, "xmp.description"), Some("words"));
}

#[test]
fn what_xmp_says_of_other_files_is_not_said_of_this_one() {
    let other = "<rdf:Bag><rdf:li><rdf:Description xmp:CreatorTool='Generator' Iptc4xmpExt:DigitalSourceType=\
                 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia'/></rdf:li></rdf:Bag>";
    for holder in ["Pantry", "Ingredients", "DerivedFrom"] {
        let packet = samples::xmp(
            "xmp:CreatorTool='Editor'",
            &format!(
                "<xmpMM:{holder}>{other}</xmpMM:{holder}><dc:description>after</dc:description>"
            ),
        );
        let metadata = jpeg_with_xmp(&packet);
        let xmp = metadata.xmp.as_ref().expect("read");
        assert_eq!(xmp.creator_tools, ["Editor"], "{holder}");
        assert!(xmp.digital_source_types.is_empty(), "{holder}");
        assert_eq!(value(&metadata, "xmp.description"), Some("after"));
    }
}

#[test]
fn what_cameras_and_agencies_write_is_no_trace_of_photoshop() {
    let has_photoshop = |attributes: &str| {
        let metadata = jpeg_with_xmp(&samples::xmp(attributes, ""));
        metadata.xmp.expect("read").has_photoshop
    };
    assert!(!has_photoshop(
        "photoshop:DateCreated='2024-05-06' photoshop:City='Bern' photoshop:Headline='Harbour'"
    ));
    assert!(has_photoshop("photoshop:ColorMode='3'"));
}

#[test]
fn xmp_in_png_is_read() {
    let packet = samples::xmp("xmp:CreatorTool='T'", "");
    let data = [b"XML:com.adobe.xmp\0\0\0\0\0".as_slice(), packet.as_bytes()].concat();
    let metadata = read(&with_chunks(
        &samples::png(),
        &[samples::chunk(b"iTXt", &data)],
    ));
    assert_eq!(value(&metadata, "xmp.CreatorTool"), Some("T"));
}

#[test]
fn document_type_is_refused() {
    let packet = "<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>";
    let metadata = jpeg_with_xmp(packet);
    assert_eq!(facts(&metadata, "xmp_refused").len(), 1);
    assert_eq!(facts(&jpeg_with_xmp("<x"), "xmp_unreadable").len(), 1);
}

#[test]
fn bytes_of_all_packets_are_bounded() {
    let packet = "<x></x>";
    let segments = [samples::xmp_segment(packet), samples::xmp_segment(packet)];
    let jpeg = with_segments(&samples::jpeg(90), &segments);
    let hits = |xmp_bytes_max| {
        let limits = Limits {
            xmp_bytes_max,
            ..Limits::default()
        };
        read_within(&jpeg, &limits).limits.len()
    };
    assert_eq!(hits(14), 0);
    assert_eq!(hits(13), 1);
}

#[test]
fn nodes_are_bounded() {
    let limits = Limits {
        xmp_nodes_max: 100,
        ..Limits::default()
    };
    let hits = |elements: usize| {
        // The root, and the element around them.
        let packet = format!("<x>{}</x>", "<a/>".repeat(elements - 2));
        let jpeg = with_segments(&samples::jpeg(90), &[samples::xmp_segment(&packet)]);
        read_within(&jpeg, &limits).limits.len()
    };
    assert_eq!(hits(100), 0);
    assert_eq!(hits(101), 1);
}

#[test]
fn deep_nesting_is_survived() {
    let packet = format!("{}{}", "<a>".repeat(90_000), "</a>".repeat(90_000));
    let data = [b"XML:com.adobe.xmp\0\0\0\0\0".as_slice(), packet.as_bytes()].concat();
    let metadata = read(&with_chunks(
        &samples::png(),
        &[samples::chunk(b"iTXt", &data)],
    ));
    assert!(metadata.xmp.is_some() || !metadata.limits.is_empty() || !metadata.facts.is_empty());
}

/// A part of an extended packet.
fn part(identifier: u8, total: usize, offset: usize, data: &[u8]) -> Vec<u8> {
    let number = |value: usize| u32::try_from(value).expect("small").to_be_bytes();
    let head = [
        vec![identifier; 32],
        number(total).to_vec(),
        number(offset).to_vec(),
    ]
    .concat();
    let magic = b"http://ns.adobe.com/xmp/extension/\0".as_slice();
    samples::segment(0xe1, &[magic, &head, data].concat())
}

#[test]
fn split_packet_is_put_together() {
    let packet = samples::xmp("xmp:CreatorTool='In two parts'", "");
    let (first, second) = packet.as_bytes().split_at(200);
    let len = packet.len();
    let parts = [
        part(b'a', len, 200, second),
        part(b'a', len, 0, first),
        part(b'b', 1, 0, b"x"),
    ];
    let metadata = read(&with_segments(&samples::jpeg(90), &parts));
    assert_eq!(value(&metadata, "xmp.CreatorTool"), Some("In two parts"));
    let metadata = read(&with_segments(&samples::jpeg(90), &parts[..1]));
    assert_eq!(facts(&metadata, "xmp_incomplete").len(), 1);
}

proptest! {
    #[test]
    fn no_exif_makes_it_panic(changes in prop::collection::vec((0usize..400, any::<u8>()), 0..12)) {
        let mut tiff = camera(&[Field::Text(0x9003, "2024:05:06 07:08:10"), Field::Long(0xa002, 4)]);
        for (at, byte) in changes {
            let len = tiff.len();
            tiff[at % len] = byte;
        }
        let _read = read(&jpeg_with(&tiff));
    }

    #[test]
    fn no_xmp_makes_it_panic(changes in prop::collection::vec((0usize..2_000, any::<char>()), 0..12)) {
        let packet = samples::xmp("xmp:CreatorTool='T'", "<xmpMM:History><rdf:li/></xmpMM:History>");
        let mut packet: Vec<char> = packet.chars().collect();
        for (at, c) in changes {
            let len = packet.len();
            packet[at % len] = c;
        }
        let packet: String = packet.into_iter().collect();
        let _read = jpeg_with_xmp(&packet);
    }

    #[test]
    fn no_png_text_makes_it_panic(
        kind in prop::sample::select(vec![*b"tEXt", *b"zTXt", *b"iTXt"]),
        data in prop::collection::vec(prop_oneof![Just(0u8), Just(1u8), any::<u8>()], 0..60),
    ) {
        let _read = read(&with_chunks(&samples::png_header(8, 8), &[samples::chunk(&kind, &data)]));
    }
}
