//! Objects that lie compressed in a stream (ISO 32000-1 section 7.5.7), inflated within a budget.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::ZlibDecoder;

use super::parser::Parser;
use super::scan::Object;
use super::value::{Dict, Value};
use crate::bytes::{count, index_u64};
use crate::evidence::LimitHit;
use crate::limits::{Limits, PDF_INFLATE_FREE_BYTES};

/// What may still be inflated of one file.
pub(super) struct Budget {
    stream_bytes_max: u64,
    total_bytes_max: u64,
    ratio_max: u64,
    /// Of all streams so far, as they stand in the file.
    packed_bytes: u64,
    /// Of all streams so far, inflated.
    plain_bytes: u64,
    /// The first bound that was hit.
    pub(super) hit: Option<LimitHit>,
    /// Streams that are packed in a way that is not read here.
    pub(super) unread: u32,
}

impl Budget {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            stream_bytes_max: limits.pdf_inflate_bytes_max,
            total_bytes_max: limits.pdf_inflate_total_bytes_max,
            ratio_max: limits.pdf_inflate_ratio_max,
            packed_bytes: 0,
            plain_bytes: 0,
            hit: None,
            unread: 0,
        }
    }

    /// The data of a stream as it was before packing; nothing if that is not known here, or too large.
    fn unpack<'a>(&mut self, dict: &Dict<'_>, data: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        match Packing::of(dict) {
            Packing::None => Some(Cow::Borrowed(data)),
            Packing::Deflate => self.inflate(data).map(Cow::Owned),
            Packing::Other => {
                self.unread = self.unread.saturating_add(1);
                None
            }
        }
    }

    fn inflate(&mut self, data: &[u8]) -> Option<Vec<u8>> {
        self.packed_bytes = self.packed_bytes.saturating_add(count(data.len()));
        let (bytes_max, limit, max) = self.tightest();
        let mut plain = Vec::new();
        // One byte more than allowed is enough to know. A damaged stream gives what came before the damage.
        let _damaged = ZlibDecoder::new(data)
            .take(bytes_max.saturating_add(1))
            .read_to_end(&mut plain);
        let len = count(plain.len());
        self.plain_bytes = self.plain_bytes.saturating_add(len);
        if len <= bytes_max {
            return Some(plain);
        }
        let detail =
            "objects of the document lie in a stream that grows too large, and were not read";
        self.hit
            .get_or_insert_with(|| LimitHit::bytes(limit, max, detail));
        None
    }

    /// How many bytes the next stream may become, and which bound says so.
    fn tightest(&self) -> (u64, &'static str, u64) {
        let by_ratio = self.packed_bytes.saturating_mul(self.ratio_max);
        let by_ratio = by_ratio.max(PDF_INFLATE_FREE_BYTES);
        let bounds = [
            (
                self.stream_bytes_max,
                "pdf_inflate_bytes_max",
                self.stream_bytes_max,
            ),
            (
                self.total_bytes_max.saturating_sub(self.plain_bytes),
                "pdf_inflate_total_bytes_max",
                self.total_bytes_max,
            ),
        ];
        let ratio = (
            by_ratio.saturating_sub(self.plain_bytes),
            "pdf_inflate_ratio_max",
            self.ratio_max,
        );
        bounds.into_iter().fold(
            ratio,
            |least, bound| if bound.0 < least.0 { bound } else { least },
        )
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    None,
    Deflate,
    Other,
}

impl Packing {
    fn of(dict: &Dict<'_>) -> Self {
        let filter = dict.get(b"Filter").or_else(|| dict.get(b"F"));
        let only = match filter.and_then(Value::array) {
            Some([only]) => Some(only),
            Some([]) | None => filter.filter(|filter| filter.array().is_none()),
            Some(_) => return Self::Other,
        };
        let has_parameters = dict.has(b"DecodeParms") || dict.has(b"DP");
        match only {
            None | Some(Value::Null) => Self::None,
            Some(Value::Name(name)) if !has_parameters => match name.as_ref() {
                b"FlateDecode" | b"Fl" => Self::Deflate,
                _ => Self::Other,
            },
            Some(_) => Self::Other,
        }
    }
}

