//! Finds objects by going through the file from its start, not by its tables: what no table mentions is seen, too, and
//! what a table claims is not believed.

use super::parser::{Parser, is_regular, is_space};
use super::value::{Dict, Value};
use crate::bytes::{find, index_u64};

/// Digits of an object's number or generation.
const DIGITS_MAX: usize = 10;
/// White space between them.
const SPACES_MAX: usize = 8;

/// An object with its value, and its stream if it has one.
pub(super) struct Object<'a> {
    pub(super) number: u32,
    /// Where it begins in the file: at its number.
    pub(super) offset: usize,
    /// Where it ends: after its value, or after its stream.
    pub(super) end: usize,
    pub(super) value: Value<'a>,
    pub(super) stream: Option<Stream<'a>>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Stream<'a> {
    /// Where `data` begins in the file.
    pub(super) offset: usize,
    pub(super) data: &'a [u8],
}

/// All objects, in the order of the file.
pub(super) struct Objects<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Whether there is no `endstream` any more: looking for it again and again would cost the whole file each time.
    no_more_ends: bool,
    /// Objects whose value is damaged.
    pub(super) unreadable: u32,
}

impl<'a> Objects<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            no_more_ends: false,
            unreadable: 0,
        }
    }

    fn stream(&mut self, dict: &Dict<'_>, at: usize) -> Option<Stream<'a>> {
        let rest = self.bytes.get(at..)?;
        let line_end = match rest {
            [b'\r', b'\n', ..] => 2,
            [b'\n' | b'\r', ..] => 1,
            _ => 0,
        };
        let offset = at + line_end;
        self.at = offset;
        let end = match self.declared_end(dict, offset) {
            Some(end) => end,
            None => self.found_end(offset)?,
        };
        self.at = end;
        let data = self.bytes.get(offset..end)?;
        Some(Stream { offset, data })
    }

    /// The end by the stream's length, if its end stands there.
    fn declared_end(&self, dict: &Dict<'_>, offset: usize) -> Option<usize> {
        let end = offset.checked_add(index_u64(dict.number(b"Length")?))?;
        let mut parser = Parser::new(
            self.bytes
                .get(..end.saturating_add(32).min(self.bytes.len()))?,
            end,
        );
        parser.skip_space();
        parser.word(b"endstream").then_some(end)
    }

    fn found_end(&mut self, offset: usize) -> Option<usize> {
        if self.no_more_ends {
            return None;
        }
        let Some(end) = find(self.bytes, b"endstream", offset) else {
            self.no_more_ends = true;
            return None;
        };
        // The line end before the word is not part of the data.
        let data = self.bytes.get(offset..end)?;
        let line_end = match data {
            [.., b'\r', b'\n'] => 2,
            [.., b'\n' | b'\r'] => 1,
            _ => 0,
        };
        Some(end - line_end)
    }
}

impl<'a> Iterator for Objects<'a> {
    type Item = Object<'a>;

    fn next(&mut self) -> Option<Object<'a>> {
        loop {
            let word_at = find(self.bytes, b"obj", self.at)?;
            self.at = word_at + 3;
            let Some((number, offset)) = head_before(self.bytes, word_at) else {
                continue;
            };
            let mut parser = Parser::new(self.bytes, self.at);
            let value = parser.value();
            self.at = parser.at;
            let Some(value) = value else {
                self.unreadable = self.unreadable.saturating_add(1);
                continue;
            };
            parser.skip_space();
            let has_stream = value.dict().is_some() && parser.word(b"stream");
            let stream = value
                .dict()
                .filter(|_| has_stream)
                .and_then(|dict| self.stream(dict, parser.at));
            let end = self.at;
            return Some(Object {
                number,
                offset,
                end,
                value,
                stream,
            });
        }
    }
}

