//! The command line.

use std::io;
use std::path::PathBuf;

use clap::Parser;

/// Makes real files, verifies them as jobs, shows the verdicts
#[derive(Debug, Parser)]
#[command(name = "demo", version, max_term_width = 100)]
pub(crate) struct Args {
    /// The `assay` program [default: the one beside this program]
    #[arg(long, value_name = "FILE")]
    assay: Option<PathBuf>,
    /// Number from which the pictures are made
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
    /// Folder to keep the files in; without it they are removed at the end
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
}

impl Args {
    /// Where the `assay` program is.
    ///
    /// # Errors
    /// When this program cannot tell where it is itself.
    pub(crate) fn assay(&self) -> io::Result<PathBuf> {
        match &self.assay {
            Some(assay) => Ok(assay.clone()),
            None => Ok(std::env::current_exe()?.with_file_name("assay")),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_of_the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_program_beside_this_one_is_taken_unless_another_is_named() {
        let beside = Args::parse_from(["demo"]).assay().unwrap();
        assert_eq!(beside.parent(), std::env::current_exe().unwrap().parent());
        let named = Args::parse_from(["demo", "--assay", "/bin/assay"])
            .assay()
            .unwrap();
        assert_eq!(named, PathBuf::from("/bin/assay"));
    }
}
