//! What an analysis found, in the form that every analysis shares.
//!
//! Evidence speaks to two questions by likelihood ratios; a [`Fact`] tells the file's history and speaks to none.

mod family;
mod weight;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use family::{Family, FamilyNameError};
pub(crate) use weight::Z_95;
pub use weight::{CAP_CALIBRATED_MAX, CAP_UNCALIBRATED, Calibration, LogRatios, Weight};

use crate::document::PicturePlace;
use crate::text::clip;

/// The most caveats, regions or metrics that one piece of evidence keeps.
pub const EVIDENCE_ITEMS_MAX: usize = 64;

/// The finding of an analysis that could not read what it looks at.
pub(crate) const UNREAD: &str = "unread";

/// The result of one analysis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Which analysis, e.g. `marker.png.a1111_parameters`.
    pub id: String,
    /// Analyses of one family look at the same traces; only the strongest of them counts.
    pub family: Family,
    /// Whether the analysis could say anything about this file. If not, `explain` says why.
    pub applicable: bool,
    /// What was found, in one word: `none` if nothing.
    pub finding: String,
    /// How much it weighs, within its cap.
    #[serde(flatten)]
    pub weight: Weight,
    /// How well the analysis was validated, if it was.
    pub calibration: Option<Calibration>,
    /// Measured figures by name.
    pub metrics: BTreeMap<String, f64>,
    /// Which picture of a document it is about; nothing if it is about the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<PicturePlace>,
    /// Where in the picture, in pixels.
    pub regions: Vec<Region>,
    /// Address of a map, if one was drawn.
    pub artifact: Option<String>,
    /// One sentence for people.
    pub explain: String,
    /// What else may explain the finding.
    pub caveats: Vec<String>,
    /// Time spent in milliseconds. Set by who holds a clock; 0 until then.
    pub cost_ms: u64,
    /// Version of the analysis.
    pub version: String,
}

/// A rectangle in pixels, from the upper left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Width.
    pub w: u32,
    /// Height.
    pub h: u32,
}

/// One fact of a file's history. Reported, never scored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// Which, e.g. `trailing_data`.
    pub fact: String,
    /// The particulars, for people.
    pub detail: String,
}

/// A bound that was reached, so that something was not looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitHit {
    /// The class, as of a refusal: `limit_structure`, `limit_bytes` or `limit_pixels`.
    pub class: String,
    /// Name of the bound as in [`crate::Limits`].
    pub limit: String,
    /// Its value.
    pub max: u64,
    /// What was left out.
    pub detail: String,
}

impl Evidence {
    /// Evidence of an analysis that applies and weighs nothing.
    #[must_use]
    pub fn neutral(id: &str, family: Family, finding: &str, explain: &str) -> Self {
        Self {
            id: id.to_owned(),
            family,
            applicable: true,
            finding: finding.to_owned(),
            weight: Weight::NEUTRAL,
            calibration: None,
            metrics: BTreeMap::new(),
            picture: None,
            regions: Vec::new(),
            artifact: None,
            explain: clip(explain),
            caveats: Vec::new(),
            cost_ms: 0,
            version: "1.0".to_owned(),
        }
    }

    /// Evidence of an analysis that has nothing to say about this file, and why.
    #[must_use]
    pub fn not_applicable(id: &str, family: Family, why: &str) -> Self {
        Self {
            applicable: false,
            ..Self::neutral(id, family, "not_applicable", why)
        }
    }

    /// The same about what was there to be tested and could not be read: the question stays open.
    #[must_use]
    pub fn unread(mut self) -> Self {
        self.finding = UNREAD.to_owned();
        self
    }

    /// The same with ratios, clamped to `cap` (log10, not negative).
    #[must_use]
    pub fn weighing(mut self, log10_lr: LogRatios, cap: f64) -> Self {
        self.weight = Weight::new(log10_lr, cap);
        self
    }

    /// The same with the cap that its validation allows.
    #[must_use]
    pub fn calibrated(mut self, log10_lr: LogRatios, calibration: Calibration) -> Self {
        self.weight = Weight::new(log10_lr, calibration.cap());
        self.calibration = Some(calibration);
        self
    }

