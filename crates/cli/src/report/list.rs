//! Lists that end: a result may hold more than a page has room for.

use super::html::{Attributes, Html};
use super::words;

/// Most entries of one list.
pub(super) const ENTRIES_MAX: usize = 200;

/// A list of `entries`, if there are any; beyond [`ENTRIES_MAX`] their number.
pub(super) fn bullets<T>(
    html: &mut Html,
    attributes: Attributes<'_>,
    entries: impl ExactSizeIterator<Item = T>,
    mut entry: impl FnMut(&mut Html, T),
) {
    if entries.len() == 0 {
        return;
    }
    let left = entries.len().saturating_sub(ENTRIES_MAX);
    html.element("ul", attributes, |html| {
        for one in entries.take(ENTRIES_MAX) {
            html.element("li", &[], |html| entry(html, one));
        }
        if left > 0 {
            let more = words::count(left, "more is", "more are");
            html.line(
                "li",
                &[],
                &format!("{more} in the result, and not shown here."),
            );
        }
    });
}

/// Names and what they stand for. Rows without a text are left out.
pub(super) fn pairs(html: &mut Html, rows: &[(&str, String)]) {
    if rows.iter().all(|(_, text)| text.is_empty()) {
        return;
    }
    html.element("dl", &[], |html| {
        for (name, text) in rows.iter().filter(|(_, text)| !text.is_empty()) {
            html.line("dt", &[], name);
            html.element("dd", &[], |html| html.quote(text));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(count: usize) -> String {
        let mut html = Html::default();
        bullets(
            &mut html,
            &[],
            vec!["x"; count].into_iter(),
            |html, text| {
                html.text(text);
            },
        );
        html.finish()
    }

    #[test]
    fn a_list_ends_after_the_bound_and_not_before() {
        let full = entries(ENTRIES_MAX);
        assert_eq!(full.matches("<li>x</li>").count(), ENTRIES_MAX);
        assert!(!full.contains("not shown"));
        let longer = entries(ENTRIES_MAX + 1);
        assert_eq!(longer.matches("<li>x</li>").count(), ENTRIES_MAX);
        assert!(longer.contains("1 more is in the result, and not shown here."));
    }
}
