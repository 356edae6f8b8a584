//! A token: how one is made, how one is shown, and what is kept of it. Pure.
//!
//! A token is 32 random bytes, so nobody guesses one, and a fast hash keeps it as safe as a slow one would. Slow hashes
//! (bcrypt, argon2) are for passwords, which people choose and machines can guess: there each guess must be dear. Here
//! there are 2^256 of them, and the hash is computed for every call.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tonic::codegen::http::HeaderMap;
use tonic::codegen::http::header::AUTHORIZATION;

use crate::status::Refusal;

/// The bytes that a token is made of. They must be random, from the system.
pub const ENTROPY_BYTES: usize = 32;

/// Begins every token, so that people and scanners of repositories know one when they see it.
const PREFIX: &str = "assay_";
/// The characters of a token: 6 bits each behind the prefix.
const TOKEN_BYTES: usize = PREFIX.len() + (ENTROPY_BYTES * 8).div_ceil(6);
/// How a token is shown (RFC 6750, section 2.1); the case does not matter (RFC 9110, section 11.1).
const SCHEME: &str = "bearer";

/// The bytes of a hash.
const HASH_BYTES: usize = 32;
/// The bytes of a hash by which a token is looked up.
pub(super) const KEY_BYTES: usize = 8;

/// The token that is made of these random bytes.
pub(super) fn text(entropy: &[u8; ENTROPY_BYTES]) -> String {
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(entropy))
}

/// The token that a request shows.
pub(super) fn shown(headers: &HeaderMap) -> Result<&str, Refusal> {
    let mut shown = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = shown.next() else {
        return Err(Refusal::TokenMissing);
    };
    // Two of them: somebody on the way may have looked at the other.
    if shown.next().is_some() {
        return Err(Refusal::TokenUnknown);
    }
    let text = value.to_str().map_err(|_| Refusal::TokenUnknown)?;
    let (scheme, token) = text.split_once(' ').ok_or(Refusal::TokenMissing)?;
    if !scheme.eq_ignore_ascii_case(SCHEME) {
        return Err(Refusal::TokenMissing);
    }
    Ok(token.trim_matches(' '))
}

/// What is kept of a token: SHA-256 of its text. It lets nobody in.
#[derive(Clone, Copy)]
pub(super) struct TokenHash([u8; HASH_BYTES]);

impl TokenHash {
    /// The hash of a token; none of what cannot be one.
    pub(super) fn of(token: &str) -> Option<Self> {
        let can_be = token.len() == TOKEN_BYTES && token.starts_with(PREFIX);
        can_be.then(|| Self(Sha256::digest(token.as_bytes()).into()))
    }

    /// Reads 64 hexadecimal digits.
    pub(super) fn parse(hex: &str) -> Option<Self> {
        if hex.len() != 2 * HASH_BYTES || !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let mut hash = [0; HASH_BYTES];
        for (byte, pair) in hash.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).ok()?;
            *byte = u8::from_str_radix(pair, 16).ok()?;
        }
        Some(Self(hash))
    }

    /// The part by which it is looked up. How long that takes tells of the hash of a guess, which nobody can choose:
    /// it is the comparison of the whole that must tell nothing.
    pub(super) fn key(&self) -> [u8; KEY_BYTES] {
        let mut key = [0; KEY_BYTES];
        for (to, from) in key.iter_mut().zip(self.0) {
            *to = from;
        }
        key
    }
}

/// In constant time.
impl PartialEq for TokenHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for TokenHash {}

/// As the file has it.
impl fmt::Display for TokenHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

/// Not into any log.
impl fmt::Debug for TokenHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("TokenHash(..)")
    }
}

#[cfg(test)]
mod tests {
    use tonic::codegen::http::HeaderValue;

    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn a_token_is_as_long_as_its_bytes_need() {
        let token = text(&[0xff; ENTROPY_BYTES]);
        assert_eq!(token, format!("assay_{}8", "_".repeat(42)));
        assert_eq!(token.len(), TOKEN_BYTES);
    }

    #[test]
    fn a_token_is_known_by_its_hash_and_by_nothing_else() {
        let token = text(&[7; ENTROPY_BYTES]);
        let hash = TokenHash::of(&token).unwrap();
        assert_eq!(TokenHash::parse(&hash.to_string()), Some(hash));
        assert_ne!(TokenHash::of(&text(&[8; ENTROPY_BYTES])), Some(hash));
        for other in [
            "",
            "assay_",
            &token[1..],
            &token[..TOKEN_BYTES - 1],
            &format!("{token}A"),
            &token.replace("assay_", "other_"),
            &hash.to_string(),
        ] {
            assert_eq!(TokenHash::of(other), None, "{other}");
        }
        assert_eq!(format!("{hash:?}"), "TokenHash(..)");
    }

    /// `printf assay_AAA... | sha256sum` says so.
    #[test]
    fn the_hash_is_that_of_other_programs() {
        let token = "assay_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        assert_eq!(token, text(&[0; ENTROPY_BYTES]));
        let hash = TokenHash::of(token).unwrap().to_string();
        assert_eq!(
            hash,
            "044cbac96451aa69ba7a2f124d56788f37c0bc68857c7d587b916efe904f1dae"
        );
    }

    #[test]
    fn hashes_of_another_form_are_none() {
        let good = "0123456789abcdefABCDEF".repeat(3)[..64].to_owned();
        assert!(TokenHash::parse(&good).is_some());
        for wrong in [&good[1..], &format!("{good}0"), &good.replace('0', "g"), ""] {
            assert_eq!(TokenHash::parse(wrong), None, "{wrong}");
        }
        assert_eq!(TokenHash::parse(&"é".repeat(32)), None);
    }

    #[test]
    fn a_token_is_shown_in_one_header_and_one_way() {
        assert_eq!(shown(&headers(&["Bearer abc"])), Ok("abc"));
        assert_eq!(shown(&headers(&["bEARER  abc "])), Ok("abc"));
        assert_eq!(shown(&headers(&[])), Err(Refusal::TokenMissing));
        for other in ["Basic abc", "Bearer", "abc", ""] {
            let refused = shown(&headers(&[other])).unwrap_err();
            assert_eq!(refused, Refusal::TokenMissing, "{other}");
        }
        for two in [["Bearer a", "Bearer a"], ["Bearer a", "Basic b"]] {
            assert_eq!(shown(&headers(&two)), Err(Refusal::TokenUnknown));
        }
        let mut binary = HeaderMap::new();
        let value = HeaderValue::from_bytes(b"Bearer \xff").unwrap();
        binary.insert(AUTHORIZATION, value);
        assert_eq!(shown(&binary), Err(Refusal::TokenUnknown));
    }
}
