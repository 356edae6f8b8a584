//! Many pieces of evidence become one score per question.
//!
//! Inside a family the strongest counts, as its members see the same traces; over families log10
//! ratios add up. `odds = prior odds · 10^sum`, `posterior = odds / (1 + odds)`.

mod said;
mod scale;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use said::{LOG10_SAID_MIN, grouped, times};
pub use scale::verbal;

use crate::evidence::{Evidence, Family, LogRatios};

/// Two families that say at least this much (log10) in opposite directions are in conflict.
pub const CONFLICT_LOG10_MIN: f64 = 1.0;

/// The share of media of a kind before this file was looked at: the operator's to choose, shown in every result.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "UncheckedPriors")]
pub struct Priors {
    synthetic: f64,
    manipulated: f64,
}

#[derive(Deserialize)]
struct UncheckedPriors {
    synthetic: f64,
    manipulated: f64,
}

/// A prior that would decide alone.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[error("use prior {prior}: give a probability above 0 and below 1")]
pub struct PriorError {
    prior: f64,
}

/// What all evidence says about one question.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Sum over families.
    pub log10_lr: f64,
    /// Probability after the evidence, under the prior.
    pub posterior: f64,
    /// The strength of the evidence in words.
    pub verbal: Verbal,
    /// Probability before.
    pub prior: f64,
}

pub use scale::Verbal;

/// What the families say, together and one by one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fusion {
    /// Wholly or partly synthetic.
    pub synthetic: Score,
    /// Locally manipulated after capture.
    pub manipulated: Score,
    /// What the families that can prove authenticity say alone.
    pub proof: LogRatios,
    /// Whether two families contradict each other on one question.
    pub conflict: bool,
    /// Each family that says something.
    pub families: BTreeMap<Family, LogRatios>,
}

impl Default for Priors {
    fn default() -> Self {
        Self {
            synthetic: 0.5,
            manipulated: 0.5,
        }
    }
}

impl Priors {
    /// Priors as probabilities.
    ///
    /// # Errors
    /// A prior that is not above 0 and below 1.
    pub fn new(synthetic: f64, manipulated: f64) -> Result<Self, PriorError> {
        for prior in [synthetic, manipulated] {
            if !(prior > 0.0 && prior < 1.0) {
                return Err(PriorError { prior });
            }
        }
        Ok(Self {
            synthetic,
            manipulated,
        })
    }
}

impl TryFrom<UncheckedPriors> for Priors {
    type Error = PriorError;

    fn try_from(raw: UncheckedPriors) -> Result<Self, PriorError> {
        Self::new(raw.synthetic, raw.manipulated)
    }
}

/// Weighs all evidence. The order does not matter.
#[must_use]
pub fn fuse(evidence: &[Evidence], priors: Priors) -> Fusion {
    let families = by_family(evidence);
    let all = families.values().copied();
    let synthetic: f64 = all.clone().map(|ratios| ratios.synthetic).sum();
    let manipulated: f64 = all.map(|ratios| ratios.manipulated).sum();
    let mut proof = LogRatios::default();
    for (_, ratios) in families.iter().filter(|(family, _)| family.can_prove()) {
        proof.synthetic += ratios.synthetic;
        proof.manipulated += ratios.manipulated;
    }
    Fusion {
        synthetic: Score::new(synthetic, priors.synthetic),
        manipulated: Score::new(manipulated, priors.manipulated),
        proof,
        conflict: is_conflict(families.values().map(|ratios| ratios.synthetic))
            || is_conflict(families.values().map(|ratios| ratios.manipulated)),
        families,
    }
}

impl Score {
    fn new(log10_lr: f64, prior: f64) -> Self {
        let log10_odds = log10_lr + (prior / (1.0 - prior)).log10();
        Self {
            log10_lr,
            posterior: 1.0 / (1.0 + 10f64.powf(-log10_odds)),
            verbal: verbal(log10_lr),
            prior,
        }
    }
}

/// The strongest statement of each family, per question.
fn by_family(evidence: &[Evidence]) -> BTreeMap<Family, LogRatios> {
    let mut extremes: BTreeMap<Family, [Extremes; 2]> = BTreeMap::new();
    for item in evidence {
        let ratios = item.log10_lr();
        if ratios == LogRatios::default() {
            continue;
        }
        let [synthetic, manipulated] = extremes.entry(item.family.clone()).or_default();
        synthetic.add(ratios.synthetic);
        manipulated.add(ratios.manipulated);
    }
    extremes
        .into_iter()
        .map(|(family, [synthetic, manipulated])| {
            let ratios = LogRatios {
                synthetic: synthetic.strongest(),
                manipulated: manipulated.strongest(),
            };
            (family, ratios)
        })
        .collect()
}

/// The most that was said for (not negative) and against (not positive).
#[derive(Default)]
struct Extremes {
    most: f64,
    least: f64,
}

impl Extremes {
    fn add(&mut self, value: f64) {
        self.most = self.most.max(value);
        self.least = self.least.min(value);
    }

    /// A family that says as much for as against says nothing: its sum.
    fn strongest(&self) -> f64 {
        let balance = self.most + self.least;
        if balance > 0.0 {
            self.most
        } else if balance < 0.0 {
            self.least
        } else {
            0.0
        }
    }
}

fn is_conflict(values: impl Iterator<Item = f64>) -> bool {
    let (mut supported, mut refuted) = (false, false);
    for value in values {
        supported |= value >= CONFLICT_LOG10_MIN;
        refuted |= value <= -CONFLICT_LOG10_MIN;
    }
    supported && refuted
}

#[cfg(test)]
mod tests;
