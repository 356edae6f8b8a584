//! What was found, counted.

use std::collections::BTreeMap;
use std::time::Duration;

use assay_forensics::Label;

use crate::cell::{Cell, Kind};
use crate::look::{Finding, Look};
use crate::recipe::Made;

/// Marks in metadata are one row: each generator has a rule of its own.
const MARKERS: &str = "marker";

/// So many, of so many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) hits: u64,
    pub(super) of: u64,
}

/// How one analysis did over all files.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct AnalysisRow {
    /// Files where it should find something and does, in the right place.
    pub(super) found: Share,
    /// Harmless files that it applies to and speaks against.
    pub(super) alarms: Share,
    /// Files of which it tells what never was.
    pub(super) wrong: Share,
    /// Files that it does not apply to.
    pub(super) silent: Share,
    cost: Duration,
    megapixels: f64,
}

/// How the files of one cell fared.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CellRow {
    pub(super) cell: Cell,
    pub(super) files: u64,
    pub(super) found: Share,
    overlaps: Vec<f64>,
    pub(super) labels: BTreeMap<&'static str, u64>,
    /// How often each piece of evidence weighed something.
    pub(super) weighed: BTreeMap<String, u64>,
}

/// A harmless file with a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wronged {
    pub(super) original: String,
    pub(super) family: &'static str,
    pub(super) cell: String,
    pub(super) label: &'static str,
    pub(super) by: Vec<String>,
}

/// Something that was not found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Missed {
    pub(super) original: String,
    pub(super) family: &'static str,
    pub(super) cell: String,
    pub(super) id: &'static str,
    /// The analysis' words and figures.
    pub(super) why: String,
}

/// All counts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tally {
    analyses: BTreeMap<String, AnalysisRow>,
    cells: Vec<CellRow>,
    wronged: Vec<Wronged>,
    missed: Vec<Missed>,
    skipped: u64,
}

impl Tally {
    pub(super) fn new(cells: &[Cell]) -> Self {
        Self {
            analyses: BTreeMap::new(),
            cells: cells.iter().map(CellRow::new).collect(),
            wronged: Vec::new(),
            missed: Vec::new(),
            skipped: 0,
        }
    }

    /// Counts one file of the cell at `at` in the list.
    pub(super) fn add(&mut self, at: usize, cell: &Cell, original: &str, made: &Made, look: &Look) {
        for finding in &look.findings {
            let row = self.analyses.entry(row_of(finding.id())).or_default();
            row.add(cell, finding, look.megapixels);
        }
        let is_found = cell.sought.map(|id| is_found(look, id, made));
        if let (Some(id), Some(is_found)) = (cell.sought, is_found) {
            let row = self.analyses.entry(row_of(id)).or_default();
            row.found.count(is_found);
            if !is_found {
                self.missed.push(Missed {
                    original: original.to_owned(),
                    family: cell.family,
                    cell: cell.name.clone(),
                    id,
                    why: words(look, id),
                });
            }
        }
        let label = name(look.verdict.label);
        if let Some(row) = self.cells.get_mut(at) {
            row.add(cell, made, look, is_found);
        }
        if cell.kind() == Kind::Benign && look.verdict.label != Label::Inconclusive {
            self.wronged.push(Wronged {
                original: original.to_owned(),
                family: cell.family,
                cell: cell.name.clone(),
                label,
                by: weighing(look).map(ToOwned::to_owned).collect(),
            });
        }
    }

    /// Counts a file that cannot be made, as its original is too small.
    pub(super) fn skip(&mut self) {
        self.skipped += 1;
    }

    pub(super) fn analyses(&self) -> &BTreeMap<String, AnalysisRow> {
        &self.analyses
    }

    pub(super) fn cells(&self) -> &[CellRow] {
        &self.cells
    }

    /// Harmless files with another verdict than inconclusive.
    pub(super) fn wronged(&self) -> &[Wronged] {
        &self.wronged
    }

    /// What should have been found and was not, or elsewhere.
    pub(super) fn missed(&self) -> &[Missed] {
        &self.missed
    }

    pub(super) fn skipped(&self) -> u64 {
        self.skipped
    }

    pub(super) fn files(&self) -> u64 {
        self.cells.iter().map(|row| row.files).sum()
    }
}

impl Share {
    fn count(&mut self, is_hit: bool) {
        self.of += 1;
        self.hits += u64::from(is_hit);
    }
}

