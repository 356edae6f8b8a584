//! The grid of 8 × 8 blocks that a JPEG leaves in its pixels, also when they have long been something else.
//!
//! By the number of DCT zeros and the theory of a contrario detection (T. Nikoukhah, J. Anger, M. Colom, J.-M. Morel and
//! R. Grompone von Gioi, "ZERO: a Local JPEG Grid Origin Detector Based on the Number of DCT Zeros and its Applications
//! in Image Forensics", IPOL 11, 2021, 10.5201/ipol.2021.390). Two answers of one count: where the blocks of the whole
//! picture begin, which tells its history, and whether parts of it lie on another grid, as when they were pasted in.
//!
//! An origin is where the first whole block begins, x before y: a crop that takes 3 columns and 5 rows away leaves (5, 3).
//!
//! Not here: patches without any grid in a picture that has one; a grid finer than what a later save left of it.

mod foreign;
mod nfa;
mod rectangle;
mod votes;
mod zeros;

#[cfg(test)]
mod tests;

use foreign::{Foreign, Patch};
use votes::Votes;

use super::{Found, Map, Subject};
use crate::bytes::count;
use crate::evidence::{Calibration, Evidence, Fact, Family, LogRatios, Region};
use crate::levels::Unread;

/// Id of the evidence on the grid of the picture.
pub const ORIGIN_ID: &str = "jpeg.grid_origin";
/// Id of the evidence on parts with another grid.
pub const FOREIGN_ID: &str = "jpeg.grid_foreign";

/// A grid is seen if chance makes fewer false alarms than this (log10): one in a hundred pictures.
const LOG10_NFA_MAX: f64 = -2.0;
/// Samples along one side of a block.
const BLOCK: u8 = 8;
/// Pixels along one side of a cell of the map, and of the raster that patches are first found on.
const CELL: usize = 8;
/// What a foreign grid weighs, before its cap.
pub const FOREIGN_LOG10_LR: f64 = 1.0;
/// No false alarm on clean pictures so far.
const FOREIGN_CALIBRATION: Calibration = Calibration { n_clean: 15, fp: 0 };
/// What else leaves a foreign grid.
const FOREIGN_CAVEATS: [&str; 4] = [
    "collages and pictures in a frame consist of parts with grids of their own",
    "so do web pages with thumbnails, and screenshots of them",
    "a logo or sticker that was once a JPEG has a grid of its own",
    "that a part came from elsewhere does not say that it was meant to deceive",
];

/// Both answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// Where the blocks of the picture begin. Weighs nothing.
    pub origin: Found,
    /// Parts on another grid.
    pub foreign: Found,
}

/// The grid that most pixels vote for.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Main {
    grid: u8,
    votes: u64,
    log10_nfa: f64,
}

/// Looks for the grid of the picture, and for parts on another one.
#[must_use]
pub fn grid(subject: &Subject<'_>) -> Grid {
    if let Some(why) = subject.unlike_photo {
        return not_applicable(why);
    }
    let Some(votes) = Votes::of(subject.luma) else {
        return not_applicable("The picture is too small for a grid of blocks to show.");
    };
    let main = main_grid(&votes);
    let visible = main.log10_nfa < LOG10_NFA_MAX;
    let foreign = if visible {
        parts(&votes, &Foreign::of(&votes, main.grid))
    } else {
        let why = "No grid of a JPEG is seen in the picture, so no part can differ from it.";
        Evidence::not_applicable(FOREIGN_ID, Family::JpegHistory, why).into()
    };
    Grid {
        origin: whole(subject, main, visible),
        foreign,
    }
}

fn not_applicable(why: &str) -> Grid {
    let found = |id| Evidence::not_applicable(id, Family::JpegHistory, why).into();
    Grid {
        origin: found(ORIGIN_ID),
        foreign: found(FOREIGN_ID),
    }
}

fn main_grid(votes: &Votes) -> Main {
    let (grid, votes_for) = (0..)
        .zip(votes.counts())
        .max_by_key(|&(_, votes)| votes)
        .unwrap_or_default();
    let pixels = count(votes.plane().samples().len());
    Main {
        grid,
        votes: votes_for,
        log10_nfa: nfa::of_grid(pixels, votes_for),
    }
}

