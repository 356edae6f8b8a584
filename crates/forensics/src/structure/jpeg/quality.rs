//! The quality setting behind quantisation tables, by the formula of the Independent JPEG Group (IJG):
//! `step = clamp((base · s + 50) / 100, 1, 255)` with `s = 5000 / q` below 50 and `200 − 2q` from 50 on.

use serde::{Deserialize, Serialize};

use super::JpegLayout;
use super::tables::{COEFFICIENTS, ZIGZAG};

/// The quality whose tables are nearest (sum of absolute differences).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QualityEstimate {
    /// 1 to 100.
    pub quality: u8,
    /// Whether the tables are exactly those of the formula.
    pub exact: bool,
    /// The difference.
    pub distance: u32,
}

type Table = [u16; COEFFICIENTS];

/// ITU-T T.81, table K.1 (luminance), row by row.
const LUMINANCE: Table = [
    16, 11, 10, 16, 24, 40, 51, 61, //
    12, 12, 14, 19, 26, 58, 60, 55, //
    14, 13, 16, 24, 40, 57, 69, 56, //
    14, 17, 22, 29, 51, 87, 80, 62, //
    18, 22, 37, 56, 68, 109, 103, 77, //
    24, 35, 55, 64, 81, 104, 113, 92, //
    49, 64, 78, 87, 103, 121, 120, 101, //
    72, 92, 95, 98, 112, 100, 103, 99,
];

/// ITU-T T.81, table K.2 (chrominance), row by row.
const CHROMINANCE: Table = [
    17, 18, 24, 47, 99, 99, 99, 99, //
    18, 21, 26, 66, 99, 99, 99, 99, //
    24, 26, 56, 99, 99, 99, 99, 99, //
    47, 66, 99, 99, 99, 99, 99, 99, //
    99, 99, 99, 99, 99, 99, 99, 99, //
    99, 99, 99, 99, 99, 99, 99, 99, //
    99, 99, 99, 99, 99, 99, 99, 99, //
    99, 99, 99, 99, 99, 99, 99, 99,
];

/// The quality that fits the tables of the first component and, if there are more, of the second.
pub(super) fn estimate(layout: &JpegLayout) -> Option<QualityEstimate> {
    let steps = |number: usize| {
        let component = layout.components.get(number)?;
        let table = layout
            .tables
            .iter()
            .find(|table| table.id == component.table)?;
        Some(table.steps.as_slice())
    };
    let luma = steps(0)?;
    let chroma = steps(1);
    let distance = |quality: u8| {
        let chroma = chroma.map_or(0, |steps| difference(steps, &CHROMINANCE, quality));
        difference(luma, &LUMINANCE, quality) + chroma
    };
    let (distance, quality) = (1..=100)
        .map(|quality| (distance(quality), quality))
        .min()?;
    Some(QualityEstimate {
        quality,
        exact: distance == 0,
        distance,
    })
}

/// The luminance table of a quality, row by row.
pub(crate) fn luma_steps(quality: u8) -> Table {
    let scale = scale(quality);
    LUMINANCE.map(|base| {
        let step = (u32::from(base) * scale + 50) / 100;
        u16::try_from(step.clamp(1, 255)).unwrap_or(255)
    })
}

fn difference(steps: &[u16], base: &Table, quality: u8) -> u32 {
    let scale = scale(quality);
    let expected = ZIGZAG
        .iter()
        .filter_map(|&place| base.get(usize::from(place)));
    steps
        .iter()
        .zip(expected)
        .map(|(&step, &base)| {
            let ijg = ((u32::from(base) * scale + 50) / 100).clamp(1, 255);
            u32::from(step).abs_diff(ijg)
        })
        .sum()
}

fn scale(quality: u8) -> u32 {
    let quality = u32::from(quality.clamp(1, 100));
    if quality < 50 {
        5000 / quality
    } else {
        200 - 2 * quality
    }
}
