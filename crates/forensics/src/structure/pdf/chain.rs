//! The chain of cross-reference sections (ISO 32000-1 sections 7.5.4 to 7.5.8), from the last to the first, and the
//! revisions that they end. What the sections say about objects is not read.

use std::collections::{HashSet, VecDeque};

use super::parser::{Parser, is_space};
use super::value::{Dict, Value};
use crate::bytes::{find, index_u64};
use crate::evidence::LimitHit;
use crate::limits::Limits;

/// Bytes between the word and the end mark: a number and line ends.
const END_MARK_BYTES_MAX: usize = 64;
const END_MARK: &[u8] = b"%%EOF";

/// What the chain says.
#[derive(Debug, Clone, Default)]
pub(super) struct Chain {
    /// Sections that were followed.
    pub(super) sections: u32,
    /// Where revisions end: behind their end marks, in rising order.
    pub(super) ends: Vec<usize>,
    /// Whether a section points back to one that was already seen.
    pub(super) has_loop: bool,
    /// Whether a section is not where it should be.
    pub(super) is_broken: bool,
    pub(super) is_encrypted: bool,
    /// The object with the document's own description.
    pub(super) info: Option<u32>,
    pub(super) hit: Option<LimitHit>,
}

/// A place where a file may end: where its last section lies, and where the mark ends.
#[derive(Debug, Clone, Copy)]
struct Mark {
    section: u64,
    end: usize,
}

/// Follows the chain. Places count from the header, or from the start of the file.
pub(super) fn follow(bytes: &[u8], header_at: usize, limits: &Limits) -> Chain {
    let mut chain = Chain::default();
    let (marks, dropped) = marks(bytes, limits);
    let mut pending = marks.back().map(|mark| mark.section);
    let mut seen = HashSet::new();
    // Tables may overlap: what is gone past is bounded for all of them together.
    let mut table_bytes_left = bytes.len();
    while let Some(section) = pending.take() {
        if !seen.insert(section) {
            chain.has_loop = true;
            break;
        }
        if chain.sections == limits.pdf_revisions_max {
            chain.hit(limits, "further revisions were not looked at");
            break;
        }
        let places = [
            index_u64(section),
            index_u64(section).saturating_add(header_at),
        ];
        let dict = places
            .into_iter()
            .find_map(|at| trailer(bytes, at, &mut table_bytes_left));
        let Some(dict) = dict else {
            chain.is_broken = true;
            break;
        };
        chain.sections += 1;
        chain.is_encrypted |= dict.has(b"Encrypt");
        chain.info = chain.info.or_else(|| dict.reference(b"Info"));
        pending = dict.number(b"Prev");
    }
    chain.is_broken |= marks.is_empty();
    chain.ends = marks
        .iter()
        .filter(|mark| chain.is_broken || seen.contains(&mark.section))
        .map(|mark| mark.end)
        .collect();
    if dropped {
        chain.hit(limits, "only the last ends of the document were looked at");
    }
    chain
}

impl Chain {
    fn hit(&mut self, limits: &Limits, detail: &str) {
        let max = limits.pdf_revisions_max;
        self.hit
            .get_or_insert_with(|| LimitHit::structure("pdf_revisions_max", max, detail));
    }
}

/// The last marks, and whether there were more of them.
fn marks(bytes: &[u8], limits: &Limits) -> (VecDeque<Mark>, bool) {
    const WORD: &[u8] = b"startxref";
    // A linearised file has one mark more than revisions.
    let marks_max = limits.pdf_revisions_max.saturating_add(1);
    let mut marks = VecDeque::new();
    let mut dropped = false;
    let mut from = 0;
    while let Some(at) = find(bytes, WORD, from) {
        from = at + WORD.len();
        let Some(mark) = mark(bytes, from) else {
            continue;
        };
        if marks.len() == crate::bytes::index(marks_max) {
            marks.pop_front();
            dropped = true;
        }
        marks.push_back(mark);
    }
    (marks, dropped)
}

fn mark(bytes: &[u8], at: usize) -> Option<Mark> {
    let until = at.saturating_add(END_MARK_BYTES_MAX).min(bytes.len());
    let near = bytes.get(..until)?;
    let section = Parser::new(near, at).value()?.number()?;
    let mark_at = find(near, END_MARK, at)?;
    Some(Mark {
        section,
        end: mark_at + END_MARK.len(),
    })
}

