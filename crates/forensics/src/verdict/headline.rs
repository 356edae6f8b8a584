//! The sentence under which a verdict is read. It speaks of how probable the findings are, never of
//! how probable it is that the media is fake.

use super::{Label, Reason};
use crate::fusion::{Fusion, LOG10_SAID_MIN, times};

const SYNTHETIC: &str = "the media is wholly or partly synthetic";
const MANIPULATED: &str = "the media was manipulated in places";

pub(super) fn write(label: Label, reason: Option<Reason>, fusion: &Fusion) -> String {
    match (label, reason) {
        (Label::Synthetic, _) => supported(fusion.synthetic.log10_lr, SYNTHETIC),
        (Label::Manipulated, _) => supported(fusion.manipulated.log10_lr, MANIPULATED),
        (Label::Authentic, _) => authentic(fusion),
        (Label::AlteredAfterSigning, _) => {
            "The file carries a signature that was made for other bytes: it was altered since, or the signature \
             comes from another file."
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
    if log10_lr < LOG10_SAID_MIN {
        return "No finding weighs for synthesis or manipulation; that alone does not make it authentic."
            .to_owned();
    }
    let sentence = supported(log10_lr, hypothesis);
    format!("{sentence} That does not carry a verdict.")
}
