//! How much a finding weighs: likelihood ratios that never exceed what the validation allows.

use serde::{Deserialize, Serialize};

/// The most that an uncalibrated analysis may move log10 LR.
pub const CAP_UNCALIBRATED: f64 = 1.0;
/// The most that a calibrated analysis may move log10 LR, however many trials it had.
pub const CAP_CALIBRATED_MAX: f64 = 3.0;
/// With no false alarm in n trials, the 95 % upper bound of the rate is about this many in n.
const RULE_OF_THREE: f64 = 3.0;
/// One-sided 95 % quantile of the normal distribution.
pub(crate) const Z_95: f64 = 1.645;

/// log10 of the likelihood ratio per question; positive supports the hypothesis.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogRatios {
    /// The media is wholly or partly synthetic.
    pub synthetic: f64,
    /// The media was manipulated locally after capture.
    pub manipulated: f64,
}

/// Ratios and the cap that holds them. Cannot be built, nor read from JSON, beyond the cap.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "Unclamped")]
pub struct Weight {
    log10_lr: LogRatios,
    cap: f64,
}

#[derive(Deserialize)]
struct Unclamped {
    log10_lr: LogRatios,
    cap: f64,
}

/// How an analysis did on clean material.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calibration {
    /// Clean files tried.
    pub n_clean: u64,
    /// False alarms among them.
    pub fp: u64,
}

impl LogRatios {
    /// Speaks to synthetic origin only.
    #[must_use]
    pub fn synthetic(log10_lr: f64) -> Self {
        Self {
            synthetic: log10_lr,
            manipulated: 0.0,
        }
    }

    /// Speaks to local manipulation only.
    #[must_use]
    pub fn manipulated(log10_lr: f64) -> Self {
        Self {
            synthetic: 0.0,
            manipulated: log10_lr,
        }
    }
}

impl Weight {
    /// Says nothing.
    pub const NEUTRAL: Self = Self {
        log10_lr: LogRatios {
            synthetic: 0.0,
            manipulated: 0.0,
        },
        cap: 0.0,
    };

    /// Ratios within `±cap`; what is not a number says nothing.
    #[must_use]
    pub fn new(log10_lr: LogRatios, cap: f64) -> Self {
        let cap = if cap.is_finite() { cap.max(0.0) } else { 0.0 };
        Self {
            log10_lr: LogRatios {
                synthetic: clamp(log10_lr.synthetic, cap),
                manipulated: clamp(log10_lr.manipulated, cap),
            },
            cap,
        }
    }

    /// The ratios.
    #[must_use]
    pub fn log10_lr(&self) -> LogRatios {
        self.log10_lr
    }

    /// The cap (log10).
    #[must_use]
    pub fn cap(&self) -> f64 {
        self.cap
    }
}

impl From<Unclamped> for Weight {
    fn from(raw: Unclamped) -> Self {
        Self::new(raw.log10_lr, raw.cap)
    }
}

fn clamp(value: f64, cap: f64) -> f64 {
    if value.is_nan() {
        0.0
    } else {
        value.clamp(-cap, cap)
    }
}

impl Calibration {
    /// One over the 95 % upper bound of the false-alarm rate, which is 3/n without a false alarm and is rounded up (normal
    /// approximation) with some. Below one if there are too few files to bound it at all.
    #[must_use]
    pub fn ratio_max(&self) -> f64 {
        let fp = self.fp as f64;
        let alarms_max = fp + Z_95 * fp.sqrt() + RULE_OF_THREE;
        self.n_clean as f64 / alarms_max
    }

    /// The cap that follows: LR is at most [`Self::ratio_max`].
    #[must_use]
    pub fn cap(&self) -> f64 {
        let ratio = self.ratio_max();
        if ratio <= 1.0 {
            return 0.0;
        }
        ratio.log10().min(CAP_CALIBRATED_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cap(n_clean: u64, fp: u64) -> f64 {
        Calibration { n_clean, fp }.cap()
    }

    #[test]
    fn cap_follows_the_rule_of_three() {
        assert!((cap(40, 0) - 1.125).abs() < 0.01);
        assert_eq!(cap(3, 0), 0.0);
        assert_eq!(cap(0, 0), 0.0);
        assert!(cap(4, 0) > 0.0);
        assert_eq!(cap(3_000, 0), 3.0);
        assert_eq!(cap(u64::MAX, 0), CAP_CALIBRATED_MAX);
        assert!(cap(40, 1) < cap(40, 0));
        assert_eq!(cap(40, 40), 0.0);
    }

    #[test]
    fn what_is_not_a_number_says_nothing() {
        let weight = Weight::new(
            LogRatios {
                synthetic: f64::NAN,
                manipulated: f64::INFINITY,
            },
            2.0,
        );
        assert_eq!(weight.log10_lr(), LogRatios::manipulated(2.0));
        assert_eq!(Weight::new(LogRatios::synthetic(5.0), f64::NAN).cap(), 0.0);
        assert_eq!(
            Weight::new(LogRatios::synthetic(5.0), -1.0),
            Weight::NEUTRAL
        );
    }
}
