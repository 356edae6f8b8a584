//! What a signature covers (ISO 32000-1 section 12.8). Whether it holds is not checked here: that takes its certificates.

use serde::{Deserialize, Serialize};

use super::parser::is_space;
use super::value::{Dict, Value};
use crate::bytes::{count, index_u64};
use crate::text::clip;

/// A signature, by what it says it covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// How it is encoded, e.g. `adbe.pkcs7.detached`.
    pub sub_filter: String,
    /// Where what it covers ends, in bytes from the start of the file.
    pub covered_bytes: u64,
    /// Whether it covers everything but itself: two stretches, the first from the start of the file, and between them
    /// exactly the `/Contents` of this signature.
    pub is_whole: bool,
    /// Whether nothing but white space follows what it covers.
    pub covers_file: bool,
    /// What it permits to be changed after it: 1 nothing, 2 forms, 3 annotations as well.
    pub permission: Option<u8>,
}

/// Reads the signature of an object that lies at these places; nothing if it has no range of bytes.
pub(super) fn read(bytes: &[u8], offset: usize, end: usize, dict: &Dict<'_>) -> Option<Signature> {
    let range = dict.get(b"ByteRange")?.array()?;
    let numbers: Option<Vec<u64>> = range.iter().map(Value::number).collect();
    let (is_whole, covered) = match *numbers?.as_slice() {
        [start, first, second, len] => {
            let gap = index_u64(first)..index_u64(second);
            let object = bytes.get(offset..end).unwrap_or_default();
            let is_whole = start == 0 && is_contents(object, offset, gap.start, gap.end);
            (is_whole, second.saturating_add(len))
        }
        [.., start, len] => (false, start.saturating_add(len)),
        _ => return None,
    };
    let rest = bytes.get(index_u64(covered)..);
    let sub_filter = dict.name(b"SubFilter").unwrap_or_default();
    Some(Signature {
        sub_filter: clip(&String::from_utf8_lossy(sub_filter)),
        covered_bytes: covered.min(count(bytes.len())),
        is_whole: is_whole && rest.is_some(),
        covers_file: rest.is_some_and(|rest| rest.iter().all(|&byte| is_space(byte))),
        permission: permission(dict),
    })
}

/// Whether the gap is, bracket to bracket, the hexadecimal text that stands behind `/Contents` in this object.
fn is_contents(object: &[u8], offset: usize, start: usize, end: usize) -> bool {
    let inside = start
        .checked_sub(offset)
        .zip(end.checked_sub(offset))
        .and_then(|(start, end)| Some((object.get(..start)?, object.get(start..end)?)));
    let Some((before, gap)) = inside else {
        return false;
    };
    let [b'<', digits @ .., b'>'] = gap else {
        return false;
    };
    before.trim_ascii_end().ends_with(b"/Contents")
        && digits
            .iter()
            .all(|&byte| byte.is_ascii_hexdigit() || is_space(byte))
}

/// The level of DocMDP, if the signature has one.
fn permission(dict: &Dict<'_>) -> Option<u8> {
    let mut level = None;
    dict.get(b"Reference")?.dicts(&mut |reference| {
        if reference.name(b"TransformMethod") != Some(b"DocMDP") {
            return;
        }
        let parameters = reference.get(b"TransformParams").and_then(Value::dict);
        // Without a level it is 2.
        let number = parameters.map_or(Some(2), |parameters| match parameters.get(b"P") {
            Some(number) => number.number(),
            None => Some(2),
        });
        level = number.and_then(|number| u8::try_from(number).ok());
    });
    level.filter(|level| (1..=3).contains(level))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::structure::pdf::scan::Objects;

    fn signature(text: &str) -> Option<Signature> {
        let object = Objects::new(text.as_bytes()).next().expect("an object");
        let dict = object.value.dict().expect("a dictionary");
        read(text.as_bytes(), object.offset, object.end, dict)
    }

    /// A signature with this range; its contents lie from 27 to 33.
    fn with_range(range: &str, rest: &str) -> String {
        format!("9 0 obj<</Type/Sig/Contents<0aff>/ByteRange[{range}]{rest}>>endobj\n")
    }

    #[test]
    fn coverage_is_measured() {
        let text = with_range("0 0027 0033 0042", "");
        assert_eq!(text.find("<0aff>"), Some(27));
        let len = text.len() - 33;
        let text = with_range(&format!("0 0027 0033 {len:04}"), "");
        let found = signature(&text).expect("a range");
        assert!(found.is_whole && found.covers_file);
        assert_eq!(found.covered_bytes, text.len() as u64);
        let found = signature(&(text + "more")).expect("a range");
        assert!(found.is_whole && !found.covers_file);
    }

    #[test]
    fn a_gap_beside_the_contents_is_told() {
        for range in [
            "0 0026 0033 0010",
            "0 0027 0034 0010",
            "1 0027 0033 0010",
            "0 0 0 0",
            "0 0027 0033 9999",
        ] {
            let found = signature(&with_range(range, "")).expect("a range");
            assert!(!found.is_whole, "{range}");
        }
        assert_eq!(signature(&with_range("0", "")), None);
        assert_eq!(signature(&with_range("0 1 2 /x", "")), None);
        assert_eq!(signature("1 0 obj<</Type/Sig>>"), None);
    }

    #[test]
    fn the_permission_is_read() {
        let permission = |parameters: &str| {
            let rest = format!("/Reference[<</TransformMethod/DocMDP{parameters}>>]");
            signature(&with_range("0 1 2 3", &rest))
                .expect("a range")
                .permission
        };
        assert_eq!(permission("/TransformParams<</P 1>>"), Some(1));
        assert_eq!(permission("/TransformParams<</V/1.2>>"), Some(2));
        assert_eq!(permission(""), Some(2));
        assert_eq!(permission("/TransformParams<</P 9>>"), None);
        let other = signature(&with_range(
            "0 1 2 3",
            "/Reference[<</TransformMethod/UR3>>]",
        ));
        assert_eq!(other.expect("a range").permission, None);
    }
}
