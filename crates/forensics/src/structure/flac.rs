//! FLAC: the metadata blocks before the sound (xiph.org, "FLAC format"). Frames are not walked, so where the sound ends
//! is not known.

use serde::{Deserialize, Serialize};

use super::{Structure, id3, vorbis};
use crate::bytes::slice;
use crate::refusal::Refusal;
use crate::sniff::Format;

const MAGIC: &[u8] = b"fLaC";
/// Metadata blocks that are looked at.
const BLOCKS_MAX: u32 = 1_000;

const BLOCK_STREAM_INFO: u8 = 0;
const BLOCK_APPLICATION: u8 = 2;
const BLOCK_COMMENTS: u8 = 4;
const BLOCK_PICTURE: u8 = 6;

/// How a FLAC file is built.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlacLayout {
    /// Samples per second of a channel.
    pub sample_rate: u32,
    /// Channels.
    pub channels: u16,
    /// Bits of a sample.
    pub bits: u16,
    /// Samples of a channel; 0 if the encoder did not know.
    pub samples: u64,
    /// Whether the encoder wrote a hash of the sound.
    pub has_hash: bool,
    /// The library that wrote the comments.
    pub vendor: Option<String>,
    /// Metadata blocks.
    pub blocks: u32,
    /// Pictures among them.
    pub pictures: u32,
    /// Whether a metadata block is cut off.
    pub truncated: bool,
}

pub(super) fn walk(bytes: &[u8], structure: &mut Structure) -> Result<FlacLayout, Refusal> {
    // Some writers put the tag of MP3 in front.
    let start = id3::read(bytes, 0, structure).unwrap_or(0);
    let mut layout = FlacLayout::default();
    let mut at = start.saturating_add(MAGIC.len());
    while layout.blocks < BLOCKS_MAX {
        let Some((kind, is_last, data)) = block(bytes, at) else {
            layout.truncated = true;
            break;
        };
        layout.blocks += 1;
        note(kind, data, at + 4, &mut layout, structure);
        at += 4 + data.len();
        if is_last {
            break;
        }
    }
    if layout.sample_rate == 0 {
        return Err(Refusal::CorruptMedia {
            mime: Format::Flac.mime().to_owned(),
            reason: "there is no description of the stream".to_owned(),
        });
    }
    if layout.truncated || at >= bytes.len() {
        layout.truncated = true;
        structure.truncated("the metadata, before the sound");
    }
    let FlacLayout {
        channels,
        sample_rate,
        bits,
        ..
    } = layout;
    structure.fact(
        "audio_format",
        format!("{channels} channels, {sample_rate} Hz, {bits} bits, FLAC"),
    );
    Ok(layout)
}

/// Kind, whether it is the last, data.
fn block(bytes: &[u8], at: usize) -> Option<(u8, bool, &[u8])> {
    let &[head, a, b, c] = slice(bytes, at, 4)? else {
        return None;
    };
    let len = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
    let data = slice(bytes, at + 4, len)?;
    Some((head & 0x7f, head & 0x80 != 0, data))
}

fn note(kind: u8, data: &[u8], offset: usize, layout: &mut FlacLayout, structure: &mut Structure) {
    match kind {
        BLOCK_STREAM_INFO => {
            let is_read = stream_info(data, layout).is_some();
            if is_read && !layout.has_hash {
                structure.fact_once(
                    "no_sound_hash",
                    "the encoder wrote no hash of the sound, as after streaming or a copy without encoding",
                );
            }
        }
        BLOCK_COMMENTS => layout.vendor = vorbis::read(data, offset, structure),
        BLOCK_PICTURE => layout.pictures += 1,
        BLOCK_APPLICATION if data.starts_with(b"c2pa") => structure.content_credentials(),
        _ => {}
    }
}

