//! The findings that can be counted: those that are raised or not, whose weight follows from how often that is wrong.

use super::Class;
use crate::evidence::{Evidence, LogRatios};
use crate::pixels::double_quantisation::local;
use crate::pixels::thumbnail::{self, ThumbnailOrigin};
use crate::pixels::{copy_move, grid, watermark};

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Finding {
    /// The id of its evidence.
    pub id: &'static str,
    /// What it speaks for.
    pub speaks_for: Class,
    /// log10 LR where nothing else is known, before its cap.
    pub log10_lr: f64,
    /// What its ratio follows from.
    pub basis: Basis,
}

/// What a ratio follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// From how often it is raised where it should be, against how often where it should not.
    BothRates,
    /// From false alarms alone: how many of all generators write a mark does not change what it means where it is.
    FalseAlarms,
}

/// All of them. What files say of themselves is not among them: anybody can write that, so counts do not tell what it is
/// worth.
pub const FINDINGS: [Finding; 5] = [
    of_manipulation(local::ID, local::FOREIGN_LOG10),
    of_manipulation(grid::FOREIGN_ID, grid::FOREIGN_LOG10_LR),
    of_manipulation(copy_move::ID, copy_move::LOG10_LR),
    of_manipulation(ThumbnailOrigin::Exif.id(), thumbnail::LOG10_LR),
    Finding {
        id: watermark::ID,
        speaks_for: Class::Synthetic,
        log10_lr: watermark::LOG10_LR,
        basis: Basis::FalseAlarms,
    },
];

const fn of_manipulation(id: &'static str, log10_lr: f64) -> Finding {
    Finding {
        id,
        speaks_for: Class::Manipulated,
        log10_lr,
        basis: Basis::BothRates,
    }
}

impl Finding {
    /// The finding of this id.
    #[must_use]
    pub fn of(id: &str) -> Option<&'static Self> {
        FINDINGS.iter().find(|finding| finding.id == id)
    }

    /// Whether evidence of it says that something is there. What weighs nothing for want of validation says so, too.
    #[must_use]
    pub fn is_raised(evidence: &Evidence) -> bool {
        let weighs = evidence.log10_lr() != LogRatios::default();
        evidence.applicable && (evidence.calibration.is_some() || weighs)
    }

    /// A ratio of this finding, under the question that it answers.
    pub(super) fn ratios(&self, log10_lr: f64) -> LogRatios {
        match self.speaks_for {
            Class::Synthetic => LogRatios::synthetic(log10_lr),
            Class::Manipulated => LogRatios::manipulated(log10_lr),
            Class::Authentic => LogRatios::default(),
        }
    }
}
