//! Recordings, and the videos that are built like one of them.

use crate::samples::{info_list, list, riff, vorbis_comments};

/// Bytes of an MP3 frame of 128 kbit/s at 44 100 Hz.
const FRAME_BYTES: usize = 417;

pub(super) fn wav() -> Vec<Vec<u8>> {
    let pcm = b"\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0";
    let float = b"\x03\0\x02\0\x40\x1f\0\0\0\xfa\0\0\x08\0\x20\0";
    let tone: Vec<u8> = (0..800_usize)
        .flat_map(|at| [500_i16, -300, 7, 900][at % 4].to_le_bytes())
        .collect();
    let writer = info_list(&[(b"ISFT", "Lavf60.3.100"), (b"ICMT", "words")]);
    let bext = [0; 602];
    let chunks: [(&[u8; 4], &[u8]); 4] = [
        (b"fmt ", pcm),
        (b"LIST", &writer),
        (b"bext", &bext),
        (b"data", &tone),
    ];
    vec![
        riff(b"WAVE", &chunks),
        riff(b"WAVE", &[(b"fmt ", float), (b"data", &tone)]),
    ]
}

pub(super) fn avi() -> Vec<Vec<u8>> {
    let mut head = vec![0; 56];
    head[32..36].copy_from_slice(&640_u32.to_le_bytes());
    head[36..40].copy_from_slice(&480_u32.to_le_bytes());
    let stream = list(b"strl", &[(b"strh", b"vidsMJPG\0\0\0\0")]);
    let header = list(b"hdrl", &[(b"avih", &head), (b"LIST", &stream)]);
    let writer = info_list(&[(b"ISFT", "Lavf58.29.100")]);
    let media = list(b"movi", &[(b"00dc", &[7; 9])]);
    let chunks: [(&[u8; 4], &[u8]); 4] = [
        (b"LIST", &header),
        (b"LIST", &writer),
        (b"LIST", &media),
        (b"idx1", &[0; 16]),
    ];
    let part = riff(b"AVIX", &[(b"LIST", &media)]);
    vec![[riff(b"AVI ", &chunks), part].concat()]
}

pub(super) fn mp3() -> Vec<Vec<u8>> {
    let frame = || {
        let mut frame = b"\xff\xfb\x90\x64".to_vec();
        frame.resize(FRAME_BYTES, 0);
        frame
    };
    let mut info = frame();
    info[36..44].copy_from_slice(b"Info\0\0\0\x03");
    info[52..61].copy_from_slice(b"LAME3.100");
    let mut last = b"TAG".to_vec();
    last.resize(128, 0);
    let tag = b"ID3\x04\0\0\0\0\0\x0fTSSE\0\0\0\x05\0\0\x03Lavf";
    let old = b"ID3\x02\0\0\0\0\0\x1bTSS\0\0\x05\0LavfCOM\0\0\x0a\x01eng\0\0\xff\xfea\0";
    let sound = frame().repeat(2);
    let ape = [b"APETAGEX\xd0\x07\0\0\x20\0\0\0".as_slice(), &[0; 16]].concat();
    vec![
        [tag.as_slice(), &info, &sound, &last].concat(),
        [old.as_slice(), &sound, b"something else", &sound, &ape].concat(),
    ]
}

pub(super) fn flac() -> Vec<Vec<u8>> {
    let block = |head: u8, data: &[u8]| {
        let len = u32::try_from(data.len()).expect("small").to_be_bytes();
        [&[head], &len[1..], data].concat()
    };
    let packed = 44_100_u64 << 44 | 1 << 41 | 15 << 36 | 1_000;
    let info = [[0; 10].as_slice(), &packed.to_be_bytes(), &[7; 16]].concat();
    let comments = vorbis_comments(
        "reference libFLAC 1.3.3 20190804",
        &["ENCODER=x", "TITLE=y"],
    );
    let picture = block(6, &[0; 32]);
    let parts = [
        b"fLaC".to_vec(),
        block(0, &info),
        block(4, &comments),
        picture,
        block(0x81, &[0; 8]),
        b"\xff\xf8sound".to_vec(),
    ];
    vec![
        parts.concat(),
        [b"ID3\x04\0\0\0\0\0\0".to_vec(), parts.concat()].concat(),
    ]
}

pub(super) fn ogg() -> Vec<Vec<u8>> {
    let opus = vorbis_comments("libopus 1.3.1", &["ENCODER=opusenc"]);
    let vorbis = vorbis_comments("Xiph.Org libVorbis I 20200704", &["ENCODER=oggenc"]);
    let identification = b"\x01vorbis\0\0\0\0\x02\x44\xac\0\0\0\0\0\0\0\xee\x02\0\0\0\0\0\xb8\x01";
    vec![
        [
            page(2, 0, b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\0\0"),
            page(0, 1, &[b"OpusTags".as_slice(), &opus].concat()),
            page(4, 2, &[7; 300]),
        ]
        .concat(),
        [
            page(2, 0, identification),
            page(0, 1, &[b"\x03vorbis".as_slice(), &vorbis, b"\x01"].concat()),
            page(4, 3, &[7; 20]),
        ]
        .concat(),
    ]
}

/// A page without its checksum, which is noted and held against nobody.
fn page(flags: u8, number: u32, body: &[u8]) -> Vec<u8> {
    let mut table = vec![255; body.len() / 255];
    table.push(u8::try_from(body.len() % 255).expect("below 255"));
    [
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
    .concat()
}
