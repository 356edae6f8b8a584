//! The table of verdicts.

use crate::material::Label;
use crate::outcome::Outcome;

/// One file and what was said about it.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) story: &'static str,
    pub(crate) expected: Label,
    pub(crate) outcome: Outcome,
}

impl Row {
    pub(crate) fn is_as_expected(&self) -> bool {
        self.outcome.label == self.expected.name()
    }

    /// A sentence for a verdict that should have been another.
    pub(crate) fn surprise(&self) -> Option<String> {
        let expected = self.expected.name().replace('_', " ");
        let verdict = self.outcome.verdict();
        (!self.is_as_expected())
            .then(|| format!("{} should be {expected} and is {verdict}", self.name))
    }
}

const NAME: &str = "FILE";
const VERDICT: &str = "VERDICT";
const UNTESTED: &str = "NOT TESTED";
const WHY: &str = "WHY";

/// One line of columns per file; its story and further reasons stand below the first reason.
pub(crate) fn lines(rows: &[Row]) -> Vec<String> {
    let name_width = width(rows.iter().map(|row| row.name.clone()), NAME);
    let verdict_width = width(rows.iter().map(|row| row.outcome.verdict()), VERDICT);
    let untested_width = UNTESTED.len();
    let line = |name: &str, verdict: &str, untested: &str, why: &str| {
        let line = format!(
            "  {name:<name_width$}  {verdict:<verdict_width$}  {untested:>untested_width$}  {why}"
        );
        line.trim_end().to_owned()
    };
    let mut lines = vec![line(NAME, VERDICT, UNTESTED, WHY)];
    for row in rows {
        let untested = row.outcome.untested.to_string();
        let mut reasons = row.outcome.reasons.iter().map(|reason| one_line(reason));
        let first = reasons.next().unwrap_or_default();
        lines.push(line(&row.name, &row.outcome.verdict(), &untested, &first));
        lines.extend(reasons.map(|reason| line("", "", "", &format!("- {reason}"))));
        lines.push(line("", "", "", &format!("(it is {})", row.story)));
    }
    lines
}

fn width(cells: impl Iterator<Item = String>, heading: &str) -> usize {
    cells
        .map(|cell| cell.chars().count())
        .fold(heading.len(), usize::max)
}

/// Explanations may quote media, and media may hold anything.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, label: &str, expected: Label) -> Row {
        let reasons = vec!["First.".to_owned(), "Sec\nond.".to_owned()];
        let outcome = Outcome {
            label: label.to_owned(),
            abstention: None,
            reasons,
            untested: 9,
        };
        Row {
            name: name.to_owned(),
            story: "a picture",
            expected,
            outcome,
        }
    }

    #[test]
    fn columns_line_up_and_reasons_stand_below_each_other() {
        let rows = [
            row("a.jpg", "inconclusive", Label::Inconclusive),
            row("long-name.jpg", "synthetic", Label::Synthetic),
        ];
        let expected = [
            "  FILE           VERDICT       NOT TESTED  WHY",
            "  a.jpg          inconclusive           9  First.",
            "                                           - Sec ond.",
            "                                           (it is a picture)",
            "  long-name.jpg  synthetic              9  First.",
            "                                           - Sec ond.",
            "                                           (it is a picture)",
        ];
        assert_eq!(lines(&rows), expected);
    }

    #[test]
    fn another_verdict_than_expected_is_told() {
        assert_eq!(row("a.jpg", "authentic", Label::Authentic).surprise(), None);
        let surprise = row("a.jpg", "altered_after_signing", Label::Inconclusive).surprise();
        assert_eq!(
            surprise.as_deref(),
            Some("a.jpg should be inconclusive and is altered after signing")
        );
        assert!(
            row("a.jpg", "failed", Label::Inconclusive)
                .surprise()
                .is_some()
        );
    }
}
