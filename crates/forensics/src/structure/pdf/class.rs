//! What an object is, by its own words.

use super::value::Dict;

/// Subtypes of annotations that are no form fields (ISO 32000-1 table 169).
const ANNOTATIONS: [&[u8]; 19] = [
    b"Text",
    b"Link",
    b"FreeText",
    b"Line",
    b"Square",
    b"Circle",
    b"Polygon",
    b"PolyLine",
    b"Highlight",
    b"Underline",
    b"Squiggly",
    b"StrikeOut",
    b"Stamp",
    b"Caret",
    b"Ink",
    b"Popup",
    b"FileAttachment",
    b"Redact",
    b"Watermark",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Catalog,
    /// A node of the tree of pages.
    Pages,
    Page,
    Image,
    /// Graphics that are used as one, e.g. how an annotation looks.
    Form,
    Font,
    Annotation,
    /// A form field, or its place on a page.
    Field,
    Signature,
    /// Certificates and answers about them, for later checks of a signature.
    Validation,
    /// Description of the document.
    Metadata,
    /// A container of other objects.
    Container,
    /// A stream that says nothing of itself.
    Stream,
    Other,
}

impl Class {
    pub(super) fn of(dict: &Dict<'_>, has_stream: bool) -> Self {
        let subtype = dict.name(b"Subtype").unwrap_or_default();
        match dict.name(b"Type").unwrap_or_default() {
            b"Catalog" => Self::Catalog,
            b"Pages" => Self::Pages,
            b"Page" => Self::Page,
            b"Font" | b"FontDescriptor" => Self::Font,
            b"Sig" | b"DocTimeStamp" => Self::Signature,
            b"DSS" | b"VRI" => Self::Validation,
            b"Metadata" => Self::Metadata,
            b"ObjStm" | b"XRef" => Self::Container,
            _ if dict.has(b"ByteRange") => Self::Signature,
            _ if subtype == b"Widget" || dict.has(b"FT") => Self::Field,
            b"Annot" => Self::Annotation,
            _ if subtype == b"Image" && has_stream => Self::Image,
            _ if subtype == b"Form" && has_stream => Self::Form,
            _ if has_stream => Self::Stream,
            _ if ANNOTATIONS.contains(&subtype) && dict.has(b"Rect") => Self::Annotation,
            _ if ["Certs", "OCSPs", "CRLs", "Cert", "OCSP", "CRL"]
                .iter()
                .any(|key| dict.has(key.as_bytes())) =>
            {
                Self::Validation
            }
            _ if dict.has(b"Producer") || dict.has(b"CreationDate") => Self::Metadata,
            _ => Self::Other,
        }
    }
}
