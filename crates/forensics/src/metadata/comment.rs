//! The EXIF user comment: eight bytes that name a character set, then the text.

const ASCII: &[u8; 8] = b"ASCII\0\0\0";
const UNICODE: &[u8; 8] = b"UNICODE\0";
const JIS: &[u8; 8] = b"JIS\0\0\0\0\0";

/// The text of a user comment.
pub(super) fn decode(raw: &[u8]) -> String {
    let Some((charset, text)) = raw.split_first_chunk::<8>() else {
        return String::from_utf8_lossy(raw).into_owned();
    };
    match charset {
        UNICODE => utf16(text),
        // Of JIS only what is ASCII in it: enough for the marks that are looked for.
        JIS => text
            .iter()
            .filter(|byte| byte.is_ascii())
            .map(|&byte| char::from(byte))
            .collect(),
        ASCII | &[0, 0, 0, 0, 0, 0, 0, 0] => String::from_utf8_lossy(text).into_owned(),
        _ => String::from_utf8_lossy(raw).into_owned(),
    }
}

/// UTF-16 by its mark, else in the order in which more of the high bytes are zero: writers disagree.
pub(super) fn utf16(raw: &[u8]) -> String {
    let (raw, little) = match raw {
        [0xff, 0xfe, rest @ ..] => (rest, true),
        [0xfe, 0xff, rest @ ..] => (rest, false),
        _ => (raw, is_little(raw)),
    };
    let units = raw.chunks_exact(2).filter_map(|pair| {
        let pair: [u8; 2] = pair.try_into().ok()?;
        Some(if little {
            u16::from_le_bytes(pair)
        } else {
            u16::from_be_bytes(pair)
        })
    });
    char::decode_utf16(units)
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

fn is_little(raw: &[u8]) -> bool {
    let zeros = |at: usize| {
        raw.iter()
            .skip(at)
            .step_by(2)
            .filter(|&&byte| byte == 0)
            .count()
    };
    zeros(1) > zeros(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(charset: &[u8; 8], text: &[u8]) -> Vec<u8> {
        [charset.as_slice(), text].concat()
    }

    #[test]
    fn every_character_set_is_read() {
        let big: Vec<u8> = "Steps: 20é"
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect();
        let little: Vec<u8> = "Steps: 20é"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(decode(&with(UNICODE, &big)), "Steps: 20é");
        assert_eq!(decode(&with(UNICODE, &little)), "Steps: 20é");
        let marked = [b"\xff\xfe".as_slice(), &little].concat();
        assert_eq!(decode(&with(UNICODE, &marked)), "Steps: 20é");
        assert_eq!(decode(&with(ASCII, b"Steps: 20")), "Steps: 20");
        assert_eq!(decode(&with(JIS, b"Steps: 20")), "Steps: 20");
        assert_eq!(decode(&with(&[0; 8], b"Steps: 20")), "Steps: 20");
        assert_eq!(decode(b"Steps: 20, Sampler"), "Steps: 20, Sampler");
        assert_eq!(decode(b"short"), "short");
    }
}