/// The number of the object whose `obj` stands here, and where it begins: `12 0 obj`.
fn head_before(bytes: &[u8], word_at: usize) -> Option<(u32, usize)> {
    let mut at = word_at;
    spaces_before(bytes, &mut at)?;
    digits_before(bytes, &mut at)?;
    spaces_before(bytes, &mut at)?;
    let number = digits_before(bytes, &mut at)?;
    let is_apart = at
        .checked_sub(1)
        .and_then(|before| bytes.get(before))
        .is_none_or(|&before| !is_regular(before));
    let text = std::str::from_utf8(number).ok()?;
    Some((text.parse().ok()?, at)).filter(|_| is_apart)
}

fn spaces_before(bytes: &[u8], at: &mut usize) -> Option<()> {
    let before = bytes.get(..*at)?;
    let spaces = before
        .iter()
        .rev()
        .take(SPACES_MAX)
        .take_while(|&&byte| is_space(byte))
        .count();
    *at -= spaces;
    (spaces > 0).then_some(())
}

fn digits_before<'a>(bytes: &'a [u8], at: &mut usize) -> Option<&'a [u8]> {
    let before = bytes.get(..*at)?;
    let digits = before
        .iter()
        .rev()
        .take(DIGITS_MAX)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let end = *at;
    *at -= digits;
    bytes.get(*at..end).filter(|digits| !digits.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(bytes: &[u8]) -> Vec<(u32, usize)> {
        let objects = Objects::new(bytes);
        objects
            .map(|object| (object.number, object.offset))
            .collect()
    }

    #[test]
    fn objects_are_found_without_a_table() {
        let bytes = b"%PDF-1.4\n1 0 obj\n<</A 1>>\nendobj 22 0 obj[1 2]endobj";
        assert_eq!(numbers(bytes), [(1, 9), (22, 33)]);
        for bytes in [
            b"x1 0 obj<<>>".as_slice(),
            b"obj 1 obj 1 0obj",
            b"99999999999 0 obj 1",
        ] {
            assert!(numbers(bytes).is_empty(), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn spaces_and_digits_are_bounded() {
        let found = |spaces: usize, digits: usize| {
            let (space, zeros) = (" ".repeat(spaces), "0".repeat(digits - 1));
            let text = format!("%\n{zeros}7{space}0 obj 1");
            numbers(text.as_bytes()).len()
        };
        assert_eq!((found(8, 1), found(9, 1)), (1, 0));
        assert_eq!((found(1, 10), found(1, 11)), (1, 0));
    }

    #[test]
    fn streams_end_where_they_say_or_where_their_end_stands() {
        let data = |bytes: &'static [u8]| {
            let object = Objects::new(bytes).next().expect("an object");
            object.stream.map(|stream| stream.data)
        };
        let whole = b"1 0 obj<</Length 16>>stream\r\n1 endstream 2 3\nendstream";
        assert_eq!(data(whole), Some(b"1 endstream 2 3\n".as_slice()));
        let unknown = b"1 0 obj<</Length 9 0 R>>stream\nabc\r\nendstream endobj";
        assert_eq!(data(unknown), Some(b"abc".as_slice()));
        let wrong = b"1 0 obj<</Length 999>>stream\nabc\nendstream endobj";
        assert_eq!(data(wrong), Some(b"abc".as_slice()));
        assert_eq!(data(b"1 0 obj<</Length 3>>stream\nabc"), None);
    }

    #[test]
    fn what_is_inside_a_stream_is_no_object() {
        let bytes = b"1 0 obj<<>>stream\n2 0 obj<<>>endobj\nendstream endobj 3 0 obj 4 endobj";
        let found: Vec<u32> = numbers(bytes)
            .into_iter()
            .map(|(number, _)| number)
            .collect();
        assert_eq!(found, [1, 3]);
    }

    #[test]
    fn damaged_values_are_counted_and_never_read_twice() {
        let mut objects = Objects::new(b"1 0 obj (2 0 obj (3 0 obj (");
        assert!(objects.next().is_none());
        assert_eq!(objects.unreadable, 1);
    }
}
