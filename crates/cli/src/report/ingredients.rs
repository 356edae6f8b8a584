//! What the media was made from, as lists inside lists.

use super::html::Html;
use super::list::ENTRIES_MAX;
use super::provenance::write_signals;
use super::result::Ingredient;
use super::words;

/// Most lists inside each other; what lies deeper is shown in the last.
const DEPTH_SHOWN_MAX: u32 = 16;

/// Writes the list, if there is one.
pub(super) fn write(html: &mut Html, ingredients: &[Ingredient]) {
    if ingredients.is_empty() {
        return;
    }
    html.line("h3", &[], "What it was made from");
    let (shown, left) = ingredients.split_at(ingredients.len().min(ENTRIES_MAX));
    write_level(html, shown, 1);
    if !left.is_empty() {
        let more = words::count(left.len(), "more is", "more are");
        html.line(
            "p",
            &[],
            &format!("{more} in the result, and not shown here."),
        );
    }
}

/// The entries of one level; what lies deeper than the entry before it belongs to that.
fn write_level(html: &mut Html, ingredients: &[Ingredient], level: u32) {
    html.element("ul", &[], |html| {
        let mut rest = ingredients;
        while let Some((one, after)) = rest.split_first() {
            let is_below = |next: &&Ingredient| next.depth > one.depth && level < DEPTH_SHOWN_MAX;
            let count = after.iter().take_while(is_below).count();
            let (below, next) = after.split_at(count);
            html.element("li", &[], |html| {
                write_one(html, one);
                if !below.is_empty() {
                    write_level(html, below, level + 1);
                }
            });
            rest = next;
        }
    });
}

fn write_one(html: &mut Html, ingredient: &Ingredient) {
    html.quote(ingredient.title.as_deref().unwrap_or("without a title"));
    if let Some(format) = &ingredient.format {
        html.text(" (");
        html.quote(format);
        html.text(")");
    }
    html.text(", ");
    html.text(&words::relationship(&ingredient.relationship));
    html.text(". ");
    match (&ingredient.signer, ingredient.has_credential) {
        (Some(signer), _) => {
            html.text("Its own statement is signed in the name of ");
            html.quote(signer);
            html.text(". ");
        }
        (None, true) => html.text("It has a signed statement of its own. "),
        (None, false) => html.text("It has no signed statement of its own. "),
    }
    if ingredient.broken {
        html.line("b", &[], "A check of its statement failed");
        if !ingredient.failures.is_empty() {
            html.text(": ");
            let failures = ingredient
                .failures
                .get(..ENTRIES_MAX)
                .unwrap_or(&ingredient.failures);
            html.quote(&failures.join(", "));
        }
        html.text(".");
    }
    write_signals(html, &ingredient.signals);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(depths: &[u32]) -> String {
        let one = |depth: &u32| Ingredient {
            depth: *depth,
            title: Some(format!("t{depth}")),
            ..Ingredient::default()
        };
        let ingredients: Vec<Ingredient> = depths.iter().map(one).collect();
        let mut html = Html::default();
        write(&mut html, &ingredients);
        html.finish()
    }

    fn nesting(html: &str) -> usize {
        let (mut depth, mut most) = (0_usize, 0);
        for part in html.split("<ul>").skip(1) {
            depth += 1;
            most = most.max(depth);
            depth -= part.matches("</ul>").count();
        }
        most
    }

    #[test]
    fn what_lies_deeper_stands_inside_what_it_was_made_for() {
        assert_eq!(nesting(&written(&[1, 1])), 1);
        assert_eq!(nesting(&written(&[1, 2, 3, 1, 2])), 3);
        assert!(written(&[]).is_empty());
    }

    #[test]
    fn depth_and_number_are_bounded_whatever_the_result_says() {
        let depths: Vec<u32> = (1..=100).collect();
        assert_eq!(nesting(&written(&depths)), 16);
        assert_eq!(nesting(&written(&[u32::MAX, 0, u32::MAX, u32::MAX])), 2);
        let many = written(&[1; ENTRIES_MAX + 1]);
        assert_eq!(many.matches("<li>").count(), ENTRIES_MAX);
        assert!(many.contains("1 more is in the result"));
    }
}
