use proptest::prelude::*;

use super::*;
use crate::samples::{info_list, riff};

const RATE: u32 = 8_000;

fn fmt(codec: u16, channels: u16, bits: u16) -> Vec<u8> {
    let block = channels * bits / 8;
    [
        codec.to_le_bytes().as_slice(),
        &channels.to_le_bytes(),
        &RATE.to_le_bytes(),
        &(RATE * u32::from(block)).to_le_bytes(),
        &block.to_le_bytes(),
        &bits.to_le_bytes(),
    ]
    .concat()
}

fn tone(frames: usize) -> Vec<u8> {
    (0..frames)
        .flat_map(|at| [500_i16, -300, 7, 900][at % 4].to_le_bytes())
        .collect()
}

fn wave(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let fmt = fmt(1, 1, 16);
    let first: [(&[u8; 4], &[u8]); 1] = [(b"fmt ", &fmt)];
    let all = [first.as_slice(), chunks].concat();
    riff(b"WAVE", &all)
}

fn look(bytes: &[u8]) -> (WavLayout, Structure) {
    let mut structure = Structure::default();
    let layout = walk(bytes, &Limits::default(), &mut structure).expect("has a format");
    (layout, structure)
}

fn has_fact(structure: &Structure, fact: &str) -> bool {
    structure.facts.iter().any(|known| known.fact == fact)
}

#[test]
fn format_samples_and_writer_are_read() {
    let file = wave(&[
        (b"data", &tone(800)),
        (b"LIST", &info_list(&[(b"ISFT", "Lavf60.3.100")])),
    ]);
    let (layout, structure) = look(&file);
    assert_eq!(layout.chunk_order, "fmt data LIST");
    let format = layout.format.expect("read");
    assert_eq!((format.channels, format.sample_rate), (1, RATE));
    assert_eq!(layout.figures.expect("measured").frames, 800);
    assert!(!layout.truncated && layout.trailing_bytes == 0);
    assert_eq!(structure.tags[0].key, "Software");
    assert_eq!(structure.tags[0].value, "Lavf60.3.100");
    assert!(!has_fact(&structure, "clipping") && !has_fact(&structure, "digital_silence"));
}

#[test]
fn clipping_silence_and_offset_are_facts() {
    let loud = [i16::MAX.to_le_bytes(), 0_i16.to_le_bytes()].concat();
    let silence = vec![0; 4_000];
    let data = [loud.repeat(400), silence].concat();
    let (layout, structure) = look(&wave(&[(b"data", &data)]));
    let figures = layout.figures.expect("measured");
    assert_eq!(figures.zero_runs, 1);
    for fact in ["clipping", "digital_silence", "dc_offset"] {
        assert!(has_fact(&structure, fact), "{fact}");
    }
}

#[test]
fn a_low_bandwidth_is_a_fact() {
    let told = |sample_rate: u32| {
        let tone = |at: u32| {
            let turns = f64::from(at) * 3_000.0 / f64::from(sample_rate);
            #[expect(clippy::cast_possible_truncation, reason = "within the range")]
            let level = ((turns * std::f64::consts::TAU).sin() * 9_000.0) as i16;
            level.to_le_bytes()
        };
        let data: Vec<u8> = (0..5_000).flat_map(tone).collect();
        let mut format = fmt(1, 1, 16);
        format[4..8].copy_from_slice(&sample_rate.to_le_bytes());
        let (layout, structure) = look(&riff(b"WAVE", &[(b"fmt ", &format), (b"data", &data)]));
        (
            layout.bandwidth_hz.is_some(),
            has_fact(&structure, "bandwidth"),
        )
    };
    assert_eq!(told(44_100), (true, true));
    // This file could not hold more than the band that the rest is held against.
    assert_eq!(told(8_000), (false, false));
}

#[test]
fn compressed_samples_are_not_measured() {
    let file = riff(b"WAVE", &[(b"fmt ", &fmt(0x55, 2, 0)), (b"data", &[1; 64])]);
    let (layout, structure) = look(&file);
    assert_eq!((layout.data_bytes, layout.figures), (64, None));
    assert_eq!(structure.facts[0].detail, "2 channels, 8000 Hz, MP3");
}

#[test]
fn forged_sizes_allocate_nothing_and_are_told() {
    // A recorder that was stopped: the size of the samples is not known yet.
    let mut cut = wave(&[(b"data", &tone(100))]);
    let size_at = cut.len() - 204;
    cut[size_at..size_at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    let (layout, structure) = look(&cut);
    assert!(layout.truncated && has_fact(&structure, "truncated"));
    assert_eq!(layout.figures.expect("measured").frames, 100);

    let mut small = wave(&[(b"data", &tone(100))]);
    small[4..8].copy_from_slice(&40_u32.to_le_bytes());
    let (layout, structure) = look(&small);
    assert!(has_fact(&structure, "wrong_container_size"));
    assert_eq!(layout.trailing_bytes, 0);

    let forged = b"RIFF\xff\xff\xff\x7fWAVEdata\xff\xff\xff\x7f";
    let refusal = walk(forged, &Limits::default(), &mut Structure::default());
    assert_eq!(refusal.expect_err("no format").class(), "corrupt_media");
}

#[test]
fn large_files_have_their_size_elsewhere() {
    let samples = tone(100);
    let body = [
        b"WAVEds64\x1c\0\0\0".as_slice(),
        &(4 + 36 + 24 + 208_u64).to_le_bytes(),
        &200_u64.to_le_bytes(),
        &[0; 12],
        b"fmt \x10\0\0\0",
        &fmt(1, 1, 16),
        b"data\xff\xff\xff\xff",
        &samples,
    ]
    .concat();
    let file = [b"RF64\xff\xff\xff\xff".as_slice(), &body].concat();
    let (layout, _) = look(&file);
    assert_eq!(layout.chunk_order, "ds64 fmt data");
    assert!(!layout.truncated);
    assert_eq!(layout.figures.expect("measured").frames, 100);
}

#[test]
fn what_follows_is_told() {
    let file = [wave(&[(b"data", &tone(8))]), b"PK\x03\x04rest".to_vec()].concat();
    let (layout, structure) = look(&file);
    assert_eq!(layout.trailing_bytes, 8);
    let fact = structure
        .facts
        .iter()
        .find(|fact| fact.fact == "trailing_data");
    assert!(fact.expect("told").detail.ends_with("application/zip"));
}

#[test]
fn chunks_are_bounded() {
    let limits = Limits {
        chunks_max: 3,
        ..Limits::default()
    };
    let hits = |n: usize| {
        let mut structure = Structure::default();
        let file = wave(&vec![(b"JUNK", b"x".as_slice()); n]);
        walk(&file, &limits, &mut structure).expect("has a format");
        structure.limits.len()
    };
    assert_eq!(hits(2), 0);
    assert_eq!(hits(3), 1);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(body in prop::collection::vec(prop_oneof![0u8..8, any::<u8>()], 0..160)) {
        let plain = [b"RIFF\x20\0\0\0WAVEfmt \x10\0\0\0".as_slice(), &body].concat();
        let large = [b"RF64\xff\xff\xff\xffWAVEds64".as_slice(), &body].concat();
        for bytes in [plain, large] {
            let _walked = walk(&bytes, &Limits::default(), &mut Structure::default());
        }
    }
}
