//! PDF documents, object by object and revision by revision.

use std::fmt::Write as _;

/// A document under construction.
#[derive(Debug, Clone)]
pub(crate) struct Pdf {
    pub(crate) bytes: Vec<u8>,
    /// Objects of this revision: number and place.
    fresh: Vec<(u32, usize)>,
    /// Where the section of the revision before lies.
    previous: Option<usize>,
}

impl Pdf {
    pub(crate) fn new() -> Self {
        Self {
            bytes: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec(),
            fresh: Vec::new(),
            previous: None,
        }
    }

    /// One page with its content (object 4), in one revision.
    pub(crate) fn page() -> Self {
        Self::new()
            .object(1, "<</Type/Catalog/Pages 2 0 R>>")
            .object(2, "<</Type/Pages/Kids[3 0 R]/Count 1>>")
            .object(3, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>")
            .stream(4, "", b"BT (100 EUR) Tj ET")
            .object(5, "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
    }

    pub(crate) fn object(mut self, number: u32, value: &str) -> Self {
        self.fresh.push((number, self.bytes.len()));
        self.bytes
            .extend(format!("{number} 0 obj\n{value}\nendobj\n").into_bytes());
        self
    }

    pub(crate) fn stream(mut self, number: u32, entries: &str, data: &[u8]) -> Self {
        self.fresh.push((number, self.bytes.len()));
        let len = data.len();
        let head = format!("{number} 0 obj\n<<{entries}/Length {len}>>\nstream\n");
        self.bytes.extend(head.into_bytes());
        self.bytes.extend(data);
        self.bytes.extend(b"\nendstream\nendobj\n");
        self
    }

    /// Ends a revision with its table.
    pub(crate) fn end(mut self, trailer: &str) -> Self {
        let at = self.bytes.len();
        let mut table = "xref\n".to_owned();
        for (number, offset) in self.fresh.drain(..) {
            write!(table, "{number} 1\n{offset:010} 00000 n \n").expect("write to memory");
        }
        let previous = self
            .previous
            .map_or_else(String::new, |at| format!("/Prev {at}"));
        write!(
            table,
            "trailer\n<</Size 99/Root 1 0 R{previous}{trailer}>>\nstartxref\n{at}\n%%EOF\n"
        )
        .expect("write to memory");
        self.bytes.extend(table.into_bytes());
        self.previous = Some(at);
        self
    }

    /// Ends a revision with a signature over all of it.
    pub(crate) fn signed(self, number: u32, entries: &str) -> Self {
        const PLACES: &str = "0000000001 0000000002 0000000003";
        let contents = "<30820a0000>";
        let value = format!(
            "<</Type/Sig/SubFilter/adbe.pkcs7.detached/ByteRange[0 {PLACES}]/Contents{contents}{entries}>>"
        );
        let from = self.bytes.len();
        let mut signed = self.object(number, &value).end("");
        let find = |text: &str| {
            let tail = &signed.bytes[from..];
            let found = tail
                .windows(text.len())
                .position(|part| part == text.as_bytes());
            from + found.expect("just written")
        };
        let (places, gap) = (find(PLACES), find(contents));
        let second = gap + contents.len();
        let range = format!("{gap:010} {second:010} {:010}", signed.bytes.len() - second);
        signed.bytes[places..places + range.len()].copy_from_slice(range.as_bytes());
        signed
    }
}
