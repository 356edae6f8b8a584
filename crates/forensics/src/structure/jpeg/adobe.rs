//! What Adobe's segments and tables say.

use serde::{Deserialize, Serialize};

use super::tables::COEFFICIENTS;
use crate::bytes::{Order, u16_at, u32_at};

/// How colours are stored, as the Adobe segment says (Adobe technical note 5116, section 18).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdobeColours {
    /// As they are: RGB, CMYK or grey.
    Plain,
    /// As luma and chroma.
    Ycc,
    /// CMYK, of which three are luma and chroma.
    Ycck,
}

const ADOBE: &[u8] = b"Adobe";
/// Behind the name: version, two fields of flags.
const COLOURS_AT: usize = ADOBE.len() + 6;
const DUCKY: &[u8] = b"Ducky";
/// The entry of a "Ducky" segment that holds the quality.
const DUCKY_QUALITY: u16 = 1;

/// A luma table of Adobe Photoshop: its setting, the first steps in zigzag order, the sum of all.
type Preset = (&'static str, [u16; 5], u16);

/// As published with the Python imaging library (Pillow, `JpegPresets`), which can write the same.
const PRESETS: [Preset; 8] = [
    ("Low", [18, 14, 14, 14, 16], 1_068),
    ("Medium", [12, 8, 8, 8, 9], 844),
    ("High", [6, 4, 4, 4, 5], 649),
    ("Maximum, or Save for Web, Very High", [2, 2, 2, 2, 2], 406),
    ("Save for Web, Low", [20, 16, 16, 25, 18], 3_514),
    ("Save for Web, Medium", [16, 11, 11, 11, 12], 2_223),
    ("Save for Web, High", [6, 4, 4, 4, 5], 974),
    ("Save for Web, Maximum", [1, 1, 1, 1, 1], 95),
];

/// What an APP14 segment says of the colours, if it is Adobe's.
pub(super) fn colours(data: &[u8]) -> Option<AdobeColours> {
    let rest = data.starts_with(ADOBE).then(|| data.get(COLOURS_AT))?;
    match *rest? {
        0 => Some(AdobeColours::Plain),
        1 => Some(AdobeColours::Ycc),
        2 => Some(AdobeColours::Ycck),
        _ => None,
    }
}

/// The quality that an APP12 segment of "Save for Web" names, 0 to 100.
pub(super) fn ducky_quality(data: &[u8]) -> Option<u32> {
    let mut entries = data.strip_prefix(DUCKY)?;
    // Each entry has a tag and a length; a tag of zero ends them.
    while let Some(tag) = u16_at(entries, 0, Order::Big).filter(|&tag| tag != 0) {
        let value = entries.get(4..)?;
        if tag == DUCKY_QUALITY {
            return u32_at(value, 0, Order::Big).filter(|&quality| quality <= 100);
        }
        entries = value.get(usize::from(u16_at(entries, 2, Order::Big)?)..)?;
    }
    None
}

/// The setting of Photoshop that writes this luma table.
pub(super) fn preset(steps: &[u16]) -> Option<&'static str> {
    let sum: u32 = steps.iter().copied().map(u32::from).sum();
    let is_like = |&&(_, first, total): &&Preset| {
        steps.len() == COEFFICIENTS && steps.starts_with(&first) && sum == u32::from(total)
    };
    PRESETS.iter().find(is_like).map(|&(name, ..)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read() {
        let say = |value: u8| colours(&[b"Adobe\0\x64\0\0\0\0".as_slice(), &[value]].concat());
        assert_eq!(say(0), Some(AdobeColours::Plain));
        assert_eq!(say(1), Some(AdobeColours::Ycc));
        assert_eq!(say(2), Some(AdobeColours::Ycck));
        assert_eq!(say(3), None);
        assert_eq!(colours(b"Adobe\0\x64\0\0\0\0"), None);
        assert_eq!(colours(b"Acorn\0\x64\0\0\0\0\x01"), None);
    }

    #[test]
    fn quality_is_found_among_the_entries() {
        let quality = b"\0\x01\0\x04\0\0\0\x3c";
        let comment = b"\0\x02\0\x03abc";
        let say = |parts: &[&[u8]]| ducky_quality(&parts.concat());
        assert_eq!(say(&[b"Ducky", quality, b"\0\0"]), Some(60));
        assert_eq!(say(&[b"Ducky", comment, quality, b"\0\0"]), Some(60));
        assert_eq!(say(&[b"Ducky", b"\0\0", quality]), None);
        assert_eq!(say(&[b"Ducky", b"\0\x01\0\x04\0\0\0\x65"]), None);
        assert_eq!(say(&[b"Ducky", b"\0\x01\0\x04\0\0"]), None);
        assert_eq!(say(&[b"Ducky", b"\0\x02\xff\xff"]), None);
        assert_eq!(say(&[b"Duck", quality]), None);
    }

    #[test]
    fn presets_are_told_apart() {
        let mut table = vec![8; 64];
        table[..5].copy_from_slice(&[6, 4, 4, 4, 5]);
        assert_eq!(preset(&table), None);
        let short: u16 = table.iter().sum();
        for (name, total) in [("High", 649), ("Save for Web, High", 974)] {
            let mut table = table.clone();
            table[63] += total - short;
            assert_eq!(preset(&table), Some(name));
            table[63] += 1;
            assert_eq!(preset(&table), None);
        }
        assert_eq!(preset(&[6, 4, 4, 4, 5, 626]), None);
    }
}
