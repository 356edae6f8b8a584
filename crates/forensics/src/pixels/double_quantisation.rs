//! Double quantisation: whether a JPEG was saved as a JPEG before, at a lower quality.
//!
//! The coefficients of a decoded JPEG are multiples of its quantisation steps. Saved again with smaller steps on the
//! same grid of blocks, their levels pile up where those multiples fall, and are missing in between. That tells the
//! history of the file and nothing else: almost everything that was shared was saved more than once.

mod calibration;
mod earlier;
mod field;
mod first_step;
mod histogram;
pub mod local;
mod modes;

pub(super) use earlier::{Earlier, quality_of_steps};
pub(super) use field::Field;

use image::RgbImage;

use super::{Found, Subject};
use crate::evidence::{Evidence, Fact, Family};
use crate::levels::{Levels, Unread};
use crate::raster::Plane;
use first_step::NON_ZERO_MIN;
use histogram::Histogram;

/// From this score on, a picture was compressed before. Of 80 pictures compressed once the largest seen is 0.29.
pub const SCORE_MIN: f64 = 0.40;

const ID: &str = "jpeg.dq_global";

/// Whether the file was saved as a JPEG before. Weighs nothing, as it says nothing about manipulation.
#[must_use]
pub fn inspect(subject: &Subject<'_>) -> Found {
    let traces = match Traces::of(subject, ID) {
        Ok(traces) => traces,
        Err(silent) => return (*silent).into(),
    };
    let now = quality_of_steps(traces.levels.steps());
    let evidence = |finding: &str, explain: &str| {
        Evidence::neutral(ID, Family::JpegHistory, finding, explain)
            .metric("score", traces.score)
            .metric("q2", f64::from(now))
    };
    if !traces.are_double() {
        let explain = "Nothing in the numbers that the picture is stored as shows that it was a JPEG of lower \
                       quality before.";
        return evidence("none", explain).into();
    }
    let explain = "The numbers that the picture is stored as pile up as they do when a JPEG is opened and saved again.";
    let evidence = evidence("re_saved", explain)
        .caveat("Almost every picture that was shared or edited was saved more than once.");
    let Some(earlier) = traces.earlier() else {
        let detail = "double quantisation; the quality before cannot be told";
        return found(evidence, detail);
    };
    let detail = format!(
        "double quantisation: saved at a quality of about {} before it was saved at about {now}",
        earlier.quality
    );
    found(
        evidence.metric("q1_est", f64::from(earlier.quality)),
        &detail,
    )
}

fn found(evidence: Evidence, detail: &str) -> Found {
    Found {
        evidence,
        facts: vec![Fact::new("re_saved", detail)],
        map: None,
    }
}

/// What all that asks about an earlier compression begins with.
pub(super) struct Traces<'a> {
    pub(super) levels: &'a Levels,
    pub(super) luma: &'a Plane,
    pub(super) picture: &'a RgbImage,
    histograms: [Histogram; modes::PLACES.len()],
    score: f64,
}

impl<'a> Traces<'a> {
    /// # Errors
    /// Why the picture cannot be asked, as the evidence `id`.
    pub(super) fn of(subject: &Subject<'a>, id: &str) -> Result<Self, Box<Evidence>> {
        let silent = |why: &str| Box::new(Evidence::not_applicable(id, Family::JpegHistory, why));
        if let Some(why) = subject.unlike_photo {
            return Err(silent(why));
        }
        let levels = match subject.levels {
            Ok(levels) => levels,
            Err(Unread::NoJpeg) => return Err(silent(&Unread::NoJpeg.sentence())),
            Err(unread) => return Err(Box::new(silent(&unread.sentence()).unread())),
        };
        let histograms = modes::histograms(levels);
        let score = modes::score(&histograms, NON_ZERO_MIN).ok_or_else(|| {
            silent("The picture is too small or too smooth for its levels to be counted.")
        })?;
        Ok(Self {
            levels,
            luma: subject.luma,
            picture: subject.picture,
            histograms,
            score,
        })
    }

    /// Whether the picture as a whole was compressed before.
    pub(super) fn are_double(&self) -> bool {
        self.score >= SCORE_MIN
    }

    /// The earlier compression, if there was one and enough modes show it.
    pub(super) fn earlier(&self) -> Option<Earlier> {
        if !self.are_double() {
            return None;
        }
        Earlier::find(self.levels, self.luma, &self.histograms)
    }
}

#[cfg(test)]
mod tests;
