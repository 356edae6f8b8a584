//! Parts of the picture that occur twice: somebody covered something with a piece of the same picture, or doubled it.
//!
//! Robust match of Fridrich, Soukal and Lukáš ("Detection of copy-move forgery in digital images", DFRWS 2003,
//! section 4): of every overlapping block of 16 × 16 samples the lowest 4 × 4 coefficients of its DCT are quantised,
//! blocks are sorted by them, and equal neighbours vote for the shift between them. Chance scatters its votes over all
//! shifts; a copy gives them to one.
//!
//! A shift counts if the blocks that vote for it lie in one area. A pattern that goes on (bricks, a fence) votes for
//! one shift again and again, or for many alike; text on a plain ground is the same wherever its letters are. Either is
//! told, and weighs nothing. Copies that were turned, scaled or taken
//! from a smooth area are not found. Of pictures with more than 16 million blocks a share is compared, chosen by
//! content: each halving doubles the area that a copy needs.

mod area;
mod blocks;
mod drawn;
mod matches;

use area::{Area, Grid};
use drawn::is_drawn;
use matches::{BLOCKS_MAX, Blocks, Matches, PIXELS_MAX};

use super::{Found, Subject};
use crate::evidence::{Calibration, Evidence, Family, LogRatios};
use crate::raster::Plane;

/// Name of the analysis.
pub const ID: &str = "copy_move";
/// Equal blocks, in one area and equally far apart, that make a copy. Clean photos have at most 7.
pub const VOTES_MIN: u32 = 40;
/// Copies that are reported.
pub const COPIES_MAX: usize = 8;
/// Shifts whose areas are looked at.
const SHIFTS_MAX: usize = 64;
/// Copies with at least half the votes of the largest, above which they are a pattern.
const ALIKE_MAX: usize = 4;
/// Of the pairs of one copy, the share (one in so many) that may go on to a third place before it is a pattern.
const CHAINED_SHARE: usize = 4;
/// Copies with less than this share (one in so many) of the votes of the largest are left out: chance near a large copy.
const FAINT_SHARE: u32 = 10;

/// Made-up photos, each as it is and compressed in two qualities. At most 3 blocks voted for the same shift.
const CALIBRATION: Calibration = Calibration { n_clean: 40, fp: 0 };
/// log10 LR of a copy, before its cap.
pub const LOG10_LR: f64 = 1.0;

/// A shift, and the area that was shifted.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Twin {
    dx: i64,
    dy: i64,
    area: Area,
}

/// What equal blocks come to.
#[derive(Debug, PartialEq, Eq)]
enum Judgement {
    /// No area occurs twice.
    Nothing,
    /// One or several do.
    Copied(Vec<Twin>),
    /// So many do that the picture repeats itself.
    Pattern(Vec<Twin>),
    /// Only such do as were written or drawn.
    Drawn(Vec<Twin>),
}

/// Looks for areas that occur twice.
#[must_use]
pub fn inspect(subject: &Subject<'_>) -> Found {
    if let Some(why) = subject.unlike_photo {
        return not_applicable(why);
    }
    let plane = subject.luma;
    if let Some(why) = unfit(plane.width(), plane.height()) {
        return not_applicable(&why);
    }
    let matches = compare(plane, BLOCKS_MAX);
    let mut grid = Grid::new(plane.width(), plane.height());
    let judgement = judge(&matches, plane, &mut grid);
    Found {
        evidence: describe(&judgement, &matches),
        facts: Vec::new(),
        map: match &judgement {
            Judgement::Nothing => None,
            Judgement::Copied(copies) | Judgement::Pattern(copies) | Judgement::Drawn(copies) => {
                grid.map(copies.iter().map(|copy| &copy.area))
            }
        },
    }
}

fn not_applicable(why: &str) -> Found {
    Evidence::not_applicable(ID, Family::SelfSimilarity, why).into()
}

/// Why a picture of this size cannot be looked at.
fn unfit(width: usize, height: usize) -> Option<String> {
    if width.min(height) < blocks::SIDE {
        return Some("The picture is smaller than the blocks that are compared.".to_owned());
    }
    if width.saturating_mul(height) > PIXELS_MAX {
        return Some(format!("The picture has more than {PIXELS_MAX} pixels."));
    }
    None
}

fn compare(plane: &Plane, blocks_max: usize) -> Matches {
    let mut all = Blocks::new(plane.width(), blocks_max);
    blocks::each(plane, |x, y, key| all.push(x, y, key));
    all.matches()
}

