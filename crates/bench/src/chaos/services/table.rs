//! The rows as people read them.

use std::fmt;

use super::row::Row;
use crate::statistics::{ms, quantile};

/// All rows of a run.
#[derive(Clone, Debug, Default)]
pub struct Table(pub Vec<Row>);

/// Titles of the columns.
const TITLES: [&str; 10] = [
    "mode",
    "accepted",
    "lost",
    "in window",
    "re-executed",
    "two results",
    "recovery p50 / p99",
    "after / before",
    "took",
    "fault",
];

impl Table {
    /// Whether every row is clean.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(Row::is_clean)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = vec![TITLES.map(str::to_owned)];
        lines.extend(self.0.iter().map(cells));
        let width = |column: usize| lines.iter().map(|line| line[column].len()).max();
        let widths: Vec<usize> = (0..TITLES.len())
            .map(|column| width(column).unwrap_or(0))
            .collect();
        for (line, row) in lines
            .iter()
            .zip(std::iter::once(None).chain(self.0.iter().map(Some)))
        {
            let padded = line
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:<width$}"));
            writeln!(f, "{}", padded.collect::<Vec<_>>().join("  ").trim_end())?;
            row.map_or(Ok(()), |row| remarks(f, row))?;
        }
        let broken = self.0.iter().filter(|row| !row.is_clean()).count();
        match broken {
            0 => write!(f, "{} rows, every promise kept", self.0.len()),
            _ => write!(f, "{broken} of {} rows are BROKEN", self.0.len()),
        }
    }
}

fn cells(row: &Row) -> [String; TITLES.len()] {
    let mut recovery_us = row.recovery_us.clone();
    let recovery = match recovery_us.len() {
        0 => none(),
        samples => format!(
            "{:.0} / {:.0} ms ({samples})",
            ms(quantile(&mut recovery_us, 0.5)),
            ms(quantile(&mut recovery_us, 0.99)),
        ),
    };
    let (unknown, had_made_a_job) = row.unknown;
    let accepted = format!(
        "{} (-{} ?{unknown}:{had_made_a_job})",
        row.accepted, row.refused
    );
    [
        row.mode.to_string(),
        accepted,
        row.lost.to_string(),
        row.lost_in_window
            .map_or_else(none, |lost| lost.to_string()),
        row.re_executed.to_string(),
        row.two_results.to_string(),
        recovery,
        row.throughput.map_or_else(none, |[before, after]| {
            format!(
                "{:.2} ({before:.0}/s)",
                after / before.max(f64::MIN_POSITIVE)
            )
        }),
        format!("{:.0} s", row.took.as_secs_f64()),
        row.fault.clone(),
    ]
}

/// What a column says that the row has nothing for.
fn none() -> String {
    "-".to_owned()
}

/// What no column holds.
fn remarks(f: &mut fmt::Formatter<'_>, row: &Row) -> fmt::Result {
    for broken in row.broken() {
        writeln!(f, "    BROKEN: {broken}")?;
    }
    for note in row.notes() {
        writeln!(f, "    note: {note}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_row_is_told_plainly() {
        let mut clean = Row::new("a small fault");
        (clean.accepted, clean.refused, clean.unknown) = (7, 2, (3, 1));
        clean.recovery_us = vec![1_000, 2_000];
        clean.throughput = Some([100.0, 90.0]);
        let mut broken = Row::new("a large fault");
        broken.expect(false, || "one job is gone".to_owned());
        let table = Table(vec![clean.clone(), broken]);
        assert!(!table.is_clean());
        let told = table.to_string();
        assert!(
            told.contains("7 (-2 ?3:1)") && told.contains("1 / 2 ms (2)"),
            "{told}"
        );
        assert!(told.contains("0.90 (100/s)"), "{told}");
        assert!(told.contains("    BROKEN: one job is gone\n"), "{told}");
        assert!(told.ends_with("1 of 2 rows are BROKEN"), "{told}");
        let table = Table(vec![clean]);
        assert!(table.is_clean() && table.to_string().ends_with("1 rows, every promise kept"));
    }

    #[test]
    fn no_row_proves_nothing() {
        assert!(!Table::default().is_clean());
    }
}
