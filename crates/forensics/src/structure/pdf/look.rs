//! What a reader sees of a page, of the tree of pages, of the catalog: reduced to numbers that are equal if it is.
//!
//! Tools that sign or fill in a document write its pages anew, and not always in the same words: what was inherited
//! stands in the page, one stream becomes an array of one, a whole number gets a point. None of this changes a page.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::class::Class;
use super::value::{Dict, Value};

/// Resources of one object that are kept.
const RESOURCES_MAX: usize = 4_096;

/// The boxes of a page, and how it is turned.
const BOXES: [&[u8]; 3] = [b"MediaBox", b"CropBox", b"Rotate"];

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Look {
    /// What it shows: streams of a page, pages of a tree, the tree of a catalog.
    content: u64,
    /// The boxes, each if it has one.
    boxes: [Option<u64>; 3],
    /// The named resources, sorted.
    resources: Vec<u64>,
}

impl Look {
    /// The look of an object; nothing if it is of a kind that has none of its own.
    pub(super) fn of(class: Class, dict: &Dict<'_>) -> Option<Self> {
        let shown: &[&[u8]] = if class == Class::Page {
            &[b"Contents"]
        } else if class == Class::Pages {
            &[b"Kids"]
        } else if class == Class::Catalog {
            &[b"Pages", b"OCProperties"]
        } else {
            return None;
        };
        let content: Vec<Vec<u32>> = shown.iter().map(|name| dict.references(name)).collect();
        Some(Self {
            content: digest(&content),
            boxes: BOXES.map(|name| dict.get(name).and_then(numbers)),
            resources: resources(dict),
        })
    }

    /// Forgets resources, for want of room.
    pub(super) fn without_resources(self) -> Self {
        Self {
            resources: Vec::new(),
            ..self
        }
    }

    /// Resources kept.
    pub(super) fn resources(&self) -> usize {
        self.resources.len()
    }

    /// Whether what it shows differs, or a box that both have.
    pub(super) fn shows_other_content(&self, before: &Self) -> bool {
        let differs = |(now, before): (&Option<u64>, &Option<u64>)| {
            now.zip(*before).is_some_and(|(now, before)| now != before)
        };
        self.content != before.content || self.boxes.iter().zip(&before.boxes).any(differs)
    }

    /// Whether a resource that was there is another now, or gone. More of them change nothing that is drawn. Without any
    /// they are inherited.
    pub(super) fn has_other_resources(&self, before: &Self) -> bool {
        let is_kept = |resource: &u64| self.resources.binary_search(resource).is_ok();
        !self.resources.is_empty() && !before.resources.iter().all(is_kept)
    }
}

/// Each named resource with what it stands for. Resources that lie in an object of their own are one.
fn resources(dict: &Dict<'_>) -> Vec<u64> {
    let mut found = Vec::new();
    if let Some(Value::Dict(kinds)) = dict.get(b"Resources") {
        for (kind, named) in &kinds.entries {
            match named.dict() {
                Some(named) => {
                    found.extend(named.entries.iter().map(|entry| digest(&(kind, entry))))
                }
                None => found.push(digest(&(kind, named))),
            }
        }
    } else if let Some(elsewhere) = dict.get(b"Resources") {
        found.push(digest(elsewhere));
    }
    found.truncate(RESOURCES_MAX);
    found.sort_unstable();
    found
}

fn digest(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Numbers by their value: `0` and `0.0` are equal.
fn numbers(value: &Value<'_>) -> Option<u64> {
    let number = |value: &Value<'_>| match value {
        Value::Int(number) => number.to_string().parse::<f64>().ok(),
        Value::Real(raw) => std::str::from_utf8(raw).ok()?.parse::<f64>().ok(),
        Value::Null
        | Value::Bool(_)
        | Value::Name(_)
        | Value::Literal(_)
        | Value::Hex(_)
        | Value::Array(_)
        | Value::Dict(_)
        | Value::Reference(_) => None,
    };
    let values = value.array().unwrap_or_else(|| std::slice::from_ref(value));
    // Adding zero makes one of both zeros.
    let bits: Option<Vec<u64>> = values
        .iter()
        .map(|value| number(value).map(|number| (number + 0.0).to_bits()))
        .collect();
    bits.map(|bits| digest(&bits))
}

#[cfg(test)]
mod tests {
    use super::super::parser::Parser;
    use super::*;

    fn look(text: &str) -> Look {
        let value = Parser::new(text.as_bytes(), 0).value().expect("whole");
        let dict = value.dict().expect("a dictionary");
        Look::of(Class::of(dict, false), dict).expect("has a look")
    }

    const PAGE: &str =
        "<</Type/Page/Contents 4 0 R/MediaBox[0 0 9 9]/Resources<</Font<</F 5 0 R>>>>>>";

    #[test]
    fn other_words_for_the_same_page_change_nothing() {
        let before = look(PAGE);
        for page in [
            "<</Type/Page/Contents[4 0 R]/MediaBox[0.0 -0 9. 9]/Resources<</Font<</F 5 0 R>>>>>>",
            "<</Type/Page/Contents 4 0 R/Rotate 0/CropBox[0 0 9 9]/Annots[7 0 R]>>",
            "<</Type/Page/Contents 4 0 R/Resources<</ProcSet[/PDF]/Font<</G 6 0 R/F 5 0 R>>>>>>",
        ] {
            let now = look(page);
            assert!(!now.shows_other_content(&before), "{page}");
            assert!(!now.has_other_resources(&before), "{page}");
        }
    }

    #[test]
    fn resources_are_bounded() {
        let kept = |n: usize| {
            let fonts: String = (0..n).map(|font| format!("/F{font} 1 0 R")).collect();
            look(&format!("<</Type/Page/Resources<</Font<<{fonts}>>>>>>")).resources()
        };
        assert_eq!((kept(4_096), kept(4_097)), (4_096, 4_096));
    }

    #[test]
    fn another_page_is_another_page() {
        let before = look(PAGE);
        for page in [
            "<</Type/Page/Contents[4 0 R 6 0 R]/MediaBox[0 0 9 9]>>",
            "<</Type/Page/MediaBox[0 0 9 9]>>",
            "<</Type/Page/Contents 4 0 R/MediaBox[0 0 9 5]>>",
        ] {
            assert!(look(page).shows_other_content(&before), "{page}");
        }
        for page in [
            "<</Type/Page/Contents 4 0 R/Resources<</Font<</F 6 0 R>>>>>>",
            "<</Type/Page/Contents 4 0 R/Resources 8 0 R>>",
        ] {
            let now = look(page);
            assert!(
                !now.shows_other_content(&before) && now.has_other_resources(&before),
                "{page}"
            );
        }
    }
}
