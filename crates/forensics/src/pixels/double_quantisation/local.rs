//! Where in a picture the traces of an earlier compression are missing.
//!
//! Each block is asked whether its levels are likelier if it was compressed with the rest of the picture before, or if
//! it was not; blocks that agree and lie together were put there, or painted over, after the earlier compression (Lin,
//! He, Tang and Tang, "Fast, automatic and fine-grained tampered JPEG image detection via DCT coefficient analysis",
//! 2009).

mod component;
mod likelihood;

use super::{Earlier, Field, Traces, quality_of_steps};
use crate::evidence::{Calibration, Evidence, Family, LogRatios, Region};
use crate::pixels::{Found, Map, Subject};
use component::Component;

/// Name of the analysis.
pub const ID: &str = "jpeg.dq_local";
/// Mean log likelihood ratio (nats) around a block from which on it is foreign.
pub const RATIO_MIN: f32 = 3.0;
/// Share of the blocks that foreign blocks in one piece must be. In 96 pictures without any the largest seen is 0.0004.
pub const AREA_SHARE_MIN: f64 = 0.012;
/// log10 LR of a foreign region.
pub const FOREIGN_LOG10: f64 = 1.0;
/// How the thresholds did on pictures that were compressed twice and with which nobody lied: no alarm in 96 as they were,
/// 36 in 312 that were captioned, stamped, marked with a logo, blurred in a part, or given other tones in between. So a
/// region alone carries no verdict; with a finding of another kind it does.
pub const CALIBRATION: Calibration = Calibration {
    n_clean: 408,
    fp: 36,
};

/// The ratio that a map shows as its brightest.
const RATIO_BRIGHTEST: f32 = 4.0 * RATIO_MIN;
const BLOCK_PIXELS: u32 = 8;

/// Whether a part of the picture lacks the earlier compression of the rest.
#[must_use]
pub fn inspect(subject: &Subject<'_>) -> Found {
    let not_applicable = |why: &str| Evidence::not_applicable(ID, Family::JpegHistory, why).into();
    let traces = match Traces::of(subject, ID) {
        Ok(traces) => traces,
        Err(silent) => return (*silent).into(),
    };
    if !traces.are_double() {
        return not_applicable(
            "The picture as a whole shows no earlier compression that a part of it could lack.",
        );
    }
    let Some(earlier) = traces.earlier() else {
        return not_applicable("Too few frequencies show the earlier compression.");
    };
    let field = likelihood::field(&traces, &earlier).smoothed();
    let components = component::above(&field, RATIO_MIN);
    conclude(&traces, &earlier, &field, &components)
}

fn conclude(
    traces: &Traces<'_>,
    earlier: &Earlier,
    field: &Field,
    components: &[Component],
) -> Found {
    let blocks = field.cells().len();
    let share = |component: &Component| component.blocks as f64 / blocks.max(1) as f64;
    let evidence = |finding: &str, explain: &str| {
        Evidence::neutral(ID, Family::JpegHistory, finding, explain)
            .metric("area", components.first().map_or(0.0, share))
            .metric("modes", earlier.modes.len() as f64)
            .metric("q1_est", f64::from(earlier.quality))
            .metric("q2", f64::from(quality_of_steps(traces.levels.steps())))
    };
    let large: Vec<_> = components
        .iter()
        .take_while(|component| share(component) >= AREA_SHARE_MIN)
        .take(crate::evidence::EVIDENCE_ITEMS_MAX)
        .collect();
    if large.is_empty() {
        let explain = "The picture was saved more than once, and no part of it looks as if it had been saved less often.";
        return evidence("none", explain).into();
    }
    let size = (traces.luma.width(), traces.luma.height());
    let mut evidence = evidence(
        "region",
        "The picture was saved more than once, and this part looks as if it had been saved less often than the rest.",
    )
    .calibrated(LogRatios::manipulated(FOREIGN_LOG10), CALIBRATION)
    .caveat("A caption, a logo or a date stamp put over the picture also explains this.")
    .caveat("Local retouching that changes nothing of what is shown also explains this.")
    .caveat("Light that was changed in a part, as towards the edges, also explains this.");
    evidence.regions = large.iter().map(|part| part.region(size)).collect();
    Found {
        evidence,
        facts: Vec::new(),
        map: draw(field),
    }
}

impl Component {
    /// The pixels of the blocks, within a picture of this size.
    fn region(&self, (width, height): (usize, usize)) -> Region {
        let pixels = |blocks: usize| u32::try_from(8 * blocks).unwrap_or(u32::MAX);
        let within = |first: usize, last: usize, side: usize| {
            let end = side.min(8 * (last + 1));
            u32::try_from(end.saturating_sub(8 * first)).unwrap_or(u32::MAX)
        };
        Region {
            x: pixels(self.left),
            y: pixels(self.top),
            w: within(self.left, self.right, width),
            h: within(self.top, self.bottom, height),
        }
    }
}

fn draw(field: &Field) -> Option<Map> {
    let brightness = |ratio: f32| {
        let share = (ratio / RATIO_BRIGHTEST).clamp(0.0, 1.0);
        #[expect(clippy::cast_possible_truncation, reason = "at most 255")]
        let brightness = (255.0 * share) as u8;
        brightness
    };
    let cells = field.cells().iter();
    Some(Map {
        cell_pixels: BLOCK_PIXELS,
        columns: u32::try_from(field.columns()).ok()?,
        rows: u32::try_from(field.rows()).ok()?,
        cells: cells.map(|cell| cell.map_or(0, brightness)).collect(),
    })
}

#[cfg(test)]
mod tests;
