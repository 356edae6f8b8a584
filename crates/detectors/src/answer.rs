//! What a detector answered, checked: nothing of it goes further unless all of it is as the interface says.

use std::collections::BTreeMap;

use assay_api::v1 as pb;
use assay_forensics::clip;
use bytes::Bytes;
use serde::Serialize;

use crate::call::CallError;
use crate::description::{Description, label};
use crate::exam::Exam;
use crate::settings::is_sha256;
use crate::task::Task;

/// Most classes of a result.
pub const CLASSES_MAX: usize = 256;
/// Most segments of a result.
pub const SEGMENTS_MAX: usize = 10_000;
/// Most warnings of a result.
pub const WARNINGS_MAX: usize = 64;
/// Most pixels along a side of a map.
pub const MAP_SIDE_PIXELS_MAX: u32 = 1_024;

/// The beginning of every PNG: its mark, and the length and the name of its first chunk (PNG, third edition, 5.2 and
/// 11.2.1). Width and height follow.
const PNG_BEGIN: [u8; 16] = *b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR";

/// A detector's answer to one exam.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) version: String,
    pub(crate) model_sha256: Option<String>,
    /// One for each task that was asked.
    pub(crate) results: BTreeMap<Task, TaskAnswer>,
}

/// What it said about one task.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct TaskAnswer {
    pub(crate) said: Said,
    pub(crate) classes: Vec<Class>,
    pub(crate) segments: Vec<Segment>,
    pub(crate) map_png: Option<Bytes>,
    pub(crate) confidence_png: Option<Bytes>,
    pub(crate) explanation: String,
    pub(crate) warnings: Vec<String>,
}

/// How a task went.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) enum Said {
    /// There is a score, 0 to 1.
    Score {
        score: f64,
        log10_lr: Option<f64>,
        kind: ScoreKind,
    },
    /// The task makes no sense for the file.
    NotApplicable,
    /// The detector does not want to say.
    #[default]
    Abstained,
}

/// How a score is to be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ScoreKind {
    /// Higher is more, and that is all.
    #[default]
    Uncalibrated,
    /// A share of fakes, where half of all files are.
    Probability,
    /// The likelihood ratio is what counts.
    Llr,
}

impl ScoreKind {
    /// The kind of a number; nothing if it is the detector's usual one.
    ///
    /// # Errors
    /// The number is no kind.
    pub(crate) fn from_wire(number: i32) -> Result<Option<Self>, CallError> {
        match pb::ScoreKind::try_from(number) {
            Ok(pb::ScoreKind::Unspecified) => Ok(None),
            Ok(pb::ScoreKind::Uncalibrated) => Ok(Some(Self::Uncalibrated)),
            Ok(pb::ScoreKind::Probability) => Ok(Some(Self::Probability)),
            Ok(pb::ScoreKind::Llr) => Ok(Some(Self::Llr)),
            Err(_) => Err(CallError::bad("it has a kind of score that there is not")),
        }
    }
}

/// The score of one class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Class {
    /// Which class.
    pub name: String,
    /// 0 to 1.
    pub score: f64,
}

/// Where in a picture, when in a film or a sound.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Segment {
    /// From when, in milliseconds.
    pub start_ms: u64,
    /// Until when, in milliseconds.
    pub end_ms: u64,
    /// Left edge in pixels.
    pub x: u32,
    /// Upper edge in pixels.
    pub y: u32,
    /// Width in pixels; 0 and 0: the whole picture.
    pub w: u32,
    /// Height in pixels.
    pub h: u32,
    /// 0 to 1, higher is fake.
    pub score: f64,
}

impl Answer {
    /// Checks what came.
    ///
    /// # Errors
    /// It is not as the interface says.
    pub(crate) fn check(
        response: pb::AnalyzeResponse,
        described: &Description,
        exam: &Exam,
    ) -> Result<Self, CallError> {
        if response.detector != described.name {
            return Err(CallError::bad("another detector has answered"));
        }
        let model_sha256 = Some(response.model_sha256).filter(|hash| !hash.is_empty());
        if !model_sha256.as_deref().is_none_or(is_sha256) {
            return Err(CallError::bad("its model_sha256 is no hash"));
        }
        if response.results.len() > exam.tasks.len() {
            return Err(CallError::bad("it has more results than there were tasks"));
        }
        let mut results = BTreeMap::new();
        for result in response.results {
            let task = Task::of(&result.task).filter(|task| exam.tasks.contains(task));
            let task = task.ok_or_else(|| CallError::bad("it has a task that was not asked"))?;
            let checked = TaskAnswer::check(result, described.score_kind, exam.size)?;
            if results.insert(task, checked).is_some() {
                return Err(CallError::bad("it has a task twice"));
            }
        }
        if results.len() != exam.tasks.len() {
            return Err(CallError::bad("it has no result for a task"));
        }
        let version = label("version", response.version)?;
        Ok(Self {
            version,
            model_sha256,
            results,
        })
    }
}

