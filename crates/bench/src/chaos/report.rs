//! The figures of a chaos run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use assay_probe::{Entry, Mark};

use super::audit::Findings;
use crate::ledger::Ledger;
use crate::statistics::{ms, quantile};

/// What a run came to.
#[derive(Debug, Default)]
pub struct Report {
    /// How often the server was killed.
    pub kills: usize,
    /// Jobs that it took responsibility for.
    pub accepted: usize,
    /// Requests that it refused.
    pub refused: usize,
    /// Requests whose answer a kill cut off, and how many of those had made a job.
    pub unknown: (usize, usize),
    /// Accepted jobs that are gone.
    pub lost: usize,
    /// Accepted jobs that came to no end, although the server had time.
    pub unfinished: usize,
    /// Jobs for which two different results were seen.
    pub two_results: usize,
    /// Jobs that nobody submitted.
    pub of_nobody: usize,
    /// How many jobs ended in each state.
    pub ended: BTreeMap<&'static str, usize>,
    /// Jobs whose handler ran to its end more than once; only one of the results was recorded.
    pub run_again: usize,
    /// From the kill to the next start of a job that ran then, in microseconds.
    pub recovery_us: Vec<u64>,
}

impl Report {
    pub(super) fn new(
        ledger: &Ledger,
        findings: &Findings,
        entries: &[Entry],
        kills_us: &[u64],
    ) -> Self {
        Self {
            kills: kills_us.len(),
            accepted: ledger.accepted().count(),
            refused: ledger.refused().count(),
            unknown: (findings.repeated, findings.had_made_a_job),
            lost: findings.absent.len(),
            unfinished: findings.unfinished.len(),
            two_results: ledger.with_two_results().len(),
            of_nobody: findings.of_nobody.len(),
            ended: findings.ended.clone(),
            run_again: run_again(entries),
            recovery_us: recoveries(entries, kills_us),
        }
    }

    /// Whether every promise was kept.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.lost == 0 && self.unfinished == 0 && self.two_results == 0 && self.of_nobody == 0
    }
}

fn run_again(entries: &[Entry]) -> usize {
    let mut finished = BTreeSet::new();
    let finishes = entries.iter().filter(|entry| entry.mark == Mark::Finished);
    finishes
        .filter(|entry| !finished.insert(entry.job_id.as_str()))
        .count()
}

/// For each kill, the jobs that had started and not finished, and how long until they started again.
fn recoveries(entries: &[Entry], kills_us: &[u64]) -> Vec<u64> {
    let mut by_job: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in entries {
        by_job.entry(&entry.job_id).or_default().push(entry);
    }
    let mut recoveries = Vec::new();
    for history in by_job.values() {
        for pair in history.windows(2) {
            let [before, after] = pair else { continue };
            let interrupted = before.mark == Mark::Started && after.mark == Mark::Started;
            let kill_us = kills_us
                .iter()
                .find(|kill_us| (before.at_us..after.at_us).contains(kill_us));
            if let (true, Some(kill_us)) = (interrupted, kill_us) {
                recoveries.push(after.at_us - kill_us);
            }
        }
    }
    recoveries
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut recovery_us = self.recovery_us.clone();
        let (p50, p99) = (
            quantile(&mut recovery_us, 0.5),
            quantile(&mut recovery_us, 0.99),
        );
        writeln!(f, "mode                   embedded")?;
        writeln!(
            f,
            "fault                  kill -9 of the server, {} times",
            self.kills
        )?;
        writeln!(f, "accepted               {}", self.accepted)?;
        writeln!(f, "refused                {}", self.refused)?;
        let (unknown, had_made_a_job) = self.unknown;
        writeln!(
            f,
            "unknown, then repeated {unknown} ({had_made_a_job} had made a job)"
        )?;
        writeln!(f, "lost                   {}", self.lost)?;
        writeln!(f, "without an end         {}", self.unfinished)?;
        writeln!(f, "more than one result   {}", self.two_results)?;
        writeln!(f, "submitted by nobody    {}", self.of_nobody)?;
        writeln!(f, "executed to the end again {}", self.run_again)?;
        writeln!(
            f,
            "recovery p50 / p99     {:.0} ms / {:.0} ms, {} jobs",
            ms(p50),
            ms(p99),
            recovery_us.len()
        )?;
        for (state, jobs) in &self.ended {
            writeln!(f, "ended {state:<28} {jobs}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(mark: Mark, job_id: &str, at_us: u64) -> Entry {
        Entry {
            mark,
            job_id: job_id.to_owned(),
            attempt: 1,
            at_us,
        }
    }

    #[test]
    fn recovery_runs_from_the_kill_to_the_next_start() {
        let entries = [
            entry(Mark::Started, "a", 100),
            entry(Mark::Started, "b", 110),
            entry(Mark::Finished, "b", 120),
            entry(Mark::Started, "a", 500),
            entry(Mark::Finished, "a", 600),
        ];
        assert_eq!(recoveries(&entries, &[200]), [300]);
        assert_eq!(recoveries(&entries, &[700]), [0_u64; 0]);
        assert_eq!(run_again(&entries), 0);
    }

    #[test]
    fn one_broken_promise_is_enough() {
        assert!(Report::default().is_clean());
        for broken in [
            Report {
                lost: 1,
                ..Report::default()
            },
            Report {
                unfinished: 1,
                ..Report::default()
            },
            Report {
                two_results: 1,
                ..Report::default()
            },
            Report {
                of_nobody: 1,
                ..Report::default()
            },
        ] {
            assert!(!broken.is_clean());
        }
    }
}
