//! What a credential says about the making of the media, all manifests on the way taken together.
//!
//! Signals are local: the manifest of an edited photograph says "edited", and the manifest of its parent says
//! "captured". So the chain of parents is walked. A broken manifest on the way says nothing.

use std::collections::BTreeSet;

use assay_provenance::{
    Inception, Ingredient, Level, Relationship, Report, Signals, Transformation,
};

/// What signers say, in the words that rules need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// Made by a generator as a whole.
    Generated,
    /// A generator made or changed a part.
    PartlyGenerated,
    /// Captured; since then nothing that is seen or heard was changed.
    Captured,
    /// Captured, then edited without a generator.
    CapturedAndEdited,
    /// Nothing that a rule could use, or something that may mean anything.
    Nothing,
}

/// Reads the claim of the media and of what it was derived from.
pub(super) fn claim_of(report: &Report) -> Claim {
    let mut said = Said {
        // What was left out of a list may have said anything.
        gap: report.cut,
        ..Said::default()
    };
    said.take(&report.signals, &report.ingredients);
    said.claim()
}

#[derive(Default)]
struct Said {
    inception: BTreeSet<Inception>,
    transformation: BTreeSet<Transformation>,
    /// A part was made by a generator.
    generated_part: bool,
    /// Words of a parent or of a part are missing or do not count.
    gap: bool,
}

impl Said {
    fn take(&mut self, signals: &Signals, ingredients: &[Ingredient]) {
        self.inception.extend(&signals.inception);
        self.transformation.extend(&signals.transformation);
        for ingredient in ingredients {
            match ingredient.relationship {
                Relationship::ParentOf if is_sound(ingredient) => {
                    self.take(&ingredient.signals, &ingredient.ingredients);
                }
                Relationship::ParentOf => self.gap = true,
                Relationship::ComponentOf if is_sound(ingredient) => {
                    self.generated_part |= is_generated(ingredient);
                }
                // That it is broken is told by itself.
                Relationship::ComponentOf => self.gap |= !ingredient.broken,
                // It went into a process, not into the media.
                Relationship::InputTo => {}
            }
        }
    }

    fn claim(&self) -> Claim {
        use Transformation::{
            AmbiguousActions, PerceptibleGenAI, PerceptibleNonGenAI, PerceptiblePossiblyGenAI,
        };
        if self.inception.contains(&Inception::FullyGenAIMedia) {
            return Claim::Generated;
        }
        if self.generated_part
            || self.inception.contains(&Inception::PartlyGenAICreation)
            || self.transformation.contains(&PerceptibleGenAI)
        {
            return Claim::PartlyGenerated;
        }
        let captured_only = self.inception == BTreeSet::from([Inception::CapturedMedia]);
        let may_mean_anything = [AmbiguousActions, PerceptiblePossiblyGenAI];
        if !captured_only
            || self.gap
            || may_mean_anything
                .iter()
                .any(|it| self.transformation.contains(it))
        {
            return Claim::Nothing;
        }
        if self.transformation.contains(&PerceptibleNonGenAI) {
            return Claim::CapturedAndEdited;
        }
        Claim::Captured
    }
}

/// Whether a generator made it or a part of it, or what it was made from, as far as sound credentials say.
fn is_generated(ingredient: &Ingredient) -> bool {
    let signals = &ingredient.signals;
    let below = || ingredient.ingredients.iter();
    signals.inception.contains(&Inception::FullyGenAIMedia)
        || signals.inception.contains(&Inception::PartlyGenAICreation)
        || signals
            .transformation
            .contains(&Transformation::PerceptibleGenAI)
        || below()
            .any(|it| it.relationship != Relationship::InputTo && is_sound(it) && is_generated(it))
}

/// Whether an ingredient's own credential counts: there is one, and no check of it failed.
fn is_sound(ingredient: &Ingredient) -> bool {
    ingredient.manifest.is_some()
        && !ingredient.broken
        && ingredient
            .found_now
            .iter()
            .all(|code| code.level != Level::Failure)
}
