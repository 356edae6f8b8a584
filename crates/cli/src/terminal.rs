//! Where the program speaks: results to standard output, everything else to standard error.
//!
//! Texts from outside (file names, metadata of media, messages of a server) may hold control characters
//! that would move a terminal's cursor or forge lines; [`plain`] takes them out.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, IsTerminal, Read as _, Write as _};

/// The longest answer of a person that is read, in bytes.
const ANSWER_BYTES_MAX: u64 = 64;

/// What standard output and standard error can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terminal {
    /// Whether results may be coloured.
    pub(crate) colours: bool,
    /// Whether moving bars can be drawn on standard error.
    pub(crate) bars: bool,
}

/// How a word is set off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Well.
    Good,
    /// To be looked at.
    Warning,
    /// Not well.
    Bad,
    /// A heading.
    Strong,
    /// Of less weight.
    Faint,
}

impl Terminal {
    /// What this process was started on. A `NO_COLOR` that is not empty turns colours off; a terminal that says of
    /// itself that it is dumb has neither colours nor bars.
    pub(crate) fn of_process(variables: &BTreeMap<String, String>) -> Self {
        Self::of(
            variables,
            io::stdout().is_terminal(),
            io::stderr().is_terminal(),
        )
    }

    fn of(variables: &BTreeMap<String, String>, out: bool, err: bool) -> Self {
        let said = |name| variables.get(name).map_or("", String::as_str);
        let is_able = said("TERM") != "dumb";
        Self {
            colours: out && is_able && said("NO_COLOR").is_empty(),
            bars: err && is_able,
        }
    }

    /// Writes lines of a result.
    ///
    /// # Errors
    /// When standard output is closed or full.
    pub(crate) fn say(self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "{text}")?;
        out.flush()
    }

    /// Writes lines about the work. Nobody may be listening; the work goes on.
    pub(crate) fn note(self, text: &str) {
        drop(writeln!(io::stderr().lock(), "{text}"));
    }

    /// Asks a person yes or no, and answers what they typed.
    ///
    /// # Errors
    /// When standard input cannot be read.
    pub(crate) fn ask(self, question: &str) -> io::Result<String> {
        let mut err = io::stderr().lock();
        write!(err, "{question} [y/N] ")?;
        err.flush()?;
        let mut answer = String::new();
        let stdin = io::stdin().lock();
        stdin.take(ANSWER_BYTES_MAX).read_line(&mut answer)?;
        Ok(answer)
    }

    /// The text, set off if the terminal can.
    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        if !self.colours {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Good => "32",
            Tone::Warning => "33",
            Tone::Bad => "1;31",
            Tone::Strong => "1",
            Tone::Faint => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// A text from outside with its control characters spelt out, so that it stays on its line.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unsafe(character) {
            plain.extend(character.escape_unicode());
        } else {
            plain.push(character);
        }
    }
    plain
}

/// Control characters, those that end a line, and those that change the direction of what follows.
fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_a_cursor_is_spelt_out() {
        assert_eq!(plain("a\u{1b}[2Jb\nc"), "a\\u{1b}[2Jb\\u{a}c");
        assert_eq!(plain("gpj.\u{202e}exe"), "gpj.\\u{202e}exe");
        assert_eq!(plain("a\u{2028}b\u{61c}c"), "a\\u{2028}b\\u{61c}c");
        assert_eq!(plain("Grüße 写真.jpg"), "Grüße 写真.jpg");
    }

    #[test]
    fn what_is_set_off_is_so_only_in_colours() {
        let coloured = |colours| Terminal {
            colours,
            bars: false,
        };
        assert_eq!(coloured(false).paint(Tone::Bad, "x"), "x");
        assert_eq!(
            coloured(true).paint(Tone::Good, "x"),
            "\u{1b}[32mx\u{1b}[0m"
        );
    }

    #[test]
    fn colours_and_bars_are_for_terminals_that_can_and_may() {
        let of = |variables: &[(&str, &str)], out, err| {
            let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
            let variables = variables.iter().map(owned).collect();
            let terminal = Terminal::of(&variables, out, err);
            (terminal.colours, terminal.bars)
        };
        assert_eq!(of(&[("TERM", "xterm")], true, true), (true, true));
        assert_eq!(of(&[("NO_COLOR", "")], true, true), (true, true));
        assert_eq!(of(&[("NO_COLOR", "1")], true, true), (false, true));
        assert_eq!(of(&[("TERM", "dumb")], true, true), (false, false));
        assert_eq!(of(&[], false, true), (false, true));
        assert_eq!(of(&[], true, false), (true, false));
    }
}
