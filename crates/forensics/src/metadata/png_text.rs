//! PNG text chunks. Compressed text is inflated within a budget for the whole file and a ratio for each chunk, so a
//! bomb costs a limit hit and no memory.

use std::io::Read;

use flate2::read::ZlibDecoder;

use crate::bytes::count;
use crate::evidence::LimitHit;
use crate::limits::{Limits, TEXT_FREE_BYTES};
use crate::structure::BlockKind;

/// The keyword under which PNG carries XMP.
pub(super) const XMP_KEYWORD: &str = "XML:com.adobe.xmp";
/// The standard's bound on a keyword.
const KEYWORD_BYTES_MAX: usize = 79;

/// Takes texts out of chunks until the budget is spent.
pub(super) struct Inflater {
    budget_bytes: u64,
    bytes_max: u64,
    ratio_max: u64,
    /// What was inflated for nothing, because it grew beyond the ratio.
    wasted_bytes: u64,
    hit: Option<LimitHit>,
}

impl Inflater {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            budget_bytes: limits.text_bytes_max,
            bytes_max: limits.text_bytes_max,
            ratio_max: limits.text_ratio_max,
            wasted_bytes: 0,
            hit: None,
        }
    }

    /// The first bound that was hit.
    pub(super) fn finish(self) -> Option<LimitHit> {
        self.hit
    }

    /// Keyword and text; nothing if the chunk is damaged or beyond a bound.
    pub(super) fn read(&mut self, kind: BlockKind, data: &[u8]) -> Option<(String, String)> {
        let (keyword, rest) = split_at_nul(data)?;
        if keyword.is_empty() || keyword.len() > KEYWORD_BYTES_MAX {
            return None;
        }
        let keyword = decode(keyword);
        let text = match kind {
            BlockKind::Text => self.plain(rest, &keyword)?,
            BlockKind::CompressedText => self.compressed(rest, &keyword)?,
            BlockKind::InternationalText => self.international(rest, &keyword)?,
            BlockKind::Exif
            | BlockKind::Xmp
            | BlockKind::XmpPart
            | BlockKind::Icc
            | BlockKind::Photoshop
            | BlockKind::Comment => return None,
        };
        Some((keyword, text))
    }

    /// Text that is not compressed.
    pub(super) fn plain(&mut self, data: &[u8], keyword: &str) -> Option<String> {
        self.spend(count(data.len()), keyword)?;
        Some(decode(data))
    }

    /// A method byte, which must be 0 (zlib), then the stream.
    fn compressed(&mut self, data: &[u8], keyword: &str) -> Option<String> {
        let (&method, stream) = data.split_first()?;
        if method != 0 {
            return None;
        }
        let text = self.inflate(stream, keyword)?;
        Some(decode(&text))
    }

    /// A flag, a method, a language, a translated keyword, then the text.
    fn international(&mut self, data: &[u8], keyword: &str) -> Option<String> {
        let (&[flag, method], rest) = data.split_first_chunk::<2>()?;
        let (_language, rest) = split_at_nul(rest)?;
        let (_translated, text) = split_at_nul(rest)?;
        match (flag, method) {
            (0, _) => self.plain(text, keyword),
            (1, 0) => {
                let text = self.inflate(text, keyword)?;
                Some(decode(&text))
            }
            _ => None,
        }
    }

    fn inflate(&mut self, stream: &[u8], keyword: &str) -> Option<Vec<u8>> {
        let by_ratio = count(stream.len())
            .saturating_mul(self.ratio_max)
            .max(TEXT_FREE_BYTES);
        let bytes_max = by_ratio.min(self.budget_bytes);
        // The bound that many bombs hit was told with the first of them.
        if self.wasted_bytes >= self.bytes_max {
            return None;
        }
        let mut text = Vec::new();
        // One byte more than allowed is enough to know. A damaged stream gives what came before the damage.
        let _damaged = ZlibDecoder::new(stream)
            .take(bytes_max + 1)
            .read_to_end(&mut text);
        let len = count(text.len());
        if len > bytes_max && by_ratio < self.budget_bytes {
            self.wasted_bytes = self.wasted_bytes.saturating_add(len);
            let max = self.ratio_max;
            self.hit(LimitHit::bytes(
                "text_ratio_max",
                max,
                format!("the text {keyword:?} grows to more than {max} times its size"),
            ));
            return None;
        }
        self.spend(len, keyword)?;
        Some(text)
    }

    fn spend(&mut self, bytes: u64, keyword: &str) -> Option<()> {
        let Some(left) = self.budget_bytes.checked_sub(bytes) else {
            self.hit(LimitHit::bytes(
                "text_bytes_max",
                self.bytes_max,
                format!("the text {keyword:?} and those after it were not read"),
            ));
            self.budget_bytes = 0;
            return None;
        };
        self.budget_bytes = left;
        Some(())
    }

    fn hit(&mut self, hit: LimitHit) {
        self.hit.get_or_insert(hit);
    }
}

fn split_at_nul(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = data.iter().position(|&byte| byte == 0)?;
    Some((data.get(..at)?, data.get(at + 1..)?))
}

/// UTF-8 if it is, else Latin-1: the standard wants Latin-1, most generators write UTF-8.
fn decode(data: &[u8]) -> String {
    match std::str::from_utf8(data) {
        Ok(text) => text.to_owned(),
        Err(_) => data.iter().map(|&byte| char::from(byte)).collect(),
    }
}
