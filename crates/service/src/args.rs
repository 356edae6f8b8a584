//! The command line of a service binary. Three options do not need a parser library.

use std::ffi::OsString;
use std::path::PathBuf;

/// What `--help` prints.
pub(crate) const USAGE: &str = "\
options:
  --config FILE    read settings from this TOML file
  --check-config   say whether the configuration is usable, and exit
  --print-config   print every setting, its value and where it came from, and exit
  --help           print this, and exit
  --version        print the version, and exit
Settings also come from the environment: ASSAY__SECTION__KEY sets section.key.
";

/// A parsed command line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Args {
    pub(crate) config: Option<PathBuf>,
    pub(crate) action: Action,
}

/// What the process is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Run,
    CheckConfig,
    PrintConfig,
    Help,
    Version,
}

impl Args {
    /// Reads the arguments after the program's name.
    ///
    /// # Errors
    /// A sentence for the person who typed them.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let mut args = Self {
            config: None,
            action: Action::Run,
        };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let text = argument.to_string_lossy();
            match text.as_ref() {
                "--config" => {
                    let file = arguments.next().ok_or("--config needs a file after it")?;
                    args.config = Some(PathBuf::from(file));
                }
                "--check-config" => args.action = Action::CheckConfig,
                "--print-config" => args.action = Action::PrintConfig,
                "--help" | "-h" => args.action = Action::Help,
                "--version" | "-V" => args.action = Action::Version,
                other => match other.strip_prefix("--config=") {
                    Some(file) => args.config = Some(PathBuf::from(file)),
                    None => return Err(format!("there is no option `{other}`; see --help")),
                },
            }
        }
        Ok(args)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Args, String> {
        Args::parse(words.iter().map(OsString::from))
    }

    #[test]
    fn a_file_is_taken_in_both_spellings() {
        let wanted = Args {
            config: Some("a.toml".into()),
            action: Action::CheckConfig,
        };
        assert_eq!(
            parse(&["--config", "a.toml", "--check-config"]).as_ref(),
            Ok(&wanted)
        );
        assert_eq!(parse(&["--config=a.toml", "--check-config"]), Ok(wanted));
        assert_eq!(
            parse(&[]),
            Ok(Args {
                config: None,
                action: Action::Run
            })
        );
    }

    #[test]
    fn wrong_words_are_refused_with_a_way_out() {
        assert_eq!(
            parse(&["--config"]),
            Err("--config needs a file after it".to_owned())
        );
        assert_eq!(
            parse(&["--confg"]),
            Err("there is no option `--confg`; see --help".to_owned())
        );
    }
}
