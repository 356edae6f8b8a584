//! The cells of the corpus: each a recipe, and what should be said about the files that it makes.

mod full;
mod small;

pub use full::full;
pub use small::small;

use crate::declared::Declaration;
use crate::recipe::{Benign, Edit, Grid, Lie, Recipe, Save};
use crate::watermark::Middle;

/// Ids of evidence, as analyses name it.
pub mod id {
    /// Double quantisation of the whole picture.
    pub const DOUBLE_GLOBAL: &str = "jpeg.dq_global";
    /// Places without the double quantisation of the rest.
    pub const DOUBLE_LOCAL: &str = "jpeg.dq_local";
    /// Where the grid of a JPEG begins.
    pub const GRID_ORIGIN: &str = "jpeg.grid_origin";
    /// Places with another grid than the rest.
    pub const GRID_FOREIGN: &str = "jpeg.grid_foreign";
    /// Parts that repeat.
    pub const COPY_MOVE: &str = "copy_move";
    /// The thumbnail shows something else.
    pub const THUMBNAIL: &str = "thumbnail.exif";
    /// The watermark of a generator.
    pub const WATERMARK: &str = "watermark.diffusers_sdxl";
}

/// First and last qualities of what is pasted into.
const FIRST_QUALITIES: [u8; 3] = [60, 75, 85];
const LAST_QUALITIES: [u8; 3] = [80, 90, 95];
/// Double quantisation is told from this distance of the qualities on.
pub const TELLING_DISTANCE: u8 = 10;

/// What a cell is in the eyes of a judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Nobody lied: the verdict is to be inconclusive.
    Benign,
    /// The picture shows what was not there.
    Manipulated,
    /// A generator says that it made it.
    Generated,
}

/// One recipe, and what is expected of its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// What all cells of a family have in common, in words.
    pub family: &'static str,
    /// What sets it apart in its family, e.g. `75 to 90`.
    pub name: String,
    /// How files are made.
    pub recipe: Recipe,
    /// Evidence that should find what was done.
    pub sought: Option<&'static str>,
    /// Evidence that would be wrong to speak although it weighs nothing: it tells of a save that never was.
    pub wrong: &'static [&'static str],
}

impl Cell {
    fn new(family: &'static str, name: impl Into<String>, recipe: Recipe) -> Self {
        Self {
            family,
            name: name.into(),
            recipe,
            sought: None,
            wrong: &[],
        }
    }

    fn seeking(self, id: &'static str) -> Self {
        Self {
            sought: Some(id),
            ..self
        }
    }

    fn wrong_to_say(self, ids: &'static [&'static str]) -> Self {
        Self { wrong: ids, ..self }
    }

    /// The same for a photograph that was given: nobody knows how often its file was saved.
    #[must_use]
    pub fn of_given(self) -> Self {
        let knows_file = matches!(
            self.recipe,
            Recipe::Benign(Benign::AsTaken | Benign::Stripped | Benign::PngCopy)
        );
        if knows_file {
            return Self {
                sought: None,
                wrong: &[],
                ..self
            };
        }
        self
    }

    /// Its family and its name, e.g. `saved, 75 to 90`.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}, {}", self.family, self.name)
    }

    /// What it is in the eyes of a judge.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self.recipe {
            Recipe::Benign(_) => Kind::Benign,
            Recipe::Lie(_) => Kind::Manipulated,
            Recipe::Watermarked(..) | Recipe::Declared(_) => Kind::Generated,
        }
    }
}

/// Of cells that begin with the camera's file.
const ITSELF: &str = "the file itself";

/// A file that was compressed once tells of no save before.
const SAVED_ONCE: &[&str] = &[id::DOUBLE_GLOBAL];

fn as_taken() -> Cell {
    Cell::new("as taken", ITSELF, Recipe::Benign(Benign::AsTaken)).wrong_to_say(SAVED_ONCE)
}

fn stripped() -> Cell {
    Cell::new("metadata removed", ITSELF, Recipe::Benign(Benign::Stripped)).wrong_to_say(SAVED_ONCE)
}

fn png_copy() -> Cell {
    Cell::new("copied to PNG", ITSELF, Recipe::Benign(Benign::PngCopy)).seeking(id::GRID_ORIGIN)
}

