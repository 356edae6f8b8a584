//! The media that a manifest was made from, with what their own credentials say and what is on record against them.
//!
//! A signer checks an ingredient when it takes it in and writes the result down. Later checks of the whole do not
//! repeat what is on record, so a file can be trusted at the top over an ingredient that was broken from the start.
//! Only walking the ingredients shows it.

use std::collections::HashMap;

use c2pa::{Manifest, Reader};
use serde::{Deserialize, Serialize};

use crate::action::{Action, Declared};
use crate::clip;
use crate::code::{self, Code};
use crate::inspect::standing;
use crate::report::Signer;
use crate::rubric::Signals;

/// How deep ingredients of ingredients are followed.
pub(crate) const DEPTH_MAX: usize = 32;

/// Most ingredients described in one report. One manifest can be reached on many ways.
pub(crate) const INGREDIENTS_MAX: usize = 500;

/// What an ingredient is to the media above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Relationship {
    /// The media above was derived from it.
    ParentOf,
    /// It is a part of the media above.
    ComponentOf,
    /// It was fed to the process that made the media above.
    InputTo,
}

/// One ingredient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ingredient {
    /// Title given by the signer above.
    pub title: Option<String>,
    /// Media type given by the signer above.
    pub format: Option<String>,
    /// What it is to the media above.
    pub relationship: Relationship,
    /// Label of its own manifest, if it had a credential.
    pub manifest: Option<String>,
    /// Who signed its own manifest, as written there: trust in this signer is not part of the top's `trusted`
    /// unless `found_now` is free of failures.
    pub signer: Option<Signer>,
    /// What the signer above wrote down when it took the ingredient in: a statement, not a check of ours.
    pub recorded: Vec<Code>,
    /// What our own check of the ingredient's manifest found beyond that.
    pub found_now: Vec<Code>,
    /// Whether either list holds a failure other than "the signer is on no list".
    pub broken: bool,
    /// Signals of its own manifest.
    pub signals: Signals,
    /// Actions of its own manifest.
    pub actions: Vec<Action>,
    /// What it was made from itself.
    pub ingredients: Vec<Ingredient>,
}

impl Ingredient {
    /// Whether this one or anything below it is broken.
    #[must_use]
    pub fn any_broken(&self) -> bool {
        self.broken || self.ingredients.iter().any(Self::any_broken)
    }

    /// Whether the signer of this one or of anything below it is on no list. What was on record when it was taken in holds
    /// unless our own check says otherwise, which repeats nothing that has not changed.
    #[must_use]
    pub fn any_untrusted(&self) -> bool {
        let is_trusted_now = self.found_now.iter().any(standing::is_trust);
        let is_untrusted = self.found_now.iter().any(standing::is_untrusted)
            || self.recorded.iter().any(standing::is_untrusted) && !is_trusted_now;
        is_untrusted || self.ingredients.iter().any(Self::any_untrusted)
    }
}

/// Walks ingredients, depth first.
pub(crate) struct Walk<'a> {
    reader: &'a Reader,
    found_now: HashMap<String, Vec<Code>>,
    left: usize,
    cut: bool,
}

/// What a walk brought home.
pub(crate) struct Walked {
    pub(crate) ingredients: Vec<Ingredient>,
    /// Findings about ingredients that the walk did not reach.
    pub(crate) unplaced: Vec<Code>,
    /// A bound was hit.
    pub(crate) cut: bool,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(reader: &'a Reader) -> Self {
        let mut found_now: HashMap<String, Vec<Code>> = HashMap::new();
        let deltas = reader
            .validation_results()
            .and_then(|results| results.ingredient_deltas());
        for delta in deltas.into_iter().flatten() {
            let key = place_of(delta.ingredient_assertion_uri()).to_owned();
            found_now
                .entry(key)
                .or_default()
                .extend(code::codes_of(delta.validation_deltas()));
        }
        Self {
            reader,
            found_now,
            left: INGREDIENTS_MAX,
            cut: false,
        }
    }

