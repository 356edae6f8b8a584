//! Texts and dates (ISO 32000-1 sections 7.3.4 and 7.9).

use super::value::Value;
use crate::text::clip;

/// Longest text that is decoded.
const TEXT_BYTES_MAX: usize = 8 * 1024;

/// The text of a value, cut and cleaned; nothing if it is none.
pub(super) fn decode(value: &Value<'_>) -> Option<String> {
    let raw = if let Value::Literal(raw) = value {
        unescape(raw.get(..TEXT_BYTES_MAX).unwrap_or(raw))
    } else if let Value::Hex(raw) = value {
        unhex(raw.get(..TEXT_BYTES_MAX).unwrap_or(raw))
    } else {
        return None;
    };
    let text = match raw.as_slice() {
        [0xfe, 0xff, wide @ ..] => wide_text(wide, u16::from_be_bytes),
        [0xff, 0xfe, wide @ ..] => wide_text(wide, u16::from_le_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        // The encoding of documents is Latin-1, but for a few signs.
        narrow => narrow.iter().map(|&byte| char::from(byte)).collect(),
    };
    let text = clip(text.trim_matches(['\0', ' ', '\n', '\r']));
    (!text.is_empty()).then_some(text)
}

/// `D:20240506070809+02'00'` as `2024-05-06T07:08:09+02:00`; anything else as it is.
pub(super) fn date(text: &str) -> String {
    let Some(digits) = text.strip_prefix("D:").and_then(|rest| rest.get(..14)) else {
        return text.to_owned();
    };
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.to_owned();
    }
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    let zone: String = text
        .get(16..)
        .unwrap_or_default()
        .trim_end_matches('\'')
        .replace('\'', ":");
    let (year, month, day) = (part(0, 4), part(4, 6), part(6, 8));
    let (hour, minute, second) = (part(8, 10), part(10, 12), part(12, 14));
    format!("{year}-{month}-{day}T{hour}:{minute}:{second}{zone}")
}

fn wide_text(raw: &[u8], unit: impl Fn([u8; 2]) -> u16) -> String {
    let (pairs, _) = raw.as_chunks::<2>();
    char::decode_utf16(pairs.iter().map(|pair| unit(*pair)))
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// Resolves `\n`, `\(`, `\053`, and line ends that are not meant.
fn unescape(raw: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            text.push(byte);
            continue;
        }
        let octal: Vec<u8> = rest
            .iter()
            .take(3)
            .take_while(|byte| matches!(byte, b'0'..=b'7'))
            .map(|byte| byte - b'0')
            .collect();
        if !octal.is_empty() {
            let number = octal
                .iter()
                .fold(0_u32, |number, &digit| number * 8 + u32::from(digit));
            text.push(u8::try_from(number & 0xff).unwrap_or_default());
            rest = rest.get(octal.len()..).unwrap_or_default();
            continue;
        }
        let Some((&escaped, after)) = rest.split_first() else {
            break;
        };
        rest = after;
        match escaped {
            b'n' => text.push(b'\n'),
            b'r' => text.push(b'\r'),
            b't' => text.push(b'\t'),
            b'b' | b'f' => text.push(b' '),
            b'\r' | b'\n' => {}
            other => text.push(other),
        }
    }
    text
}

/// Pairs of digits; a missing last one is zero.
fn unhex(raw: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = raw
        .iter()
        .filter_map(|&byte| char::from(byte).to_digit(16))
        .filter_map(|digit| u8::try_from(digit).ok())
        .collect();
    digits
        .chunks(2)
        .map(|pair| match *pair {
            [high, low] => high << 4 | low,
            [high] => high << 4,
            _ => 0,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_decoded() {
        let table: [(Value<'_>, &str); 6] = [
            (
                Value::Literal(b"Skia\\/PDF m\\(1\\)\\053"),
                "Skia/PDF m(1)+",
            ),
            (Value::Literal(b"\xfe\xff\0G\0\xfc"), "Gü"),
            (Value::Literal(b"\\376\\377\\000G"), "G"),
            (Value::Literal(b"\xef\xbb\xbf\xc3\xbc"), "ü"),
            (Value::Hex(b"FEFF 0047"), "G"),
            (Value::Hex(b"474"), "G@"),
        ];
        for (value, text) in table {
            assert_eq!(decode(&value).as_deref(), Some(text));
        }
        assert_eq!(decode(&Value::Int(1)), None);
        assert_eq!(decode(&Value::Literal(b" ")), None);
        assert_eq!(decode(&Value::Literal(b"a\\")).as_deref(), Some("a"));
    }

    #[test]
    fn dates_are_written_as_everywhere() {
        assert_eq!(date("D:20240506070809+02'00'"), "2024-05-06T07:08:09+02:00");
        assert_eq!(date("D:20240506070809Z"), "2024-05-06T07:08:09Z");
        assert_eq!(date("D:20240506070809"), "2024-05-06T07:08:09");
        assert_eq!(date("D:2024"), "D:2024");
        assert_eq!(date("yesterday"), "yesterday");
        assert_eq!(date("D:2024050607080é"), "D:2024050607080é");
    }
}