fn saved(qualities: &'static [u8]) -> Cell {
    let words: Vec<String> = qualities.iter().map(ToString::to_string).collect();
    let recipe = Recipe::Benign(Benign::Saved(qualities));
    let cell = Cell::new("saved", words.join(" to "), recipe);
    match qualities {
        [_] => cell.wrong_to_say(SAVED_ONCE),
        [.., before, last] if tells(*before, *last) => cell.seeking(id::DOUBLE_GLOBAL),
        _ => cell,
    }
}

fn edited(first: u8, edit: Edit, save: Save) -> Cell {
    let name = format!("{}{first} to {}", edit.detail(), save.name());
    let recipe = Recipe::Benign(Benign::Edited { first, edit, save });
    let cell = Cell::new(edit.name(), name, recipe);
    match (edit, save) {
        (Edit::Cropped(..), Save::Png) => cell.seeking(id::GRID_ORIGIN),
        _ => cell,
    }
}

fn pasted(grid: Grid, first: u8, save: Save) -> Cell {
    let family = match grid {
        Grid::On => "pasted on the grid",
        Grid::Off => "pasted off the grid",
    };
    let name = format!("{first} to {}", save.name());
    let cell = Cell::new(family, name, Recipe::Lie(Lie::Pasted { grid, first, save }));
    match (grid, save) {
        (Grid::Off, Save::Png) => cell.seeking(id::GRID_FOREIGN),
        (_, Save::Jpeg(last) | Save::WithExif(last)) if tells(first, last) => {
            cell.seeking(id::DOUBLE_LOCAL)
        }
        _ => cell,
    }
}

fn copied(save: Save) -> Cell {
    Cell::new(
        "copied within",
        save.name(),
        Recipe::Lie(Lie::Copied { save }),
    )
    .seeking(id::COPY_MOVE)
}

fn replaced_behind_thumbnail(quality: u8) -> Cell {
    let recipe = Recipe::Lie(Lie::ReplacedBehindThumbnail(quality));
    Cell::new("thumbnail left stale", "part replaced", recipe).seeking(id::THUMBNAIL)
}

fn cut_behind_thumbnail(quality: u8) -> Cell {
    let recipe = Recipe::Lie(Lie::CutBehindThumbnail(quality));
    Cell::new("thumbnail left stale", "part cut off", recipe).seeking(id::THUMBNAIL)
}

fn watermarked(middle: Middle, save: Save) -> Cell {
    let name = match middle {
        Middle::Real => save.name(),
        Middle::Byte => format!("{}, written in bytes", save.name()),
    };
    Cell::new("watermarked", name, Recipe::Watermarked(middle, save)).seeking(id::WATERMARK)
}

fn declared(declaration: Declaration) -> Cell {
    Cell::new(
        "says generated",
        declaration.name(),
        Recipe::Declared(declaration),
    )
    .seeking(declaration.evidence())
}

/// Whether a save at `last` lets a save at `first` be told.
const fn tells(first: u8, last: u8) -> bool {
    last >= first.saturating_add(TELLING_DISTANCE)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn qualities_tell_from_their_distance_on() {
        assert!(tells(85, 95) && !tells(85, 94) && !tells(90, 80));
        assert_eq!(
            pasted(Grid::Off, 75, Save::Jpeg(80)).sought,
            None,
            "five apart"
        );
    }

    #[test]
    fn of_a_given_file_nothing_is_known() {
        let given = as_taken().of_given();
        assert!(given.wrong.is_empty() && !as_taken().wrong.is_empty());
        assert_eq!(png_copy().of_given().sought, None);
        assert_eq!(saved(&[85]).of_given(), saved(&[85]));
    }

    #[test]
    fn cells_have_names_of_their_own() {
        for cells in [full(), small()] {
            let names: BTreeSet<_> = cells.iter().map(|cell| (cell.family, &cell.name)).collect();
            assert_eq!(names.len(), cells.len());
        }
    }

    #[test]
    fn the_small_set_is_part_of_the_full_one() {
        let full = full();
        for cell in small() {
            assert!(full.contains(&cell), "{} {}", cell.family, cell.name);
        }
    }

    #[test]
    fn every_kind_and_every_quality_is_in_the_full_set() {
        let full = full();
        for kind in [Kind::Benign, Kind::Manipulated, Kind::Generated] {
            assert!(full.iter().any(|cell| cell.kind() == kind), "{kind:?}");
        }
        for (first, last) in FIRST_QUALITIES
            .into_iter()
            .flat_map(|first| LAST_QUALITIES.map(|last| (first, last)))
        {
            for grid in [Grid::On, Grid::Off] {
                assert!(full.contains(&pasted(grid, first, Save::Jpeg(last))));
            }
        }
    }
}
