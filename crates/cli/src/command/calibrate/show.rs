//! What was counted, for people.

use assay_forensics::calibration::{Class, FINDINGS, Finding, Row, Tally};

use super::look::Looked;
use crate::terminal::{Terminal, Tone, plain};
use crate::view::table::columns;

const HEAD: [&str; 8] = [
    "ANALYSIS",
    "AUTHENTIC",
    "FALSE ALARMS",
    "LABELLED",
    "FOUND",
    "LOG10 LR",
    "CAP",
    "CLLR",
];

/// What stands where there is nothing.
const NONE: &str = "-";

const LEGEND: &str = "LOG10 LR is what the analysis weighs from now on where it finds something, CAP the most that its false \
                      alarms allow. CLLR is the cost in bits on these files: 0.50 is perfect, as silence weighs nothing; 1.00 \
                      is no better than not looking.";

/// The table.
pub(super) fn lines(looked: &Looked, terminal: Terminal) -> Vec<String> {
    let rows: Vec<_> = FINDINGS
        .iter()
        .map(|finding| row(finding, &looked.tally))
        .collect();
    let mut lines = columns(HEAD, &rows);
    if let Some(head) = lines.first_mut() {
        *head = terminal.paint(Tone::Strong, head);
    }
    lines
}

/// What else is to be said, in whole sentences.
pub(super) fn notes(looked: &Looked, written: &str) -> Vec<String> {
    let mut notes = vec![LEGEND.to_owned()];
    for finding in &FINDINGS {
        notes.extend(remark(finding, &looked.tally));
    }
    let files = Class::ALL.map(|class| format!("{} {class}", looked.tally.files(class)));
    notes.push(format!(
        "{} files were looked at; {} skipped, {} repeated, {} stages given up",
        files.join(", "),
        looked.skipped,
        looked.repeated,
        looked.given_up
    ));
    notes.push(format!(
        "written to {written}: name it with `assay verify --calibration`, `assay dev --calibration` or the setting \
         verification.calibration of a worker"
    ));
    notes
}

fn row(finding: &Finding, tally: &Tally) -> [String; 8] {
    let counts = tally.counts(finding);
    let (authentic, labelled) = (counts.authentic, counts.labelled);
    let is_counted = authentic.files > 0;
    let row = Row::of(finding, counts);
    let figure = |figure: f64| {
        if is_counted {
            format!("{figure:.2}")
        } else {
            NONE.to_owned()
        }
    };
    [
        plain(finding.id),
        authentic.files.to_string(),
        authentic.raised.to_string(),
        format!("{} {}", labelled.files, finding.speaks_for),
        labelled.raised.to_string(),
        figure(row.log10_lr),
        figure(row.cap),
        row.cllr
            .map_or_else(|| NONE.to_owned(), |cllr| format!("{cllr:.2}")),
    ]
}

/// What follows for a finding that this run does not strengthen.
fn remark(finding: &Finding, tally: &Tally) -> Option<String> {
    let counts = tally.counts(finding);
    let (id, kind) = (finding.id, finding.speaks_for);
    if counts.authentic.files == 0 {
        return Some(format!(
            "{id} applies to none of the authentic files, so it keeps what is built in"
        ));
    }
    if counts.log10_lr(finding) > 0.0 {
        return None;
    }
    let (authentic, labelled) = (counts.authentic, counts.labelled);
    let why = if counts.cap() <= 0.0 {
        "there are too few authentic files, or it is raised in too many of them".to_owned()
    } else if labelled.raised == 0 {
        format!(
            "it is raised in none of {} {kind} files; add files of the sort that it is to find",
            labelled.files
        )
    } else {
        format!(
            "it is raised in {} of {} {kind} and in {} of {} authentic files; add files, or it does not tell them apart",
            labelled.raised, labelled.files, authentic.raised, authentic.files
        )
    };
    Some(format!("{id} weighs nothing by this calibration: {why}"))
}

#[cfg(test)]
mod tests {
    use assay_forensics::{Calibration, Evidence, Family, LogRatios};

    use super::*;

    const PLAIN: Terminal = Terminal {
        colours: false,
        bars: false,
    };

    fn evidence(id: &str, is_raised: bool) -> Evidence {
        let evidence = Evidence::neutral(id, Family::JpegHistory, "none", "");
        if !is_raised {
            return evidence;
        }
        let built_in = Calibration { n_clean: 40, fp: 0 };
        evidence.calibrated(LogRatios::manipulated(1.0), built_in)
    }

    /// 30 authentic files, 20 manipulated ones; copies are found, foreign grids never.
    fn looked() -> Looked {
        let mut tally = Tally::default();
        for at in 0..50 {
            let class = if at < 30 {
                Class::Authentic
            } else {
                Class::Manipulated
            };
            let found = [
                evidence("copy_move", class == Class::Manipulated),
                evidence("jpeg.grid_foreign", at == 0),
            ];
            tally.add(class, &format!("{at:064x}"), &found);
        }
        Looked {
            tally,
            skipped: 2,
            ..Looked::default()
        }
    }

    #[test]
    fn the_table_has_a_row_for_every_analysis() {
        let lines = lines(&looked(), PLAIN);
        assert_eq!(lines.len(), 1 + FINDINGS.len());
        let cells = |id: &str| -> Vec<String> {
            let line = lines.iter().find(|line| line.starts_with(id)).unwrap();
            line.split_whitespace().map(str::to_owned).collect()
        };
        assert_eq!(
            cells("copy_move"),
            [
                "copy_move",
                "30",
                "0",
                "20",
                "manipulated",
                "20",
                "0.94",
                "1.00",
                "0.58"
            ]
        );
        assert_eq!(
            cells("jpeg.grid_foreign")[1..7],
            ["30", "1", "20", "manipulated", "0", "0.00"]
        );
        assert_eq!(
            cells("jpeg.dq_local")[1..],
            ["0", "0", "0", "manipulated", "0", "-", "-", "-"]
        );
    }

    #[test]
    fn what_is_not_strengthened_is_said_with_the_reason() {
        let notes = notes(&looked(), "c.json").join("\n");
        assert!(notes.contains(
            "jpeg.grid_foreign weighs nothing by this calibration: it is raised in none of 20 manipulated files; add files"
        ));
        assert!(notes.contains("jpeg.dq_local applies to none of the authentic files"));
        assert!(!notes.contains("copy_move weighs"), "{notes}");
        assert!(
            notes.contains(
                "30 authentic, 20 manipulated, 0 synthetic files were looked at; 2 skipped"
            )
        );
        assert!(notes.contains("written to c.json"));
    }
}
