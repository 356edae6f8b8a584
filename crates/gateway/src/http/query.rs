//! What follows the question mark: a closed list of parameters for each address. Pure.

use crate::convert::Fields;
use crate::status::Refusal;

/// The most parameters of one request.
const PARAMETERS_MAX: usize = 64;

/// The parameters of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Query {
    parameters: Vec<(String, String)>,
}

impl Query {
    /// Reads them; every one that is not `known` is named.
    pub(super) fn read(raw: &str, known: &[&str]) -> Result<Self, Refusal> {
        let mut fields = Fields::default();
        let mut parameters = Vec::new();
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            if parameters.len() >= PARAMETERS_MAX {
                let must = format!("must have at most {PARAMETERS_MAX} parameters");
                fields.refuse("query", must);
                break;
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (Some(name), Some(value)) = (decode(name), decode(value)) else {
                fields.refuse("query", "must be UTF-8 in percent encoding");
                continue;
            };
            if !known.contains(&name.as_str()) {
                fields.refuse(shortened(&name), unknown(known));
            }
            parameters.push((name, value));
        }
        fields.finish()?;
        Ok(Self { parameters })
    }

    /// The value of a parameter that is given once at most; noted in `fields` if it is given more often.
    pub(super) fn one(&self, name: &str, fields: &mut Fields) -> Option<&str> {
        let mut values = self.all(name);
        let value = values.next();
        if values.next().is_some() {
            fields.refuse(name, "must be given once at most");
        }
        value
    }

    /// All values of a parameter.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self
            .parameters
            .iter()
            .filter(move |(known, _)| known == name);
        named.map(|(_, value)| value.as_str())
    }
}

fn unknown(known: &[&str]) -> String {
    if known.is_empty() {
        "is no parameter here: there are none".to_owned()
    } else {
        format!("is no parameter here: there are {}", known.join(", "))
    }
}

/// The longest name that an answer quotes, in characters.
const QUOTED_CHARS_MAX: usize = 64;

/// A name that a client made up, short enough to be quoted.
pub(super) fn shortened(name: &str) -> String {
    name.chars().take(QUOTED_CHARS_MAX).collect()
}

/// Undoes percent encoding; `None` if it is wrong or no UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => digit(rest.next()?)? * 16 + digit(rest.next()?)?,
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn digit(byte: u8) -> Option<u8> {
    let digit = char::from(byte).to_digit(16)?;
    u8::try_from(digit).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wrong(raw: &str) -> Vec<String> {
        let refusal = Query::read(raw, &["a", "b"]).unwrap_err();
        let named = refusal.violations().iter();
        named.map(|violation| violation.field.clone()).collect()
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let query = Query::read("a=x%20y+z&b&a=%C3%A9", &["a", "b"]).unwrap();
        assert_eq!(query.all("a").collect::<Vec<_>>(), ["x y z", "é"]);
        assert_eq!(query.one("b", &mut Fields::default()), Some(""));
        assert_eq!(Query::read("", &[]), Ok(Query::default()));
    }

    #[test]
    fn what_is_unknown_wrong_or_twice_is_named() {
        assert_eq!(wrong("a=1&c=2&d"), ["c", "d"]);
        for raw in ["a=%", "a=%4", "a=%zz", "a=%ff"] {
            assert_eq!(wrong(raw), ["query"], "{raw}");
        }
        let mut fields = Fields::default();
        let query = Query::read("a=1&a=2", &["a"]).unwrap();
        assert_eq!(query.one("a", &mut fields), Some("1"));
        assert_eq!(fields.finish().unwrap_err().violations()[0].field, "a");
        assert_eq!(wrong(&"n".repeat(1_000))[0].len(), QUOTED_CHARS_MAX);
    }

    #[test]
    fn the_bound_on_parameters_holds_at_n_and_n_plus_one() {
        let raw = |count| vec!["a=1"; count].join("&");
        assert!(Query::read(&raw(PARAMETERS_MAX), &["a"]).is_ok());
        assert_eq!(wrong(&raw(PARAMETERS_MAX + 1)), ["query"]);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(raw in ".*") {
            drop(Query::read(&raw, &["a"]));
        }
    }
}
