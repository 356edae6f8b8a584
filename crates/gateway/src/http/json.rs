//! Reads a JSON object into what requests are made of: objects in objects to a depth of two, and plain values. What
//! lies deeper is read over, whatever it is, so no body takes more memory than its own size. Pure.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The most members of one object.
pub(super) const MEMBERS_MAX: usize = 64;
/// How deep objects may lie to be read: the body, and one that it holds.
const DEPTH_MAX: u8 = 2;

/// The members of an object, by name.
pub(super) type Members = BTreeMap<String, Node>;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    /// A whole number of 64 bits, as it is written out.
    Number(String),
    /// Another number; it may have been written in another way.
    Decimal(String),
    Text(String),
    Object(Members),
    /// A list, or something that lies too deep; what is in it is gone.
    Other,
}

impl Node {
    /// What it is, to say that it is the wrong thing.
    pub(super) fn sort(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Decimal(_) => "a number that is not whole, or has more than 64 bits",
            Self::Text(_) => "a text",
            Self::Object(_) => "an object",
            Self::Other => "a list or an object",
        }
    }
}

/// Reads a whole body.
pub(super) fn read(body: &[u8]) -> Result<Node, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let node = Depth(DEPTH_MAX).deserialize(&mut reader)?;
    reader.end()?;
    Ok(node)
}

/// How many levels of objects may still be read.
#[derive(Clone, Copy)]
struct Depth(u8);

impl<'de> DeserializeSeed<'de> for Depth {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Node, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Depth {
    type Value = Node;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Decimal(value.to_string()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Node, E> {
        Ok(Node::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Node::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let Some(inner) = self.0.checked_sub(1) else {
            while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Node::Other);
        };
        let mut members = Members::new();
        while let Some(name) = entries.next_key::<String>()? {
            if members.len() >= MEMBERS_MAX {
                return Err(A::Error::custom(format_args!(
                    "an object has more than {MEMBERS_MAX} members"
                )));
            }
            let node = entries.next_value_seed(Self(inner))?;
            if members.insert(name, node).is_some() {
                return Err(A::Error::custom("a member is given twice"));
            }
        }
        Ok(Node::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn members(body: &str) -> Members {
        let Node::Object(members) = read(body.as_bytes()).unwrap() else {
            panic!("{body} is an object");
        };
        members
    }

    #[test]
    fn plain_values_and_one_level_of_objects_are_read() {
        let read =
            members(r#"{"a":{"b":"c","d":[1],"e":{"f":1}},"g":1.5,"h":null,"i":true,"j":-1}"#);
        let inner = Members::from([
            ("b".to_owned(), Node::Text("c".to_owned())),
            ("d".to_owned(), Node::Other),
            ("e".to_owned(), Node::Other),
        ]);
        assert_eq!(read["a"], Node::Object(inner));
        assert_eq!(read["g"], Node::Decimal("1.5".to_owned()));
        assert_eq!(read["h"], Node::Null);
        assert_eq!(read["i"], Node::Bool(true));
        assert_eq!(read["j"], Node::Number("-1".to_owned()));
    }

    #[test]
    fn what_is_no_json_is_an_error() {
        for body in [
            "",
            "{",
            "{}}",
            "{\"a\":}",
            "nul",
            "{\"a\":1,\"a\":2}",
            "\u{feff}{}",
        ] {
            assert!(read(body.as_bytes()).is_err(), "{body}");
        }
        assert!(read(b"{\"a\":\"\xff\"}").is_err(), "it is no UTF-8");
    }

    #[test]
    fn the_deepest_body_does_no_harm() {
        let deep = |open: &str, close: &str| {
            format!("{{\"a\":{}{}}}", open.repeat(50_000), close.repeat(50_000))
        };
        assert_eq!(members(&deep("[", "]"))["a"], Node::Other);
        drop(read(deep("{\"a\":", "}").as_bytes()));
        assert!(read("[".repeat(100_000).as_bytes()).is_err());
    }

    #[test]
    fn the_bound_on_members_holds_at_n_and_n_plus_one() {
        let body = |count: usize| {
            let members: Vec<_> = (0..count).map(|one| format!("\"{one}\":0")).collect();
            format!("{{{}}}", members.join(","))
        };
        assert_eq!(members(&body(MEMBERS_MAX)).len(), MEMBERS_MAX);
        assert!(read(body(MEMBERS_MAX + 1).as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            drop(read(&body));
        }
    }
}
