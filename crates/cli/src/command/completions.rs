//! `assay completions`: a script for a shell, with which Tab completes commands and options.

use clap::{CommandFactory as _, ValueEnum};
use clap_complete::Shell;

use crate::args::Cli;
use crate::exit;
use crate::terminal::Terminal;

/// What the help says about what to do with the script.
pub(crate) const HELP: &str = "\
Have it read by the shell when that starts, for example with this line in ~/.bashrc or ~/.zshrc:
  source <(assay completions bash)
For fish, write it into ~/.config/fish/completions/assay.fish.

Exit codes:
  0  all went well
  1  wrong usage";

/// What the program is called on a command line.
const PROGRAM: &str = "assay";

/// Options of `assay completions`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// For which shell
    #[arg(value_enum)]
    shell: Wanted,
}

/// A shell that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Wanted {
    /// GNU bash
    Bash,
    /// Z shell
    Zsh,
    /// fish
    Fish,
}

/// Prints the script.
pub(crate) fn run(args: Args, terminal: Terminal) -> anyhow::Result<u8> {
    terminal.say(script(args.shell).trim_end())?;
    Ok(exit::OK)
}

fn script(wanted: Wanted) -> String {
    let shell = match wanted {
        Wanted::Bash => Shell::Bash,
        Wanted::Zsh => Shell::Zsh,
        Wanted::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), PROGRAM, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_in_every_script() {
        for shell in Wanted::value_variants() {
            let script = script(*shell);
            for command in Cli::command().get_subcommands() {
                let name = command.get_name();
                assert!(script.contains(name), "{shell:?}: {name}");
            }
        }
    }
}
