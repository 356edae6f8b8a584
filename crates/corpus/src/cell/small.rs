//! A few cells of each kind, for tests that hold thresholds.

use super::{
    Cell, as_taken, copied, cut_behind_thumbnail, declared, edited, pasted, png_copy,
    replaced_behind_thumbnail, saved, stripped, watermarked,
};
use crate::declared::Declaration;
use crate::recipe::{Edit, Grid, MESSENGER_QUALITY, Save};
use crate::watermark::Middle;

/// A few cells of each kind.
#[must_use]
pub fn small() -> Vec<Cell> {
    let mut cells = benign();
    cells.extend([
        pasted(Grid::Off, 60, Save::Jpeg(90)),
        pasted(Grid::Off, 85, Save::Jpeg(95)),
        pasted(Grid::On, 75, Save::Jpeg(95)),
        pasted(Grid::Off, 75, Save::Png),
        copied(Save::Png),
        copied(Save::Jpeg(75)),
        replaced_behind_thumbnail(90),
        cut_behind_thumbnail(90),
        watermarked(Middle::Real, Save::Png),
        watermarked(Middle::Real, Save::Jpeg(95)),
    ]);
    cells.extend(Declaration::ALL.map(declared));
    cells
}

fn benign() -> Vec<Cell> {
    vec![
        as_taken(),
        stripped(),
        png_copy(),
        saved(&[85]),
        saved(&[75, 90]),
        saved(&[85, 70]),
        edited(75, Edit::Cropped(3, 5), Save::Png),
        edited(75, Edit::Cropped(3, 5), Save::Jpeg(95)),
        edited(85, Edit::Cropped(16, 8), Save::WithExif(90)),
        edited(92, Edit::Scaled(50), Save::Jpeg(85)),
        edited(75, Edit::Messenger, Save::Jpeg(MESSENGER_QUALITY)),
        edited(75, Edit::Captioned, Save::Jpeg(95)),
        edited(75, Edit::DateStamped, Save::Jpeg(95)),
        edited(75, Edit::Branded, Save::Jpeg(95)),
        edited(75, Edit::Screenshot, Save::Png),
        edited(75, Edit::Page, Save::Png),
        edited(75, Edit::Toned(110, 12), Save::Jpeg(95)),
        edited(85, Edit::Toned(110, 12), Save::WithExif(90)),
    ]
}
