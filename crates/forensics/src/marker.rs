//! Marks that generators and editors leave in metadata: a finite set of rules over place, name and text.
//!
//! Anybody can write such a mark and most platforms remove it. So a mark of a generator weighs something, a mark of an
//! editor or a camera weighs nothing, and no mark at all says nothing.

mod generator;
mod name;
mod source_type;

use serde::{Deserialize, Serialize};

use crate::evidence::{Evidence, Fact, Family, LogRatios};
use crate::metadata::{Metadata, Text};
use crate::text::clip;

/// log10 LR of a mark whose form only a generator writes.
pub const FORM_LOG10: f64 = 2.0;
/// log10 LR of a generator's name in a field for software, or of a declaration of synthetic parts.
pub const NAME_LOG10: f64 = 1.0;
/// Marks kept of one file.
pub const MARKERS_MAX: usize = 64;

/// One mark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    /// Which rule, e.g. `sd_parameters`.
    pub rule_id: String,
    /// Where, e.g. `png.parameters`.
    pub location: String,
    /// The text, cut and cleaned.
    pub excerpt: String,
    /// What it says about the media, if it is true.
    pub implies: Implies,
}

/// What a mark says, if it is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Implies {
    /// Made by a generator.
    Generated,
    /// Has parts made by a generator.
    PartlyGenerated,
    /// Was edited.
    Edited,
    /// Was taken by a camera.
    Camera,
}

/// All marks, and what they amount to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Markers {
    /// In the order of the metadata.
    pub hits: Vec<Marker>,
    /// One per mark that weighs something; one that weighs nothing if there is none.
    pub evidence: Vec<Evidence>,
    /// Editors, cameras and declared sources.
    pub facts: Vec<Fact>,
}

/// A rule's answer to one text.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Hit {
    rule_id: &'static str,
    implies: Implies,
    log10_lr: f64,
}

/// Tries all rules on all texts.
#[must_use]
pub fn markers(metadata: &Metadata) -> Markers {
    let mut markers = Markers::default();
    for text in &metadata.texts {
        let hits = [
            generator::find(text),
            source_type::find(text),
            name::find(text),
        ];
        for hit in hits.into_iter().flatten() {
            markers.add(hit, text);
        }
    }
    markers.add_camera(metadata);
    markers.add_editing(metadata);
    if markers.evidence.is_empty() {
        let evidence = Evidence::neutral(
            "markers",
            Family::DeclaredMetadata,
            "none",
            "No generator's mark in the metadata. Most platforms remove them, so this says nothing.",
        );
        markers.evidence.push(evidence);
    }
    markers
}

impl Markers {
    fn add(&mut self, hit: Hit, text: &Text) {
        let location = text.location();
        let excerpt = clip(&text.value);
        self.note(hit, location, excerpt);
    }

    fn note(&mut self, hit: Hit, location: String, excerpt: String) {
        let known = |marker: &Marker| marker.rule_id == hit.rule_id && marker.location == location;
        if self.hits.len() >= MARKERS_MAX || self.hits.iter().any(known) {
            return;
        }
        match hit.implies {
            Implies::Generated | Implies::PartlyGenerated => {
                self.evidence.push(evidence(hit, &location));
            }
            Implies::Edited => {
                self.facts
                    .push(Fact::new("edited", format!("{location}: {excerpt}")));
            }
            Implies::Camera => {
                self.facts
                    .push(Fact::new("camera_claim", format!("{location}: {excerpt}")));
            }
        }
        self.hits.push(Marker {
            rule_id: hit.rule_id.to_owned(),
            location,
            excerpt,
            implies: hit.implies,
        });
    }

    fn add_camera(&mut self, metadata: &Metadata) {
        let Some(exif) = &metadata.exif else {
            return;
        };
        if let (Some(make), Some(model)) = (&exif.make, &exif.model) {
            let hit = Hit {
                rule_id: "exif_camera",
                implies: Implies::Camera,
                log10_lr: 0.0,
            };
            self.note(hit, "exif.Make".to_owned(), format!("{make} {model}"));
        }
    }

    fn add_editing(&mut self, metadata: &Metadata) {
        let Some(xmp) = &metadata.xmp else {
            return;
        };
        let signs = [
            (
                xmp.has_camera_raw,
                "xmp_camera_raw",
                "xmp.crs",
                "settings of a raw converter",
            ),
            (
                xmp.has_photoshop,
                "xmp_photoshop",
                "xmp.photoshop",
                "properties of Adobe Photoshop",
            ),
            (
                xmp.has_derived_from,
                "xmp_derived_from",
                "xmp.DerivedFrom",
                "made from another file",
            ),
            (
                !xmp.actions.is_empty(),
                "xmp_history",
                "xmp.History",
                "a history of edits",
            ),
        ];
        for (is_there, rule_id, location, what) in signs {
            let hit = Hit {
                rule_id,
                implies: Implies::Edited,
                log10_lr: 0.0,
            };
            if is_there {
                self.note(hit, location.to_owned(), what.to_owned());
            }
        }
    }
}

fn evidence(hit: Hit, location: &str) -> Evidence {
    let (finding, what) = if hit.implies == Implies::PartlyGenerated {
        ("partly_generated", "has parts made by a generator")
    } else {
        ("generated", "was made by a generator")
    };
    Evidence::neutral(
        &format!("marker.{}", hit.rule_id),
        Family::DeclaredMetadata,
        finding,
        &format!("Unsigned metadata ({location}) says that the media {what}."),
    )
    .weighing(LogRatios::synthetic(hit.log10_lr), hit.log10_lr)
    .caveat("anybody can write this, also into a real photo")
    .caveat("tools that enlarge or retouch real photos write the same")
}

#[cfg(test)]
mod tests;
