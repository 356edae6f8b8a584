//! The values that PDF objects are made of (ISO 32000-1 section 7.3).

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

/// A value, as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    /// A number with a point, or one that is too large.
    Real(&'a [u8]),
    /// Without the stroke, its escapes resolved.
    Name(Cow<'a, [u8]>),
    /// Between round brackets, its escapes not resolved.
    Literal(&'a [u8]),
    /// Between pointed brackets, in hexadecimal digits.
    Hex(&'a [u8]),
    Array(Vec<Value<'a>>),
    Dict(Dict<'a>),
    /// Another object, by its number.
    Reference(u32),
}

/// Names and values in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Dict<'a> {
    pub(super) entries: Vec<(Cow<'a, [u8]>, Value<'a>)>,
}

impl<'a> Dict<'a> {
    /// The value of this name; the last, if it is there twice.
    pub(super) fn get(&self, name: &[u8]) -> Option<&Value<'a>> {
        let mut entries = self.entries.iter().rev();
        let found = entries.find(|(key, _)| key.as_ref() == name);
        found.map(|(_, value)| value)
    }

    pub(super) fn has(&self, name: &[u8]) -> bool {
        self.get(name).is_some()
    }

    pub(super) fn name(&self, name: &[u8]) -> Option<&[u8]> {
        let Value::Name(found) = self.get(name)? else {
            return None;
        };
        Some(found)
    }

    pub(super) fn number(&self, name: &[u8]) -> Option<u64> {
        self.get(name)?.number()
    }

    pub(super) fn reference(&self, name: &[u8]) -> Option<u32> {
        let Value::Reference(number) = self.get(name)? else {
            return None;
        };
        Some(*number)
    }

    /// All objects that the value of this name refers to.
    pub(super) fn references(&self, name: &[u8]) -> Vec<u32> {
        let mut found = Vec::new();
        if let Some(value) = self.get(name) {
            value.references(&mut found);
        }
        found
    }

    /// Whether the type or the subtype is this.
    pub(super) fn is_a(&self, name: &[u8]) -> bool {
        self.name(b"Type") == Some(name) || self.name(b"Subtype") == Some(name)
    }
}

impl<'a> Value<'a> {
    /// A number that is equal for equal objects, however they are written: spaces, and the order and place of entries,
    /// change nothing. Of a stream the data counts, not the length that the object says.
    pub(super) fn digest(&self, stream: Option<&[u8]>) -> u64 {
        let mut hasher = DefaultHasher::new();
        if let Value::Dict(dict) = self {
            let mut entries: Vec<_> = dict
                .entries
                .iter()
                .filter(|(name, _)| stream.is_none() || name.as_ref() != b"Length")
                .collect();
            entries.sort_by(|(left, _), (right, _)| left.cmp(right));
            entries.hash(&mut hasher);
        } else {
            self.hash(&mut hasher);
        }
        stream.hash(&mut hasher);
        hasher.finish()
    }

    pub(super) fn number(&self) -> Option<u64> {
        let Value::Int(number) = self else {
            return None;
        };
        u64::try_from(*number).ok()
    }

    pub(super) fn dict(&self) -> Option<&Dict<'a>> {
        let Value::Dict(dict) = self else {
            return None;
        };
        Some(dict)
    }

    pub(super) fn array(&self) -> Option<&[Value<'a>]> {
        let Value::Array(values) = self else {
            return None;
        };
        Some(values)
    }

    /// All objects that the value refers to, however deep.
    pub(super) fn references(&self, found: &mut Vec<u32>) {
        match self {
            Value::Reference(number) => found.push(*number),
            Value::Array(values) => values.iter().for_each(|value| value.references(found)),
            Value::Dict(dict) => dict
                .entries
                .iter()
                .for_each(|(_, value)| value.references(found)),
            Value::Null
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Real(_)
            | Value::Name(_)
            | Value::Literal(_)
            | Value::Hex(_) => {}
        }
    }

    /// Shows every dictionary within the value, itself included.
    pub(super) fn dicts(&self, see: &mut impl FnMut(&Dict<'a>)) {
        match self {
            Value::Array(values) => values.iter().for_each(|value| value.dicts(see)),
            Value::Dict(dict) => {
                see(dict);
                dict.entries.iter().for_each(|(_, value)| value.dicts(see));
            }
            Value::Null
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Real(_)
            | Value::Name(_)
            | Value::Literal(_)
            | Value::Hex(_)
            | Value::Reference(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parser::Parser;

    fn digest(text: &str, stream: Option<&[u8]>) -> u64 {
        let value = Parser::new(text.as_bytes(), 0).value().expect("whole");
        value.digest(stream)
    }

    #[test]
    fn the_way_an_object_is_written_changes_nothing() {
        let one = digest("<</A 1/B[1 2]>>", None);
        assert_eq!(one, digest("<< /B [1  2]\n/A 1 >>", None));
        assert_ne!(one, digest("<</A 2/B[1 2]>>", None));
        assert_ne!(digest("[1 2]", None), digest("[2 1]", None));
        let stream = digest("<</Length 3>>", Some(b"abc"));
        assert_eq!(stream, digest("<</Length 9 0 R>>", Some(b"abc")));
        assert_ne!(stream, digest("<</Length 3>>", Some(b"abd")));
    }
}
