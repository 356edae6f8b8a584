//! How good likelihood ratios are, over files whose truth is known.

use std::f64::consts::LOG2_10;

/// Files that were given the same ratio.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Group {
    /// log10 of the ratio.
    pub log10_lr: f64,
    /// How many.
    pub files: u64,
}

/// The cost of log likelihood ratios, in bits (N. Brümmer and J. du Preez, "Application-independent evaluation of speaker
/// detection", Computer Speech and Language 20, 2006, section 3):
/// `Cllr = ½ [mean over those for which it is true of log2(1 + 1/LR) + mean over the others of log2(1 + LR)]`.
///
/// 0 is perfect, 1 says as much as nothing (a ratio of one for every file), more than 1 misleads. Nothing if either side has
/// no file.
#[must_use]
pub fn cllr(so: &[Group], not: &[Group]) -> Option<f64> {
    let missed = mean_bits(so, -1.0)?;
    let misled = mean_bits(not, 1.0)?;
    Some(f64::midpoint(missed, misled))
}

/// The mean of `log2(1 + LR^sign)`.
fn mean_bits(groups: &[Group], sign: f64) -> Option<f64> {
    let files: f64 = groups.iter().map(|group| group.files as f64).sum();
    let costs = groups.iter().filter(|group| group.files > 0);
    let sum: f64 = costs
        .map(|group| group.files as f64 * bits(sign * group.log10_lr))
        .sum();
    (files > 0.0).then(|| sum / files)
}

/// `log2(1 + 10^log10)`, for ratios of any size.
fn bits(log10: f64) -> f64 {
    let log2 = log10 * LOG2_10;
    log2.max(0.0) + (-log2.abs()).exp2().ln_1p() * std::f64::consts::LOG2_E
}
