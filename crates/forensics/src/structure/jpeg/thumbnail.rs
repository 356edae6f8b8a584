//! The header of the small picture in EXIF. Programs that save a picture again often leave it as the camera made it.

use serde::{Deserialize, Serialize};

use super::segments::Segments;
use super::{HuffmanTables, QualityEstimate, Walk, segments};
use crate::bytes::{index, slice};
use crate::limits::Limits;
use crate::sniff::Size;
use crate::structure::{BlockKind, Structure, directory};

/// How the small picture was encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThumbnailHeader {
    /// Its size in pixels.
    pub size: Size,
    /// The quality setting that fits its tables.
    pub quality: Option<QualityEstimate>,
    /// Where its Huffman tables come from.
    pub huffman: Option<HuffmanTables>,
}

/// The header of the small picture in the first EXIF block that was found; nothing if there is none, or it is no JPEG.
pub(super) fn header(
    bytes: &[u8],
    structure: &Structure,
    limits: &Limits,
) -> Option<ThumbnailHeader> {
    let mut blocks = structure.blocks.iter();
    let tiff = blocks
        .find(|block| block.kind == BlockKind::Exif)?
        .slice(bytes);
    let survey = directory::survey(tiff, limits);
    if survey.hit.is_some() {
        return None;
    }
    let (offset, len) = survey.thumbnail?;
    let jpeg = slice(tiff, index(offset), index(len))?;
    if !jpeg.starts_with(&[0xff, segments::SOI]) {
        return None;
    }
    let mut walk = Walk::default();
    for segment in Segments::new(jpeg, limits) {
        walk.tables_and_frame(&segment);
    }
    let size = walk.size?;
    let layout = walk.finish();
    Some(ThumbnailHeader {
        size,
        quality: layout.quality,
        huffman: layout.huffman,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{self, Field, with_segments};
    use crate::sniff::{Hints, sniff};
    use crate::structure::{Layout, structure};

    /// A picture of quality 90 whose EXIF holds this small picture behind its directory.
    fn with_thumbnail(small: &[u8], offset: i64, len: usize) -> Option<ThumbnailHeader> {
        let fields =
            |offset, len| samples::tiff(&[Field::Long(0x0201, offset), Field::Long(0x0202, len)]);
        let behind = i64::try_from(fields(0, 0).len()).expect("small");
        let offset = u32::try_from(behind + offset).expect("small");
        let len = u32::try_from(len).expect("small");
        let tiff = [fields(offset, len), small.to_vec()].concat();
        let jpeg = with_segments(&samples::jpeg(90), &[samples::exif_segment(&tiff)]);
        let limits = Limits::default();
        let sniff = sniff(&jpeg, &Hints::default(), &limits).expect("a JPEG");
        let structure = structure(&jpeg, &sniff, &limits).expect("has a frame");
        match structure.layout {
            Some(Layout::Jpeg(layout)) => layout.thumbnail,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn tables_of_the_small_picture_are_its_own() {
        let small = samples::jpeg_of(&samples::picture(16, 8), 60);
        let header = with_thumbnail(&small, 0, small.len()).expect("has one");
        assert_eq!((header.size.width, header.size.height), (16, 8));
        let quality = header.quality.expect("has tables");
        assert_eq!((quality.quality, quality.exact), (60, true));
        assert_eq!(header.huffman, Some(HuffmanTables::Standard));
    }

    #[test]
    fn what_is_not_there_is_no_thumbnail() {
        let small = samples::jpeg_of(&samples::picture(16, 8), 60);
        let len = small.len();
        assert_eq!(with_thumbnail(&small, 1, len - 1), None, "no start marker");
        assert_eq!(
            with_thumbnail(&small, 1, len),
            None,
            "reaches beyond the block"
        );
        assert_eq!(with_thumbnail(&small, 0, 0), None);
        assert_eq!(with_thumbnail(&small, 0, 30), None, "ends before the frame");
        assert_eq!(
            with_thumbnail(b"", 0, usize::try_from(u32::MAX).expect("fits")),
            None
        );
    }
}
