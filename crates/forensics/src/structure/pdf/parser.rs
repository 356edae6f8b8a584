//! Reads values. Never goes back by more than one number and what stands around it, so that its work is linear.

use std::borrow::Cow;

use super::value::{Dict, Value};

/// Nesting of arrays and dictionaries.
const DEPTH_MAX: u32 = 64;
/// Values of one object that are kept; further ones are read and dropped.
const VALUES_MAX: u32 = 20_000;

pub(super) struct Parser<'a> {
    bytes: &'a [u8],
    /// Where it goes on; after a failure, where it stopped.
    pub(super) at: usize,
    values: u32,
}

impl<'a> Parser<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self {
            bytes,
            at,
            values: 0,
        }
    }

    /// The value that begins here; nothing if there is none, or if it is damaged.
    pub(super) fn value(&mut self) -> Option<Value<'a>> {
        self.nested(0)
    }

    /// Goes past white space and comments.
    pub(super) fn skip_space(&mut self) {
        while let Some(&byte) = self.bytes.get(self.at) {
            if byte == b'%' {
                let rest = self.bytes.get(self.at..).unwrap_or_default();
                let line = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
                self.at += line.unwrap_or(rest.len());
            } else if is_space(byte) {
                self.at += 1;
            } else {
                return;
            }
        }
    }

    /// Whether this word stands here; goes past it if it does.
    pub(super) fn word(&mut self, word: &[u8]) -> bool {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let is_there =
            rest.starts_with(word) && rest.get(word.len()).is_none_or(|&next| !is_regular(next));
        if is_there {
            self.at += word.len();
        }
        is_there
    }

    fn nested(&mut self, depth: u32) -> Option<Value<'a>> {
        if depth > DEPTH_MAX {
            return None;
        }
        self.skip_space();
        match *self.bytes.get(self.at)? {
            b'/' => self.name().map(Value::Name),
            b'(' => self.literal(),
            b'[' => self.array(depth),
            b'<' if self.bytes.get(self.at + 1) == Some(&b'<') => self.dict(depth),
            b'<' => self.hex(),
            b'+' | b'-' | b'.' | b'0'..=b'9' => self.number(),
            _ if self.word(b"true") => Some(Value::Bool(true)),
            _ if self.word(b"false") => Some(Value::Bool(false)),
            _ if self.word(b"null") => Some(Value::Null),
            _ => None,
        }
    }

    fn name(&mut self) -> Option<Cow<'a, [u8]>> {
        let start = self.at + 1;
        let rest = self.bytes.get(start..)?;
        let len = rest
            .iter()
            .position(|&byte| !is_regular(byte))
            .unwrap_or(rest.len());
        self.at = start + len;
        let raw = rest.get(..len)?;
        Some(if raw.contains(&b'#') {
            Cow::Owned(unescape(raw))
        } else {
            Cow::Borrowed(raw)
        })
    }

    fn literal(&mut self) -> Option<Value<'a>> {
        let start = self.at + 1;
        let mut open = 0_u32;
        let mut is_escaped = false;
        while let Some(&byte) = self.bytes.get(self.at) {
            self.at += 1;
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'(' => open = open.saturating_add(1),
                b')' => open = open.saturating_sub(1),
                _ => {}
            }
            if open == 0 {
                return self.bytes.get(start..self.at - 1).map(Value::Literal);
            }
        }
        None
    }

    fn hex(&mut self) -> Option<Value<'a>> {
        let start = self.at + 1;
        let rest = self.bytes.get(start..)?;
        let len = rest
            .iter()
            .position(|&byte| !byte.is_ascii_hexdigit() && !is_space(byte));
        self.at = start + len.unwrap_or(rest.len());
        let raw = rest.get(..len?)?;
        (self.bytes.get(self.at) == Some(&b'>')).then(|| {
            self.at += 1;
            Value::Hex(raw)
        })
    }

    fn array(&mut self, depth: u32) -> Option<Value<'a>> {
        self.at += 1;
        let mut values = Vec::new();
        loop {
            self.skip_space();
            if self.bytes.get(self.at)? == &b']' {
                self.at += 1;
                return Some(Value::Array(values));
            }
            let value = self.nested(depth + 1)?;
            if self.has_room() {
                values.push(value);
            }
        }
    }

    fn dict(&mut self, depth: u32) -> Option<Value<'a>> {
        self.at += 2;
        let mut dict = Dict::default();
        loop {
            self.skip_space();
            match *self.bytes.get(self.at)? {
                b'>' if self.bytes.get(self.at + 1) == Some(&b'>') => {
                    self.at += 2;
                    return Some(Value::Dict(dict));
                }
                b'/' => {}
                _ => return None,
            }
            let name = self.name()?;
            let value = self.nested(depth + 1)?;
            if self.has_room() {
                dict.entries.push((name, value));
            }
        }
    }

    fn has_room(&mut self) -> bool {
        self.values = self.values.saturating_add(1);
        self.values <= VALUES_MAX
    }

    /// A number, or the first of the two of a reference.
    fn number(&mut self) -> Option<Value<'a>> {
        let raw = self.digits(|byte| matches!(byte, b'+' | b'-' | b'.' | b'0'..=b'9'));
        let number = std::str::from_utf8(raw).ok()?.parse::<i64>().ok();
        let Some(number) = number else {
            return Some(Value::Real(raw));
        };
        let after = self.at;
        if let (Ok(object), true) = (u32::try_from(number), self.is_reference()) {
            return Some(Value::Reference(object));
        }
        self.at = after;
        Some(Value::Int(number))
    }

    /// Whether a generation and an `R` follow; goes past them if they do.
    fn is_reference(&mut self) -> bool {
        self.skip_space();
        if self.digits(|byte| byte.is_ascii_digit()).is_empty() {
            return false;
        }
        self.skip_space();
        self.word(b"R")
    }

    fn digits(&mut self, is_digit: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let len = rest
            .iter()
            .position(|&byte| !is_digit(byte))
            .unwrap_or(rest.len());
        self.at += len;
        rest.get(..len).unwrap_or_default()
    }
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

