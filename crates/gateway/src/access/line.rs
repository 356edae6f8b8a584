//! A line of the file of tokens, as
//! `name=ci tenant=acme scopes=read,submit expires=2027-01-31 sha256=9f86d081...`. Pure.
//!
//! No error repeats what a line holds: somebody may have put a token there.

use std::str::FromStr as _;

use assay_core::id::Tenant;
use prost_types::Timestamp;

use super::caller::{Caller, TAKEN};
use super::scope::Scopes;
use super::token::{self, ENTROPY_BYTES, TokenHash};

/// The longest name of a token, in bytes.
const NAME_BYTES_MAX: usize = 64;
/// The longest text of a time, in bytes.
const TIME_BYTES_MAX: usize = 35;

const NAME_RULE: &str =
    "1 to 64 characters of a-z, 0-9, '.', '-' and '_', and not `anybody` or `stranger`";
const TENANT_RULE: &str = "1 to 64 characters of a-z, 0-9, '-' and '_'";
const SCOPES_RULE: &str = "one or more of read, submit and admin, with commas between";
const EXPIRES_RULE: &str = "a day or a time such as 2027-01-31 or 2027-01-31T12:00:00Z";
const SHA256_RULE: &str = "the 64 hexadecimal digits that `assay token new` prints";

/// Why a line lets nobody in. The text says how to mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// A value is not what it must be.
    #[error("`{key}` must be {rule}")]
    Wrong {
        /// Of which key.
        key: &'static str,
        /// What it must be.
        rule: &'static str,
    },
    /// A key is not there.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A key is there more than once.
    #[error("`{0}` is there twice")]
    Twice(&'static str),
    /// Something else is there.
    #[error(
        "write key=value with blanks between, and no other keys than name, tenant, scopes, expires and sha256"
    )]
    Unreadable,
}

/// Whom a token lets in, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) hash: TokenHash,
    pub(super) caller: Caller,
    /// From this moment on it lets nobody in.
    pub(super) expires_at_ms: Option<u64>,
}

impl Line {
    /// Reads one.
    pub(super) fn parse(text: &str) -> Result<Self, TokenError> {
        let pairs = Pairs::read(text)?;
        let name = given("name", pairs.name)?;
        if !is_name(name) {
            return Err(wrong("name", NAME_RULE));
        }
        let tenant = Tenant::new(given("tenant", pairs.tenant)?);
        let tenant = tenant.map_err(|_| wrong("tenant", TENANT_RULE))?;
        let scopes = given("scopes", pairs.scopes)?.parse::<Scopes>();
        let scopes = scopes.map_err(|_| wrong("scopes", SCOPES_RULE))?;
        let time = |text| read_time(text).ok_or_else(|| wrong("expires", EXPIRES_RULE));
        let expires_at_ms = pairs.expires.map(time).transpose()?;
        let hash = TokenHash::parse(given("sha256", pairs.sha256)?);
        let hash = hash.ok_or_else(|| wrong("sha256", SHA256_RULE))?;
        Ok(Self {
            hash,
            caller: Caller::with(hash, name, tenant, scopes),
            expires_at_ms,
        })
    }
}

/// The texts of a line, by key.
#[derive(Default)]
struct Pairs<'a> {
    name: Option<&'a str>,
    tenant: Option<&'a str>,
    scopes: Option<&'a str>,
    expires: Option<&'a str>,
    sha256: Option<&'a str>,
}

impl<'a> Pairs<'a> {
    fn read(text: &'a str) -> Result<Self, TokenError> {
        let mut pairs = Self::default();
        for pair in text.split_ascii_whitespace() {
            let (key, value) = pair.split_once('=').ok_or(TokenError::Unreadable)?;
            let (key, place) = match key {
                "name" => ("name", &mut pairs.name),
                "tenant" => ("tenant", &mut pairs.tenant),
                "scopes" => ("scopes", &mut pairs.scopes),
                "expires" => ("expires", &mut pairs.expires),
                "sha256" => ("sha256", &mut pairs.sha256),
                _ => return Err(TokenError::Unreadable),
            };
            if place.replace(value).is_some() {
                return Err(TokenError::Twice(key));
            }
        }
        Ok(pairs)
    }
}

fn given<'a>(key: &'static str, value: Option<&'a str>) -> Result<&'a str, TokenError> {
    value.ok_or(TokenError::Missing(key))
}

fn wrong(key: &'static str, rule: &'static str) -> TokenError {
    TokenError::Wrong { key, rule }
}

