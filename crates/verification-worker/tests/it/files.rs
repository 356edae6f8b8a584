//! Files made here: ordinary, marked, damaged, hostile.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::{ImageFormat, Rgb, RgbImage};

/// In a file, it makes the test's own stage on metadata an endless loop.
pub(crate) const BOMB: &[u8] = b"assay-test-bomb";

/// A picture with something in it, the same each time.
fn picture() -> RgbImage {
    let mut noise = 1_u32;
    RgbImage::from_fn(160, 120, |x, y| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let grain = u8::try_from(noise >> 28).unwrap();
        let shade = |value: u32| u8::try_from(value % 200).unwrap() + grain;
        Rgb([shade(x + y), shade(x * y / 32), shade(y * 2)])
    })
}

pub(crate) fn jpeg() -> Vec<u8> {
    let mut bytes = Vec::new();
    picture()
        .write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, 90))
        .unwrap();
    bytes
}

pub(crate) fn png() -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture().write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// A PNG with the text block that Stable Diffusion front-ends write.
pub(crate) fn generated_png() -> Vec<u8> {
    let text = "parameters\0a lighthouse in a storm\nNegative prompt: people\nSteps: 20, Sampler: Euler a, \
                CFG scale: 7, Seed: 42, Size: 160x120, Model hash: 0123456789, Model: test";
    png_with(&chunk(b"tEXt", text.as_bytes()))
}

/// A JPEG with a comment after its first marker.
pub(crate) fn jpeg_with_comment(comment: &[u8]) -> Vec<u8> {
    let jpeg = jpeg();
    let len = u16::try_from(comment.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], b"\xff\xfe", &len, comment, &jpeg[2..]].concat()
}

pub(crate) fn truncated_jpeg() -> Vec<u8> {
    let mut bytes = jpeg();
    bytes.truncate(bytes.len() / 2);
    bytes
}

/// A PNG that declares 3.6 gigapixels.
pub(crate) fn huge_png() -> Vec<u8> {
    let side = 60_000_u32.to_be_bytes();
    let header = [&side[..], &side, &[8, 2, 0, 0, 0]].concat();
    let pixels = deflate(&[0; 1_000]);
    let chunks = [
        chunk(b"IHDR", &header),
        chunk(b"IDAT", &pixels),
        chunk(b"IEND", b""),
    ]
    .concat();
    [PNG_SIGNATURE, &chunks].concat()
}

/// A PNG with 64 MiB of text in a few kilobytes.
pub(crate) fn text_bomb_png() -> Vec<u8> {
    let text = deflate(&vec![b'a'; 64 * 1024 * 1024]);
    png_with(&chunk(b"zTXt", &[b"Comment\0\0", text.as_slice()].concat()))
}

/// A PNG with texts that each grow beyond the ratio, to a little less than all texts may be.
pub(crate) fn text_bombs_png(texts: usize) -> Vec<u8> {
    let text = deflate(&vec![b'a'; 3 * 1024 * 1024]);
    let text = chunk(b"zTXt", &[b"Comment\0\0", text.as_slice()].concat());
    png_with(&text.repeat(texts))
}

/// An object of a PDF that holds these objects, packed.
pub(crate) fn object_stream(objects: &[u8]) -> Vec<u8> {
    let packed = deflate(&[b"7 0 1".as_slice(), objects].concat());
    let len = packed.len();
    let head =
        format!("6 0 obj<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length {len}>>stream\n");
    [head.as_bytes(), &packed, b"\nendstream endobj\n"].concat()
}

/// A PDF of one page and these objects.
pub(crate) fn document(objects: &[u8]) -> Vec<u8> {
    let page = b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n\
        2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R>>endobj\n";
    let body = [page.as_slice(), objects].concat();
    let at = body.len();
    let end = format!("xref\n0 0\ntrailer<</Root 1 0 R>>\nstartxref\n{at}\n%%EOF\n");
    [body, end.into_bytes()].concat()
}