/// Whether it may be part of a name or a word.
pub(super) fn is_regular(byte: u8) -> bool {
    !is_space(byte)
        && !matches!(
            byte,
            b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%'
        )
}

/// `#4A` stands for one byte.
fn unescape(raw: &[u8]) -> Vec<u8> {
    let mut name = Vec::with_capacity(raw.len());
    let mut at = 0;
    while let Some(&byte) = raw.get(at) {
        let escaped = raw.get(at + 1..at + 3).filter(|_| byte == b'#');
        let decoded = escaped
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        name.push(decoded.unwrap_or(byte));
        at += if decoded.is_some() { 3 } else { 1 };
    }
    name
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(bytes: &[u8]) -> Option<Value<'_>> {
        Parser::new(bytes, 0).value()
    }

    fn name(text: &[u8]) -> Value<'_> {
        Value::Name(Cow::Borrowed(text))
    }

    #[test]
    fn every_kind_of_value_is_read() {
        let table: [(&[u8], Value<'_>); 11] = [
            (b" null", Value::Null),
            (b"true", Value::Bool(true)),
            (b"-17 ", Value::Int(-17)),
            (b"1.5", Value::Real(b"1.5")),
            (
                b"99999999999999999999",
                Value::Real(b"99999999999999999999"),
            ),
            (b"/Name/x", name(b"Name")),
            (b"/Java#53cript", name(b"JavaScript")),
            (b"(a(b)\\)c)", Value::Literal(b"a(b)\\)c")),
            (b"<0a 0B>", Value::Hex(b"0a 0B")),
            (b"12 0 R", Value::Reference(12)),
            (b"% words\n[1 2 0 R 3 4]", {
                let numbers = [
                    Value::Int(1),
                    Value::Reference(2),
                    Value::Int(3),
                    Value::Int(4),
                ];
                Value::Array(numbers.to_vec())
            }),
        ];
        for (bytes, value) in table {
            assert_eq!(parse(bytes), Some(value), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn dictionaries_give_the_last_value_of_a_name() {
        let value = parse(b"<</A 1/B<</C(x)>>/A 2>>").expect("whole");
        let dict = value.dict().expect("a dictionary");
        assert_eq!(dict.number(b"A"), Some(2));
        let inner = dict.get(b"B").and_then(Value::dict).expect("a dictionary");
        assert_eq!(inner.get(b"C"), Some(&Value::Literal(b"x")));
    }

    #[test]
    fn what_is_damaged_is_no_value() {
        for bytes in [
            b"".as_slice(),
            b"(open",
            b"<0g>",
            b"<0a",
            b"[1",
            b"<</A>>",
            b"<<1 2>>",
            b"<</A 1",
            b"endobj",
            b"nullx",
        ] {
            assert_eq!(parse(bytes), None, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn nesting_and_values_are_bounded() {
        let nested = |depth: usize| [b"[".repeat(depth), b"]".repeat(depth)].concat();
        assert!(parse(&nested(65)).is_some());
        assert!(parse(&nested(66)).is_none());
        let kept = |n: usize| {
            let bytes = [b"[".to_vec(), b"1 ".repeat(n), b"]".to_vec()].concat();
            let value = parse(&bytes).expect("whole");
            value.array().expect("an array").len()
        };
        assert_eq!(kept(20_000), 20_000);
        assert_eq!(kept(20_001), 20_000);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            bytes in prop::collection::vec(prop_oneof![prop::sample::select(b"<>[]()/%#\\ 09R.-".to_vec()), any::<u8>()], 0..120)
        ) {
            let mut parser = Parser::new(&bytes, 0);
            let _value = parser.value();
            prop_assert!(parser.at <= bytes.len());
        }
    }
}
