//! Counts findings, file by file.

use std::collections::BTreeMap;

use super::finding::{FINDINGS, Finding};
use super::record::{Record, Row, clip_name, clip_time};
use super::{Class, Counts};
use crate::evidence::Evidence;
use crate::fingerprint::sha256;

/// What was counted so far. The order of files does not matter.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    counts: BTreeMap<&'static str, Counts>,
    /// `class hash`, for every file.
    contents: Vec<(Class, String)>,
}

impl Tally {
    /// Counts one file of a class by the evidence in it. `sha256` is that of its bytes, in hexadecimal digits. A finding
    /// without evidence, as of a stage that was given up, and one that does not apply are not counted.
    pub fn add(&mut self, class: Class, sha256: &str, evidence: &[Evidence]) {
        self.contents.push((class, sha256.to_owned()));
        for finding in &FINDINGS {
            let mut all = evidence.iter();
            let Some(found) = all.find(|found| found.id == finding.id && found.applicable) else {
                continue;
            };
            let counts = self.counts.entry(finding.id).or_default();
            let trials = if class == Class::Authentic {
                &mut counts.authentic
            } else if class == finding.speaks_for {
                &mut counts.labelled
            } else {
                continue;
            };
            trials.add(Finding::is_raised(found));
        }
    }

    /// How many files of a class were counted.
    #[must_use]
    pub fn files(&self, class: Class) -> u64 {
        let of_class = self.contents.iter().filter(|(other, _)| *other == class);
        crate::bytes::count(of_class.count())
    }

    /// How often a finding was raised.
    #[must_use]
    pub fn counts(&self, finding: &Finding) -> Counts {
        self.counts.get(finding.id).copied().unwrap_or_default()
    }

    /// What was counted, as a record: `name` and `made_at` are for people, and cut. A finding that applied to no authentic
    /// file has no row: nothing new is known about it.
    #[must_use]
    pub fn record(&self, ruleset: &str, name: &str, made_at: &str) -> Record {
        let rows = FINDINGS
            .iter()
            .map(|finding| (finding, self.counts(finding)));
        let counted = rows.filter(|(_, counts)| counts.authentic.files > 0);
        Record {
            format: super::FORMAT.to_owned(),
            ruleset: ruleset.to_owned(),
            name: clip_name(name),
            made_at: clip_time(made_at),
            files: Class::ALL.map(|class| (class, self.files(class))).into(),
            contents_sha256: self.contents_sha256(),
            findings: counted
                .map(|(finding, counts)| Row::of(finding, counts))
                .collect(),
        }
    }

    /// SHA-256 of the sorted lines `class hash`, so that two runs over the same files can be told to be that.
    fn contents_sha256(&self) -> String {
        let lines = self.contents.iter();
        let mut lines: Vec<String> = lines
            .map(|(class, hash)| format!("{class} {hash}\n"))
            .collect();
        lines.sort_unstable();
        sha256(lines.concat().as_bytes())
    }
}