fn is_name(text: &str) -> bool {
    let fits =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(&byte);
    (1..=NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(fits) && !TAKEN.contains(&text)
}

/// Reads a point in time (RFC 3339), or the begin of a day, of UTC.
fn read_time(text: &str) -> Option<u64> {
    if text.len() > TIME_BYTES_MAX || !text.is_ascii() {
        return None;
    }
    let time = Timestamp::from_str(text).ok()?;
    let seconds = u64::try_from(time.seconds).ok()?;
    let ms = u64::try_from(time.nanos / 1_000_000).ok()?;
    seconds.checked_mul(1_000)?.checked_add(ms)
}

/// A new token: its text, for whoever is to show it, and the line that lets it in, for the file of tokens.
pub struct NewToken {
    /// The token. It is kept nowhere else.
    pub token: String,
    /// The line, without its end.
    pub line: String,
}

/// Makes a token of random bytes. `scopes` has commas between; it does not expire unless `expires` says when.
///
/// # Errors
/// What must be given otherwise.
pub fn new_token(
    name: &str,
    tenant: &str,
    scopes: &str,
    expires: Option<&str>,
    entropy: &[u8; ENTROPY_BYTES],
) -> Result<NewToken, TokenError> {
    let token = token::text(entropy);
    let hash = TokenHash::of(&token).ok_or_else(|| wrong("sha256", SHA256_RULE))?;
    let expires = expires.map_or_else(String::new, |time| format!(" expires={time}"));
    let line = format!("name={name} tenant={tenant} scopes={scopes}{expires} sha256={hash}");
    // By the eyes that will read it.
    Line::parse(&line)?;
    Ok(NewToken { token, line })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::access::Scope;

    const HASH: &str = "044cbac96451aa69ba7a2f124d56788f37c0bc68857c7d587b916efe904f1dae";

    fn refused(text: &str) -> TokenError {
        Line::parse(text).unwrap_err()
    }

    #[test]
    fn a_line_says_who_whose_what_and_until_when() {
        let text =
            format!("sha256={HASH}  tenant=acme\tname=ci.1 expires=1970-01-02 scopes=read,submit");
        let line = Line::parse(&text).unwrap();
        assert_eq!(&*line.caller.name, "ci.1");
        assert_eq!(line.caller.tenant, Tenant::new("acme").unwrap());
        assert!(line.caller.scopes.contains(Scope::Submit));
        assert!(!line.caller.scopes.contains(Scope::Admin));
        assert_eq!(line.expires_at_ms, Some(86_400_000));
        assert_eq!(line.hash.to_string(), HASH);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let rest = format!("scopes=read sha256={HASH}");
        let table = [
            (format!("tenant=a {rest}"), "`name` is missing"),
            (format!("name=a {rest}"), "`tenant` is missing"),
            (
                format!("name=a tenant=b sha256={HASH}"),
                "`scopes` is missing",
            ),
            (
                "name=a tenant=b scopes=read".to_owned(),
                "`sha256` is missing",
            ),
            (
                format!("name=a name=b tenant=b {rest}"),
                "`name` is there twice",
            ),
            (
                format!("name=a tenant=B {rest}"),
                "`tenant` must be 1 to 64",
            ),
            (format!("name=A tenant=b {rest}"), "`name` must be 1 to 64"),
            (format!("name= tenant=b {rest}"), "`name` must be 1 to 64"),
            (
                format!("name=anybody tenant=b {rest}"),
                "`name` must be 1 to 64",
            ),
            (
                format!("name=stranger tenant=b {rest}"),
                "`name` must be 1 to 64",
            ),
            (
                format!("name=a tenant=b scopes=all sha256={HASH}"),
                "`scopes` must be one",
            ),
            (
                format!("name=a tenant=b expires=soon {rest}"),
                "`expires` must be a day",
            ),
            (
                format!("name=a tenant=b expires=1969-12-31 {rest}"),
                "`expires` must be",
            ),
            (
                "name=a tenant=b scopes=read sha256=1".to_owned(),
                "`sha256` must be",
            ),
            (format!("name=a tenant=b owner=c {rest}"), "write key=value"),
            (
                format!("name=a tenant=b assay_secret {rest}"),
                "write key=value",
            ),
        ];
        for (text, said) in table {
            let error = refused(&text).to_string();
            assert!(error.starts_with(said), "{text}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn names_and_times_hold_their_bounds() {
        let named = |bytes: usize| {
            let name = "n".repeat(bytes);
            Line::parse(&format!("name={name} tenant=b scopes=read sha256={HASH}")).is_ok()
        };
        assert!(named(NAME_BYTES_MAX) && !named(NAME_BYTES_MAX + 1));
        let longest = "1970-01-01T01:00:00.123456789+01:00";
        assert_eq!(longest.len(), TIME_BYTES_MAX);
        assert_eq!(read_time(longest), Some(123));
        assert_eq!(read_time(&format!("+0{longest}")), None);
        assert_eq!(read_time("1970-01-01T00:00:01.5Z"), Some(1_500));
        assert_eq!(read_time("1970-01-01T01:00:00+01:00"), Some(0));
    }

    #[test]
    fn a_new_token_is_let_in_by_its_line() {
        let made = new_token(
            "ci",
            "acme",
            "read",
            Some("2027-01-31"),
            &[3; ENTROPY_BYTES],
        );
        let NewToken { token, line } = made.unwrap();
        let line = Line::parse(&line).unwrap();
        assert_eq!(Some(line.hash), TokenHash::of(&token));
        let without_end = new_token("ci", "acme", "read", None, &[3; ENTROPY_BYTES]).unwrap();
        assert_eq!(Line::parse(&without_end.line).unwrap().expires_at_ms, None);
        for (name, tenant, scopes) in [
            ("ci tenant=other", "acme", "read"),
            ("ci", "acme", "read sha256=0"),
            ("ci", "", "read"),
        ] {
            assert!(new_token(name, tenant, scopes, None, &[3; ENTROPY_BYTES]).is_err());
        }
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(text in ".{0,200}") {
            drop(Line::parse(&text));
            drop(Line::parse(&format!("name=a tenant=b scopes=read sha256={HASH} expires={text}")));
            drop(Line::parse(&format!("name=a tenant=b scopes=read sha256={text}")));
        }

        #[test]
        fn no_time_makes_it_panic(text in "[0-9+: .TZ-]{0,45}") {
            // Every time that can be written lies well before the end of the numbers.
            prop_assert!(read_time(&text).is_none_or(|ms| ms < u64::MAX / 2));
        }
    }
}
