//! A few seeded files of every kind: what was done is found where it was done, and nobody who did not lie is accused.

use std::sync::LazyLock;

use assay_corpus::camera::{FIRST, SECOND};
use assay_corpus::cell::{Cell, Kind, small};
use assay_corpus::look::{Look, look};
use assay_corpus::original::Original;
use assay_corpus::recipe::Made;
use assay_forensics::Label;

/// One file of the set.
struct Case {
    cell: Cell,
    original: String,
    made: Made,
    look: Look,
}

impl Case {
    fn story(&self) -> String {
        format!(
            "{}: {}, {}",
            self.original, self.cell.family, self.cell.name
        )
    }
}

/// Made once for all tests. Two cameras, each with a scene of its own.
static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
    let mut cases = Vec::new();
    for (camera, seed) in [(FIRST, 21), (SECOND, 22)] {
        let original = Original::taken(&camera.sized(512, 384), seed).unwrap();
        for cell in small() {
            let made = cell.recipe.make(&original).unwrap();
            let look = look(&made.bytes).unwrap();
            cases.push(Case {
                cell,
                original: original.name.clone(),
                made,
                look,
            });
        }
    }
    cases
});

fn none(what: &str, stories: Vec<String>) {
    assert!(stories.is_empty(), "{what}:\n{}", stories.join("\n"));
}

#[test]
fn what_was_done_is_found_where_it_was_done() {
    let missed = |case: &Case| {
        let id = case.cell.sought?;
        let finding = case.look.finding(id);
        let Some(finding) = finding.filter(|finding| finding.speaks()) else {
            return Some(format!("{}: {id} says nothing", case.story()));
        };
        let changed = case.made.changed?;
        let overlap = finding.overlap(changed)?;
        (overlap < 0.2).then(|| format!("{}: {id} points elsewhere: {overlap}", case.story()))
    };
    none("missed", CASES.iter().filter_map(missed).collect());
}

#[test]
fn no_harmless_file_has_a_verdict() {
    let accused = |case: &Case| {
        let label = case.look.verdict.label;
        let is_wrong = case.cell.kind() == Kind::Benign && label != Label::Inconclusive;
        is_wrong.then(|| format!("{}: {label:?}", case.story()))
    };
    none("accused", CASES.iter().filter_map(accused).collect());
}

#[test]
fn nothing_is_told_of_a_save_that_never_was() {
    let told = |case: &Case| {
        let mut wrong = case.cell.wrong.iter();
        let id = wrong.find(|id| {
            let finding = case.look.finding(id);
            finding.is_some_and(|finding| finding.speaks())
        })?;
        Some(format!("{}: {id}", case.story()))
    };
    none("told", CASES.iter().filter_map(told).collect());
}
