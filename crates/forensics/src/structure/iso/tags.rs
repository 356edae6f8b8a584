//! Texts in user data: those of QuickTime (`©too` in `udta`), of iTunes (`ilst`), and with names of their own (`keys`).

use super::boxes::IsoBox;
use crate::bytes::{Order, index, slice, u16_at, u32_at};
use crate::structure::{Structure, Tag};
use crate::text::clip;

/// Names of keys that are kept.
const KEYS_MAX: usize = 256;
/// Longest name of a key.
const KEY_BYTES_MAX: usize = 128;
/// Size, language and data of an iTunes text before its value: two numbers.
const VALUE_AT: usize = 8;
/// The type of a value that is UTF-8.
const TYPE_UTF8: u32 = 1;

/// The meaning of four-letter names.
const NAMES: [(&[u8; 4], &str); 13] = [
    (b"\xa9too", "Software"),
    (b"\xa9swr", "Software"),
    (b"\xa9enc", "EncodedBy"),
    (b"\xa9mak", "Make"),
    (b"\xa9mod", "Model"),
    (b"\xa9cmt", "Comment"),
    (b"\xa9des", "Comment"),
    (b"\xa9inf", "Comment"),
    (b"desc", "Comment"),
    (b"\xa9ART", "Artist"),
    (b"\xa9aut", "Artist"),
    (b"\xa9cpy", "Copyright"),
    (b"cprt", "Copyright"),
];
/// The meaning of keys, without the prefix that Apple gives them.
const KEYS: [(&str, &str); 8] = [
    ("software", "Software"),
    ("encoder", "Software"),
    ("make", "Make"),
    ("model", "Model"),
    ("comment", "Comment"),
    ("artist", "Artist"),
    ("author", "Artist"),
    ("copyright", "Copyright"),
];
const APPLE_PREFIX: &str = "com.apple.quicktime.";

/// The keys that were read last: values refer to them by number.
#[derive(Default)]
pub(super) struct Tags {
    keys: Vec<String>,
}

impl Tags {
    pub(super) fn note(
        &mut self,
        parent: Option<[u8; 4]>,
        found: &IsoBox<'_>,
        structure: &mut Structure,
    ) {
        match (parent.as_ref(), &found.kind) {
            (Some(b"meta"), b"keys") => self.keys = keys(found),
            (Some(b"ilst"), _) => {
                let key = self.key_of(found.kind);
                if let (Some(key), Some((at, value))) = (key, value(found)) {
                    structure.tag(Tag::of(&key, value, Some(at)));
                }
            }
            (Some(b"udta"), [0xa9, ..]) => {
                if let (Some(key), Some((at, text))) = (meaning(found.kind), text(found)) {
                    structure.tag(Tag::of(key, text, Some(at)));
                }
            }
            _ => {}
        }
    }

    /// What a value in `ilst` is called: by its letters, or by the number of its key, from 1.
    fn key_of(&self, kind: [u8; 4]) -> Option<String> {
        let number = index(u32::from_be_bytes(kind));
        match self.keys.get(number.checked_sub(1)?) {
            Some(key) => key_meaning(key),
            None => meaning(kind).map(ToOwned::to_owned),
        }
    }
}

fn meaning(kind: [u8; 4]) -> Option<&'static str> {
    let known = NAMES.iter().find(|(name, _)| **name == kind);
    known.map(|(_, key)| *key)
}

/// Where somebody was is nobody's business here: a position says nothing about the file.
fn key_meaning(key: &str) -> Option<String> {
    let plain = key.strip_prefix(APPLE_PREFIX).unwrap_or(key);
    if plain.contains("location") {
        return None;
    }
    let known = KEYS.iter().find(|(name, _)| *name == plain);
    Some(known.map_or(key, |(_, meaning)| *meaning).to_owned())
}

/// A number of keys, each with its length, a namespace, and a name.
fn keys(found: &IsoBox<'_>) -> Vec<String> {
    let mut keys = Vec::new();
    let mut at = 8;
    while keys.len() < KEYS_MAX {
        let Some(len) = u32_at(found.body, at, Order::Big).map(index) else {
            break;
        };
        let Some(key) = len
            .checked_sub(8)
            .and_then(|len| slice(found.body, at + 8, len))
        else {
            break;
        };
        let key = key.get(..KEY_BYTES_MAX).unwrap_or(key);
        keys.push(clip(&String::from_utf8_lossy(key)));
        at += len;
    }
    keys
}

/// The first value of an `ilst` entry, if it is a text, and where it stands.
fn value<'a>(found: &IsoBox<'a>) -> Option<(usize, &'a [u8])> {
    let data = IsoBox::at(found.body, 0, found.body.len()).filter(|data| &data.kind == b"data")?;
    if u32_at(data.body, 0, Order::Big)? != TYPE_UTF8 {
        return None;
    }
    let at = found.body_at + data.body_at + VALUE_AT;
    Some((at, data.body.get(VALUE_AT..)?))
}

/// The first text of a QuickTime entry, and where it stands: its length and language in front.
fn text<'a>(found: &IsoBox<'a>) -> Option<(usize, &'a [u8])> {
    let len = usize::from(u16_at(found.body, 0, Order::Big)?);
    Some((found.body_at + 4, slice(found.body, 4, len)?))
}
