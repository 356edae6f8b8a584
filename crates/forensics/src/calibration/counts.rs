//! What follows from how often a finding was raised.

use serde::{Deserialize, Serialize};

use super::finding::{Basis, Finding};
use super::measure::{Group, cllr};
use crate::evidence::{Calibration, Z_95};

/// How often a finding was raised in files of one class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trials {
    /// Files that the analysis applies to.
    pub files: u64,
    /// Files among them in which it was raised.
    pub raised: u64,
}

/// How often a finding was raised where it should not be, and where it should.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// In authentic files: false alarms.
    pub authentic: Trials,
    /// In files of the class that it speaks for: detections.
    pub labelled: Trials,
}

impl Trials {
    /// Counts one file.
    pub(super) fn add(&mut self, is_raised: bool) {
        self.files += 1;
        self.raised += u64::from(is_raised);
    }

    /// The lower end of the 95 % interval (one-sided) of the share that is raised: E. B. Wilson, "Probable inference, the law
    /// of succession, and statistical inference", 1927. 0 without a file.
    #[must_use]
    pub fn rate_min(&self) -> f64 {
        if self.files == 0 {
            return 0.0;
        }
        let n = self.files as f64;
        let rate = self.raised as f64 / n;
        let z2 = Z_95 * Z_95;
        let spread = Z_95 * (rate * (1.0 - rate) / n + z2 / (4.0 * n * n)).sqrt();
        ((rate + z2 / (2.0 * n) - spread) / (1.0 + z2 / n)).max(0.0)
    }
}

impl Counts {
    /// The part of them that stands beside evidence in results.
    #[must_use]
    pub fn calibration(&self) -> Calibration {
        Calibration {
            n_clean: self.authentic.files,
            fp: self.authentic.raised,
        }
    }

    /// The most (log10) that the finding may weigh: `min(log10(n / 3), 3)` without a false alarm.
    #[must_use]
    pub fn cap(&self) -> f64 {
        self.calibration().cap()
    }

    /// What the finding weighs (log10) where it is raised, from 0 to its cap.
    ///
    /// With files in which it should be raised it is `P(raised | so) / P(raised | authentic)`, both rates at the end of
    /// their 95 % interval that is worse for the finding. Without them, and for a finding that is judged by its false alarms,
    /// it is the built-in ratio. A finding never speaks for the opposite.
    #[must_use]
    pub fn log10_lr(&self, finding: &Finding) -> f64 {
        let is_measured = match finding.basis {
            Basis::BothRates => self.labelled.files > 0,
            Basis::FalseAlarms => false,
        };
        let log10_lr = if is_measured {
            (self.labelled.rate_min() * self.calibration().ratio_max()).log10()
        } else {
            finding.log10_lr
        };
        log10_lr.clamp(0.0, self.cap())
    }

    /// [`cllr`] of the finding as results have it, when it weighs `log10_lr`: silence weighs nothing, so no finding comes
    /// below one half, which is what one has that is always right. On the files that the ratio was taken from; nothing if
    /// there are none of a class.
    #[must_use]
    pub fn cllr(&self, log10_lr: f64) -> Option<f64> {
        let groups = |trials: Trials| {
            let raised = Group {
                log10_lr,
                files: trials.raised,
            };
            let silent = Group {
                log10_lr: 0.0,
                files: trials.files.saturating_sub(trials.raised),
            };
            [raised, silent]
        };
        cllr(&groups(self.labelled), &groups(self.authentic))
    }
}
