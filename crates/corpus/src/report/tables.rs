//! The report as text.

use std::collections::BTreeMap;

use super::tally::{AnalysisRow, CellRow, Missed, Share, Tally, Wronged};
use crate::cell::Kind;

/// All lines.
pub(super) fn lines(tally: &Tally) -> Vec<String> {
    let mut lines = vec![headline(tally), String::new()];
    lines.extend(table(
        &[
            "ANALYSIS",
            "FOUND",
            "FALSE ALARMS",
            "WRONG FACTS",
            "NOT APPLICABLE",
            "MS/MP",
        ],
        tally.analyses().iter().map(analysis),
    ));
    lines.push(String::new());
    let lies = tally.cells().iter().filter(|row| is_lie(row));
    lines.extend(table(
        &[
            "FAMILY", "CELL", "FILES", "SOUGHT", "FOUND", "OVERLAP", "VERDICTS",
        ],
        lies.map(cell),
    ));
    lines.push(String::new());
    lines.extend(table(
        &[
            "HARMLESS",
            "FILES",
            "FACTS FOUND",
            "SPOKE AGAINST",
            "VERDICTS",
        ],
        families(tally).iter().map(Family::columns),
    ));
    lines.push(String::new());
    lines.extend(tally.missed().iter().map(missed));
    lines.extend(tally.wronged().iter().map(wronged));
    lines.push(summary(tally));
    lines
}

fn headline(tally: &Tally) -> String {
    let skipped = match tally.skipped() {
        0 => String::new(),
        count => format!("; {count} not made, as their originals are too small"),
    };
    format!(
        "{} files of {} cells{skipped}",
        tally.files(),
        tally.cells().len()
    )
}

fn analysis((id, row): (&String, &AnalysisRow)) -> Vec<String> {
    let cost = row
        .milliseconds_per_megapixel()
        .map(|cost| format!("{cost:.1}"));
    vec![
        id.clone(),
        share(row.found),
        share(row.alarms),
        share(row.wrong),
        share(row.silent),
        cost.unwrap_or_default(),
    ]
}

fn is_lie(row: &CellRow) -> bool {
    row.cell.kind() != Kind::Benign && row.files > 0
}

fn cell(row: &CellRow) -> Vec<String> {
    let overlap = row.overlap().map(|overlap| format!("{overlap:.2}"));
    vec![
        row.cell.family.to_owned(),
        row.cell.name.clone(),
        row.files.to_string(),
        row.cell.sought.unwrap_or("-").to_owned(),
        share(row.found),
        overlap.unwrap_or_default(),
        counts(&row.labels),
    ]
}

/// Cells of one harmless family together.
struct Family {
    name: &'static str,
    files: u64,
    found: Share,
    weighed: BTreeMap<String, u64>,
    labels: BTreeMap<&'static str, u64>,
}

/// In the order of the cells.
fn families(tally: &Tally) -> Vec<Family> {
    let mut families: Vec<Family> = Vec::new();
    for row in tally
        .cells()
        .iter()
        .filter(|row| row.cell.kind() == Kind::Benign)
    {
        let name = row.cell.family;
        if families.last().is_none_or(|family| family.name != name) {
            families.push(Family {
                name,
                files: 0,
                found: Share::default(),
                weighed: BTreeMap::new(),
                labels: BTreeMap::new(),
            });
        }
        if let Some(family) = families.last_mut() {
            family.add(row);
        }
    }
    families
}

impl Family {
    fn add(&mut self, row: &CellRow) {
        self.files += row.files;
        self.found.hits += row.found.hits;
        self.found.of += row.found.of;
        for (id, count) in &row.weighed {
            *self.weighed.entry(id.clone()).or_default() += count;
        }
        for (label, count) in &row.labels {
            *self.labels.entry(label).or_default() += count;
        }
    }

    fn columns(&self) -> Vec<String> {
        vec![
            self.name.to_owned(),
            self.files.to_string(),
            share(self.found),
            counts(&self.weighed),
            counts(&self.labels),
        ]
    }
}

fn missed(missed: &Missed) -> String {
    format!(
        "missed: {}: {}, {}: {}: {}",
        missed.original, missed.family, missed.cell, missed.id, missed.why
    )
}

fn wronged(wronged: &Wronged) -> String {
    format!(
        "{}: {}: {}, {}: {}",
        wronged.label,
        wronged.original,
        wronged.family,
        wronged.cell,
        wronged.by.join(", ")
    )
}

fn summary(tally: &Tally) -> String {
    match tally.wronged().len() {
        0 => "no harmless file has a verdict".to_owned(),
        count => format!("{count} harmless files have a verdict"),
    }
}

fn share(share: Share) -> String {
    match share.of {
        0 => "-".to_owned(),
        of => format!("{}/{of}", share.hits),
    }
}

fn counts<K: AsRef<str>>(counts: &BTreeMap<K, u64>) -> String {
    let all = counts.iter();
    all.map(|(name, count)| format!("{} {count}", name.as_ref()))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Columns two blanks apart, as wide as their widest cell.
fn table(heading: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Vec<String> {
    let heading = heading.iter().map(|name| (*name).to_owned()).collect();
    let rows: Vec<Vec<String>> = std::iter::once(heading).chain(rows).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let length = |cell: &String| cell.chars().count();
    let widths: Vec<usize> = (0..columns)
        .map(|at| rows.iter().filter_map(|row| row.get(at)).map(length).max())
        .map(Option::unwrap_or_default)
        .collect();
    rows.iter()
        .map(|row| {
            let cells = row.iter().zip(&widths);
            let padded = cells.map(|(cell, width)| format!("{cell:<width$}"));
            let line = padded.collect::<Vec<_>>().join("  ");
            line.trim_end().to_owned()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tally::tests::{CHANGED, cell, local, looked, made};
    use super::*;
    use crate::cell::{id, small};

    #[test]
    fn columns_line_up() {
        let rows = [["a", "1", ""], ["long", "22", "x"]].map(|row| row.map(str::to_owned).to_vec());
        let expected = ["N     COUNT", "a     1", "long  22     x"];
        assert_eq!(table(&["N", "COUNT", ""], rows.into_iter()), expected);
    }

    #[test]
    fn the_report_tells_what_was_found_and_who_was_wronged() {
        let mut tally = Tally::new(&small());
        let (lie_at, lie) = cell(|cell| cell.sought == Some(id::DOUBLE_LOCAL));
        let (harmless_at, harmless) = cell(|cell| cell.kind() == Kind::Benign);
        let look = looked(vec![local(CHANGED)]);
        tally.add(lie_at, &lie, "one", &made(Some(CHANGED)), &look);
        tally.add(harmless_at, &harmless, "two", &made(None), &look);
        tally.skip();
        let text = lines(&tally).join("\n");
        for words in [
            "2 files of",
            "1 not made",
            "jpeg.dq_local  1/1    1/1",
            "1.00     manipulated 1",
            "manipulated: two: as taken, the file itself: jpeg.dq_local",
            "1 harmless files have a verdict",
        ] {
            assert!(text.contains(words), "{words}\n{text}");
        }
    }

    #[test]
    fn an_empty_report_wrongs_nobody() {
        let text = lines(&Tally::new(&small())).join("\n");
        assert!(text.ends_with("no harmless file has a verdict"), "{text}");
    }
}
