//! Bounds on what a file may ask for. All are checked before the work they bound.

use serde::{Deserialize, Serialize};

use crate::sniff::MediaKind;

const MIB: u64 = 1024 * 1024;

/// Bytes of an image.
pub const IMAGE_BYTES_MAX: u64 = 64 * MIB;
/// Bytes of a sound file.
pub const AUDIO_BYTES_MAX: u64 = 256 * MIB;
/// Bytes of a document, and of what is of no known kind.
pub const DOCUMENT_BYTES_MAX: u64 = 64 * MIB;
/// Bytes of a video.
pub const VIDEO_BYTES_MAX: u64 = 2048 * MIB;
/// Pixels of a picture.
pub const PIXELS_MAX: u64 = 64_000_000;
/// Pixels along one side of a picture.
pub const SIDE_PIXELS_MAX: u32 = 20_000;
/// Bytes that a decoder may allocate.
pub const DECODE_BYTES_MAX: u64 = 512 * MIB;
/// Scans of a JPEG.
pub const JPEG_SCANS_MAX: u32 = 64;
/// Markers of a JPEG, restart markers not counted.
pub const JPEG_MARKERS_MAX: u32 = 10_000;
/// Chunks of a PNG or RIFF file.
pub const CHUNKS_MAX: u32 = 65_536;
/// Blocks of metadata that are noted in one file.
pub const BLOCKS_MAX: usize = 1_000;
/// Bytes of text in one file after decompression.
pub const TEXT_BYTES_MAX: u64 = 4 * MIB;
/// How many times its size compressed text may become, once it is longer than [`TEXT_FREE_BYTES`].
pub const TEXT_RATIO_MAX: u64 = 200;
/// Bytes of text that may come from any compression ratio: spaces and rules compress well, and this much harms nobody.
pub const TEXT_FREE_BYTES: u64 = 64 * 1024;
/// Bytes of all XMP packets of one file.
pub const XMP_BYTES_MAX: u64 = 4 * MIB;
/// Nodes of an XMP packet.
pub const XMP_NODES_MAX: u32 = 100_000;
/// Attributes of one element of an XMP packet.
pub const XMP_ATTRIBUTES_MAX: usize = 1_000;
/// Namespace declarations in an XMP packet.
pub const XMP_NAMESPACES_MAX: usize = 1_000;
/// XMP packets in one file.
pub const XMP_PACKETS_MAX: usize = 16;
/// Entries of all EXIF or TIFF directories.
pub const EXIF_ENTRIES_MAX: u32 = 1_000;
/// Nesting of EXIF or TIFF directories.
pub const EXIF_DEPTH_MAX: u32 = 4;
/// Sub-directories of a TIFF.
pub const SUB_DIRECTORIES_MAX: u32 = 1_000;
/// Bytes of one EXIF or TIFF text.
pub const EXIF_TEXT_BYTES_MAX: u64 = 256 * 1024;

/// Boxes of an ISO media file.
pub const BOXES_MAX: u32 = 100_000;
/// Nesting of the boxes of an ISO media file; those of the file itself are at depth 1.
pub const BOX_DEPTH_MAX: u32 = 16;
/// Objects of a PDF, those in object streams included.
pub const PDF_OBJECTS_MAX: u32 = 200_000;
/// Revisions of a PDF: cross-reference sections that are followed, and ends that are noted.
pub const PDF_REVISIONS_MAX: u32 = 200;
/// Bytes of one object stream of a PDF after decompression.
pub const PDF_INFLATE_BYTES_MAX: u64 = 64 * MIB;
/// Bytes of all object streams of a PDF after decompression: streams of a few bytes each could grow without end.
pub const PDF_INFLATE_TOTAL_BYTES_MAX: u64 = 128 * MIB;
/// How many times their size all object streams of a PDF may become, once they are longer than [`PDF_INFLATE_FREE_BYTES`].
pub const PDF_INFLATE_RATIO_MAX: u64 = 200;
/// Bytes of object streams that may come from any compression ratio.
pub const PDF_INFLATE_FREE_BYTES: u64 = MIB;
/// Texts of a container's own fields that are kept of one file.
pub const TAGS_MAX: usize = 256;

