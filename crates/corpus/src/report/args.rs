//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// Makes photographs with known stories and shows what the analyses say about them
#[derive(Debug, Parser)]
#[command(name = "forensics-report", version, max_term_width = 100)]
pub(super) struct Args {
    /// Scenes that each of the two cameras takes
    #[arg(long, default_value_t = 2, value_name = "N")]
    pub(super) seeds: u64,
    /// Folder of photographs (.jpg, .jpeg, .png) that nobody has edited, as further originals
    #[arg(long, value_name = "DIR")]
    pub(super) photos: Option<PathBuf>,
    /// Width of the simulated photographs in pixels; their height is three quarters of it
    #[arg(long, default_value_t = 800, value_name = "PIXELS", value_parser = clap::value_parser!(u16).range(64..=8000))]
    pub(super) width: u16,
    /// Only cells whose family and name, as "watermarked, PNG", hold these words
    #[arg(long, value_name = "WORDS")]
    pub(super) only: Option<String>,
    /// Only the few cells that tests hold
    #[arg(long)]
    pub(super) small: bool,
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
    fn widths_have_bounds() {
        let width = |width: &str| Args::try_parse_from(["forensics-report", "--width", width]);
        assert!(width("64").is_ok() && width("8000").is_ok());
        assert!(width("63").is_err() && width("8001").is_err());
    }
}
