//! What was added behind the bytes that a signature covers, and what it does to what a reader sees.
//!
//! An incremental update defines objects anew behind the old ones; the last definition holds. So an object of the covered
//! part that comes again behind it, with another content, was changed after signing. Filling in a form, comments,
//! further signatures and data for later checks are such updates, too, and permitted by most signatures; pages that
//! change are not. Attacks of this kind: "1 Trillion Dollar Refund" (Mladenov et al., CCS 2019), "Shadow Attacks" (NDSS
//! 2021), "Attacks on PDF Certification" (IEEE S&P 2021).

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::class::Class;
use super::survey::{Entry, Survey};
use crate::bytes::count;

/// What was added behind a signature, in objects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Added {
    /// Bytes behind what it covers.
    pub bytes: u64,
    /// Pages, and what they show: changed, added, taken away.
    pub page_content: u32,
    /// Images, fonts and graphics of pages that were changed.
    pub resources: u32,
    /// Comments and the like.
    pub annotations: u32,
    /// Form fields and how they look.
    pub form_fields: u32,
    /// Further signatures.
    pub signatures: u32,
    /// Data for later checks of signatures.
    pub validation: u32,
    /// Descriptions of the document.
    pub metadata: u32,
    /// Anything else.
    pub other: u32,
}

/// The last definition of an object on either side.
#[derive(Default, Clone, Copy)]
struct Sides<'a> {
    before: Option<&'a Entry>,
    after: Option<&'a Entry>,
}

/// What the pages of the covered part are made of, and what annotations look like.
struct Parts<'a> {
    contents: HashSet<u32>,
    resources: HashSet<u32>,
    appearances: &'a HashSet<u32>,
}

/// Compares what lies before `covered` with what lies behind it.
pub(super) fn added(survey: &Survey, covered: usize, file_bytes: usize) -> Added {
    let mut sides: HashMap<u32, Sides<'_>> = HashMap::new();
    for entry in &survey.entries {
        let sides = sides.entry(entry.number).or_default();
        if entry.offset < covered {
            sides.before = Some(entry);
        } else {
            sides.after = Some(entry);
        }
    }
    let parts = Parts {
        contents: reached(&survey.contents, survey, covered),
        resources: reached(&survey.resources, survey, covered),
        appearances: &survey.appearances,
    };
    let mut added = Added {
        bytes: count(file_bytes.saturating_sub(covered)),
        ..Added::default()
    };
    for sides in sides.into_values() {
        if let Some(after) = sides.after {
            added.note(sides.before, after, &parts);
        }
    }
    added
}

/// What pages of the covered part name, and what that refers to if it is an array or a dictionary of resources.
fn reached(named: &[(u32, usize)], survey: &Survey, covered: usize) -> HashSet<u32> {
    let named = named.iter().filter(|(_, at)| *at < covered);
    let mut reached: HashSet<u32> = named.map(|(number, _)| *number).collect();
    let links = survey
        .links
        .iter()
        .filter(|(number, at, _)| *at < covered && reached.contains(number));
    let further: Vec<u32> = links
        .flat_map(|(_, _, found)| found.iter().copied())
        .collect();
    reached.extend(further);
    reached
}

impl Added {
    /// Whether anything came behind the signature but white space.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self
            == Self {
                bytes: self.bytes,
                ..Self::default()
            }
    }

    fn note(&mut self, before: Option<&Entry>, after: &Entry, parts: &Parts<'_>) {
        // The same object again changes nothing.
        if before.is_some_and(|before| before.digest == after.digest) {
            return;
        }
        let Some(counter) = self.counter(before, after, parts) else {
            return;
        };
        *counter = counter.saturating_add(1);
    }

    /// Where this change is counted; nothing if it changes nothing that counts.
    fn counter(
        &mut self,
        before: Option<&Entry>,
        after: &Entry,
        parts: &Parts<'_>,
    ) -> Option<&mut u32> {
        let number = after.number;
        let is_known = before.is_some();
        if is_known && parts.contents.contains(&number) {
            return Some(&mut self.page_content);
        }
        if parts.appearances.contains(&number) {
            return Some(&mut self.form_fields);
        }
        if is_known && parts.resources.contains(&number) {
            return Some(&mut self.resources);
        }
        match after.class {
            Class::Container => None,
            Class::Signature => Some(&mut self.signatures),
            Class::Validation => Some(&mut self.validation),
            Class::Metadata => Some(&mut self.metadata),
            Class::Annotation => Some(&mut self.annotations),
            Class::Field => Some(&mut self.form_fields),
            Class::Page | Class::Pages | Class::Catalog => self.seen_counter(before, after),
            Class::Image if is_known => Some(&mut self.resources),
            Class::Image | Class::Form | Class::Font | Class::Stream | Class::Other => {
                Some(&mut self.other)
            }
        }
    }

    /// A page, or what leads to pages, is counted if readers see it differ. A page that looks as it did got a comment or
    /// a field, which counts itself.
    fn seen_counter(&mut self, before: Option<&Entry>, after: &Entry) -> Option<&mut u32> {
        let looks = before
            .and_then(|before| before.look.as_ref())
            .zip(after.look.as_ref());
        let Some((before, now)) = looks else {
            return Some(&mut self.page_content);
        };
        if now.shows_other_content(before) {
            Some(&mut self.page_content)
        } else if now.has_other_resources(before) {
            Some(&mut self.resources)
        } else if after.class == Class::Catalog {
            Some(&mut self.other)
        } else {
            None
        }
    }
}