impl TaskAnswer {
    fn check(
        result: pb::TaskResult,
        usual: ScoreKind,
        size: Option<(u32, u32)>,
    ) -> Result<Self, CallError> {
        let bounds = [
            ("classes", result.classes.len(), CLASSES_MAX),
            ("segments", result.segments.len(), SEGMENTS_MAX),
            ("warnings", result.warnings.len(), WARNINGS_MAX),
        ];
        if let Some((what, ..)) = bounds.into_iter().find(|(_, count, max)| count > max) {
            return Err(CallError::bad(format!("it has too many {what}")));
        }
        let said = said(&result, usual)?;
        let class = |class: &pb::ClassScore| {
            let score = share("class", class.score)?;
            let name = clip(&class.name);
            Ok::<_, CallError>(Class { name, score })
        };
        let segments = result.segments.iter().map(|one| segment(one, size));
        Ok(Self {
            said,
            classes: result.classes.iter().map(class).collect::<Result<_, _>>()?,
            segments: segments.collect::<Result<_, _>>()?,
            map_png: map("map_png", result.map_png)?,
            confidence_png: map("confidence_png", result.confidence_png)?,
            explanation: clip(&result.explanation),
            warnings: result.warnings.iter().map(|text| clip(text)).collect(),
        })
    }
}

fn said(result: &pb::TaskResult, usual: ScoreKind) -> Result<Said, CallError> {
    match pb::TaskStatus::try_from(result.status) {
        Ok(pb::TaskStatus::Ok) => {}
        Ok(pb::TaskStatus::NotApplicable) => return Ok(Said::NotApplicable),
        Ok(pb::TaskStatus::Abstain) => return Ok(Said::Abstained),
        Ok(pb::TaskStatus::Unspecified) | Err(_) => {
            return Err(CallError::bad("it does not say how a task went"));
        }
    }
    let kind = ScoreKind::from_wire(result.kind)?.unwrap_or(usual);
    if result.log10_lr.is_some_and(|ratio| !ratio.is_finite()) {
        return Err(CallError::bad("its log10_lr is no number"));
    }
    if kind == ScoreKind::Llr && result.log10_lr.is_none() {
        return Err(CallError::bad("it has no log10_lr, which is to count"));
    }
    Ok(Said::Score {
        score: share("task", result.score)?,
        log10_lr: result.log10_lr,
        kind,
    })
}

/// A number from 0 to 1. What is not a number is not between them.
fn share(what: &str, score: f64) -> Result<f64, CallError> {
    if (0.0..=1.0).contains(&score) {
        Ok(score)
    } else {
        let why = format!("the score of a {what} is not between 0 and 1");
        Err(CallError::BadSchema(why))
    }
}

fn segment(segment: &pb::DetectorSegment, size: Option<(u32, u32)>) -> Result<Segment, CallError> {
    let pb::DetectorSegment {
        start_ms,
        end_ms,
        x,
        y,
        w,
        h,
        score,
    } = *segment;
    let (width, height) = size.unwrap_or((u32::MAX, u32::MAX));
    let inside = |from: u32, length: u32, end: u32| {
        from.checked_add(length).is_some_and(|until| until <= end)
    };
    if end_ms < start_ms || !inside(x, w, width) || !inside(y, h, height) {
        return Err(CallError::bad("a segment lies outside of the media"));
    }
    Ok(Segment {
        start_ms,
        end_ms,
        x,
        y,
        w,
        h,
        score: share("segment", score)?,
    })
}

/// A map whose header is that of a PNG within the bounds. Whoever shows it decodes it, and must not trust it either.
fn map(what: &str, png: Bytes) -> Result<Option<Bytes>, CallError> {
    if png.is_empty() {
        return Ok(None);
    }
    let size = png.strip_prefix(&PNG_BEGIN).and_then(|rest| {
        let (width, rest) = rest.split_first_chunk()?;
        let height = rest.first_chunk()?;
        Some([*width, *height].map(u32::from_be_bytes))
    });
    let fits = |size: [u32; 2]| {
        size.iter()
            .all(|side| (1..=MAP_SIDE_PIXELS_MAX).contains(side))
    };
    if size.is_some_and(fits) {
        Ok(Some(png))
    } else {
        let why = format!("its {what} is no PNG of at most {MAP_SIDE_PIXELS_MAX} pixels a side");
        Err(CallError::BadSchema(why))
    }
}

#[cfg(test)]
mod tests;
