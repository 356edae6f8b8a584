//! What was found: what speaks for, what speaks against, and what weighs nothing, each with what else may explain it.

use assay_forensics::fusion::grouped;

use super::html::Html;
use super::list::{ENTRIES_MAX, bullets};
use super::ratio::{self, Question, Side};
use super::result::{Evidence, PicturePlace, Region, ResultView, Score};

/// Most places of one finding that are said in words.
const REGIONS_SAID_MAX: usize = 8;

const SCALE: &str = "The words for strength are those of the European Network of Forensic Science Institutes (ENFSI, \
                     2015). They say how well the findings fit an assumption. How probable the assumption is depends \
                     also on what else is known of the file, which no test of its bytes can tell.";

/// Writes the section.
pub(super) fn write(html: &mut Html, result: &ResultView) {
    let attributes = [("class", "card"), ("aria-labelledby", "findings")];
    html.element("section", &attributes, |html| {
        html.line("h2", &[("id", "findings")], "What was found");
        for question in Question::ALL {
            write_score(html, question, question.score(&result.verdict));
        }
        html.line("p", &[], SCALE);
        let heads = [
            (Side::For, "Speaks for a generator or a change"),
            (Side::Against, "Speaks against it"),
            (Side::Neither, "Was found, and weighs neither way"),
        ];
        for (side, head) in heads {
            write_side(html, result, side, head);
        }
        if result.findings().next().is_none() {
            html.line("p", &[], "No test has a finding on this file.");
        }
        html.line(
            "p",
            &[("class", "faint")],
            "Findings that look at the same traces count once, by the strongest of them.",
        );
    });
}

fn write_score(html: &mut Html, question: Question, score: &Score) {
    html.line("h3", &[], question.asked());
    html.element("p", &[], |html| {
        html.text(&ratio::sentence(
            "The findings are",
            question,
            score.log10_lr,
        ));
        if !score.verbal.is_empty() {
            html.text(" In words: ");
            html.line("b", &[], &score.verbal);
            html.text(".");
        }
    });
}

fn write_side(html: &mut Html, result: &ResultView, side: Side, head: &str) {
    let on_side: Vec<(usize, &Evidence)> = result
        .findings()
        .filter(|(_, evidence)| stands_on(evidence, side))
        .collect();
    if on_side.is_empty() {
        return;
    }
    html.line("h3", &[], head);
    bullets(
        html,
        &[("class", "findings")],
        on_side.iter(),
        |html, (number, evidence)| {
            write_finding(html, *number, evidence, side);
        },
    );
}

/// A finding may speak for one thing and against another, and then stands on both sides.
fn stands_on(evidence: &Evidence, side: Side) -> bool {
    let mut sides = Question::ALL
        .map(|question| ratio::side(question.weight(evidence)))
        .into_iter();
    match side {
        Side::For | Side::Against => sides.any(|one| one == side),
        Side::Neither => sides.all(|one| one == Side::Neither),
    }
}

fn write_finding(html: &mut Html, number: usize, evidence: &Evidence, side: Side) {
    html.element("p", &[], |html| {
        html.line("b", &[], &format!("Finding {number}. "));
        html.text(&evidence.explain);
    });
    let weights = Question::ALL.map(|question| (question, question.weight(evidence)));
    for (question, weight) in weights {
        if side != Side::Neither && ratio::side(weight) == side {
            html.line(
                "p",
                &[],
                &ratio::sentence("Taken alone, this is", question, weight),
            );
        }
    }
    if !evidence.caveats.is_empty() {
        html.line(
            "p",
            &[],
            "What else may explain it, and what to bear in mind:",
        );
        bullets(html, &[], evidence.caveats.iter(), |html, caveat| {
            html.text(caveat)
        });
    }
    if let Some(places) = places(&evidence.regions) {
        html.line("p", &[("class", "faint")], &places);
    }
    if let Some(picture) = &evidence.picture {
        html.line("p", &[("class", "faint")], &inside(picture));
    }
    html.element("p", &[("class", "faint")], |html| {
        html.text("Test: ");
        html.quote(&evidence.id);
        html.text(&tried(evidence));
    });
}

/// How well the test was tried.
fn tried(evidence: &Evidence) -> String {
    let version = match evidence.version.as_str() {
        "" => String::new(),
        version => format!(", version {version}"),
    };
    let tried = match &evidence.calibration {
        Some(tried) => format!(
            ", tried on {} clean files with {} false alarms",
            tried.n_clean, tried.fp
        ),
        None => String::new(),
    };
    format!("{version}{tried}.")
}

/// Where, in words: not everybody sees the marks over the picture.
fn places(regions: &[Region]) -> Option<String> {
    if regions.is_empty() {
        return None;
    }
    let said: Vec<String> = regions
        .iter()
        .take(REGIONS_SAID_MAX)
        .map(|Region { x, y, w, h }| format!("{w} × {h} from {x}, {y}"))
        .collect();
    let more = match regions.len().saturating_sub(REGIONS_SAID_MAX) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    Some(format!(
        "Where, in pixels from the upper left: {}{more}.",
        said.join("; ")
    ))
}

/// Which picture of a document a finding is about.
fn inside(picture: &PicturePlace) -> String {
    format!(
        "This is about one picture inside the document, and places are those of that picture: object {}, whose file \
         begins at byte {}. The document may show it on any page, or on none.",
        picture.object,
        grouped(&picture.offset.to_string())
    )
}

/// The findings that a page has room for.
pub(super) fn shown(result: &ResultView) -> impl Iterator<Item = (usize, &Evidence)> {
    result.findings().take(ENTRIES_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_said_up_to_the_bound() {
        let region = Region {
            x: 1,
            y: 2,
            w: 3,
            h: 4,
        };
        assert_eq!(places(&[]), None);
        assert_eq!(
            places(&[region]).unwrap(),
            "Where, in pixels from the upper left: 3 × 4 from 1, 2."
        );
        let said = |count| places(&vec![region; count]).unwrap();
        assert!(!said(REGIONS_SAID_MAX).contains("more"));
        assert!(said(REGIONS_SAID_MAX + 1).ends_with("; and 1 more."));
    }
}
