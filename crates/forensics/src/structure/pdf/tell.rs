//! Facts of a document's history.

use std::collections::BTreeMap;

use super::survey::Survey;
use super::{Added, PdfLayout};
use crate::bytes::count;
use crate::structure::Structure;

const NOT_VERIFIED: &str = "the cryptography of signatures in PDF is not verified";

pub(super) fn tell(layout: &PdfLayout, structure: &mut Structure) {
    if layout.header_at > 0 {
        let before = layout.header_at;
        structure.fact("late_header", format!("{before} bytes before the header"));
    }
    if layout.is_encrypted {
        structure.fact(
            "encrypted",
            "the document is encrypted: its texts and object streams were not read",
        );
    }
    if layout.has_loop {
        structure.fact(
            "xref_loop",
            "the cross-reference sections of the document run in a circle",
        );
    }
    if layout.is_broken {
        structure.fact(
            "xref_broken",
            "a cross-reference section of the document is not where it should be",
        );
    }
    if layout.revisions > 1 {
        let revisions = layout.revisions;
        structure.fact(
            "revisions",
            format!(
                "saved {revisions} times into this file, which still holds the earlier versions"
            ),
        );
    }
    tell_dates(layout, structure);
    if !layout.jpeg_streams.is_empty() {
        let noted = count(layout.jpeg_streams.len());
        let pictures = noted + u64::from(layout.jpeg_streams_left_out);
        structure.fact("jpeg_pictures", format!("{pictures} pictures in JPEG"));
    }
    tell_signatures(layout, structure);
}

fn tell_dates(layout: &PdfLayout, structure: &mut Structure) {
    let detail = match (&layout.created, &layout.modified) {
        (Some(created), Some(modified)) if created != modified => {
            format!("made {created}, changed {modified}, as it says")
        }
        (Some(created), _) => format!("made {created}, as it says"),
        (None, Some(modified)) => format!("changed {modified}, as it says"),
        (None, None) => return,
    };
    structure.fact("document_dates", detail);
}

fn tell_signatures(layout: &PdfLayout, structure: &mut Structure) {
    if layout.signatures.is_empty() {
        return;
    }
    let looked_at = count(layout.signatures.len());
    let signatures = looked_at + u64::from(layout.signatures_left_out);
    let none = if layout.signatures_left_out > 0 {
        format!("none of the first {looked_at}, and the others were not looked at")
    } else {
        "none".to_owned()
    };
    let uncovered = layout.uncovered_bytes;
    let rest = if layout
        .signatures
        .iter()
        .any(|signature| signature.covers_file)
    {
        "the whole file is covered".to_owned()
    } else {
        format!("the last {uncovered} bytes are covered by {none}")
    };
    structure.fact(
        "signatures",
        format!("{signatures} signatures; {rest}; {NOT_VERIFIED}"),
    );
    if layout
        .signatures
        .iter()
        .any(|signature| !signature.is_whole)
    {
        structure.fact(
            "signature_gap",
            "a signature leaves out more, or something else, than itself: that can be changed without breaking it",
        );
    }
    if let Some(added) = layout.added.filter(|added| !added.is_empty()) {
        structure.fact(
            "after_signature",
            format!(
                "added behind what the first signature covers: {}",
                list(&added)
            ),
        );
        let permission = layout.signatures.iter().find_map(|known| known.permission);
        tell_permission(permission, &added, structure);
    }
}

fn list(added: &Added) -> String {
    let kinds = [
        ("page content", added.page_content),
        ("resources of pages", added.resources),
        ("annotations", added.annotations),
        ("form fields", added.form_fields),
        ("signatures", added.signatures),
        ("data for later checks", added.validation),
        ("descriptions", added.metadata),
        ("other", added.other),
    ];
    let parts: Vec<String> = kinds
        .into_iter()
        .filter(|(_, objects)| *objects > 0)
        .map(|(kind, objects)| format!("{kind} ({objects})"))
        .collect();
    parts.join(", ")
}

/// Levels of DocMDP: 1 nothing, 2 forms and signatures, 3 comments as well. Data for later checks is
/// always permitted.
fn tell_permission(permission: Option<u8>, added: &Added, structure: &mut Structure) {
    let content = added.page_content + added.resources;
    let forms = added.form_fields + added.signatures;
    let (forbidden, level) = match permission {
        Some(1) => (content + forms + added.annotations, "no change"),
        Some(2) => (content + added.annotations, "forms to be filled in"),
        Some(3) => (content, "forms to be filled in, and comments"),
        Some(_) | None => return,
    };
    if forbidden > 0 {
        structure.fact(
            "not_permitted",
            format!("the signature permits {level}, and {forbidden} objects behind it are more than that"),
        );
    }
}

pub(super) fn active_content(active: &BTreeMap<&'static str, u32>, structure: &mut Structure) {
    if active.is_empty() {
        return;
    }
    let parts: Vec<String> = active
        .iter()
        .map(|(kind, times)| format!("{kind} ({times})"))
        .collect();
    structure.fact(
        "active_content",
        format!("parts that do something: {}", parts.join(", ")),
    );
}

pub(super) fn unread(survey: &Survey, structure: &mut Structure) {
    let Survey {
        unreadable,
        unread_streams,
        ..
    } = survey;
    if *unreadable > 0 {
        structure.fact(
            "damaged_objects",
            format!("{unreadable} objects are damaged and were not read"),
        );
    }
    if *unread_streams > 0 {
        structure.fact(
            "unread_objects",
            format!("objects in {unread_streams} streams were not read, as the streams are packed or encrypted"),
        );
    }
}
