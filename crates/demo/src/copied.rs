//! A photograph with a part of it copied over another part.

use assay_corpus::edit::paste::copy_within;
use assay_corpus::{Error, camera, jpeg};

/// Quality at which the result is saved.
const QUALITY: u8 = 92;
/// Pixels along each side of the part.
const SIDE: u32 = 160;
/// How far to the right and downwards the copy lies, in pixels.
const SHIFT: (u32, u32) = (333, 211);

/// The photograph that belongs to `seed`, as somebody saved it who hid something in it.
pub(crate) fn make(seed: u64) -> Result<Vec<u8>, Error> {
    let mut picture = camera::FIRST.develop(seed)?;
    // All photographs of the demo have room for it; a test sees that the verdict is there.
    copy_within(&mut picture, SIDE, SHIFT);
    jpeg::encode(&picture, QUALITY)
}
