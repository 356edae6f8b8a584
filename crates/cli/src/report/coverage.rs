//! What was not tested: as large on the page as what was found.

use super::html::Html;
use super::list::bullets;
use super::result::{Coverage, Evidence, ResultView};
use super::words;

/// How questions stand, in the order of the page, with a heading.
const GROUPS: [(&str, &str); 4] = [
    ("not_tested", "Not tested"),
    ("aborted", "Begun, and not brought to an end"),
    ("not_applicable", "Does not apply to such a file"),
    ("tested", "Tested"),
];

/// How many questions are open, as a sentence with a blank at its end.
pub(super) fn gap(result: &ResultView) -> String {
    let open = open(&result.coverage);
    if result.coverage.is_empty() {
        return "The result does not say what was tested. ".to_owned();
    }
    match open {
        0 => "No question was left out. ".to_owned(),
        _ => {
            let questions = words::count(open, "question was", "questions were");
            format!("{questions} not tested or not answered, and could change what is known. ")
        }
    }
}

/// Writes the section.
pub(super) fn write(html: &mut Html, result: &ResultView) {
    let attributes = [("class", "card"), ("aria-labelledby", "untested")];
    html.element("section", &attributes, |html| {
        html.line("h2", &[("id", "untested")], "What was not tested");
        let coverage = &result.coverage;
        if coverage.is_empty() {
            html.line("p", &[], "The result does not say. Take nothing as tested.");
        } else {
            html.line("p", &[("class", "lead")], &summary(coverage));
        }
        for (status, heading) in GROUPS {
            let group: Vec<&Coverage> = coverage
                .iter()
                .filter(|item| standing(item) == status)
                .collect();
            write_group(html, heading, &group);
        }
        write_silent(html, &result.evidence);
    });
}

fn summary(coverage: &[Coverage]) -> String {
    match open(coverage) {
        0 => {
            "Every question that this version knows was tested, or makes no sense for such a file."
                .to_owned()
        }
        open => format!(
            "Of {}, {open} got no answer. Nothing on this page speaks to them, one way or the other.",
            words::count(coverage.len(), "question", "questions"),
        ),
    }
}

fn open(coverage: &[Coverage]) -> usize {
    let is_open = |item: &&Coverage| matches!(standing(item), "not_tested" | "aborted");
    coverage.iter().filter(is_open).count()
}

/// A standing of a later version is not known to be an answer.
fn standing(item: &Coverage) -> &str {
    let known = GROUPS.iter().find(|(status, _)| *status == item.status);
    known.map_or("not_tested", |(status, _)| *status)
}

fn write_group(html: &mut Html, heading: &str, group: &[&Coverage]) {
    if group.is_empty() {
        return;
    }
    html.line("h3", &[], heading);
    bullets(html, &[], group.iter(), |html, item| {
        html.line("b", &[], &words::question(&item.question));
        if !item.why.is_empty() {
            html.text(": ");
            html.text(&item.why);
        }
    });
}

/// Analyses that had nothing to say, and why.
fn write_silent(html: &mut Html, evidence: &[Evidence]) {
    let silent: Vec<&Evidence> = evidence.iter().filter(|item| !item.applicable).collect();
    if silent.is_empty() {
        return;
    }
    html.line("h3", &[], "Tests that have nothing to say about this file");
    bullets(html, &[], silent.iter(), |html, item| {
        html.text(&item.explain);
        html.text(" ");
        html.element("small", &[], |html| html.quote(&item.id));
    });
}