/// A PDF whose last section names itself as the one before it.
pub(crate) fn document_in_a_circle() -> Vec<u8> {
    let whole = document(b"");
    let at = whole.len();
    let end = format!("xref\n0 0\ntrailer<</Prev {at}>>\nstartxref\n{at}\n%%EOF\n");
    [whole, end.into_bytes()].concat()
}

/// A video whose boxes lie in each other.
pub(crate) fn nested_boxes(depth: usize) -> Vec<u8> {
    let wrap = |kind: &[u8; 4], body: &[u8]| {
        let len = u32::try_from(body.len() + 8).unwrap().to_be_bytes();
        [len.as_slice(), kind, body].concat()
    };
    let nested = (0..depth).fold(Vec::new(), |inner, _| wrap(b"moov", &inner));
    [wrap(b"ftyp", b"isom\0\0\0\0"), nested].concat()
}

/// A JPEG in passes, of so many scans without data.
pub(crate) fn jpeg_of_scans(scans: usize) -> Vec<u8> {
    let frame = b"\xff\xc2\0\x0b\x08\0\x08\0\x08\x01\x01\x11\0";
    let scan = b"\xff\xda\0\x08\x01\x01\0\0\0\0";
    [
        b"\xff\xd8".as_slice(),
        frame,
        &scan.repeat(scans),
        b"\xff\xd9",
    ]
    .concat()
}

/// A JPEG whose XMP defines words by words, which would be billions of them.
pub(crate) fn jpeg_of_entities() -> Vec<u8> {
    let words: String = (1..10)
        .map(|level| {
            let before = format!("&w{};", level - 1).repeat(10);
            format!("<!ENTITY w{level} '{before}'>")
        })
        .collect();
    let packet = format!(
        "<!DOCTYPE x [<!ENTITY w0 'word'>{words}]><x:xmpmeta xmlns:x='adobe:ns:meta/'>&w9;</x:xmpmeta>"
    );
    let data = [b"http://ns.adobe.com/xap/1.0/\0", packet.as_bytes()].concat();
    let jpeg = jpeg();
    let len = u16::try_from(data.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], b"\xff\xe1", &len, &data, &jpeg[2..]].concat()
}

/// A TIFF that names one directory thirty thousand times as its own sub-directory.
pub(crate) fn directory_bomb_tiff() -> Vec<u8> {
    let count = 30_000_u32;
    let list_at = 8 + 2 + 12 + 4;
    let mut bytes = b"II*\0\x08\0\0\0\x01\0\x4a\x01\x04\0".to_vec();
    bytes.extend(count.to_le_bytes());
    bytes.extend(u32::to_le_bytes(list_at));
    bytes.extend([0; 4]);
    bytes.extend((0..count).flat_map(|_| 8_u32.to_le_bytes()));
    bytes.extend(b"jumbc2pa");
    bytes
}

/// Bytes without sense, another sequence for each seed.
pub(crate) fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[0]
    };
    (0..len).map(|_| next()).collect()
}

/// The bytes with some of the first few hundred changed, where the structure is, and every third time cut off.
pub(crate) fn damaged(bytes: &[u8], seed: u64) -> Vec<u8> {
    let mut damaged = bytes.to_vec();
    let head = damaged.len().min(600);
    for place in noise(seed, 60).chunks_exact(3) {
        let at = usize::from(u16::from_be_bytes([place[0], place[1]])) % head;
        // Not the magic bytes: the file should reach its parsers.
        if at > 7 {
            damaged[at] = place[2];
        }
    }
    if seed % 3 == 2 {
        damaged.truncate(damaged.len() / 2);
    }
    damaged
}

const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// Signature and IHDR.
const PNG_HEAD_BYTES: usize = 8 + 25;

fn png_with(chunk: &[u8]) -> Vec<u8> {
    let png = png();
    [&png[..PNG_HEAD_BYTES], chunk, &png[PNG_HEAD_BYTES..]].concat()
}

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(kind);
    crc.update(data);
    let len = u32::try_from(data.len()).unwrap().to_be_bytes();
    [&len[..], kind, data, &crc.sum().to_be_bytes()].concat()
}

fn deflate(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}