/// The dictionary of the section at this place: behind a table, or that of a stream.
fn trailer<'a>(bytes: &'a [u8], at: usize, table_bytes_left: &mut usize) -> Option<Dict<'a>> {
    let mut parser = Parser::new(bytes, at);
    parser.skip_space();
    if parser.word(b"xref") {
        let table = bytes.get(parser.at..)?;
        let len = table
            .iter()
            .take(*table_bytes_left)
            .position(|&byte| !is_of_table(byte))?;
        *table_bytes_left -= len;
        parser.at += len;
        if !parser.word(b"trailer") {
            return None;
        }
        return into_dict(parser.value()?);
    }
    // An object: its number, its generation, a word.
    parser.value()?.number()?;
    parser.value()?.number()?;
    parser.skip_space();
    if !parser.word(b"obj") {
        return None;
    }
    let dict = into_dict(parser.value()?)?;
    dict.is_a(b"XRef").then_some(dict)
}

fn into_dict(value: Value<'_>) -> Option<Dict<'_>> {
    let Value::Dict(dict) = value else {
        return None;
    };
    Some(dict)
}

/// Numbers, and `n` or `f` for what is used or free.
fn is_of_table(byte: u8) -> bool {
    byte.is_ascii_digit() || is_space(byte) || byte == b'n' || byte == b'f'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(bytes: &[u8]) -> Chain {
        follow(bytes, 0, &Limits::default())
    }

    /// Sections that point to each other, each with its end mark.
    fn sections(previous: &[Option<usize>]) -> Vec<u8> {
        const SECTION_BYTES: usize = 64;
        let mut bytes = Vec::new();
        for previous in previous {
            let at = bytes.len();
            let previous =
                previous.map_or_else(String::new, |n| format!("/Prev {}", n * SECTION_BYTES));
            let section = format!("xref\n0 0\ntrailer<<{previous}>>startxref {at}\n%%EOF\n");
            bytes.extend(format!("{section:SECTION_BYTES$}").into_bytes());
        }
        bytes
    }

    #[test]
    fn revisions_are_followed_from_the_last() {
        let found = chain(&sections(&[None, Some(0), Some(1)]));
        assert_eq!((found.sections, found.ends.len()), (3, 3));
        assert!(!found.has_loop && !found.is_broken && !found.is_encrypted);
        // What no later section points to is no revision, but somebody else's.
        let found = chain(&sections(&[None, None, Some(0)]));
        assert_eq!((found.sections, found.ends.len()), (2, 2));
    }

    #[test]
    fn streams_are_sections_and_places_may_count_from_the_header() {
        let stream =
            b"junk%PDF-1.5\n7 0 obj<</Type/XRef/Info 3 0 R/Encrypt 4 0 R>>stream\nendstream\n";
        let bytes = [stream.as_slice(), b"startxref 9\n%%EOF"].concat();
        let found = follow(&bytes, 4, &Limits::default());
        assert_eq!((found.sections, found.info), (1, Some(3)));
        assert!(found.is_encrypted && !found.is_broken);
        assert!(follow(&bytes, 0, &Limits::default()).is_broken);
    }

    #[test]
    fn loops_and_gaps_are_told() {
        let found = chain(&sections(&[Some(1), Some(0)]));
        assert!(found.has_loop);
        assert_eq!(found.sections, 2);
        let found = chain(&sections(&[Some(0)]));
        assert!(found.has_loop);
        let found = chain(&sections(&[None, Some(77)]));
        assert!(found.is_broken);
        assert_eq!(found.ends.len(), 2);
        let found = chain(b"%PDF-1.4 and nothing more");
        assert!(found.is_broken && found.ends.is_empty());
    }

    #[test]
    fn an_end_mark_stands_near_its_word() {
        let ends = |spaces: usize| {
            let space = " ".repeat(spaces);
            chain(format!("startxref 0{space}%%EOF").as_bytes())
                .ends
                .len()
        };
        assert_eq!((ends(57), ends(58)), (1, 0));
    }

    #[test]
    fn revisions_are_bounded() {
        let hit = |n: usize| {
            let all: Vec<Option<usize>> = (0..n).map(|number| number.checked_sub(1)).collect();
            let limits = Limits {
                pdf_revisions_max: 5,
                ..Limits::default()
            };
            let chain = follow(&sections(&all), 0, &limits);
            assert!(chain.sections <= 5);
            chain.hit.map(|hit| hit.limit)
        };
        assert_eq!(hit(5), None);
        assert_eq!(hit(6).as_deref(), Some("pdf_revisions_max"));
        assert_eq!(hit(100).as_deref(), Some("pdf_revisions_max"));
    }
}
