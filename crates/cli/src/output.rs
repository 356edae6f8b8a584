//! How results are printed: for people, or for programs. The one home of that choice.

use std::io;

use clap::ValueEnum;
use serde_json::{Map, Value};

use crate::terminal::Terminal;

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Table,
    /// For programs: one JSON document, at the end
    Json,
    /// For programs: one JSON object per line, each as soon as it is known
    Jsonl,
}

/// The option of every command that prints results.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct OutputArgs {
    /// How results are printed
    #[arg(
        long = "output",
        value_name = "FORMAT",
        value_enum,
        default_value_t = Format::Table
    )]
    pub(crate) format: Format,
}

impl Format {
    /// Prints one thing.
    ///
    /// # Errors
    /// When standard output is closed or full.
    pub(crate) fn print(
        self,
        terminal: Terminal,
        document: impl FnOnce() -> Value,
        lines: impl FnOnce() -> Vec<String>,
    ) -> io::Result<()> {
        match self {
            Self::Table => terminal.say(&lines().join("\n")),
            Self::Json | Self::Jsonl => terminal.say(&document().to_string()),
        }
    }
}

/// Things of one sort on their way out, page by page.
#[derive(Debug)]
pub(crate) struct Listing<T> {
    format: Format,
    terminal: Terminal,
    name: &'static str,
    document: fn(&T) -> Value,
    waiting: Vec<T>,
}

impl<T> Listing<T> {
    /// Nothing printed yet. A document has the things under `name`.
    pub(crate) fn new(
        format: Format,
        terminal: Terminal,
        name: &'static str,
        document: fn(&T) -> Value,
    ) -> Self {
        Self {
            format,
            terminal,
            name,
            document,
            waiting: Vec::new(),
        }
    }

    /// Takes some of them. Lines need not wait for the others; rows do, because they are as wide as the widest.
    ///
    /// # Errors
    /// When standard output is closed or full.
    pub(crate) fn add(&mut self, some: Vec<T>) -> io::Result<()> {
        match self.format {
            Format::Table | Format::Json => self.waiting.extend(some),
            Format::Jsonl => {
                for one in &some {
                    self.terminal.say(&(self.document)(one).to_string())?;
                }
            }
        }
        Ok(())
    }

    /// Prints what has waited. `none` tells people that there is nothing; `more` says that these were not all.
    ///
    /// # Errors
    /// When standard output is closed or full.
    pub(crate) fn finish(
        &self,
        rows: impl FnOnce(&[T]) -> Vec<String>,
        none: &str,
        more: bool,
    ) -> io::Result<()> {
        match self.format {
            Format::Jsonl => {}
            Format::Json => self.terminal.say(&self.whole(more).to_string())?,
            Format::Table if self.waiting.is_empty() => self.terminal.note(none),
            Format::Table => self.terminal.say(&rows(&self.waiting).join("\n"))?,
        }
        if more && self.format != Format::Json {
            self.terminal
                .note("there are more; raise --limit to see them");
        }
        Ok(())
    }

    /// Prints them all: a list that has no pages.
    ///
    /// # Errors
    /// When standard output is closed or full.
    pub(crate) fn print(
        mut self,
        all: Vec<T>,
        rows: impl FnOnce(&[T]) -> Vec<String>,
        none: &str,
    ) -> io::Result<()> {
        self.add(all)?;
        self.finish(rows, none, false)
    }

    fn whole(&self, more: bool) -> Value {
        let documents = self.waiting.iter().map(self.document);
        let mut whole = Map::new();
        whole.insert(self.name.to_owned(), documents.collect());
        whole.insert("more".to_owned(), more.into());
        Value::Object(whole)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PLAIN: Terminal = Terminal {
        colours: false,
        bars: false,
    };

    fn listing(format: Format) -> Listing<u32> {
        Listing::new(format, PLAIN, "numbers", |number| (*number).into())
    }

    #[test]
    fn a_document_has_all_and_says_whether_there_are_more() {
        let mut listing = listing(Format::Json);
        listing.add(vec![1, 2]).unwrap();
        listing.add(vec![3]).unwrap();
        let whole = json!({ "numbers": [1, 2, 3], "more": true });
        assert_eq!(listing.whole(true), whole);
    }

    #[test]
    fn lines_wait_for_nothing_and_rows_for_all() {
        let mut rows = listing(Format::Table);
        rows.add(vec![1, 2]).unwrap();
        assert_eq!(rows.waiting, [1, 2]);
        let mut lines = listing(Format::Jsonl);
        lines.add(vec![1, 2]).unwrap();
        assert_eq!(lines.waiting, [0; 0]);
    }
}