impl AnalysisRow {
    fn add(&mut self, cell: &Cell, finding: &Finding, megapixels: f64) {
        let applies = finding.found.evidence.applicable;
        self.silent.count(!applies);
        if cell.kind() == Kind::Benign && applies {
            self.alarms.count(finding.weighs());
        }
        if cell.wrong.contains(&finding.id()) {
            self.wrong.count(finding.speaks());
        }
        if let (Some(cost), true) = (finding.cost, applies) {
            self.cost += cost;
            self.megapixels += megapixels;
        }
    }

    /// Where it applies; nothing if it never did, or was not timed.
    pub(super) fn milliseconds_per_megapixel(&self) -> Option<f64> {
        (self.megapixels > 0.0).then(|| self.cost.as_secs_f64() * 1e3 / self.megapixels)
    }
}

impl CellRow {
    fn new(cell: &Cell) -> Self {
        Self {
            cell: cell.clone(),
            files: 0,
            found: Share::default(),
            overlaps: Vec::new(),
            labels: BTreeMap::new(),
            weighed: BTreeMap::new(),
        }
    }

    fn add(&mut self, cell: &Cell, made: &Made, look: &Look, is_found: Option<bool>) {
        self.files += 1;
        if let Some(is_found) = is_found {
            self.found.count(is_found);
        }
        *self.labels.entry(name(look.verdict.label)).or_default() += 1;
        for id in weighing(look) {
            *self.weighed.entry(row_of(id)).or_default() += 1;
        }
        let finding = cell.sought.and_then(|id| look.finding(id));
        let overlap = finding
            .zip(made.changed)
            .and_then(|(finding, changed)| finding.overlap(changed));
        self.overlaps.extend(overlap);
    }

    /// Mean of how well regions fit, where there were some.
    pub(super) fn overlap(&self) -> Option<f64> {
        let count = self.overlaps.len();
        (count > 0).then(|| self.overlaps.iter().sum::<f64>() / count as f64)
    }
}

/// Whether the finding is there, and not elsewhere than what was changed.
fn is_found(look: &Look, id: &str, made: &Made) -> bool {
    let Some(finding) = look.finding(id).filter(|finding| finding.speaks()) else {
        return false;
    };
    made.changed
        .and_then(|changed| finding.overlap(changed))
        .is_none_or(|overlap| overlap > 0.0)
}

/// What the analysis says of a file in which it found nothing, with its figures.
fn words(look: &Look, id: &str) -> String {
    let Some(finding) = look.finding(id) else {
        return "it was not asked".to_owned();
    };
    let evidence = &finding.found.evidence;
    let metrics = evidence.metrics.iter();
    let figures: Vec<String> = metrics
        .map(|(name, value)| format!("{name} {value:.3}"))
        .collect();
    format!("{} ({})", evidence.explain, figures.join(", "))
}

fn weighing(look: &Look) -> impl Iterator<Item = &str> {
    let findings = look.findings.iter();
    findings.filter(|finding| finding.weighs()).map(Finding::id)
}

fn row_of(id: &str) -> String {
    match id.split_once('.') {
        Some((MARKERS, _)) => format!("{MARKERS}s"),
        _ => id.to_owned(),
    }
}

/// As results spell it.
const fn name(label: Label) -> &'static str {
    match label {
        Label::Authentic => "authentic",
        Label::Synthetic => "synthetic",
        Label::Manipulated => "manipulated",
        Label::AlteredAfterSigning => "altered_after_signing",
        Label::Inconclusive => "inconclusive",
    }
}

#[cfg(test)]
pub(super) mod tests {
    use assay_forensics::{
        Calibration, Circumstances, Evidence, Fact, Family, LogRatios, Priors, Region, judge,
    };

    use super::*;
    use crate::cell::{id, small};

    pub(crate) const CHANGED: Region = Region {
        x: 8,
        y: 8,
        w: 64,
        h: 64,
    };

    /// A finding of double quantisation in one place, at a cost of 10 ms.
    pub(crate) fn local(region: Region) -> Finding {
        let mut evidence = Evidence::neutral(id::DOUBLE_LOCAL, Family::JpegHistory, "region", "")
            .calibrated(
                LogRatios::manipulated(1.0),
                Calibration { n_clean: 40, fp: 0 },
            );
        evidence.regions.push(region);
        Finding {
            found: evidence.into(),
            cost: Some(Duration::from_millis(10)),
        }
    }

