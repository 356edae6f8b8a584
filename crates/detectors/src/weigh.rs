//! What a score weighs: log10 of a likelihood ratio, never more than the trials of the detector allow.
//!
//! One that was tried on n clean files without a false alarm moves the ratio by n / 3 at most (the rule of three: the rate
//! of false alarms is below 3 / n with 95 % confidence), and never by more than a thousand. An untried one moves it by
//! less than a verdict needs, whatever it says.

use assay_forensics::Calibration;

use crate::answer::ScoreKind;
use crate::settings::{External, OwnCalibration};

/// The most that an untried detector may weigh (log10): a factor of 8.3, as a trial on 25 clean files without a false alarm
/// would allow. A verdict needs ten to one, so it never decides alone.
pub const CAP_UNTRIED: f64 = 0.92;

/// How scores of one detector are to be read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scale {
    /// Nobody has tried it.
    Untried,
    /// As it says itself, and it is believed.
    ItsOwn(Calibration),
    /// As the operator has found (Platt scaling: Platt 1999, "Probabilistic Outputs for Support Vector Machines").
    Tried(OwnCalibration),
}

impl Scale {
    /// The scale that holds: the operator's trial before the detector's word.
    pub(crate) fn of(external: &External, its_own: Option<Calibration>) -> Self {
        let believed = its_own.filter(|_| external.trust_own_calibration);
        match (external.calibration, believed) {
            (Some(tried), _) => Self::Tried(tried),
            (None, Some(its_own)) => Self::ItsOwn(its_own),
            (None, None) => Self::Untried,
        }
    }

    /// The trials behind it.
    pub(crate) fn calibration(self) -> Option<Calibration> {
        match self {
            Self::Untried => None,
            Self::ItsOwn(calibration) => Some(calibration),
            Self::Tried(tried) => Some(tried.trial()),
        }
    }

    /// The most that it lets a score weigh (log10).
    pub(crate) fn cap(self) -> f64 {
        self.calibration()
            .map_or(CAP_UNTRIED, |calibration| calibration.cap())
    }

    /// What a score weighs (log10), within the cap.
    pub(crate) fn weigh(self, score: f64, log10_lr: Option<f64>, kind: ScoreKind) -> f64 {
        let log10_odds = (score / (1.0 - score)).log10();
        let weight = match self {
            Self::Tried(OwnCalibration { a, b, .. }) => {
                a * log10_odds + b * std::f64::consts::LOG10_E
            }
            // Of as many fakes as others, the odds are the ratio.
            Self::Untried | Self::ItsOwn(_) => match kind {
                ScoreKind::Llr => log10_lr.unwrap_or(0.0),
                ScoreKind::Uncalibrated | ScoreKind::Probability => log10_odds,
            },
        };
        let cap = self.cap();
        // A detector that was tried so badly that its cap is nothing says nothing.
        if weight.is_nan() {
            0.0
        } else {
            weight.clamp(-cap, cap)
        }
    }
}

#[cfg(test)]
mod tests {
    use assay_forensics::verdict::DECISION_LOG10_MIN;

    use super::*;

    fn near(found: f64, expected: f64) -> bool {
        (found - expected).abs() < 1e-9
    }

    fn tried(clean_files: u64, a: f64, b: f64) -> Scale {
        Scale::Tried(OwnCalibration {
            a,
            b,
            clean_files,
            false_alarms: 0,
        })
    }

    #[test]
    fn an_untried_detector_weighs_less_than_a_verdict_needs() {
        let weigh = |score| Scale::Untried.weigh(score, None, ScoreKind::Uncalibrated);
        assert!(near(weigh(0.5), 0.0));
        assert!((weigh(0.71) - 0.389).abs() < 0.001);
        for (score, expected) in [(1.0, CAP_UNTRIED), (0.9, CAP_UNTRIED), (0.0, -CAP_UNTRIED)] {
            assert!(near(weigh(score), expected), "{score}");
        }
        let llr = |ratio| Scale::Untried.weigh(0.0, Some(ratio), ScoreKind::Llr);
        assert!(near(llr(0.25), 0.25));
        assert!(near(llr(8.0), CAP_UNTRIED));
        const { assert!(CAP_UNTRIED < DECISION_LOG10_MIN) };
        let as_if_tried = tried(25, 1.0, 0.0).cap();
        assert!((CAP_UNTRIED - as_if_tried).abs() < 0.001, "{as_if_tried}");
    }

    #[test]
    fn a_trial_caps_by_the_rule_of_three() {
        for (clean_files, cap) in [(3_000, 3.0), (1_000_000, 3.0), (300, 2.0), (3, 0.0)] {
            let scale = tried(clean_files, 1.0, 0.0);
            assert!(near(scale.cap(), cap), "{clean_files}");
            assert!(near(scale.weigh(1.0, None, ScoreKind::Uncalibrated), cap));
            assert!(near(scale.weigh(0.0, None, ScoreKind::Uncalibrated), -cap));
        }
    }

    #[test]
    fn a_trial_scales_natural_log_odds() {
        // Even odds, and b of ln 10: ten to one.
        let scale = tried(3_000, 2.0, std::f64::consts::LN_10);
        assert!(near(scale.weigh(0.5, None, ScoreKind::Probability), 1.0));
        let odds_of_ten = 10.0 / 11.0;
        assert!(near(
            scale.weigh(odds_of_ten, Some(9.0), ScoreKind::Llr),
            3.0
        ));
    }

    #[test]
    fn its_own_word_counts_only_if_it_is_believed() {
        let its_own = Some(Calibration {
            n_clean: 300,
            fp: 0,
        });
        let mut external = External::at("");
        assert_eq!(Scale::of(&external, its_own), Scale::Untried);
        external.trust_own_calibration = true;
        assert!(near(Scale::of(&external, its_own).cap(), 2.0));
        assert_eq!(Scale::of(&external, None), Scale::Untried);
        external.calibration = Some(OwnCalibration {
            a: 1.0,
            b: 0.0,
            clean_files: 30,
            false_alarms: 0,
        });
        assert!(near(Scale::of(&external, its_own).cap(), 1.0));
    }
}
