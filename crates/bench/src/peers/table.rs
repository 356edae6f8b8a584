//! A table for a terminal.

use std::fmt;

/// Between two columns.
const GAP: &str = "  ";

/// Rows under a title. The first column reads from the left, all others are figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    title: String,
    rows: Vec<Row>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Row {
    Cells(Vec<String>),
    Words { of: String, words: String },
}

impl Table {
    /// A table with its heads and no rows.
    #[must_use]
    pub fn new(title: impl Into<String>, heads: &[&str]) -> Self {
        let heads = heads.iter().map(ToString::to_string).collect();
        Self {
            title: title.into(),
            rows: vec![Row::Cells(heads)],
        }
    }

    /// Adds a row of figures.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(Row::Cells(cells));
    }

    /// Adds a row that says in words why it has no figures.
    pub fn words(&mut self, of: impl Into<String>, words: impl Into<String>) {
        self.rows.push(Row::Words {
            of: of.into(),
            words: words.into(),
        });
    }

    fn widths(&self) -> Vec<usize> {
        let mut widths = Vec::new();
        for row in &self.rows {
            let cells: &[String] = match row {
                Row::Cells(cells) => cells,
                Row::Words { of, .. } => std::slice::from_ref(of),
            };
            for (place, cell) in cells.iter().enumerate() {
                let width = cell.chars().count();
                match widths.get_mut(place) {
                    Some(widest) => *widest = width.max(*widest),
                    None => widths.push(width),
                }
            }
        }
        widths
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        let first = widths.first().copied().unwrap_or(0);
        writeln!(f, "{}", self.title)?;
        for row in &self.rows {
            match row {
                Row::Words { of, words } => writeln!(f, "{GAP}{of:<first$}{GAP}{words}")?,
                Row::Cells(cells) => {
                    for (place, (cell, &width)) in cells.iter().zip(&widths).enumerate() {
                        match place {
                            0 => write!(f, "{GAP}{cell:<width$}")?,
                            _ => write!(f, "{GAP}{cell:>width$}")?,
                        }
                    }
                    writeln!(f)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stand_under_each_other() {
        let mut table = Table::new("speed", &["who", "jobs/s"]);
        table.row(vec!["one".to_owned(), "12345".to_owned()]);
        table.row(vec!["another".to_owned(), "7".to_owned()]);
        table.words("third", "not measured: it is not here");
        let expected = "speed\n  \
                        who      jobs/s\n  \
                        one       12345\n  \
                        another       7\n  \
                        third    not measured: it is not here\n";
        assert_eq!(table.to_string(), expected);
    }
}