/// The bounds in force. The default is the constants of this module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// See [`IMAGE_BYTES_MAX`].
    pub image_bytes_max: u64,
    /// See [`AUDIO_BYTES_MAX`].
    pub audio_bytes_max: u64,
    /// See [`DOCUMENT_BYTES_MAX`].
    pub document_bytes_max: u64,
    /// See [`VIDEO_BYTES_MAX`].
    pub video_bytes_max: u64,
    /// See [`PIXELS_MAX`].
    pub pixels_max: u64,
    /// See [`SIDE_PIXELS_MAX`].
    pub side_pixels_max: u32,
    /// See [`DECODE_BYTES_MAX`].
    pub decode_bytes_max: u64,
    /// See [`JPEG_SCANS_MAX`].
    pub jpeg_scans_max: u32,
    /// See [`JPEG_MARKERS_MAX`].
    pub jpeg_markers_max: u32,
    /// See [`CHUNKS_MAX`].
    pub chunks_max: u32,
    /// See [`TEXT_BYTES_MAX`].
    pub text_bytes_max: u64,
    /// See [`TEXT_RATIO_MAX`].
    pub text_ratio_max: u64,
    /// See [`XMP_BYTES_MAX`].
    pub xmp_bytes_max: u64,
    /// See [`XMP_NODES_MAX`].
    pub xmp_nodes_max: u32,
    /// See [`EXIF_ENTRIES_MAX`].
    pub exif_entries_max: u32,
    /// See [`EXIF_DEPTH_MAX`].
    pub exif_depth_max: u32,
    /// See [`SUB_DIRECTORIES_MAX`].
    pub sub_directories_max: u32,
    /// See [`EXIF_TEXT_BYTES_MAX`].
    pub exif_text_bytes_max: u64,
    /// See [`BOXES_MAX`].
    pub boxes_max: u32,
    /// See [`BOX_DEPTH_MAX`].
    pub box_depth_max: u32,
    /// See [`PDF_OBJECTS_MAX`].
    pub pdf_objects_max: u32,
    /// See [`PDF_REVISIONS_MAX`].
    pub pdf_revisions_max: u32,
    /// See [`PDF_INFLATE_BYTES_MAX`].
    pub pdf_inflate_bytes_max: u64,
    /// See [`PDF_INFLATE_TOTAL_BYTES_MAX`].
    pub pdf_inflate_total_bytes_max: u64,
    /// See [`PDF_INFLATE_RATIO_MAX`].
    pub pdf_inflate_ratio_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            image_bytes_max: IMAGE_BYTES_MAX,
            audio_bytes_max: AUDIO_BYTES_MAX,
            document_bytes_max: DOCUMENT_BYTES_MAX,
            video_bytes_max: VIDEO_BYTES_MAX,
            pixels_max: PIXELS_MAX,
            side_pixels_max: SIDE_PIXELS_MAX,
            decode_bytes_max: DECODE_BYTES_MAX,
            jpeg_scans_max: JPEG_SCANS_MAX,
            jpeg_markers_max: JPEG_MARKERS_MAX,
            chunks_max: CHUNKS_MAX,
            text_bytes_max: TEXT_BYTES_MAX,
            text_ratio_max: TEXT_RATIO_MAX,
            xmp_bytes_max: XMP_BYTES_MAX,
            xmp_nodes_max: XMP_NODES_MAX,
            exif_entries_max: EXIF_ENTRIES_MAX,
            exif_depth_max: EXIF_DEPTH_MAX,
            sub_directories_max: SUB_DIRECTORIES_MAX,
            exif_text_bytes_max: EXIF_TEXT_BYTES_MAX,
            boxes_max: BOXES_MAX,
            box_depth_max: BOX_DEPTH_MAX,
            pdf_objects_max: PDF_OBJECTS_MAX,
            pdf_revisions_max: PDF_REVISIONS_MAX,
            pdf_inflate_bytes_max: PDF_INFLATE_BYTES_MAX,
            pdf_inflate_total_bytes_max: PDF_INFLATE_TOTAL_BYTES_MAX,
            pdf_inflate_ratio_max: PDF_INFLATE_RATIO_MAX,
        }
    }
}

impl Limits {
    /// The bound on the bytes of a file of this kind.
    #[must_use]
    pub fn bytes_max(&self, kind: MediaKind) -> u64 {
        match kind {
            MediaKind::Image => self.image_bytes_max,
            MediaKind::Audio => self.audio_bytes_max,
            MediaKind::Video => self.video_bytes_max,
            MediaKind::Document | MediaKind::Other => self.document_bytes_max,
        }
    }
}
