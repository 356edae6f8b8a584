//! The two places in which a PDF names the software that made it, held against each other.
//!
//! They should say the same (ISO 32000-1, 14.3.3), and the newer standard keeps only the XMP (ISO 32000-2, 14.3.3). That
//! they differ is a weak sign, and no vote: much software that saves a document anew, prints it to a file or fills in a
//! form writes one of them and leaves the other.

use super::Metadata;
use crate::structure::{Layout, Structure};

pub(super) fn check(structure: &Structure, metadata: &mut Metadata) {
    let (Some(Layout::Pdf(layout)), Some(xmp)) = (&structure.layout, &metadata.xmp) else {
        return;
    };
    let pairs = [
        ("producer", &layout.producer, &xmp.producers),
        ("creator", &layout.creator, &xmp.creator_tools),
    ];
    let differing =
        pairs.map(|(what, named, in_xmp)| contradiction(what, named.as_deref()?, in_xmp));
    for detail in differing.into_iter().flatten() {
        metadata.fact("producer_contradiction", detail);
    }
}

/// In words, if XMP names software and none of it is this.
fn contradiction(what: &str, named: &str, in_xmp: &[String]) -> Option<String> {
    let first = in_xmp.first()?;
    let is_same = in_xmp.iter().any(|other| plain(other) == plain(named));
    if is_same || plain(named).is_empty() {
        return None;
    }
    Some(format!(
        "as {what} the document names {named}, and its XMP {first}: perhaps saved again by other software, which often \
         writes only one of the two"
    ))
}

/// Case and spaces are often another way in XMP.
fn plain(name: &str) -> String {
    let words: Vec<String> = name.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use crate::limits::Limits;
    use crate::samples::{self, Pdf};
    use crate::sniff::{Hints, sniff};
    use crate::structure::structure;

    /// What is told of a document with this description and this XMP.
    fn told(info: &str, attributes: &str) -> Vec<String> {
        let packet = samples::xmp(
            &format!("xmlns:pdf='http://ns.adobe.com/pdf/1.3/' {attributes}"),
            "",
        );
        let bytes = Pdf::new()
            .object(1, "<</Type/Catalog/Pages 2 0 R/Metadata 8 0 R>>")
            .object(2, "<</Type/Pages/Kids[]/Count 0>>")
            .object(7, &format!("<<{info}>>"))
            .stream(8, "/Type/Metadata/Subtype/XML", packet.as_bytes())
            .end("/Info 7 0 R")
            .bytes;
        let limits = Limits::default();
        let sniff = sniff(&bytes, &Hints::default(), &limits).expect("a PDF");
        let structure = structure(&bytes, &sniff, &limits).expect("has objects");
        let facts = crate::metadata(&bytes, &sniff, &structure, &limits).facts;
        let told = facts
            .into_iter()
            .filter(|fact| fact.fact == "producer_contradiction");
        told.map(|fact| fact.detail).collect()
    }

    #[test]
    fn only_what_both_name_differently_is_told() {
        let told_of = told("/Producer(Scan 1)", "pdf:Producer='Edit 2'");
        assert_eq!(told_of.len(), 1);
        assert!(
            told_of[0].starts_with("as producer the document names Scan 1, and its XMP Edit 2:")
        );
        let both = told(
            "/Producer(Scan 1)/Creator(Writer)",
            "pdf:Producer='Edit 2' xmp:CreatorTool='Painter'",
        );
        assert_eq!(both.len(), 2);
        for (info, attributes) in [
            ("/Producer(Scan 1)", "pdf:Producer='scan  1'"),
            ("/Producer(Scan 1)", "xmp:CreatorTool='Edit 2'"),
            ("/Producer()", "pdf:Producer='Edit 2'"),
            ("/Title(x)", "pdf:Producer='Edit 2'"),
            ("/Producer(Scan 1)", ""),
        ] {
            assert!(told(info, attributes).is_empty(), "{info} {attributes}");
        }
    }
}
