//! The program `forensics-report`.

mod args;
mod originals;
mod tables;
mod tally;

use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;

use crate::cell::{Cell, full, small};
use crate::error::Error;
use crate::look::look;
use crate::original::Original;
use args::Args;
use originals::Source;
use tally::Tally;

/// The whole program. Answers the exit code: success only if the verdict of every harmless file is inconclusive.
#[must_use]
pub fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Nobody is left to tell if standard error is closed.
            drop(writeln!(io::stderr().lock(), "forensics-report: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Whether the verdict of every harmless file is inconclusive.
fn run(args: &Args) -> anyhow::Result<bool> {
    let cells = cells(args)?;
    let mut tally = Tally::new(&cells);
    let sources = originals::sources(args)?;
    for (at, source) in sources.iter().enumerate() {
        // Whoever waits for minutes wants to see that something happens; nothing depends on it.
        drop(writeln!(
            io::stderr().lock(),
            "{} of {}: {source}",
            at + 1,
            sources.len()
        ));
        let told = || source.to_string();
        let original = source.take().with_context(told)?;
        visit(&original, source, &cells, &mut tally).with_context(told)?;
    }
    let mut out = io::stdout().lock();
    for line in tables::lines(&tally) {
        writeln!(out, "{line}")?;
    }
    Ok(tally.wronged().is_empty())
}

/// The cells that were asked for.
fn cells(args: &Args) -> anyhow::Result<Vec<Cell>> {
    let mut cells = if args.small { small() } else { full() };
    if let Some(only) = &args.only {
        cells.retain(|cell| cell.full_name().contains(only));
        anyhow::ensure!(!cells.is_empty(), "there is no cell of the name {only:?}");
    }
    Ok(cells)
}

/// Makes and looks at all files of one original.
fn visit(
    original: &Original,
    source: &Source,
    cells: &[Cell],
    tally: &mut Tally,
) -> Result<(), Error> {
    for (at, cell) in cells.iter().enumerate() {
        let made = match cell.recipe.make(original) {
            Ok(made) => made,
            Err(Error::TooSmall { .. }) => {
                tally.skip();
                continue;
            }
            Err(error) => return Err(error),
        };
        let cell = if source.is_given() {
            cell.clone().of_given()
        } else {
            cell.clone()
        };
        tally.add(at, &cell, &original.name, &made, &look(&made.bytes)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_chosen_by_words_of_their_names() {
        let chosen = |words: &str| {
            let args = ["forensics-report", "--only", words];
            cells(&Args::parse_from(args)).map(|cells| cells.len())
        };
        // Each way to write the mark has a cell.
        assert_eq!(chosen("watermarked, PNG").unwrap(), 2);
        assert_eq!(chosen("watermarked").unwrap(), 4);
        assert!(chosen("no such cell").is_err());
    }
}
