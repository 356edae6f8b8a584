//! JPEG ghosts: a map of where a picture is near to a picture of lower quality, and where it is not.
//!
//! Compressed again at the quality that it had before, a picture changes less than at qualities around it; a part with
//! another past does not (Farid, "Exposing digital forgeries from JPEG ghosts", 2009). The map is for people to look at
//! and has no vote: how much a part changes depends on what it shows, too.

use super::double_quantisation::{Field, Traces, quality_of_steps};
use super::{Found, Map, Subject};
use crate::evidence::{Evidence, Family};
use crate::levels::{Levels, whole};
use crate::structure::jpeg::luma_steps;

/// Change at the ghost, relative to the change around it, below which there is one.
pub const DEPTH_MAX: f64 = 0.7;

const ID: &str = "jpeg.ghosts";
/// Qualities to both sides of the estimate among which the ghost is looked for.
const REACH: u8 = 3;
/// Qualities from the ghost to those with which it is compared.
const SHOULDER: u8 = 5;
/// Blocks that are looked at to find the ghost, spread over the picture.
const SAMPLE_BLOCKS_MAX: usize = 4096;
const BLOCK_PIXELS: u32 = 8;

/// Where the picture has the ghost of an earlier quality. Weighs nothing.
#[must_use]
pub fn inspect(subject: &Subject<'_>) -> Found {
    let not_applicable = |why: &str| Evidence::not_applicable(ID, Family::JpegHistory, why).into();
    let traces = match Traces::of(subject, ID) {
        Ok(traces) => traces,
        Err(silent) => return (*silent).into(),
    };
    let Some(earlier) = traces.earlier() else {
        return not_applicable("No earlier quality shows, so it is not known which to look for.");
    };
    let now = quality_of_steps(traces.levels.steps());
    let Some(ghost) = Ghost::deepest(traces.levels, earlier.quality, now) else {
        return not_applicable("The earlier quality is too near to the present one.");
    };
    let evidence = |finding: &str, explain: &str| {
        Evidence::neutral(ID, Family::JpegHistory, finding, explain)
            .metric("quality", f64::from(ghost.quality))
            .metric("depth", ghost.depth)
    };
    if ghost.depth > DEPTH_MAX {
        return evidence(
            "none",
            "The picture shows no trace of having been saved at another quality before.",
        )
        .into();
    }
    let explain = "The picture shows traces of having been saved at another quality before; bright places of the map lack them.";
    let evidence = evidence("ghost", explain)
        .caveat("Smooth, dark or very detailed places may be bright for what they show alone.");
    Found {
        evidence,
        facts: Vec::new(),
        map: ghost.draw(traces.levels),
    }
}

/// A quality at which the picture changes less than at those around it.
struct Ghost {
    quality: u8,
    /// The change there, relative to the mean of the change at the shoulders.
    depth: f64,
    shoulders: Vec<u8>,
}

impl Ghost {
    /// The deepest around an estimate, below the present quality; nothing if none of those has a shoulder.
    fn deepest(levels: &Levels, estimate: u8, now: u8) -> Option<Self> {
        let first = estimate.saturating_sub(REACH).max(1);
        let last = estimate.saturating_add(REACH).min(now.checked_sub(1)?);
        (first..=last)
            .filter_map(|quality| Self::at(levels, quality, now))
            .min_by(|left, right| left.depth.total_cmp(&right.depth))
    }

    fn at(levels: &Levels, quality: u8, now: u8) -> Option<Self> {
        let below = quality.checked_sub(SHOULDER).filter(|below| *below > 0);
        let above = quality.checked_add(SHOULDER).filter(|above| *above < now);
        let shoulders: Vec<u8> = [below, above].into_iter().flatten().collect();
        let around: f64 = shoulders.iter().map(|&q| total(levels, q)).sum();
        let around = around / shoulders.len() as f64;
        (around > 0.0).then(|| Self {
            quality,
            depth: total(levels, quality) / around,
            shoulders,
        })
    }

    /// Bright where the change at the ghost is as large as at the shoulders.
    fn draw(&self, levels: &Levels) -> Option<Map> {
        let there = changes(levels, &[self.quality]);
        let around = changes(levels, &self.shoulders);
        let scale = self.shoulders.len() as f32;
        let pairs = there.cells().iter().zip(around.cells());
        let cells = pairs.map(|(there, around)| match (there, around) {
            (Some(there), Some(around)) if *around > 0.0 => brightness(scale * there / around),
            _ => 0,
        });
        Some(Map {
            cell_pixels: BLOCK_PIXELS,
            columns: u32::try_from(there.columns()).ok()?,
            rows: u32::try_from(there.rows()).ok()?,
            cells: cells.collect(),
        })
    }
}

#[expect(clippy::cast_possible_truncation, reason = "at most 255")]
fn brightness(share: f32) -> u8 {
    (255.0 * share.clamp(0.0, 1.0)) as u8
}

/// The change of each block at these qualities together, averaged over its surroundings. Blocks without detail have no
/// say.
fn changes(levels: &Levels, qualities: &[u8]) -> Field {
    let steps: Vec<Steps> = qualities.iter().map(|&q| Steps::of(q)).collect();
    let cells = levels.blocks().iter().map(|block| {
        let detailed = block.iter().skip(1).any(|level| *level != 0);
        detailed.then(|| {
            let values = values(block, levels.steps());
            steps.iter().map(|steps| steps.change(&values)).sum()
        })
    });
    Field::new(levels.columns(), cells.collect()).smoothed()
}

/// The change of a sample of the blocks at a quality.
fn total(levels: &Levels, quality: u8) -> f64 {
    let steps = Steps::of(quality);
    let blocks = levels.blocks();
    let stride = blocks.len().div_ceil(SAMPLE_BLOCKS_MAX).max(1);
    let changes = blocks
        .iter()
        .step_by(stride)
        .map(|block| f64::from(steps.change(&values(block, levels.steps()))));
    changes.sum()
}

/// The coefficients that the levels of a block stand for.
fn values(block: &[i16; 64], steps: &[u16; 64]) -> [f32; 64] {
    std::array::from_fn(|at| f32::from(block[at]) * f32::from(steps[at]))
}

/// Quantisation steps and what one is divided by them.
struct Steps {
    steps: [f32; 64],
    shares: [f32; 64],
}

impl Steps {
    fn of(quality: u8) -> Self {
        let steps = luma_steps(quality).map(f32::from);
        Self {
            steps,
            shares: steps.map(|step| 1.0 / step),
        }
    }

    /// The sum of squared differences between the coefficients of a block and the nearest multiples of these steps: as
    /// the DCT keeps energy, the change of its pixels, but for their rounding.
    fn change(&self, values: &[f32; 64]) -> f32 {
        // One sum for each of eight lanes: a single one would have to be added up in order.
        let mut sums = [0.0; 8];
        for row in 0..8 {
            for (lane, sum) in sums.iter_mut().enumerate() {
                let at = 8 * row + lane;
                let off = values[at] - self.steps[at] * whole(values[at] * self.shares[at]);
                *sum += off * off;
            }
        }
        sums.iter().sum()
    }
}

#[cfg(test)]
mod tests;