    /// The same with one figure more; figures that are no numbers are left out.
    #[must_use]
    pub fn metric(mut self, name: &str, value: f64) -> Self {
        if value.is_finite() && self.metrics.len() < EVIDENCE_ITEMS_MAX {
            self.metrics.insert(name.to_owned(), value);
        }
        self
    }

    /// The same with one caveat more.
    #[must_use]
    pub fn caveat(mut self, text: &str) -> Self {
        if self.caveats.len() < EVIDENCE_ITEMS_MAX {
            self.caveats.push(clip(text));
        }
        self
    }

    /// What it says about the two questions: nothing if it does not apply.
    #[must_use]
    pub fn log10_lr(&self) -> LogRatios {
        if self.applicable {
            self.weight.log10_lr()
        } else {
            LogRatios::default()
        }
    }
}

impl Fact {
    /// A fact with its particulars.
    #[must_use]
    pub fn new(fact: &str, detail: impl AsRef<str>) -> Self {
        Self {
            fact: fact.to_owned(),
            detail: clip(detail.as_ref()),
        }
    }
}

impl LimitHit {
    /// A bound on how a file is built was reached.
    #[must_use]
    pub fn structure(limit: &str, max: impl Into<u64>, detail: impl AsRef<str>) -> Self {
        Self::new("limit_structure", limit, max.into(), detail.as_ref())
    }

    /// A bound on bytes was reached.
    #[must_use]
    pub fn bytes(limit: &str, max: u64, detail: impl AsRef<str>) -> Self {
        Self::new("limit_bytes", limit, max, detail.as_ref())
    }

    fn new(class: &str, limit: &str, max: u64, detail: &str) -> Self {
        Self {
            class: class.to_owned(),
            limit: limit.to_owned(),
            max,
            detail: clip(detail),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence() -> Evidence {
        Evidence::neutral("test", Family::JpegHistory, "none", "Nothing was found.")
    }

    #[test]
    fn weight_is_clamped_to_the_cap() {
        let heavy = evidence().weighing(
            LogRatios {
                synthetic: 9.0,
                manipulated: -9.0,
            },
            1.1,
        );
        assert_eq!(heavy.log10_lr().synthetic, 1.1);
        assert_eq!(heavy.log10_lr().manipulated, -1.1);
    }

    #[test]
    fn what_does_not_apply_says_nothing() {
        let mut silent = evidence().weighing(LogRatios::synthetic(1.0), 2.0);
        silent.applicable = false;
        assert_eq!(silent.log10_lr(), LogRatios::default());
    }

    #[test]
    fn json_has_the_names_of_the_result_schema() {
        let json = serde_json::to_value(evidence().weighing(LogRatios::manipulated(1.0), 1.1));
        let json = json.expect("serialise");
        assert_eq!(json["family"], "jpeg_history");
        assert_eq!(json["log10_lr"]["manipulated"], 1.0);
        assert_eq!(json["cap"], 1.1);
        for name in [
            "id",
            "applicable",
            "finding",
            "calibration",
            "metrics",
            "regions",
            "artifact",
            "explain",
            "caveats",
            "cost_ms",
            "version",
        ] {
            assert!(json.get(name).is_some(), "{name}");
        }
    }

    #[test]
    fn json_from_outside_cannot_exceed_the_cap() {
        let mut json = serde_json::to_value(evidence()).expect("serialise");
        json["cap"] = 1.0.into();
        json["log10_lr"] = serde_json::json!({ "synthetic": 40.0 });
        let read: Evidence = serde_json::from_value(json).expect("deserialise");
        assert_eq!(read.log10_lr(), LogRatios::synthetic(1.0));
    }

    #[test]
    fn lists_are_bounded() {
        let mut full = evidence();
        for index in 0..=EVIDENCE_ITEMS_MAX {
            full = full.caveat("c").metric(&format!("m{index}"), 1.0);
        }
        assert_eq!(full.caveats.len(), EVIDENCE_ITEMS_MAX);
        assert_eq!(full.metrics.len(), EVIDENCE_ITEMS_MAX);
        assert!(evidence().metric("nan", f64::NAN).metrics.is_empty());
    }
}
