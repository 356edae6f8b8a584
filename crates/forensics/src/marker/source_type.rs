//! The IPTC digital source type: a vocabulary in which makers declare how media came to be.

use super::{FORM_LOG10, Hit, Implies, NAME_LOG10};
use crate::metadata::Text;

/// The last part of the vocabulary's addresses, which are written with http and with https.
const TABLE: [(&str, Implies, f64, &str); 15] = [
    (
        "trainedAlgorithmicMedia",
        Implies::Generated,
        FORM_LOG10,
        "dst_trained_algorithmic_media",
    ),
    (
        "algorithmicMedia",
        Implies::Generated,
        FORM_LOG10,
        "dst_algorithmic_media",
    ),
    (
        "compositeWithTrainedAlgorithmicMedia",
        Implies::PartlyGenerated,
        NAME_LOG10,
        "dst_composite_with_trained",
    ),
    (
        "compositeSynthetic",
        Implies::PartlyGenerated,
        NAME_LOG10,
        "dst_composite_synthetic",
    ),
    (
        "digitalCapture",
        Implies::Camera,
        0.0,
        "dst_digital_capture",
    ),
    (
        "computationalCapture",
        Implies::Camera,
        0.0,
        "dst_computational_capture",
    ),
    ("negativeFilm", Implies::Camera, 0.0, "dst_negative_film"),
    ("positiveFilm", Implies::Camera, 0.0, "dst_positive_film"),
    ("print", Implies::Camera, 0.0, "dst_print"),
    ("humanEdits", Implies::Edited, 0.0, "dst_human_edits"),
    (
        "minorHumanEdits",
        Implies::Edited,
        0.0,
        "dst_minor_human_edits",
    ),
    (
        "algorithmicallyEnhanced",
        Implies::Edited,
        0.0,
        "dst_algorithmically_enhanced",
    ),
    ("composite", Implies::Edited, 0.0, "dst_composite"),
    (
        "compositeCapture",
        Implies::Edited,
        0.0,
        "dst_composite_capture",
    ),
    ("digitalArt", Implies::Edited, 0.0, "dst_digital_art"),
];

pub(super) fn find(text: &Text) -> Option<Hit> {
    if text.key != "DigitalSourceType" {
        return None;
    }
    let value = text.value.trim().trim_end_matches('/');
    let term = value.rsplit(['/', ':']).next().unwrap_or(value);
    let (_, implies, log10_lr, rule_id) = *TABLE.iter().find(|row| row.0 == term)?;
    Some(Hit {
        rule_id,
        implies,
        log10_lr,
    })
}
