//! The sentence under which a verdict is read. It speaks of how probable the findings are, never of
//! how probable it is that the media is fake.

use super::{Label, Reason};
use crate::fusion::Fusion;

const SYNTHETIC: &str = "the media is wholly or partly synthetic";
const MANIPULATED: &str = "the media was manipulated in places";
/// Above this log10 the figure says no more than "more than a million".
const LOG10_SHOWN_MAX: f64 = 6.0;
/// Below this log10 there is nothing to put into words.
const LOG10_SHOWN_MIN: f64 = 0.05;

pub(super) fn write(label: Label, reason: Option<Reason>, fusion: &Fusion) -> String {
    match (label, reason) {
        (Label::Synthetic, _) => supported(fusion.synthetic.log10_lr, SYNTHETIC),
        (Label::Manipulated, _) => supported(fusion.manipulated.log10_lr, MANIPULATED),
        (Label::Authentic, _) => authentic(fusion),
        (Label::AlteredAfterSigning, _) => {
            "The content was altered after it was signed: its signature does not fit these bytes."
                .to_owned()
        }
        (Label::Inconclusive, Some(Reason::Conflict)) => {
            "Findings of different kinds contradict each other; no verdict.".to_owned()
        }
        (Label::Inconclusive, Some(Reason::NotApplicable)) => {
            "No test applies to a file of this kind; nothing is known about its origin.".to_owned()
        }
        (Label::Inconclusive, Some(Reason::InsufficientQuality)) => {
            "The media is too small, too flat or too damaged to be judged.".to_owned()
        }
        (Label::Inconclusive, Some(Reason::DetectorsUnavailable)) => {
            "Detectors that were asked for did not answer; the other tests do not carry a verdict."
                .to_owned()
        }
        (Label::Inconclusive, Some(Reason::NoEvidence) | None) => undecided(fusion),
    }
}

fn supported(log10_lr: f64, hypothesis: &str) -> String {
    format!(
        "The findings are {} more probable if {hypothesis} than if not.",
        times(log10_lr)
    )
}

fn authentic(fusion: &Fusion) -> String {
    format!(
        "The findings are {} more probable if the media is not synthetic, and {} more probable if it \
         was not manipulated, than if it is.",
        times(-fusion.synthetic.log10_lr),
        times(-fusion.manipulated.log10_lr)
    )
}

fn undecided(fusion: &Fusion) -> String {
    let (log10_lr, hypothesis) = if fusion.manipulated.log10_lr > fusion.synthetic.log10_lr {
        (fusion.manipulated.log10_lr, MANIPULATED)
    } else {
        (fusion.synthetic.log10_lr, SYNTHETIC)
    };
    if log10_lr < LOG10_SHOWN_MIN {
        return "No finding weighs for synthesis or manipulation; that alone does not make it authentic."
            .to_owned();
    }
    let sentence = supported(log10_lr, hypothesis);
    format!("{sentence} That does not carry a verdict.")
}

/// "about 100 times": two digits that count, as the ratio is not known better.
fn times(log10_lr: f64) -> String {
    if log10_lr > LOG10_SHOWN_MAX {
        return "more than a million times".to_owned();
    }
    let ratio = 10f64.powf(log10_lr);
    if ratio < 9.95 {
        return format!("about {ratio:.1} times");
    }
    let unit = 10f64.powf(ratio.log10().floor() - 1.0);
    let rounded = (ratio / unit).round() * unit;
    format!("about {} times", grouped(&format!("{rounded:.0}")))
}

/// Digits in groups of three.
fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_said_with_two_digits() {
        let table = [
            (0.3, "about 2.0 times"),
            (0.999, "about 10 times"),
            (1.0, "about 10 times"),
            (1.1, "about 13 times"),
            (2.0, "about 100 times"),
            (2.5, "about 320 times"),
            (4.0, "about 10,000 times"),
            (6.0, "about 1,000,000 times"),
            (6.1, "more than a million times"),
        ];
        for (log10_lr, words) in table {
            assert_eq!(times(log10_lr), words);
        }
    }
}
