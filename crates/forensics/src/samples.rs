//! Files made for tests, byte by byte where it matters.

mod exif;
mod iso;
mod pdf;

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::{ImageFormat, RgbImage};

pub(crate) use exif::{Field, exif, tiff};
pub(crate) use iso::{full_box, hdlr, iso_box, movie, mvhd};
pub(crate) use pdf::Pdf;

/// A picture with structure at several scales and a little noise, the same for the same size.
pub(crate) fn picture(width: u32, height: u32) -> RgbImage {
    let mut state = 0x2545_f491_u32;
    RgbImage::from_fn(width, height, |x, y| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let noise = (state >> 24) as f32 / 16.0;
        let (u, v) = (x as f32 / width as f32, y as f32 / height as f32);
        let wave = |a: f32, b: f32| 100.0 + 60.0 * (a * u * 6.3).sin() + 50.0 * (b * v * 6.3).cos();
        #[expect(clippy::cast_possible_truncation, reason = "clamped to the range")]
        let pixel = |value: f32| (value + noise).clamp(0.0, 255.0) as u8;
        image::Rgb([
            pixel(wave(3.0, 2.0)),
            pixel(wave(1.0, 4.0)),
            pixel(wave(5.0, 1.0)),
        ])
    })
}

pub(crate) fn jpeg_of(picture: &RgbImage, quality: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality)
        .encode_image(picture)
        .expect("encode");
    bytes
}

pub(crate) fn jpeg(quality: u8) -> Vec<u8> {
    jpeg_of(&picture(96, 64), quality)
}

pub(crate) fn png_of(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture
        .write_to(&mut bytes, ImageFormat::Png)
        .expect("encode");
    bytes.into_inner()
}

pub(crate) fn png() -> Vec<u8> {
    png_of(&picture(96, 64))
}

/// A JPEG marker segment.
pub(crate) fn segment(marker: u8, data: &[u8]) -> Vec<u8> {
    let len = u16::try_from(data.len() + 2).expect("fits a segment");
    [&[0xff, marker], len.to_be_bytes().as_slice(), data].concat()
}

/// The JPEG with segments right after its first marker.
pub(crate) fn with_segments(jpeg: &[u8], segments: &[Vec<u8>]) -> Vec<u8> {
    let (start, rest) = jpeg.split_at(2);
    [start, &segments.concat(), rest].concat()
}

/// A PNG chunk with its checksum.
pub(crate) fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(kind);
    crc.update(data);
    let len = u32::try_from(data.len()).expect("fits a chunk");
    [
        &len.to_be_bytes(),
        kind.as_slice(),
        data,
        &crc.sum().to_be_bytes(),
    ]
    .concat()
}

/// The PNG with chunks right after its header.
pub(crate) fn with_chunks(png: &[u8], chunks: &[Vec<u8>]) -> Vec<u8> {
    let (start, rest) = png.split_at(33);
    [start, &chunks.concat(), rest].concat()
}

pub(crate) fn text_chunk(key: &str, text: &str) -> Vec<u8> {
    chunk(b"tEXt", &[key.as_bytes(), b"\0", text.as_bytes()].concat())
}

pub(crate) fn compressed_text_chunk(key: &str, text: &[u8]) -> Vec<u8> {
    chunk(b"zTXt", &[key.as_bytes(), b"\0\0", &zlib(text)].concat())
}

pub(crate) fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).expect("write to memory");
    encoder.finish().expect("write to memory")
}

/// Only a header, for a picture of this size.
pub(crate) fn png_header(width: u32, height: u32) -> Vec<u8> {
    let data = [
        &width.to_be_bytes(),
        &height.to_be_bytes(),
        [8, 2, 0, 0, 0].as_slice(),
    ]
    .concat();
    [b"\x89PNG\r\n\x1a\n".as_slice(), &chunk(b"IHDR", &data)].concat()
}

/// An XMP packet with these attributes and this content in its description.
pub(crate) fn xmp(attributes: &str, content: &str) -> String {
    format!(
        "<?xpacket begin='\u{feff}' id='W5M0MpCehiHzreSzNTczkc9d'?>\
         <x:xmpmeta xmlns:x='adobe:ns:meta/'>\
         <rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\
         <rdf:Description rdf:about='' xmlns:xmp='http://ns.adobe.com/xap/1.0/' \
         xmlns:xmpMM='http://ns.adobe.com/xap/1.0/mm/' \
         xmlns:stEvt='http://ns.adobe.com/xap/1.0/sType/ResourceEvent#' \
         xmlns:photoshop='http://ns.adobe.com/photoshop/1.0/' \
         xmlns:crs='http://ns.adobe.com/camera-raw-settings/1.0/' \
         xmlns:dc='http://purl.org/dc/elements/1.1/' \
         xmlns:Iptc4xmpExt='http://iptc.org/std/Iptc4xmpExt/2008-02-29/' {attributes}>{content}\
         </rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>"
    )
}

pub(crate) fn xmp_segment(packet: &str) -> Vec<u8> {
    segment(
        0xe1,
        &[
            b"http://ns.adobe.com/xap/1.0/\0".as_slice(),
            packet.as_bytes(),
        ]
        .concat(),
    )
}

pub(crate) fn exif_segment(tiff: &[u8]) -> Vec<u8> {
    segment(0xe1, &[b"Exif\0\0".as_slice(), tiff].concat())
}

/// A RIFF container of this form.
pub(crate) fn riff(form: &[u8; 4], chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let body = list(form, chunks);
    let len = u32::try_from(body.len()).expect("small");
    [b"RIFF".as_slice(), &len.to_le_bytes(), &body].concat()
}

/// The data of a RIFF list of this form.
pub(crate) fn list(form: &[u8; 4], chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut body = form.to_vec();
    for (kind, data) in chunks {
        body.extend_from_slice(*kind);
        body.extend(u32::try_from(data.len()).expect("small").to_le_bytes());
        body.extend_from_slice(data);
        body.extend(vec![0; data.len() % 2]);
    }
    body
}

/// The data of a RIFF list of texts.
pub(crate) fn info_list(texts: &[(&[u8; 4], &str)]) -> Vec<u8> {
    let texts: Vec<(&[u8; 4], Vec<u8>)> = texts
        .iter()
        .map(|(kind, text)| (*kind, [text.as_bytes(), b"\0"].concat()))
        .collect();
    let chunks: Vec<(&[u8; 4], &[u8])> = texts
        .iter()
        .map(|(kind, text)| (*kind, text.as_slice()))
        .collect();
    list(b"INFO", &chunks)
}

/// Vorbis comments: the vendor and `NAME=value` texts.
pub(crate) fn vorbis_comments(vendor: &str, comments: &[&str]) -> Vec<u8> {
    let field = |text: &str| {
        let len = u32::try_from(text.len()).expect("small").to_le_bytes();
        [len.as_slice(), text.as_bytes()].concat()
    };
    let count = u32::try_from(comments.len()).expect("few").to_le_bytes();
    let comments: Vec<Vec<u8>> = comments.iter().map(|text| field(text)).collect();
    [field(vendor).as_slice(), &count, &comments.concat()].concat()
}
