//! The page about one file for people who know nothing of file formats: one HTML document that is complete in itself.
//!
//! Contract: pure, from a result to markup. Nothing in the page runs, connects, or comes from elsewhere; it says so to
//! the browser itself (`style`). The verdict is first, in words and with a sign besides the colour; what was *not*
//! tested stands beside what was found; there is no percentage of "fake". What strangers wrote is cut, escaped and
//! set off (`html`). Missing parts of a result make sentences, not gaps.
//!
//! Not here: reading the file, fetching maps, writing the page (`command::verify::report`).

mod coverage;
mod details;
mod findings;
mod history;
mod html;
mod ingredients;
mod list;
mod maps;
mod picture;
mod provenance;
mod ratio;
mod result;
mod style;
mod turn;
mod verdict;
mod viewer;
mod words;

use assay_forensics::fusion::grouped;
use prost_types::Timestamp;

use html::Html;
use list::pairs;

pub(crate) use maps::{MAP_BYTES_MAX, Maps};
pub(crate) use picture::{PICTURE_BYTES_MAX, Picture, Withheld};
pub(crate) use result::ResultView;

/// All that goes into a page.
#[derive(Debug)]
pub(crate) struct Page<'a> {
    /// Name of the file, without folders.
    pub(crate) name: &'a str,
    /// What is known about it.
    pub(crate) result: &'a ResultView,
    /// What it shows.
    pub(crate) picture: &'a Picture,
    /// Where analyses saw what.
    pub(crate) maps: &'a Maps,
    /// When the page is written, in seconds since the Unix epoch.
    pub(crate) written_s: i64,
}

const FOOT: &str = "This page is complete in itself: it holds no scripts and asks nothing of the network. Texts that \
                    stood in the file are shown cut, with characters that could mislead spelt out.";

/// The page.
#[must_use]
pub(crate) fn page(page: &Page<'_>) -> String {
    let mut html = Html::default();
    html.literal("<!DOCTYPE html>");
    html.element("html", &[("lang", "en")], |html| {
        html.element("head", &[], |html| write_head(html, page));
        html.element("body", &[], |html| {
            html.element("header", &[], |html| write_header(html, page));
            html.element("main", &[], |html| {
                verdict::write(html, page.result);
                viewer::write(html, page);
                findings::write(html, page.result);
                coverage::write(html, page.result);
                provenance::write(html, page.result);
                history::write(html, page.result);
                history::write_limits(html, page.result);
                details::write(html, page.result);
            });
            html.element("footer", &[], |html| write_footer(html, page));
        });
    });
    html.finish()
}

fn write_head(html: &mut Html, page: &Page<'_>) {
    html.void("meta", &[("charset", "utf-8")]);
    let policy = style::policy();
    let attributes = [
        ("http-equiv", "Content-Security-Policy"),
        ("content", policy.as_str()),
    ];
    html.void("meta", &attributes);
    for (name, content) in [
        ("viewport", "width=device-width, initial-scale=1"),
        ("color-scheme", "light dark"),
        ("referrer", "no-referrer"),
        ("robots", "noindex"),
    ] {
        html.void("meta", &[("name", name), ("content", content)]);
    }
    let word = verdict::word(&page.result.verdict);
    html.line("title", &[], &format!("{word}: {} – Assay", page.name));
    html.element("style", &[], |html| html.literal(style::STYLE));
}

fn write_header(html: &mut Html, page: &Page<'_>) {
    html.line(
        "p",
        &[("class", "brand")],
        "Assay: what can be shown about one file, and what cannot",
    );
    html.element("h1", &[], |html| html.quote(page.name));
    let content = &page.result.content;
    let size = page.result.size();
    let pixels = size.map_or_else(String::new, |(width, height)| {
        format!("{width} × {height} pixels")
    });
    let bytes = format!("{} bytes", grouped(&content.bytes.to_string()));
    pairs(
        html,
        &[
            ("Kind, by its bytes", content.mime.clone()),
            ("Size", bytes),
            ("Width and height", pixels),
            ("SHA-256 of the file", content.sha256.clone()),
        ],
    );
}

fn write_footer(html: &mut Html, page: &Page<'_>) {
    let written = Timestamp {
        seconds: page.written_s,
        nanos: 0,
    };
    let version = env!("CARGO_PKG_VERSION");
    html.line(
        "p",
        &[],
        &format!("Written at {written} by Assay {version}."),
    );
    html.line("p", &[], FOOT);
}

#[cfg(test)]
mod tests;
