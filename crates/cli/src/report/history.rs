//! What the file tells of its life, and what kept a test from looking at all of it.

use assay_forensics::fusion::grouped;

use super::html::Html;
use super::list::bullets;
use super::result::{ResultView, Stage};
use super::words;

/// Writes the section on the file's history.
pub(super) fn write(html: &mut Html, result: &ResultView) {
    let attributes = [("class", "card"), ("aria-labelledby", "history")];
    html.element("section", &attributes, |html| {
        html.line(
            "h2",
            &[("id", "history")],
            "What the file tells of its history",
        );
        if result.history.is_empty() {
            html.line("p", &[], "Nothing that a test recognised.");
            return;
        }
        html.line(
            "p",
            &[],
            "Facts, not suspicions: honest files have them too, and none of them was weighed.",
        );
        bullets(html, &[], result.history.iter(), |html, fact| {
            html.line("b", &[], &words::fact(&fact.fact));
            if !fact.detail.is_empty() {
                html.text(": ");
                html.quote(&fact.detail);
            }
        });
    });
}

/// Writes the section on bounds and on tests that were stopped.
pub(super) fn write_limits(html: &mut Html, result: &ResultView) {
    let stopped: Vec<&Stage> = result
        .stages
        .iter()
        .filter(|stage| stage.status == "aborted")
        .collect();
    let attributes = [("class", "card"), ("aria-labelledby", "limits")];
    html.element("section", &attributes, |html| {
        html.line("h2", &[("id", "limits")], "Limits that were reached");
        if result.limits.hit.is_empty() && stopped.is_empty() {
            html.line(
                "p",
                &[],
                "None: every test that was begun saw all of the file that it looks at.",
            );
            return;
        }
        html.line(
            "p",
            &[],
            "Because of these, something in the file was not looked at.",
        );
        bullets(html, &[], stopped.iter(), |html, stage| {
            let name = words::spaced(&stage.stage);
            html.line(
                "b",
                &[],
                &format!("The step \u{201c}{name}\u{201d} was stopped"),
            );
            if let Some(reason) = &stage.reason {
                html.text(": ");
                html.text(&words::stopped(reason));
            }
        });
        bullets(html, &[], result.limits.hit.iter(), |html, hit| {
            let name = hit.limit.strip_suffix("_max").unwrap_or(&hit.limit);
            let max = grouped(&hit.max.to_string());
            html.line(
                "b",
                &[],
                &format!("{} (at most {max})", words::spaced(name)),
            );
            if !hit.detail.is_empty() {
                html.text(": ");
                html.quote(&hit.detail);
            }
        });
    });
}
