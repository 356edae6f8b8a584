//! All cells, for `make forensics-report`.

use super::{
    Cell, FIRST_QUALITIES, LAST_QUALITIES, as_taken, copied, cut_behind_thumbnail, declared,
    edited, pasted, png_copy, replaced_behind_thumbnail, saved, stripped, watermarked,
};
use crate::declared::Declaration;
use crate::recipe::{Edit, Grid, MESSENGER_QUALITY, Save};
use crate::watermark::Middle;

/// What was saved before, and how it is saved after an edit.
const WAYS: [(u8, Save); 4] = [
    (75, Save::Jpeg(95)),
    (92, Save::Jpeg(85)),
    (85, Save::WithExif(90)),
    (75, Save::Png),
];

const EDITS: [Edit; 9] = [
    Edit::Cropped(3, 5),
    Edit::Cropped(16, 8),
    Edit::Scaled(90),
    Edit::Scaled(50),
    Edit::Scaled(125),
    Edit::Turned,
    Edit::Toned(110, 12),
    Edit::Toned(85, -10),
    Edit::DateStamped,
];

const OVERLAYS: [Edit; 2] = [Edit::Captioned, Edit::Branded];

const SCREENS: [Edit; 2] = [Edit::Screenshot, Edit::Page];

const CHAINS: [&[u8]; 10] = [
    &[70],
    &[85],
    &[95],
    &[60, 90],
    &[75, 90],
    &[75, 95],
    &[85, 95],
    &[85, 70],
    &[75, 85, 95],
    &[90, 90],
];

/// All cells.
#[must_use]
pub fn full() -> Vec<Cell> {
    let mut cells = vec![as_taken(), stripped(), png_copy()];
    cells.extend(CHAINS.map(saved));
    for edit in EDITS.into_iter().chain(OVERLAYS).chain(SCREENS) {
        cells.extend(WAYS.map(|(first, save)| edited(first, edit, save)));
    }
    cells.extend(messengers());
    cells.extend(pastes());
    cells.extend([Save::Png, Save::Jpeg(95), Save::Jpeg(85), Save::Jpeg(75)].map(copied));
    cells.extend([replaced_behind_thumbnail(90), cut_behind_thumbnail(90)]);
    let saves = [Save::Png, Save::Jpeg(95), Save::Jpeg(85)];
    cells.extend(saves.map(|save| watermarked(Middle::Real, save)));
    cells.push(watermarked(Middle::Byte, Save::Png));
    cells.extend(Declaration::ALL.map(declared));
    cells
}

fn messengers() -> impl Iterator<Item = Cell> {
    let firsts = [75, 85, 92].into_iter();
    firsts.map(|first| edited(first, Edit::Messenger, Save::Jpeg(MESSENGER_QUALITY)))
}

fn pastes() -> impl Iterator<Item = Cell> {
    let grids = [Grid::Off, Grid::On].into_iter();
    grids.flat_map(|grid| {
        let qualities = FIRST_QUALITIES
            .into_iter()
            .flat_map(|first| LAST_QUALITIES.map(|last| (first, Save::Jpeg(last))));
        let lossless = FIRST_QUALITIES.map(|first| (first, Save::Png));
        let all = qualities.chain(lossless);
        all.map(move |(first, save)| pasted(grid, first, save))
    })
}
