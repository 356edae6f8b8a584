//! Sound files that carry the fuzzer's bytes where a parser finds them.

use std::sync::LazyLock;

use crate::samples;

/// What fits into a segment of a JPEG, with its name and its own length.
const SEGMENT_BYTES_MAX: usize = 65_000;

static JPEG: LazyLock<Vec<u8>> = LazyLock::new(|| samples::jpeg(90));
static PNG: LazyLock<Vec<u8>> = LazyLock::new(samples::png);

/// Kinds of text chunks: plain, compressed, in any language, and the last two with the text packed here, because the
/// fuzzer hardly ever makes a stream that unpacks.
const TEXT_KINDS: u8 = 5;

/// A JPEG with this as its EXIF.
pub(crate) fn jpeg_with_exif(tiff: &[u8]) -> Vec<u8> {
    let tiff = tiff.get(..SEGMENT_BYTES_MAX).unwrap_or(tiff);
    samples::with_segments(&JPEG, &[samples::exif_segment(tiff)])
}

/// A JPEG with this as its XMP.
pub(crate) fn jpeg_with_xmp(packet: &[u8]) -> Vec<u8> {
    let packet = packet.get(..SEGMENT_BYTES_MAX).unwrap_or(packet);
    let named = [b"http://ns.adobe.com/xap/1.0/\0".as_slice(), packet].concat();
    samples::with_segments(&JPEG, &[samples::segment(0xe1, &named)])
}

/// A PNG with a text chunk; the first byte is its kind.
pub(crate) fn png_with_text(bytes: &[u8]) -> Vec<u8> {
    let (kind, data) = bytes.split_first().unwrap_or((&0, &[]));
    let chunk = match kind % TEXT_KINDS {
        0 => samples::chunk(b"tEXt", data),
        1 => samples::chunk(b"zTXt", data),
        2 => samples::chunk(b"iTXt", data),
        3 => samples::compressed_text_chunk("Comment", data),
        _ => {
            let packed = [
                b"XML:com.adobe.xmp\0\x01\0\0\0".as_slice(),
                &samples::zlib(data),
            ];
            samples::chunk(b"iTXt", &packed.concat())
        }
    };
    samples::with_chunks(&PNG, &[chunk])
}
