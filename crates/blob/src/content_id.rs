//! The name of content: what it hashes to.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

const PREFIX: &str = "sha256:";
const HASH_BYTES: usize = 32;

/// The SHA-256 of content; printed as `sha256:` and 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentId([u8; HASH_BYTES]);

impl ContentId {
    /// The name of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The name of content with this SHA-256.
    #[must_use]
    pub fn from_sha256(hash: [u8; HASH_BYTES]) -> Self {
        Self(hash)
    }

    /// Reads the 64 digits alone, without `sha256:`.
    ///
    /// # Errors
    /// When they are not 64 lower-case hexadecimal digits.
    pub fn from_hex(hex: &str) -> Result<Self, InvalidContentId> {
        let mut hash = [0; HASH_BYTES];
        if hex.len() != 2 * HASH_BYTES {
            return Err(InvalidContentId);
        }
        for (byte, pair) in hash.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Self(hash))
    }

    /// The 64 digits alone.
    #[must_use]
    pub fn hex(&self) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hex = String::with_capacity(2 * HASH_BYTES);
        for byte in self.0 {
            hex.push(char::from(DIGITS[usize::from(byte >> 4)]));
            hex.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        hex
    }
}

/// A text that names no content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 'sha256:' and 64 lower-case hexadecimal digits, as an upload answers it")]
pub struct InvalidContentId;

// Lower case only: one content must not have two names.
fn digit(character: u8) -> Result<u8, InvalidContentId> {
    match character {
        b'0'..=b'9' => Ok(character - b'0'),
        b'a'..=b'f' => Ok(character - b'a' + 10),
        _ => Err(InvalidContentId),
    }
}

impl fmt::Display for ContentId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{PREFIX}{}", self.hex())
    }
}

impl fmt::Debug for ContentId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "ContentId({self})")
    }
}

impl FromStr for ContentId {
    type Err = InvalidContentId;

    fn from_str(text: &str) -> Result<Self, InvalidContentId> {
        Self::from_hex(text.strip_prefix(PREFIX).ok_or(InvalidContentId)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn the_name_is_the_hash() {
        assert_eq!(ContentId::of(b"abc").to_string(), ABC);
        assert_eq!(ABC.parse(), Ok(ContentId::of(b"abc")));
        assert_eq!(ContentId::from_hex(&ABC[7..]), Ok(ContentId::of(b"abc")));
    }

    #[test]
    fn other_texts_are_no_names() {
        let wrong = [
            String::new(),
            ABC[7..].to_owned(),
            ABC.to_uppercase(),
            ABC.replace("ba78", "BA78"),
            ABC[..70].to_owned(),
            format!("{ABC}0"),
            ABC.replace("ba78", "../."),
            ABC.replace("ba7", "é7"),
        ];
        for text in wrong {
            assert_eq!(text.parse::<ContentId>(), Err(InvalidContentId), "{text}");
        }
    }
}
