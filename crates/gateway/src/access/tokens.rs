//! The file of tokens: a line for each, and lines that begin with `#` for people. Pure.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::caller::Caller;
use super::line::{Line, TokenError};
use super::token::{KEY_BYTES, TokenHash};
use crate::status::Refusal;

/// The most tokens of a file.
pub(super) const TOKENS_MAX: usize = 1_000;

/// Why a file of tokens can't be used. The text says how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// It can't be read at all.
    #[error("{0}")]
    Unreadable(String),
    /// A line is wrong.
    #[error("line {number}: {why}")]
    Line {
        /// Which, from 1.
        number: usize,
        /// What is wrong.
        why: TokenError,
    },
    /// Two lines have a name, or a token, in common.
    #[error(
        "line {number}: {what} stands in an earlier line, too: give each token a line and a name of its own"
    )]
    Twice {
        /// Which is the later one, from 1.
        number: usize,
        /// What they have in common.
        what: &'static str,
    },
    /// There are more lines than the bound.
    #[error("it holds more than {limit} tokens")]
    TooMany {
        /// The bound.
        limit: usize,
    },
    /// It would lock everybody out.
    #[error("it holds no token: make one with `assay token new`")]
    Empty,
}

/// Tokens, by their hash.
#[derive(Debug)]
pub(crate) struct Tokens {
    by_key: HashMap<[u8; KEY_BYTES], Line>,
}

impl Tokens {
    /// Reads a file.
    pub(super) fn parse(text: &str) -> Result<Self, FileError> {
        let mut names = HashSet::new();
        let mut by_key = HashMap::new();
        for (number, text) in (1..).zip(text.lines()) {
            let text = text.trim_ascii();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let line = Line::parse(text).map_err(|why| FileError::Line { number, why })?;
            let twice = |what| FileError::Twice { number, what };
            if !names.insert(Arc::clone(&line.caller.name)) {
                return Err(twice("the name"));
            }
            if by_key.insert(line.hash.key(), line).is_some() {
                return Err(twice("the token"));
            }
            if by_key.len() > TOKENS_MAX {
                return Err(FileError::TooMany { limit: TOKENS_MAX });
            }
        }
        if by_key.is_empty() {
            return Err(FileError::Empty);
        }
        Ok(Self { by_key })
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Who shows `token`.
    pub(super) fn know(&self, token: &str, now_ms: u64) -> Result<Caller, Refusal> {
        let hash = TokenHash::of(token).ok_or(Refusal::TokenUnknown)?;
        self.find(&hash, now_ms)
    }

    /// Whom the token of this hash lets in.
    pub(super) fn find(&self, hash: &TokenHash, now_ms: u64) -> Result<Caller, Refusal> {
        let line = self.by_key.get(&hash.key());
        let line = line.filter(|line| line.hash == *hash);
        let line = line.ok_or(Refusal::TokenUnknown)?;
        if line.expires_at_ms.is_some_and(|expires| expires <= now_ms) {
            return Err(Refusal::TokenExpired);
        }
        Ok(line.caller.clone())
    }

    /// Whether one expired after the one moment, and by the other.
    pub(super) fn expired_between(&self, after_ms: u64, by_ms: u64) -> bool {
        let mut ends = self.by_key.values().filter_map(|line| line.expires_at_ms);
        ends.any(|end| after_ms < end && end <= by_ms)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::access::line::{NewToken, new_token};
    use crate::access::token::ENTROPY_BYTES;

    fn made(number: usize, expires: Option<&str>) -> NewToken {
        let mut entropy = [0; ENTROPY_BYTES];
        entropy[..8].copy_from_slice(&number.to_le_bytes());
        let name = format!("n{number}");
        new_token(&name, "acme", "read", expires, &entropy).unwrap()
    }

    fn file(count: usize) -> String {
        let lines = (0..count).map(|number| made(number, None).line + "\n");
        lines.collect()
    }

    #[test]
    fn a_token_lets_its_caller_in_until_it_expires() {
        let (stays, ends) = (made(1, None), made(2, Some("1970-01-01T00:00:01Z")));
        let text = format!("# for people\n\n{}\r\n  {}", stays.line, ends.line);
        let tokens = Tokens::parse(&text).unwrap();
        assert_eq!(tokens.len(), 2);
        assert_eq!(&*tokens.know(&stays.token, u64::MAX).unwrap().name, "n1");
        assert_eq!(&*tokens.know(&ends.token, 999).unwrap().name, "n2");
        let late = tokens.know(&ends.token, 1_000);
        assert_eq!(late, Err(Refusal::TokenExpired));
        let unknown = tokens.know(&made(3, None).token, 0);
        assert_eq!(unknown, Err(Refusal::TokenUnknown));
        assert!(tokens.expired_between(999, 1_000) && tokens.expired_between(0, 2_000));
        assert!(!tokens.expired_between(1_000, 2_000) && !tokens.expired_between(0, 999));
    }

    #[test]
    fn the_same_first_bytes_are_not_the_same_token() {
        let stays = made(1, None);
        let tokens = Tokens::parse(&stays.line).unwrap();
        let hash = TokenHash::of(&stays.token).unwrap().to_string();
        let other = format!(
            "{}{}",
            &hash[..KEY_BYTES * 2],
            "0".repeat(64 - KEY_BYTES * 2)
        );
        let other = TokenHash::parse(&other).unwrap();
        assert_eq!(other.key(), TokenHash::parse(&hash).unwrap().key());
        assert_eq!(tokens.find(&other, 0), Err(Refusal::TokenUnknown));
    }

    #[test]
    fn as_many_tokens_as_the_bound_are_held_and_no_more() {
        assert_eq!(Tokens::parse(&file(TOKENS_MAX)).unwrap().len(), TOKENS_MAX);
        let error = Tokens::parse(&file(TOKENS_MAX + 1)).unwrap_err();
        assert_eq!(error, FileError::TooMany { limit: TOKENS_MAX });
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let (one, two) = (made(1, None).line, made(2, None).line);
        let said = |text: &str| Tokens::parse(text).unwrap_err().to_string();
        assert!(said("").contains("assay token new"));
        assert!(said("# nobody\n \n").contains("no token"));
        assert!(said(&format!("{one}\n\nname=x")).starts_with("line 3: `tenant` is missing"));
        assert!(said(&format!("{one}\n{one}")).starts_with("line 2: the name stands"));
        let renamed = one.replace("name=n1", "name=n3");
        assert!(said(&format!("{one}\n{two}\n{renamed}")).starts_with("line 3: the token stands"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(?s).{0,400}") {
            drop(Tokens::parse(&text));
        }
    }
}
