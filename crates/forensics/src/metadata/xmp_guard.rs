//! Looks at an XMP packet before the XML parser does. The parser compares each attribute of an element with all before
//! it and copies the namespaces in force for every element that declares one: both are quadratic in what is counted here.

use crate::bytes::count;
use crate::evidence::LimitHit;
use crate::limits::{XMP_ATTRIBUTES_MAX, XMP_NAMESPACES_MAX};

/// The bound that a packet would hit.
pub(super) fn check(packet: &str) -> Option<LimitHit> {
    // In well-formed XML no "<" stands inside an element's tag.
    let attributes = packet
        .split('<')
        .map(|tag| tag.bytes().filter(|&byte| byte == b'=').count());
    if attributes.max().unwrap_or_default() > XMP_ATTRIBUTES_MAX {
        let detail = "an element of the XMP packet has too many attributes";
        return Some(LimitHit::structure(
            "xmp_attributes_max",
            count(XMP_ATTRIBUTES_MAX),
            detail,
        ));
    }
    if packet.matches("xmlns").nth(XMP_NAMESPACES_MAX).is_some() {
        let detail = "the XMP packet declares too many namespaces";
        return Some(LimitHit::structure(
            "xmp_namespaces_max",
            count(XMP_NAMESPACES_MAX),
            detail,
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(packet: &str) -> Option<String> {
        check(packet).map(|hit| hit.limit)
    }

    #[test]
    fn bounds_hold_at_n_and_not_at_one_more() {
        let attributes = |n: usize| format!("<a {}/>", "b='' ".repeat(n));
        assert_eq!(hit(&attributes(XMP_ATTRIBUTES_MAX)), None);
        assert_eq!(
            hit(&attributes(XMP_ATTRIBUTES_MAX + 1)).as_deref(),
            Some("xmp_attributes_max")
        );
        let namespaces = |n: usize| "<a xmlns:b='c'/>".repeat(n);
        assert_eq!(hit(&namespaces(XMP_NAMESPACES_MAX)), None);
        assert_eq!(
            hit(&namespaces(XMP_NAMESPACES_MAX + 1)).as_deref(),
            Some("xmp_namespaces_max")
        );
    }
}
