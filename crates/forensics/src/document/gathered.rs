//! Findings of many pictures, put together to what is worth telling.

use std::fmt::Write as _;

use super::PicturePlace;
use crate::evidence::{Evidence, Fact, LogRatios, UNREAD, Weight};
use crate::pixels::{Found, Map};
use crate::text::clip;

/// Maps that one analysis hands out of all pictures.
pub(super) const MAPS_MAX: usize = 4;
/// Objects that one sentence names.
const OBJECTS_NAMED_MAX: usize = 8;

/// What one analysis found in the pictures of a document.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pictures: u32,
    /// What weighs or points at a place: told one by one.
    told: Vec<(Evidence, Option<Map>)>,
    /// The rest: told once for all pictures that it is said of.
    quiet: Vec<(Evidence, Vec<PicturePlace>)>,
    facts: Facts,
}

/// Facts, each once, with the pictures that it is true of.
#[derive(Debug, Default)]
pub(super) struct Facts {
    facts: Vec<(Fact, Vec<PicturePlace>)>,
}

impl Gathered {
    pub(super) fn take(&mut self, place: &PicturePlace, found: Vec<Found>) {
        self.pictures = self.pictures.saturating_add(1);
        for found in found {
            self.facts.take(place, found.facts);
            let evidence = found.evidence;
            let weighs = evidence.log10_lr() != LogRatios::default();
            if weighs || !evidence.regions.is_empty() {
                self.told.push((at(place, evidence), found.map));
            } else {
                self.take_quiet(place, evidence);
            }
        }
    }

    fn take_quiet(&mut self, place: &PicturePlace, evidence: Evidence) {
        let is_same = |(known, _): &&mut (Evidence, Vec<PicturePlace>)| {
            known.id == evidence.id && known.explain == evidence.explain
        };
        match self.quiet.iter_mut().find(is_same) {
            Some((_, places)) => places.push(*place),
            None => self.quiet.push((evidence, vec![*place])),
        }
    }

    /// What is worth telling: at least one finding, if there was one.
    pub(super) fn finish(self) -> Vec<Found> {
        let Self {
            pictures,
            told,
            quiet,
            facts,
        } = self;
        let applies = |(evidence, _): &(Evidence, _)| evidence.applicable;
        let any_applies = !told.is_empty() || quiet.iter().any(applies);
        let mut maps_left = MAPS_MAX;
        let told = told.into_iter().map(|(evidence, map)| {
            let map = map.filter(|_| maps_left > 0);
            maps_left -= usize::from(map.is_some());
            Found {
                map,
                ..of_many(evidence, pictures).into()
            }
        });
        let mut found: Vec<Found> = told.collect();
        // Where a test does not apply to some of the pictures, those that it applies to answer.
        let quiet = quiet.into_iter().filter(|(evidence, _)| {
            evidence.applicable || evidence.finding == UNREAD || !any_applies
        });
        found.extend(quiet.map(|(evidence, places)| Found::from(of_all(evidence, &places))));
        if let Some(first) = found.first_mut() {
            first.facts = facts.finish();
        }
        found
    }
}

impl Facts {
    pub(super) fn take(&mut self, place: &PicturePlace, facts: Vec<Fact>) {
        for fact in facts {
            match self.facts.iter_mut().find(|(known, _)| *known == fact) {
                Some((_, places)) if places.contains(place) => {}
                Some((_, places)) => places.push(*place),
                None => self.facts.push((fact, vec![*place])),
            }
        }
    }

    pub(super) fn finish(self) -> Vec<Fact> {
        let facts = self.facts.into_iter();
        let told = facts.map(|(fact, places)| {
            Fact::new(&fact.fact, format!("{}: {}", named(&places), fact.detail))
        });
        told.collect()
    }
}

/// The evidence of one picture, under a name of its own.
pub(super) fn at(place: &PicturePlace, mut evidence: Evidence) -> Evidence {
    evidence.id = format!("{}@{}", evidence.id, place.offset);
    evidence.explain = clip(&format!("In {place}: {}", evidence.explain));
    evidence.picture = Some(*place);
    evidence
}

/// One finding among those of `pictures`: that chance finds something in one of them is so many times likelier (the
/// inequality of Boole and Bonferroni), so the ratio may be so many times less.
fn of_many(mut evidence: Evidence, pictures: u32) -> Evidence {
    let cap = evidence.weight.cap() - f64::from(pictures.max(1)).log10();
    evidence.weight = Weight::new(evidence.weight.log10_lr(), cap);
    if pictures > 1 {
        let caveat = format!(
            "{pictures} pictures of the document were looked at, and any of them could have raised a false alarm; the \
             finding weighs that much less."
        );
        evidence = evidence.caveat(&caveat);
    }
    evidence
}

/// What is said of several pictures alike. Figures differ, so there are none.
fn of_all(mut evidence: Evidence, places: &[PicturePlace]) -> Evidence {
    evidence.explain = clip(&format!(
        "{}: {}",
        capitalised(&named(places)),
        evidence.explain
    ));
    evidence.metrics.clear();
    evidence.metric("pictures", places.len() as f64)
}

/// "in the picture of object 4", "in 3 pictures (objects 4, 9, 12)".
fn named(places: &[PicturePlace]) -> String {
    if let [only] = places {
        return format!("in {only}");
    }
    let mut names = String::new();
    for place in places.iter().take(OBJECTS_NAMED_MAX) {
        let comma = if names.is_empty() { "" } else { ", " };
        let _infallible = write!(names, "{comma}{}", place.object);
    }
    if places.len() > OBJECTS_NAMED_MAX {
        let more = places.len() - OBJECTS_NAMED_MAX;
        let _infallible = write!(names, " and {more} more");
    }
    format!("in {} pictures (objects {names})", places.len())
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}