/// What the grid of the whole picture says.
fn whole(subject: &Subject<'_>, main: Main, visible: bool) -> Found {
    let (finding, explain) = if visible {
        (
            "grid",
            "JPEG stores pictures in small squares, and this picture shows their grid: it was a JPEG.",
        )
    } else {
        ("none", "The picture shows no grid of JPEG blocks.")
    };
    let pixels = count(subject.luma.samples().len());
    let mut evidence = Evidence::neutral(ORIGIN_ID, Family::JpegHistory, finding, explain)
        .metric("log10_nfa", main.log10_nfa)
        .metric("votes_share", main.votes as f64 / pixels as f64);
    if !visible {
        return evidence.into();
    }
    let (x, y) = origin(main.grid);
    evidence = evidence
        .metric("origin_x", f64::from(x))
        .metric("origin_y", f64::from(y));
    let mut facts = Vec::new();
    if subject.levels == Err(Unread::NoJpeg) {
        let detail =
            format!("Its blocks of 8 × 8 pixels begin at ({x}, {y}): the picture was once a JPEG.");
        facts.push(Fact::new("jpeg_grid", detail));
    }
    if main.grid != 0 {
        facts.push(cropped(x, y));
    }
    Found {
        facts,
        ..evidence.into()
    }
}

fn cropped(x: u8, y: u8) -> Fact {
    let (columns, rows) = ((BLOCK - x) % BLOCK, (BLOCK - y) % BLOCK);
    let detail = format!(
        "Blocks of a JPEG begin at ({x}, {y}) instead of the corner. So {columns} columns and {rows} rows, or a multiple of 8 \
         more, were cut off at the left and the top, or the picture was put into a larger one."
    );
    Fact::new("cropped_after_jpeg", detail)
}

/// Where the first whole block of a grid begins.
fn origin(grid: u8) -> (u8, u8) {
    (grid % BLOCK, grid / BLOCK)
}

/// What patches on other grids say.
fn parts(votes: &Votes, foreign: &Foreign) -> Found {
    let facts = foreign.mixed.iter().map(|&grid| second(grid)).collect();
    let patches = foreign.patches.as_slice();
    let Some(best) = patches.first() else {
        let explain = "No part of the picture lies on another grid of JPEG blocks than the rest.";
        let evidence = Evidence::neutral(FOREIGN_ID, Family::JpegHistory, "none", explain);
        return Found {
            facts,
            ..evidence.into()
        };
    };
    let explain = "A part of the picture lies on another grid of JPEG blocks than the rest, as when it was pasted in.";
    let (x, y) = origin(best.grid);
    let mut evidence = Evidence::neutral(FOREIGN_ID, Family::JpegHistory, "region", explain)
        .calibrated(
            LogRatios::manipulated(FOREIGN_LOG10_LR),
            FOREIGN_CALIBRATION,
        )
        .metric("log10_nfa", best.log10_nfa)
        .metric("patches", patches.len() as f64)
        .metric("origin_x", f64::from(x))
        .metric("origin_y", f64::from(y));
    evidence.regions = patches.iter().filter_map(region).collect();
    for caveat in FOREIGN_CAVEATS {
        evidence = evidence.caveat(caveat);
    }
    Found {
        facts,
        map: map(votes, patches),
        ..evidence.into()
    }
}

/// A grid that the picture was compressed on beside the main one.
fn second(grid: u8) -> Fact {
    let (x, y) = origin(grid);
    let detail = format!(
        "Blocks that begin at ({x}, {y}) show among those of the whole, as when a JPEG is cropped or moved and then saved \
         as a JPEG again."
    );
    Fact::new("two_jpeg_grids", detail)
}

fn region(patch: &Patch) -> Option<Region> {
    let area = &patch.area;
    Some(Region {
        x: u32::try_from(area.x.start).ok()?,
        y: u32::try_from(area.y.start).ok()?,
        w: u32::try_from(area.x.len()).ok()?,
        h: u32::try_from(area.y.len()).ok()?,
    })
}

/// How many pixels of each cell vote for the grid of a patch that they lie in.
fn map(votes: &Votes, patches: &[Patch]) -> Option<Map> {
    let plane = votes.plane();
    let columns = plane.width().div_ceil(CELL);
    let mut sums = vec![0_usize; columns * plane.height().div_ceil(CELL)];
    for patch in patches {
        let rows = plane.rows().enumerate();
        for (y, row) in rows.skip(patch.area.y.start).take(patch.area.y.len()) {
            for x in patch.area.x.clone() {
                sums[y / CELL * columns + x / CELL] += usize::from(row[x] == patch.grid);
            }
        }
    }
    let scaled = |sum: usize| u8::try_from(sum * 255 / (CELL * CELL)).unwrap_or(u8::MAX);
    Some(Map {
        cell_pixels: u32::try_from(CELL).ok()?,
        columns: u32::try_from(columns).ok()?,
        rows: u32::try_from(plane.height().div_ceil(CELL)).ok()?,
        cells: sums.into_iter().map(scaled).collect(),
    })
}
