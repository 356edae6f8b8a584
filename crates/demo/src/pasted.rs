//! A photograph with a part of another one in it.

use assay_corpus::camera;
use assay_corpus::edit::paste::paste;
use assay_corpus::{Error, jpeg};
use image::imageops::crop_imm;

/// Quality at which the photograph was passed on before.
const QUALITY_BEFORE: u8 = 75;
/// Quality at which the result is saved.
const QUALITY_AFTER: u8 = 95;
/// Where the part is taken from, and where it is put: not at a multiple of eight, as by hand.
const FROM: (u32, u32) = (611, 402);
const TO: (u32, u32) = (853, 341);
/// Pixels along each side of the part.
const SIDE: u32 = 320;

/// The photograph that belongs to `seed`, passed on as a JPEG, with a square of another one put into it, and saved.
pub(crate) fn make(seed: u64) -> Result<Vec<u8>, Error> {
    let photograph = camera::FIRST.develop(seed)?;
    let mut picture = jpeg::through(&photograph, QUALITY_BEFORE)?;
    let other = camera::SECOND.develop(seed.wrapping_add(1))?;
    let part = crop_imm(&other, FROM.0, FROM.1, SIDE, SIDE).to_image();
    paste(&mut picture, &part, TO.0, TO.1);
    jpeg::encode(&picture, QUALITY_AFTER)
}
