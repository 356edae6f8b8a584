//! How each question stands after the stages that were reached.

use super::{Stages, has_picture_metadata, is_walked};
use crate::bytes::index;
use crate::coverage::{self, CoverageItem, CoverageStatus};
use crate::document;
use crate::evidence::{LimitHit, UNREAD};
use crate::fingerprint::Missing;
use crate::pixels::Inspection;
use crate::sniff::Format;
use crate::structure::{Layout, PICTURES_MAX};

pub(super) fn cover(format: Format, stages: &Stages) -> Vec<CoverageItem> {
    let walked = is_walked(format);
    let has_pictures = !document::pictures(stages.structure.as_ref()).is_empty();
    let mut items = vec![
        stage(
            coverage::FILE_STRUCTURE,
            format,
            walked,
            stages.structure.is_some(),
            stages,
        ),
        stage(
            coverage::METADATA_CONSISTENCY,
            format,
            has_picture_metadata(format) || has_pictures,
            stages.metadata.is_some(),
            stages,
        ),
        stage(
            coverage::DECLARED_MARKERS,
            format,
            walked,
            stages.markers.is_some(),
            stages,
        ),
        cover_fingerprint(format, stages),
    ];
    let inspections = Inspection::ALL.into_iter();
    items.extend(inspections.map(|inspection| cover_inspection(inspection, format, stages)));
    items.extend(coverage::unanswered());
    items
}

fn stage(
    question: &str,
    format: Format,
    applies: bool,
    reached: bool,
    stages: &Stages,
) -> CoverageItem {
    if !applies {
        return coverage::answered(question, format, false, "");
    }
    if !reached {
        return CoverageItem::new(question, CoverageStatus::Aborted, why_aborted(stages));
    }
    let hit = stages.hits().next();
    match hit {
        Some(hit) => CoverageItem::new(
            question,
            CoverageStatus::Aborted,
            format!("{}: {}", hit.limit, hit.detail),
        ),
        None => coverage::answered(question, format, true, "tested; see evidence and history"),
    }
}

fn cover_fingerprint(format: Format, stages: &Stages) -> CoverageItem {
    let question = coverage::PERCEPTUAL_FINGERPRINT;
    let decoded = format.is_decoded();
    let Some(fingerprint) = &stages.fingerprint else {
        return if decoded {
            CoverageItem::new(question, CoverageStatus::Aborted, why_aborted(stages))
        } else {
            coverage::answered(question, format, false, "")
        };
    };
    match &fingerprint.missing {
        None => coverage::answered(question, format, true, "computed"),
        Some(Missing::NotDecoded { .. }) => coverage::answered(question, format, false, ""),
        Some(Missing::Unsupported { detail }) => {
            CoverageItem::new(question, CoverageStatus::NotTested, detail)
        }
        Some(Missing::Limit { detail } | Missing::Damaged { detail }) => {
            CoverageItem::new(question, CoverageStatus::Aborted, detail)
        }
    }
}

fn cover_inspection(inspection: Inspection, format: Format, stages: &Stages) -> CoverageItem {
    let question = inspection.question();
    let pictures = Pictures::of(stages);
    if !format.is_decoded() && pictures.all() == 0 {
        return coverage::answered(question, format, false, "");
    }
    let Some(found) = stages.inspections.get(&inspection) else {
        return CoverageItem::new(question, CoverageStatus::Aborted, why_aborted(stages));
    };
    if pictures.left_out > 0 {
        return CoverageItem::new(question, CoverageStatus::Aborted, pictures.sentence());
    }
    if found.iter().any(|found| found.evidence.applicable) {
        let what = if format.is_decoded() {
            "tested; see evidence".to_owned()
        } else {
            pictures.sentence()
        };
        return coverage::answered(question, format, true, &what);
    }
    // Where something could not be read, the question makes sense and stays open.
    let unread = found.iter().find(|found| found.evidence.finding == UNREAD);
    let status = if unread.is_some() {
        CoverageStatus::NotTested
    } else {
        CoverageStatus::NotApplicable
    };
    let why = unread.or_else(|| found.first());
    CoverageItem::new(
        question,
        status,
        why.map_or("", |found| &found.evidence.explain),
    )
}

/// The pictures of a document, as far as they are looked at.
struct Pictures {
    looked_at: usize,
    left_out: usize,
}

impl Pictures {
    fn of(stages: &Stages) -> Self {
        let left_out = match stages.structure.as_ref().map(|it| &it.layout) {
            Some(Some(Layout::Pdf(layout))) => index(layout.pictures_left_out),
            _ => 0,
        };
        Self {
            looked_at: document::pictures(stages.structure.as_ref()).len(),
            left_out,
        }
    }

    fn all(&self) -> usize {
        self.looked_at + self.left_out
    }

    fn sentence(&self) -> String {
        let (looked_at, all) = (self.looked_at, self.all());
        if self.left_out == 0 {
            let tested_on = match all {
                1 => "the picture".to_owned(),
                _ => format!("all {all} pictures"),
            };
            return format!(
                "tested on {tested_on} in JPEG of the document, whose pages are not drawn; see evidence"
            );
        }
        format!(
            "{looked_at} of {all} pictures in JPEG of the document were looked at, the largest first: at most \
             {PICTURES_MAX}, together no larger than one picture may be, and none that is damaged"
        )
    }
}

fn why_aborted(stages: &Stages) -> String {
    stages.refusal.as_ref().map_or_else(
        || "the stage did not come to an end".to_owned(),
        ToString::to_string,
    )
}

impl Stages {
    fn hits(&self) -> impl Iterator<Item = &LimitHit> {
        let structure = self
            .structure
            .iter()
            .flat_map(|structure| &structure.limits);
        structure.chain(self.metadata.iter().flat_map(|metadata| &metadata.limits))
    }
}
