//! Media made for tests.

use std::io::Write;

use assay_corpus::edit::paste::copy_within;
use assay_corpus::{camera, jpeg};
use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};
use image::imageops::crop_imm;

/// Edge of the pictures, in pixels.
const EDGE: u32 = 64;

/// A grey PNG; with `text`, in a chunk under the keyword that generators use.
pub(crate) fn png(text: Option<&str>) -> Vec<u8> {
    let mut header = Vec::new();
    header.extend(EDGE.to_be_bytes());
    header.extend(EDGE.to_be_bytes());
    header.extend([8, 0, 0, 0, 0]);
    let mut pixels = ZlibEncoder::new(Vec::new(), Compression::default());
    for row in 0..EDGE {
        pixels.write_all(&[0]).unwrap();
        let shade = |column| u8::try_from((row * 3 + column) % 256).unwrap();
        let shades: Vec<u8> = (0..EDGE).map(shade).collect();
        pixels.write_all(&shades).unwrap();
    }
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut png, b"IHDR", &header);
    if let Some(text) = text {
        chunk(
            &mut png,
            b"tEXt",
            &[b"parameters\0", text.as_bytes()].concat(),
        );
    }
    chunk(&mut png, b"IDAT", &pixels.finish().unwrap());
    chunk(&mut png, b"IEND", b"");
    png
}

/// A PNG as a well-known generator writes it.
pub(crate) fn generated() -> Vec<u8> {
    png(Some(
        "a lighthouse at dusk\nNegative prompt: blurry\nSteps: 20, Sampler: Euler a, CFG scale: 7, \
         Seed: 1234567890, Size: 512x512, Model hash: 6ce0161689, Model: v1-5-pruned-emaonly",
    ))
}

fn chunk(png: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    png.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
    let body = [kind.as_slice(), data].concat();
    let mut crc = Crc::new();
    crc.update(&body);
    png.extend(body);
    png.extend(crc.sum().to_be_bytes());
}

/// A photograph with a part of it copied over another.
pub(crate) fn copied() -> Vec<u8> {
    let taken = camera::FIRST.develop(3).unwrap();
    let mut picture = crop_imm(&taken, 320, 160, 640, 640).to_image();
    copy_within(&mut picture, 96, (250, 130)).unwrap();
    jpeg::encode(&picture, 95).unwrap()
}
