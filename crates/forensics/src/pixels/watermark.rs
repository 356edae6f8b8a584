//! The invisible watermark that the pipelines of Stable Diffusion XL write by default: a public key of 48 bits.
//!
//! The mark is that of the method `dwtDct` (the package invisible-watermark): a plane of colour difference is halved
//! by a Haar transform, and in each 4 × 4 block of its low band the value that is largest in size (the first is left
//! out) is moved so that its rest by [`SCALE`] says one bit. Block after block, row by row, the bits of the key follow
//! one another, so each is there many times, and the majority reads it. In spite of its name no DCT is involved.
//!
//! There are four ways to read it. Encoders of floating-point pictures put the middle of the colour plane at 0.5, those
//! of bytes at 128. And the encoder expects blue, green, red: earlier versions of the pipeline gave it red, green,
//! blue, so that the mark lies in the difference of red.
//!
//! How likely chance is can be said exactly: whoever made the key drew it at random, so that any picture made without it,
//! photo or drawing, agrees with each bit of it with probability one half, whatever its own bits look like. Therefore
//! no picture need be like a photo here. But a picture of few colours may be unable to hold the mark, and scaling or
//! cropping by anything but whole blocks destroys it: not to find it says nothing.

mod code;

use image::RgbImage;

use super::{Found, Subject};
use crate::evidence::{Calibration, Evidence, Family, LogRatios};
use code::{Read, Reading, read};

/// Name of the analysis.
pub const ID: &str = "watermark.diffusers_sdxl";
/// Bits of the key.
pub const KEY_BITS: usize = 48;
/// The key, its first bit the highest.
pub const KEY: u64 = 0b1011_0011_1110_1100_1001_0000_0111_1011_1011_0001_1001_1110;
/// Probability, over all ways to read, below which agreement is no chance.
pub const P_MAX: f64 = 1e-6;
/// Pixels of a picture that the encoder takes, at least.
pub const PIXELS_MIN: u64 = 256 * 256;

/// Pictures without the mark, two thirds made-up photos, a third drawings of few colours, half of all compressed. At most
/// 34 bits were the key's.
const CALIBRATION: Calibration = Calibration {
    n_clean: 3_000,
    fp: 0,
};
/// log10 LR of the mark, before its cap.
pub const LOG10_LR: f64 = 4.0;

/// Looks for the mark.
#[must_use]
pub fn inspect(subject: &Subject<'_>) -> Found {
    if let Some(why) = unfit(subject.picture) {
        return Evidence::not_applicable(ID, Family::Watermark, why).into();
    }
    describe(&read(subject.picture)).into()
}

/// Why a picture cannot hold the mark.
fn unfit(picture: &RgbImage) -> Option<&'static str> {
    if u64::from(picture.width()) * u64::from(picture.height()) < PIXELS_MIN {
        return Some("The picture is too small for the mark.");
    }
    let is_grey = picture
        .as_raw()
        .chunks_exact(3)
        .all(|pixel| pixel.windows(2).all(|two| two.first() == two.last()));
    is_grey.then_some("The picture is grey, and the mark lies in colours.")
}

fn describe(readings: &[Read; Reading::ALL.len()]) -> Evidence {
    let [first, rest @ ..] = readings;
    let best = rest.iter().fold(first, |best, next| {
        if next.equal_bits() > best.equal_bits() {
            next
        } else {
            best
        }
    });
    let equal = best.equal_bits();
    let p = p_adjusted(equal);
    let neutral =
        |finding, explain: &str| Evidence::neutral(ID, Family::Watermark, finding, explain);
    let evidence = if p < P_MAX {
        let explain = format!(
            "The picture carries the invisible mark that programs with the generator Stable Diffusion XL write: {equal} \
             of its {KEY_BITS} digits are there."
        );
        neutral("marked", &explain)
            .calibrated(LogRatios::synthetic(LOG10_LR), CALIBRATION)
            .caveat("The key is public: anybody can write the mark into any picture, a photo too.")
            .caveat("A photo that such a program only altered carries it as well.")
    } else {
        let explain = "The invisible mark that programs with the generator Stable Diffusion XL write was not found.";
        neutral("none", explain).caveat(
            "The mark is lost when a picture is scaled or cropped, and some pictures of strong or few colours cannot \
             hold it.",
        )
    };
    evidence
        .metric("equal_bits", f64::from(equal))
        .metric("log10_p", p.log10())
        .metric("votes_per_bit", f64::from(best.votes_min()))
}

/// The probability that a random key agrees in so many bits or more with at least one way to read.
fn p_adjusted(equal_bits: u32) -> f64 {
    let ways = Reading::ALL.len() as f64;
    (ways * tail(equal_bits)).min(1.0)
}

/// `P[Bin(48, ½) ≥ k]`, exactly: all sums are below 2⁴⁸ or equal to it.
fn tail(k: u32) -> f64 {
    let n = KEY_BITS as u64;
    let mut choose = 1u64;
    let mut sum = 0u64;
    // Of 48, as many can be chosen in as many ways as can be left: the tail is summed from its end.
    for left in 0..=n.saturating_sub(u64::from(k)) {
        sum += choose;
        choose = choose * (n - left) / (left + 1);
    }
    if u64::from(k) > n {
        0.0
    } else {
        sum as f64 / 2f64.powi(48)
    }
}

#[cfg(test)]
mod tests;
