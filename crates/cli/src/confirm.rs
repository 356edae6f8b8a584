//! Asks before something is gone for good.

use std::io::{self, IsTerminal as _};

use anyhow::bail;

use crate::terminal::Terminal;

/// The option of every command that cannot be taken back.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct ConfirmArgs {
    /// Do it without asking
    #[arg(long, short = 'y')]
    yes: bool,
}

/// What to do about a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// It was answered before.
    Go,
    /// Somebody is there to answer it.
    Ask,
    /// Nobody is.
    Refuse,
}

impl Way {
    fn of(yes: bool, somebody: bool) -> Self {
        match (yes, somebody) {
            (true, _) => Self::Go,
            (false, true) => Self::Ask,
            (false, false) => Self::Refuse,
        }
    }
}

impl ConfirmArgs {
    /// Sees that the question can be answered at all, before a server is asked anything.
    ///
    /// # Errors
    /// When nobody is there to say yes, and it was not said.
    pub(crate) fn ready(self) -> anyhow::Result<()> {
        if self.way() == Way::Refuse {
            bail!(
                "this cannot be taken back, and nobody is there to confirm it: add --yes, or see with --dry-run what it \
                 would do"
            );
        }
        Ok(())
    }

    /// Whether it is to be done.
    ///
    /// # Errors
    /// When nobody can be asked, or the answer cannot be read.
    pub(crate) fn allows(self, question: &str, terminal: Terminal) -> anyhow::Result<bool> {
        self.ready()?;
        let is_wanted = self.way() == Way::Go || is_yes(&terminal.ask(question)?);
        if !is_wanted {
            terminal.note("nothing was done");
        }
        Ok(is_wanted)
    }

    fn way(self) -> Way {
        // Both: the question goes to standard error, so that results can go into a file.
        let somebody = io::stdin().is_terminal() && io::stderr().is_terminal();
        Way::of(self.yes, somebody)
    }
}

/// Anything but a clear yes is a no.
fn is_yes(answer: &str) -> bool {
    let answer = answer.trim();
    ["y", "yes"]
        .iter()
        .any(|yes| answer.eq_ignore_ascii_case(yes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_there_is_no_yes() {
        assert_eq!(Way::of(true, false), Way::Go);
        assert_eq!(Way::of(true, true), Way::Go);
        assert_eq!(Way::of(false, true), Way::Ask);
        assert_eq!(Way::of(false, false), Way::Refuse);
    }

    #[test]
    fn only_a_clear_yes_is_one() {
        for yes in ["y", "Y\n", " yes \n", "YES"] {
            assert!(is_yes(yes), "{yes}");
        }
        for no in ["", "\n", "n", "no", "yess", "yeah", "ja"] {
            assert!(!is_yes(no), "{no}");
        }
    }
}