fn judge(matches: &Matches, plane: &Plane, grid: &mut Grid) -> Judgement {
    let votes_min = usize::try_from(VOTES_MIN).unwrap_or(usize::MAX);
    let (mut copies, mut drawn) = (Vec::new(), Vec::new());
    let mut is_pattern = false;
    for shift in matches.strongest(votes_min, SHIFTS_MAX) {
        let Some(area) = grid.largest(&shift).filter(|area| area.votes >= VOTES_MIN) else {
            continue;
        };
        let is_drawn = is_drawn(plane, area.first);
        let (dx, dy) = (shift.dx, shift.dy);
        let twin = Twin { dx, dy, area };
        if is_drawn {
            drawn.push(twin);
            continue;
        }
        is_pattern |= shift.chained() > shift.votes() / CHAINED_SHARE;
        copies.push(twin);
    }
    if copies.is_empty() && drawn.is_empty() {
        return Judgement::Nothing;
    }
    if copies.is_empty() {
        return Judgement::Drawn(strongest(drawn));
    }
    let most = most_votes(&copies);
    let with_at_least = |votes: u32| move |copy: &&Twin| copy.area.votes >= votes;
    is_pattern |= copies.iter().filter(with_at_least(most / 2)).count() > ALIKE_MAX;
    let copies = strongest(copies);
    if is_pattern {
        Judgement::Pattern(copies)
    } else {
        Judgement::Copied(copies)
    }
}

fn most_votes(copies: &[Twin]) -> u32 {
    let votes = copies.iter().map(|copy| copy.area.votes);
    votes.max().unwrap_or(0)
}

/// Those that are reported, the one with the most votes first.
fn strongest(mut copies: Vec<Twin>) -> Vec<Twin> {
    let votes_min = most_votes(&copies) / FAINT_SHARE;
    copies.retain(|copy| copy.area.votes >= votes_min);
    copies.sort_by_key(|copy| std::cmp::Reverse(copy.area.votes));
    copies.truncate(COPIES_MAX);
    copies
}

fn describe(judgement: &Judgement, matches: &Matches) -> Evidence {
    let evidence = match judgement {
        Judgement::Nothing => neutral("none", "No area of the picture was found twice."),
        Judgement::Copied(copies) => copied(copies),
        Judgement::Pattern(copies) => {
            let explain = "Many areas of the picture are equal: a pattern that repeats, or one area copied many times. \
                           They cannot be told apart, so it weighs nothing.";
            with_areas(neutral("pattern", explain), copies)
        }
        Judgement::Drawn(copies) => {
            let explain = "Only text or drawings occur twice in the picture, as they do without being copied.";
            with_areas(neutral("drawn", explain), copies)
        }
    };
    let mut evidence = evidence
        .metric("votes_max", matches.votes_max() as f64)
        .metric("blocks", matches.blocks as f64)
        .caveat("Copies that were turned, scaled or taken from a smooth area are not found.");
    if matches.thinning > 0 {
        let share = 1u32 << matches.thinning;
        evidence = evidence
            .metric("compared_one_in", f64::from(share))
            .caveat(&format!(
                "The picture is so large that one in {share} blocks was compared; small copies may be missed."
            ));
    }
    evidence
}

fn copied(copies: &[Twin]) -> Evidence {
    let explain = match copies {
        [only] => {
            let Twin { dx, dy, area } = only;
            let (w, h) = (area.first.w, area.first.h);
            let side = if *dx < 0 { "left" } else { "right" };
            let across = dx.abs();
            format!(
                "An area of about {w} x {h} pixels occurs twice, {across} pixels to the {side} and {dy} down."
            )
        }
        _ => format!("{} areas of the picture occur twice.", copies.len()),
    };
    with_areas(neutral("copied", &explain), copies)
        .calibrated(LogRatios::manipulated(LOG10_LR), CALIBRATION)
        .caveat("Which of two equal areas is the copy cannot be told.")
        .caveat("Things that are made alike, such as print, tiles or a screen, can match too.")
}

fn neutral(finding: &str, explain: &str) -> Evidence {
    Evidence::neutral(ID, Family::SelfSimilarity, finding, explain)
}

/// Both boxes of each copy, and the figures of the largest.
fn with_areas(mut evidence: Evidence, copies: &[Twin]) -> Evidence {
    for copy in copies {
        evidence.regions.extend([copy.area.first, copy.area.second]);
    }
    let evidence = evidence.metric("copies", copies.len() as f64);
    let Some(largest) = copies.first() else {
        return evidence;
    };
    evidence
        .metric("votes", f64::from(largest.area.votes))
        .metric("shift_x", largest.dx as f64)
        .metric("shift_y", largest.dy as f64)
}

#[cfg(test)]
mod tests;
