//! Text written by strangers, made fit to be shown.

/// Longest text taken over from a file, in characters.
pub const TEXT_CHARS_MAX: usize = 300;

/// At most [`TEXT_CHARS_MAX`] characters, control and invisible direction characters as spaces.
#[must_use]
pub fn clip(text: &str) -> String {
    text.chars()
        .take(TEXT_CHARS_MAX)
        .map(|c| if is_hidden(c) { ' ' } else { c })
        .collect()
}

/// Characters that could steer a terminal or reverse what a reader sees.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_after_the_bound_and_not_before() {
        let full = "é".repeat(TEXT_CHARS_MAX);
        assert_eq!(clip(&full), full);
        assert_eq!(clip(&format!("{full}x")), full);
    }

    #[test]
    fn nothing_steers_a_terminal() {
        assert_eq!(clip("a\u{1b}[2Jb\u{202e}c\n"), "a [2Jb c ");
    }
}