    /// All findings about ingredients, wherever they belong.
    pub(crate) fn findings(&self) -> impl Iterator<Item = &Code> {
        self.found_now.values().flatten()
    }

    pub(crate) fn run(mut self, active: &Manifest, label: &str) -> Walked {
        let ingredients = self.below(active, label, 1);
        let mut unplaced: Vec<Code> = self.found_now.into_values().flatten().collect();
        unplaced
            .sort_by(|a, b| (a.level, &a.code, &a.subject).cmp(&(b.level, &b.code, &b.subject)));
        Walked {
            ingredients,
            unplaced,
            cut: self.cut,
        }
    }

    fn below(&mut self, manifest: &Manifest, label: &str, depth: usize) -> Vec<Ingredient> {
        let mut found = Vec::new();
        for ingredient in manifest.ingredients() {
            if depth > DEPTH_MAX || self.left == 0 {
                self.cut = true;
                break;
            }
            self.left -= 1;
            found.push(self.describe(ingredient, label, depth));
        }
        found
    }

    fn describe(&mut self, ingredient: &c2pa::Ingredient, above: &str, depth: usize) -> Ingredient {
        let mut recorded = recorded_of(ingredient);
        let place = format!(
            "{above}/{ASSERTION_STORE}/{}",
            ingredient.label().unwrap_or_default()
        );
        let mut found_now = self.found_now.get(&place).cloned().unwrap_or_default();
        let broken = recorded.iter().chain(&found_now).any(Code::is_unsound);
        self.cut |= code::bound(&mut recorded) | code::bound(&mut found_now);
        if let Some(codes) = self.found_now.get_mut(&place) {
            codes.clear();
        }
        let own = ingredient
            .active_manifest()
            .and_then(|label| Some((label, self.reader.get_manifest(label)?)));
        let declared = own
            .map(|(_, manifest)| Declared::of(manifest))
            .unwrap_or_default();
        let signals =
            own.map(|(_, manifest)| Signals::of(&declared, any_without_credential(manifest)));
        self.cut |= declared.cut;
        Ingredient {
            title: ingredient.title().map(clip),
            format: ingredient.format().map(clip),
            relationship: relationship_of(ingredient.relationship()),
            manifest: ingredient.active_manifest().map(clip),
            signer: own.and_then(|(_, manifest)| Signer::of(manifest)),
            recorded,
            found_now,
            broken,
            signals: signals.unwrap_or_default(),
            actions: declared.actions,
            ingredients: own
                .map(|(label, manifest)| self.below(manifest, label, depth + 1))
                .unwrap_or_default(),
        }
    }
}

/// Whether any ingredient of `manifest` came without a credential.
pub(crate) fn any_without_credential(manifest: &Manifest) -> bool {
    manifest
        .ingredients()
        .iter()
        .any(|ingredient| ingredient.active_manifest().is_none())
}

const ASSERTION_STORE: &str = "c2pa.assertions";

/// The part of an internal address that says where: manifest, store, assertion.
fn place_of(address: &str) -> &str {
    address.strip_prefix("self#jumbf=/c2pa/").unwrap_or(address)
}

/// Everything on record about an ingredient: about its own manifest, and about those below.
fn recorded_of(ingredient: &c2pa::Ingredient) -> Vec<Code> {
    let mut codes = code::codes_by_name(ingredient.validation_status().unwrap_or_default());
    if let Some(results) = ingredient.validation_results() {
        codes.extend(
            results
                .active_manifest()
                .map(code::codes_of)
                .unwrap_or_default(),
        );
        for delta in results.ingredient_deltas().into_iter().flatten() {
            codes.extend(code::codes_of(delta.validation_deltas()));
        }
    }
    codes
}

fn relationship_of(relationship: &c2pa::Relationship) -> Relationship {
    match relationship {
        c2pa::Relationship::ParentOf => Relationship::ParentOf,
        c2pa::Relationship::ComponentOf => Relationship::ComponentOf,
        c2pa::Relationship::InputTo => Relationship::InputTo,
    }
}
