//! Markup that what it holds cannot break.
//!
//! Names of elements and attributes are literals of ours, whoever opens an element closes it, and every text is cut
//! and escaped on its way in: nothing from outside becomes markup, hides a character, or turns the line around it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::terminal::plain;

/// Longest text in one place, in characters; of a longer one the beginning is shown, and an ellipsis.
pub(super) const TEXT_CHARS_MAX: usize = 1_000;

/// Attributes of an element with their values, which are escaped.
pub(super) type Attributes<'a> = &'a [(&'static str, &'a str)];

/// A page, or a part of one, as it is written.
#[derive(Debug, Default)]
pub(super) struct Html {
    out: String,
}

impl Html {
    /// An element around what `fill` writes.
    pub(super) fn element(
        &mut self,
        name: &'static str,
        attributes: Attributes<'_>,
        fill: impl FnOnce(&mut Self),
    ) {
        self.begin(name, attributes);
        self.out.push('>');
        fill(self);
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    /// An element around a text of ours.
    pub(super) fn line(&mut self, name: &'static str, attributes: Attributes<'_>, text: &str) {
        self.element(name, attributes, |html| html.text(text));
    }

    /// An element that holds nothing.
    pub(super) fn void(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.begin(name, attributes);
        self.out.push_str("/>");
    }

    /// A text of ours, or one that was made by our analyses.
    pub(super) fn text(&mut self, text: &str) {
        escape(text, &mut self.out);
    }

    /// A text that a stranger wrote: set off, and with a direction of its own.
    pub(super) fn quote(&mut self, text: &str) {
        self.line("bdi", &[("class", "quote")], text);
    }

    /// A picture whose bytes stand in the page, as the value of the attribute `source`.
    pub(super) fn picture(
        &mut self,
        name: &'static str,
        attributes: Attributes<'_>,
        source: &'static str,
        picture: (&'static str, &[u8]),
    ) {
        let (mime, bytes) = picture;
        self.begin(name, attributes);
        for part in [" ", source, "=\"data:", mime, ";base64,"] {
            self.out.push_str(part);
        }
        STANDARD.encode_string(bytes, &mut self.out);
        self.out.push_str("\"/>");
    }

    /// Markup of ours, as it is.
    pub(super) fn literal(&mut self, markup: &'static str) {
        self.out.push_str(markup);
    }

    /// What was written.
    pub(super) fn finish(self) -> String {
        self.out
    }

    fn begin(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.out.push('<');
        self.out.push_str(name);
        for (attribute, value) in attributes {
            self.out.push(' ');
            self.out.push_str(attribute);
            self.out.push_str("=\"");
            escape(value, &mut self.out);
            self.out.push('"');
        }
    }
}

/// Cuts before it escapes, so that no escape is cut.
fn escape(text: &str, out: &mut String) {
    let end = text.char_indices().nth(TEXT_CHARS_MAX);
    let shown = end.and_then(|(end, _)| text.get(..end));
    for character in plain(shown.unwrap_or(text)).chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // They show nothing and would keep a word from being found.
            '\u{200b}' | '\u{2060}' | '\u{feff}' => out.extend(character.escape_unicode()),
            other => out.push(other),
        }
    }
    if end.is_some() {
        out.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> String {
        let mut html = Html::default();
        html.text(text);
        html.finish()
    }

    #[test]
    fn text_is_no_markup_and_hides_nothing() {
        assert_eq!(
            text("<script>&\"'</script>"),
            "&lt;script&gt;&amp;&quot;&#39;&lt;/script&gt;"
        );
        assert_eq!(
            text("gpj.\u{202e}exe\u{feff}\n\0"),
            "gpj.\\u{202e}exe\\u{feff}\\u{a}\\u{0}"
        );
        assert_eq!(text("Grüße 写真"), "Grüße 写真");
    }

    #[test]
    fn text_is_cut_after_the_bound_and_not_before() {
        let full = "é".repeat(TEXT_CHARS_MAX);
        assert_eq!(text(&full), full);
        assert_eq!(text(&format!("{full}x")), format!("{full}…"));
        let escapes = "<".repeat(100_000);
        assert_eq!(
            text(&escapes),
            format!("{}…", "&lt;".repeat(TEXT_CHARS_MAX))
        );
    }

    #[test]
    fn a_value_does_not_leave_its_attribute() {
        let mut html = Html::default();
        html.void("input", &[("value", "\" onclick=\"x"), ("id", "a")]);
        assert_eq!(
            html.finish(),
            "<input value=\"&quot; onclick=&quot;x\" id=\"a\"/>"
        );
    }

    #[test]
    fn a_picture_stands_in_the_page() {
        let mut html = Html::default();
        html.picture("img", &[("alt", "x")], "src", ("image/png", b"abc"));
        assert_eq!(
            html.finish(),
            "<img alt=\"x\" src=\"data:image/png;base64,YWJj\"/>"
        );
    }
}
