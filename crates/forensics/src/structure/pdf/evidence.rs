//! What a document that was changed after signing weighs.

use super::{Added, PdfLayout};
use crate::evidence::{CAP_UNCALIBRATED, Evidence, Family, LogRatios};

/// log10 LR of pages that were changed behind a signature.
pub const PAGE_CONTENT_LOG10: f64 = 3.0;
/// log10 LR of images and fonts that were changed behind one: optimising a file does this, too.
pub const RESOURCES_LOG10: f64 = 1.0;

const ID: &str = "pdf.after_signature";

/// What came after the first signature; nothing if there is no signature.
pub(crate) fn after_signature(layout: &PdfLayout) -> Option<Evidence> {
    layout.signatures.first()?;
    let Some(added) = &layout.added else {
        let why =
            "No signature covers the document but for itself, so there is no before and after.";
        return Some(Evidence::not_applicable(ID, Family::Container, why));
    };
    let evidence = if added.page_content > 0 {
        let explain = "Behind the bytes that a signature covers, pages of the document are defined anew: what a reader \
                       sees is not what was signed.";
        Evidence::neutral(ID, Family::Container, "page_content_changed", explain)
            .weighing(
                LogRatios::manipulated(PAGE_CONTENT_LOG10),
                PAGE_CONTENT_LOG10,
            )
            .caveat("archives and offices stamp pages after signing, and mean no harm")
    } else if added.resources > 0 {
        let explain = "Behind the bytes that a signature covers, images, fonts or graphics of the document are defined \
                       anew.";
        Evidence::neutral(ID, Family::Container, "resources_changed", explain)
            .weighing(LogRatios::manipulated(RESOURCES_LOG10), CAP_UNCALIBRATED)
            .caveat("software that makes files smaller does this, too")
    } else if added.is_empty() {
        let explain = "No object of the document was added or changed behind the bytes that its signature covers.";
        Evidence::neutral(ID, Family::Container, "none", explain)
    } else {
        let explain = "What was added to the document behind the bytes that its signature covers leaves its pages as \
                       they were.";
        Evidence::neutral(ID, Family::Container, "additions", explain)
    };
    Some(describe(evidence, added))
}

fn describe(evidence: Evidence, added: &Added) -> Evidence {
    let figures = [
        ("page_content", added.page_content),
        ("resources", added.resources),
        ("annotations", added.annotations),
        ("form_fields", added.form_fields),
        ("signatures", added.signatures),
        ("other", added.other),
    ];
    figures
        .into_iter()
        .fold(evidence, |evidence, (name, objects)| {
            evidence.metric(name, objects.into())
        })
        .caveat("the cryptography of signatures in PDF is not verified: only what they cover is looked at")
        .caveat("the last definition of an object counts, whatever the tables of the document say")
}