/// Shows every object of an object stream, with its number and its value. Stops when told so. Each byte is read once: an object that does not begin behind the one before is left out.
pub(super) fn read(
    object: &Object<'_>,
    budget: &mut Budget,
    see: &mut impl FnMut(u32, &Value<'_>) -> bool,
) {
    let (Some(dict), Some(stream)) = (object.value.dict(), object.stream) else {
        return;
    };
    let first = dict.number(b"First").map(index_u64);
    let (Some(first), Some(objects)) = (first, dict.number(b"N")) else {
        return;
    };
    let Some(plain) = budget.unpack(dict, stream.data) else {
        return;
    };
    let head = plain.get(..first).unwrap_or_default();
    let mut head = Parser::new(head, 0);
    let mut next = entry(&mut head, first);
    let mut read_to = first;
    for _ in 0..objects {
        let Some((number, at)) = next else {
            return;
        };
        next = entry(&mut head, first);
        let end = next.map_or(plain.len(), |(_, at)| at);
        if at < read_to || end <= at {
            continue;
        }
        read_to = end;
        let Some(raw) = plain.get(at..end) else {
            continue;
        };
        let Some(value) = Parser::new(raw, 0).value() else {
            continue;
        };
        if !see(number, &value) {
            return;
        }
    }
}

/// A number, and where its object begins.
fn entry(head: &mut Parser<'_>, first: usize) -> Option<(u32, usize)> {
    let number = head.value()?.number()?;
    let at = index_u64(head.value()?.number()?);
    Some((u32::try_from(number).ok()?, first.checked_add(at)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::zlib;
    use crate::structure::pdf::scan::Objects;

    fn stream(dict: &str, data: &[u8]) -> Vec<u8> {
        let len = data.len();
        let head = format!("1 0 obj<</Type/ObjStm/Length {len} {dict}>>stream\n");
        [head.as_bytes(), data, b"\nendstream endobj\n"].concat()
    }

    fn numbers(bytes: &[u8], limits: &Limits) -> (Vec<u32>, Budget) {
        let mut budget = Budget::new(limits);
        let mut numbers = Vec::new();
        for object in Objects::new(bytes) {
            read(&object, &mut budget, &mut |number, _| {
                numbers.push(number);
                true
            });
        }
        (numbers, budget)
    }

    fn found(dict: &str, data: &[u8]) -> Vec<u32> {
        numbers(&stream(dict, data), &Limits::default()).0
    }

    #[test]
    fn packed_and_plain_streams_are_read() {
        let plain = b"7 0 9 5 <<>> [1 2]";
        assert_eq!(found("/N 2/First 8", plain), [7, 9]);
        assert_eq!(
            found("/N 2/First 8/Filter/FlateDecode", &zlib(plain)),
            [7, 9]
        );
        assert_eq!(
            found("/N 2/First 8/Filter[/FlateDecode]", &zlib(plain)),
            [7, 9]
        );
        assert_eq!(found("/N 9/First 8", plain), [7, 9]);
        let (none, budget) = numbers(
            &stream("/N 2/First 8/Filter/LZWDecode", plain),
            &Limits::default(),
        );
        assert_eq!((none.len(), budget.unread), (0, 1));
    }

    #[test]
    fn no_byte_is_read_twice() {
        // A thousand objects that all begin at the same place.
        let head = "7 0 ".repeat(1_000);
        let first = head.len();
        let data = format!("{head}<<>>");
        let found = found(&format!("/N 1000/First {first}"), data.as_bytes());
        assert_eq!(found, [7]);
    }

    #[test]
    fn growth_is_bounded_for_a_stream_and_for_the_file() {
        let bomb = zlib(&[b"7 0 1".as_slice(), &[b' '; 995]].concat());
        let one = stream("/N 1/First 4/Filter/FlateDecode", &bomb);
        let hit = |stream_bytes_max: u64, total_bytes_max: u64| {
            let limits = Limits {
                pdf_inflate_bytes_max: stream_bytes_max,
                pdf_inflate_total_bytes_max: total_bytes_max,
                ..Limits::default()
            };
            let (_, budget) = numbers(&[one.as_slice(), &one].concat(), &limits);
            budget.hit.map(|hit| hit.limit)
        };
        assert_eq!(hit(1_000, 2_000), None);
        assert_eq!(hit(999, 2_000).as_deref(), Some("pdf_inflate_bytes_max"));
        assert_eq!(
            hit(1_000, 1_999).as_deref(),
            Some("pdf_inflate_total_bytes_max")
        );
    }

    #[test]
    fn growth_is_bounded_by_what_is_packed_once_it_is_long() {
        let plain = |len: u64| [b"7 0 1".as_slice(), &vec![b' '; index_u64(len) - 5]].concat();
        let hit = |len: u64, ratio_max: u64| {
            let packed = zlib(&plain(len));
            let limits = Limits {
                pdf_inflate_ratio_max: ratio_max,
                ..Limits::default()
            };
            let file = stream("/N 1/First 4/Filter/FlateDecode", &packed);
            let (_, budget) = numbers(&file, &limits);
            (budget.hit.map(|hit| hit.limit), count(packed.len()))
        };
        assert_eq!(hit(PDF_INFLATE_FREE_BYTES, 1).0, None);
        let long = PDF_INFLATE_FREE_BYTES + 1;
        let (limit, packed_bytes) = hit(long, 1);
        assert_eq!(limit.as_deref(), Some("pdf_inflate_ratio_max"));
        let ratio = long.div_ceil(packed_bytes);
        assert_eq!(hit(long, ratio).0, None);
        assert!(hit(long, ratio - 1).0.is_some());
    }

    #[test]
    fn a_crowd_of_bombs_costs_little_more_than_one() {
        let bomb = stream(
            "/N 1/First 4/Filter/FlateDecode",
            &zlib(&[b' '; 256 * 1024]),
        );
        let (_, budget) = numbers(&bomb.repeat(200), &Limits::default());
        assert_eq!(
            budget.hit.map(|hit| hit.limit).as_deref(),
            Some("pdf_inflate_ratio_max")
        );
        let most = (budget.packed_bytes * budget.ratio_max).max(PDF_INFLATE_FREE_BYTES);
        assert!(
            budget.plain_bytes <= most + 200,
            "{} bytes",
            budget.plain_bytes
        );
    }
}
