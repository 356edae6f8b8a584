//! The values that PDF objects are made of (ISO 32000-1 section 7.3).

use std::borrow::Cow;

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

    /// Whether the type or the subtype is this.
    pub(super) fn is_a(&self, name: &[u8]) -> bool {
        self.name(b"Type") == Some(name) || self.name(b"Subtype") == Some(name)
    }
}

impl<'a> Value<'a> {
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
