use proptest::prelude::*;

use super::*;

/// A frame of 128 kbit/s: 417 bytes.
fn frame(third: u8) -> Vec<u8> {
    let mut frame = vec![0xff, 0xfb, third, 0x64];
    frame.resize(Header::at(&frame, 0).expect("a header").bytes, 0);
    frame
}

fn info_frame(encoder: &[u8]) -> Vec<u8> {
    let mut frame = frame(0x90);
    frame[36..44].copy_from_slice(b"Info\0\0\0\x03");
    frame[52..52 + encoder.len()].copy_from_slice(encoder);
    frame
}

fn look(bytes: &[u8]) -> (Mp3Layout, Structure) {
    let mut structure = Structure::default();
    let layout = walk(bytes, &mut structure).expect("has a frame");
    (layout, structure)
}

fn facts(structure: &Structure) -> Vec<&str> {
    structure.facts.iter().map(|f| f.fact.as_str()).collect()
}

#[test]
fn frames_tags_and_encoder_are_read() {
    let mut id3v1 = b"TAG".to_vec();
    id3v1.resize(ID3V1_BYTES, 0);
    let file = [
        b"ID3\x04\0\0\0\0\0\x0fTSSE\0\0\0\x05\0\0\x03Lavf".to_vec(),
        info_frame(b"LAME3.100"),
        frame(0x90).repeat(9),
        id3v1,
    ]
    .concat();
    let (layout, structure) = look(&file);
    assert_eq!((layout.frames, layout.duration_ms), (10, 261));
    assert_eq!(layout.encoder.as_deref(), Some("LAME3.100"));
    let software: Vec<&str> = structure.tags.iter().map(|t| t.value.as_str()).collect();
    assert_eq!(software, ["Lavf", "LAME3.100"]);
    assert_eq!(facts(&structure), ["audio_format"]);
    assert_eq!(
        structure.facts[0].detail,
        "2 channels, 44100 Hz, MP3 of 128 kbit/s"
    );
}

#[test]
fn what_is_put_together_shows() {
    let file = [
        frame(0x90).repeat(3),
        b"something else".to_vec(),
        frame(0x90).repeat(3),
        frame(0x94).repeat(3),
    ]
    .concat();
    let (layout, structure) = look(&file);
    assert_eq!((layout.frames, layout.gaps, layout.changes), (9, 1, 1));
    assert_eq!(
        facts(&structure),
        ["audio_format", "frames_interrupted", "format_changes"]
    );
}

#[test]
fn ends_are_told() {
    let frames = frame(0x90).repeat(3);
    let (layout, _) = look(&frames[..frames.len() - 1]);
    assert!(layout.truncated);
    let zip = [frames.as_slice(), b"PK\x03\x04rest"].concat();
    let (layout, structure) = look(&zip);
    assert_eq!(layout.trailing_bytes, 8);
    assert!(structure.facts[0].detail.ends_with("application/zip"));
    let mut footer = b"APETAGEX".to_vec();
    footer.extend([0xd0, 7, 0, 0, 40, 0, 0, 0]);
    footer.resize(APE_FOOTER_BYTES, 0);
    let ape = [frames.as_slice(), b"eight...", &footer].concat();
    assert_eq!(look(&ape).0.trailing_bytes, 0);
}

#[test]
fn a_tag_without_sound_is_damaged() {
    for bytes in [
        b"ID3\x04\0\0\0\0\0\0".as_slice(),
        b"ID3\x04\0\0\x7f\x7f\x7f\x7f\xff\xfb",
    ] {
        let refusal = walk(bytes, &mut Structure::default());
        assert_eq!(refusal.expect_err("no frame").class(), "corrupt_media");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        start in prop::sample::select(vec![b"ID3\x04\0\0\0\0\0\x05".to_vec(), frame(0x90), Vec::new()]),
        rest in prop::collection::vec(prop_oneof![Just(0xff), Just(0xfb), Just(0x10), any::<u8>()], 0..300),
        end in prop::sample::select(vec![b"APETAGEX\0\0\0\0\xff\xff\xff\xff\0\0\0\0\0\0\0\x80\0\0\0\0\0\0\0\0".to_vec(), Vec::new()]),
    ) {
        let bytes = [start, rest, end].concat();
        let _walked = walk(&bytes, &mut Structure::default());
    }
}