/// Sizes of blocks and frames (10 bytes), rate (20 bits), channels (3), bits (5), samples (36), MD5 (16 bytes).
fn stream_info(data: &[u8], layout: &mut FlacLayout) -> Option<()> {
    let packed = u64::from_be_bytes(data.get(10..18)?.try_into().ok()?);
    let hash = data.get(18..34)?;
    layout.sample_rate = u32::try_from(packed >> 44).ok()?;
    layout.channels = u16::try_from((packed >> 41 & 7) + 1).ok()?;
    layout.bits = u16::try_from((packed >> 36 & 31) + 1).ok()?;
    layout.samples = packed & 0xf_ffff_ffff;
    layout.has_hash = hash.iter().any(|&byte| byte != 0);
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::samples::vorbis_comments;

    fn block_bytes(head: u8, data: &[u8]) -> Vec<u8> {
        let len = u32::try_from(data.len()).expect("small").to_be_bytes();
        [&[head], &len[1..], data].concat()
    }

    /// 44 100 Hz, 2 channels, 16 bits, 1 000 samples.
    fn info(hash: u8) -> Vec<u8> {
        let packed = 44_100_u64 << 44 | 1 << 41 | 15 << 36 | 1_000;
        let data = [[0; 10].as_slice(), &packed.to_be_bytes(), &[hash; 16]].concat();
        block_bytes(0, &data)
    }

    fn file(hash: u8) -> Vec<u8> {
        let comments = vorbis_comments("reference libFLAC 1.3.3 20190804", &["ENCODER=x"]);
        let comments = block_bytes(0x84, &comments);
        [b"fLaC".as_slice(), &info(hash), &comments, b"\xff\xf8sound"].concat()
    }

    fn look(bytes: &[u8]) -> (FlacLayout, Structure) {
        let mut structure = Structure::default();
        let layout = walk(bytes, &mut structure).expect("has a description");
        (layout, structure)
    }

    #[test]
    fn description_and_vendor_are_read() {
        let (layout, structure) = look(&file(7));
        assert_eq!((layout.sample_rate, layout.channels), (44_100, 2));
        assert_eq!((layout.bits, layout.samples), (16, 1_000));
        assert_eq!(
            layout.vendor.as_deref(),
            Some("reference libFLAC 1.3.3 20190804")
        );
        assert_eq!(structure.tags.len(), 2);
        assert_eq!(structure.facts.len(), 1, "{:?}", structure.facts);
        let (_, structure) = look(&file(0));
        assert_eq!(structure.facts[0].fact, "no_sound_hash");
    }

    #[test]
    fn a_tag_of_mp3_may_stand_before_it() {
        let tagged = [b"ID3\x04\0\0\0\0\0\0".to_vec(), file(7)].concat();
        assert_eq!(look(&tagged).0.channels, 2);
    }

    #[test]
    fn a_cut_is_told_and_nothing_is_damaged() {
        let file = file(7);
        assert!(look(&file[..60]).0.truncated);
        assert!(!look(&file).0.truncated);
        let refusal = walk(&file[..30], &mut Structure::default());
        assert_eq!(refusal.expect_err("cut").class(), "corrupt_media");
    }

    #[test]
    fn blocks_are_bounded() {
        let blocks = |n: usize| {
            let mut file = [b"fLaC".to_vec(), info(7)].concat();
            file.extend(block_bytes(1, b"").repeat(n));
            file.extend(block_bytes(0x81, b"s"));
            look(&[file, vec![0; 8]].concat()).0.blocks
        };
        assert_eq!(blocks(998), BLOCKS_MAX);
        assert_eq!(blocks(999), BLOCKS_MAX);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body in prop::collection::vec(prop_oneof![0u8..8, any::<u8>()], 0..120)) {
            let bytes = [b"fLaC\0\0\0".as_slice(), &body].concat();
            let _walked = walk(&bytes, &mut Structure::default());
            let bytes = [b"fLaC".as_slice(), &info(1), b"\x84\0\0", &body].concat();
            let _walked = walk(&bytes, &mut Structure::default());
        }
    }
}
