//! The verbal scale of the ENFSI guideline for evaluative reporting (2015), by ranges of the likelihood ratio.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The strength of evidence, for or against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verbal {
    /// Likelihood ratio 1.
    #[serde(rename = "no support")]
    None,
    /// Up to 10.
    #[serde(rename = "weak support")]
    Weak,
    /// Up to 100.
    #[serde(rename = "moderate support")]
    Moderate,
    /// Up to 1 000.
    #[serde(rename = "moderately strong support")]
    ModeratelyStrong,
    /// Up to 10 000.
    #[serde(rename = "strong support")]
    Strong,
    /// Up to a million.
    #[serde(rename = "very strong support")]
    VeryStrong,
    /// Above a million.
    #[serde(rename = "extremely strong support")]
    ExtremelyStrong,
    /// For the opposite, up to 10.
    #[serde(rename = "weak support for the opposite")]
    WeakAgainst,
    /// For the opposite, up to 100.
    #[serde(rename = "moderate support for the opposite")]
    ModerateAgainst,
    /// For the opposite, up to 1 000.
    #[serde(rename = "moderately strong support for the opposite")]
    ModeratelyStrongAgainst,
    /// For the opposite, up to 10 000.
    #[serde(rename = "strong support for the opposite")]
    StrongAgainst,
    /// For the opposite, up to a million.
    #[serde(rename = "very strong support for the opposite")]
    VeryStrongAgainst,
    /// For the opposite, above a million.
    #[serde(rename = "extremely strong support for the opposite")]
    ExtremelyStrongAgainst,
}

/// Sums of tenths are not exact; what misses a range by less than this is in it.
const ROUNDING: f64 = 1e-9;

/// Upper ends (log10) with the words for and against. A range includes its lower end.
const RANGES: [(f64, Verbal, Verbal); 5] = [
    (1.0, Verbal::Weak, Verbal::WeakAgainst),
    (2.0, Verbal::Moderate, Verbal::ModerateAgainst),
    (
        3.0,
        Verbal::ModeratelyStrong,
        Verbal::ModeratelyStrongAgainst,
    ),
    (4.0, Verbal::Strong, Verbal::StrongAgainst),
    (6.0, Verbal::VeryStrong, Verbal::VeryStrongAgainst),
];

/// The words for a log10 likelihood ratio.
#[must_use]
pub fn verbal(log10_lr: f64) -> Verbal {
    let strength = log10_lr.abs();
    if strength < ROUNDING || strength.is_nan() {
        return Verbal::None;
    }
    let in_favour = log10_lr > 0.0;
    for (end, for_it, against) in RANGES {
        if strength + ROUNDING < end {
            return if in_favour { for_it } else { against };
        }
    }
    if in_favour {
        Verbal::ExtremelyStrong
    } else {
        Verbal::ExtremelyStrongAgainst
    }
}

impl fmt::Display for Verbal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_range_begins_at_its_lower_end() {
        let table = [
            (0.0, "no support"),
            (f64::NAN, "no support"),
            (0.5, "weak support"),
            (0.999, "weak support"),
            (1.0, "moderate support"),
            (2.0, "moderately strong support"),
            (3.0, "strong support"),
            (4.0, "very strong support"),
            (5.9, "very strong support"),
            (6.0, "extremely strong support"),
            (-0.5, "weak support for the opposite"),
            (-2.0, "moderately strong support for the opposite"),
            (-7.0, "extremely strong support for the opposite"),
        ];
        for (log10_lr, words) in table {
            assert_eq!(verbal(log10_lr).to_string(), words, "{log10_lr}");
        }
    }
}
