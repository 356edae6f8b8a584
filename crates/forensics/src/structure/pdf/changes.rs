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
struct Sides {
    before: Option<Entry>,
    after: Option<Entry>,
}

/// What the pages of the covered part are made of.
struct Parts {
    contents: HashSet<u32>,
    resources: HashSet<u32>,
}

/// Compares what lies before `covered` with what lies behind it.
pub(super) fn added(survey: &Survey, covered: usize, file_bytes: usize) -> Added {
    let mut sides: HashMap<u32, Sides> = HashMap::new();
    for entry in &survey.entries {
        let sides = sides.entry(entry.number).or_default();
        if entry.offset < covered {
            sides.before = Some(*entry);
        } else {
            sides.after = Some(*entry);
        }
    }
    let within = |references: &[(u32, usize)]| {
        let references = references.iter().filter(|(_, at)| *at < covered);
        references.map(|(number, _)| *number).collect()
    };
    let parts = Parts {
        contents: within(&survey.contents),
        resources: within(&survey.resources),
    };
    let mut added = Added {
        bytes: count(file_bytes.saturating_sub(covered)),
        ..Added::default()
    };
    for sides in sides.into_values() {
        if let Some(after) = sides.after {
            added.note(sides.before.as_ref(), &after, &parts, &survey.appearances);
        }
    }
    added
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

    fn note(
        &mut self,
        before: Option<&Entry>,
        after: &Entry,
        parts: &Parts,
        appearances: &HashSet<u32>,
    ) {
        // The same bytes again change nothing.
        if before.is_some_and(|before| before.digest == after.digest) {
            return;
        }
        let number = after.number;
        let looks_new = before.is_none_or(|before| before.look != after.look);
        let was = before.map(|before| before.class);
        let counter = match after.class {
            Class::Container => return,
            Class::Signature => &mut self.signatures,
            Class::Validation => &mut self.validation,
            Class::Metadata => &mut self.metadata,
            _ if was.is_some() && parts.contents.contains(&number) => &mut self.page_content,
            // A page that has the same look got a comment or a field.
            Class::Page | Class::Pages if looks_new => &mut self.page_content,
            Class::Page | Class::Pages => return,
            Class::Catalog if looks_new => &mut self.page_content,
            Class::Annotation => &mut self.annotations,
            Class::Field => &mut self.form_fields,
            _ if appearances.contains(&number) => &mut self.form_fields,
            Class::Image | Class::Form | Class::Font
                if was
                    .is_some_and(|was| matches!(was, Class::Image | Class::Form | Class::Font)) =>
            {
                &mut self.resources
            }
            _ if was.is_some() && parts.resources.contains(&number) => &mut self.resources,
            Class::Catalog
            | Class::Image
            | Class::Form
            | Class::Font
            | Class::Stream
            | Class::Other => &mut self.other,
        };
        *counter = counter.saturating_add(1);
    }
}
