//! Files that are of two formats at once: some readers see one, some the other. Formats that are found from their start
//! cannot share it; those found by what stands further behind can hide in any file.

use super::format::Format;
use super::magic::PDF_HEADER_BYTES_MAX;
use crate::bytes::{self, Order, index, slice, u16_at, u32_at};
use crate::evidence::Fact;

/// Bytes of the record that ends a ZIP archive, without its comment.
const ZIP_END_BYTES: usize = 22;
/// The longest comment.
const ZIP_COMMENT_BYTES_MAX: usize = 65_535;

/// A fact if readers of another format would take the bytes, too.
pub(super) fn find(bytes: &[u8], format: Format) -> Option<Fact> {
    let others = [
        (Format::Pdf, is_pdf as fn(&[u8]) -> bool),
        (Format::Zip, is_zip),
    ];
    let also: Vec<&str> = others
        .into_iter()
        .filter(|(other, is_other)| *other != format && is_other(bytes))
        .map(|(other, _)| other.mime())
        .collect();
    let is_media = format != Format::Zip && format != Format::Text;
    (is_media && !also.is_empty()).then(|| {
        let mime = format.mime();
        let also = also.join(" and ");
        Fact::new(
            "polyglot",
            format!("the bytes are {mime}, and {also} as well: what is seen depends on the reader"),
        )
    })
}

/// A header near the start, and an object behind it: readers of PDF ask for no more.
fn is_pdf(file: &[u8]) -> bool {
    let head = file.get(..PDF_HEADER_BYTES_MAX).unwrap_or(file);
    let header = bytes::find(head, b"%PDF-", 0);
    header.is_some_and(|at| bytes::find(file, b"endobj", at).is_some())
}

/// The record that ends an archive, with the list of files right before it.
fn is_zip(file: &[u8]) -> bool {
    let from = file
        .len()
        .saturating_sub(ZIP_END_BYTES + ZIP_COMMENT_BYTES_MAX);
    let tail = file.get(from..).unwrap_or_default();
    let mut at = 0;
    while let Some(found) = bytes::find(tail, b"PK\x05\x06", at) {
        if ends_archive(file, from + found) {
            return true;
        }
        at = found + 1;
    }
    false
}

fn ends_archive(bytes: &[u8], at: usize) -> bool {
    let list_bytes = u32_at(bytes, at + 12, Order::Little).map(index);
    let comment_bytes = u16_at(bytes, at + 20, Order::Little).map(usize::from);
    let (Some(list_bytes), Some(comment_bytes)) = (list_bytes, comment_bytes) else {
        return false;
    };
    let list = at
        .checked_sub(list_bytes)
        .and_then(|list_at| slice(bytes, list_at, 4));
    list == Some(b"PK\x01\x02") && at + ZIP_END_BYTES + comment_bytes <= bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    /// An archive without files' data: a list of one, and its end.
    fn zip() -> Vec<u8> {
        let list = [b"PK\x01\x02".as_slice(), &[0; 42]].concat();
        let mut end = vec![0; ZIP_END_BYTES];
        end[..4].copy_from_slice(b"PK\x05\x06");
        end[12] = 46;
        [list, end].concat()
    }

    fn also(bytes: &[u8], format: Format) -> Option<String> {
        find(bytes, format).map(|fact| fact.detail)
    }

    #[test]
    fn an_archive_behind_a_picture_is_one_of_two() {
        let both = [samples::jpeg(90), zip()].concat();
        let detail = also(&both, Format::Jpeg).expect("told");
        assert!(
            detail.starts_with("the bytes are image/jpeg, and application/zip as well"),
            "{detail}"
        );
        let mut with_comment = [samples::png(), zip()].concat();
        let at = with_comment.len() - 2;
        with_comment[at] = 3;
        assert!(also(&with_comment, Format::Png).is_none());
        with_comment.extend(b"abc");
        assert!(also(&with_comment, Format::Png).is_some());
        assert!(also(&zip(), Format::Zip).is_none());
    }

    #[test]
    fn a_document_inside_a_picture_is_one_of_two() {
        let comment = samples::segment(0xfe, b"%PDF-1.4\n1 0 obj<<>>endobj");
        let both = samples::with_segments(&samples::jpeg(90), &[comment]);
        assert!(also(&both, Format::Jpeg).is_some());
        let words = samples::segment(0xfe, b"about %PDF-1.4");
        let words = samples::with_segments(&samples::jpeg(90), &[words]);
        assert!(also(&words, Format::Jpeg).is_none());
        assert!(also(b"%PDF-1.4\n1 0 obj<<>>endobj", Format::Pdf).is_none());
    }

    #[test]
    fn the_end_of_an_archive_is_looked_for_as_far_as_its_comment_goes() {
        let with_comment = |bytes: usize| {
            let mut archive = [samples::png(), zip()].concat();
            archive.extend(vec![b'x'; bytes]);
            also(&archive, Format::Png).is_some()
        };
        assert!(with_comment(ZIP_COMMENT_BYTES_MAX));
        assert!(!with_comment(ZIP_COMMENT_BYTES_MAX + 1));
    }

    #[test]
    fn plain_files_are_one_format() {
        assert!(also(&samples::jpeg(90), Format::Jpeg).is_none());
        assert!(also(b"PK\x05\x06 is how an archive ends", Format::Unknown).is_none());
    }
}