    fn re_saved() -> Finding {
        let evidence = Evidence::neutral(id::DOUBLE_GLOBAL, Family::JpegHistory, "re_saved", "");
        let mut found = assay_forensics::Found::from(evidence);
        found.facts.push(Fact::new("re_saved", "once more"));
        Finding { found, cost: None }
    }

    pub(crate) fn looked(findings: Vec<Finding>) -> Look {
        let evidence: Vec<_> = findings
            .iter()
            .map(|it| it.found.evidence.clone())
            .collect();
        Look {
            megapixels: 0.5,
            verdict: judge(&evidence, Priors::default(), Circumstances::default()),
            findings,
        }
    }

    pub(crate) fn made(changed: Option<Region>) -> Made {
        Made {
            bytes: Vec::new(),
            changed,
        }
    }

    /// The first cell of the small set that is so.
    pub(crate) fn cell(wanted: impl Fn(&Cell) -> bool) -> (usize, Cell) {
        let cells = small();
        let at = cells.iter().position(wanted).unwrap();
        (at, cells[at].clone())
    }

    fn seeks_local(cell: &Cell) -> bool {
        cell.sought == Some(id::DOUBLE_LOCAL)
    }

    #[test]
    fn a_finding_in_the_right_place_is_found_and_one_elsewhere_is_not() {
        let (at, cell) = cell(seeks_local);
        let mut tally = Tally::new(&small());
        let elsewhere = Region { x: 200, ..CHANGED };
        for region in [CHANGED, elsewhere] {
            let look = looked(vec![local(region)]);
            tally.add(at, &cell, "one", &made(Some(CHANGED)), &look);
        }
        tally.add(at, &cell, "one", &made(Some(CHANGED)), &looked(vec![]));
        let row = &tally.analyses()[id::DOUBLE_LOCAL];
        assert_eq!(row.found, Share { hits: 1, of: 3 });
        assert_eq!(row.milliseconds_per_megapixel(), Some(20.0));
        assert_eq!(tally.cells()[at].overlap(), Some(0.5));
        assert_eq!(tally.cells()[at].labels["manipulated"], 2);
        assert!(tally.wronged().is_empty() && tally.files() == 3);
        let [elsewhere, silent] = tally.missed() else {
            panic!("{:?}", tally.missed());
        };
        assert_eq!(elsewhere.id, id::DOUBLE_LOCAL);
        assert_eq!(silent.why, "it was not asked");
    }

    #[test]
    fn a_harmless_file_with_a_verdict_is_told_with_what_spoke_against_it() {
        let (at, cell) = cell(|cell| cell.kind() == Kind::Benign);
        let mut tally = Tally::new(&small());
        tally.add(at, &cell, "one", &made(None), &looked(vec![local(CHANGED)]));
        tally.add(at, &cell, "two", &made(None), &looked(vec![]));
        let [wronged] = tally.wronged() else {
            panic!("{:?}", tally.wronged());
        };
        assert_eq!(
            (wronged.original.as_str(), wronged.label),
            ("one", "manipulated")
        );
        assert_eq!(wronged.by, [id::DOUBLE_LOCAL]);
        let row = &tally.analyses()[id::DOUBLE_LOCAL];
        assert_eq!(row.alarms, Share { hits: 1, of: 1 });
    }

    #[test]
    fn a_save_that_never_was_is_a_wrong_fact_and_no_alarm() {
        let (at, cell) = cell(|cell| cell.wrong.contains(&id::DOUBLE_GLOBAL));
        let mut tally = Tally::new(&small());
        tally.add(at, &cell, "one", &made(None), &looked(vec![re_saved()]));
        let row = &tally.analyses()[id::DOUBLE_GLOBAL];
        assert_eq!(row.wrong, Share { hits: 1, of: 1 });
        assert_eq!(row.alarms, Share { hits: 0, of: 1 });
        assert!(tally.wronged().is_empty());
        assert_eq!(row.milliseconds_per_megapixel(), None);
    }

    #[test]
    fn marks_of_all_generators_are_one_row() {
        assert_eq!(row_of("marker.sd_parameters"), "markers");
        assert_eq!(row_of("markers"), "markers");
        assert_eq!(row_of("jpeg.dq_local"), "jpeg.dq_local");
    }
}
