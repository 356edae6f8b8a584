//! The figures of a chaos run.

use std::collections::BTreeMap;
use std::fmt;

use assay_probe::Entry;

use crate::chaos::audit::Findings;
use crate::chaos::executions;
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
            two_results: ledger.contradictions().count(),
            of_nobody: findings.of_nobody.len(),
            ended: findings.ended.clone(),
            run_again: executions::to_the_end_again(entries),
            recovery_us: executions::recoveries_us(entries, kills_us),
        }
    }

    /// Whether every promise was kept.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.lost == 0 && self.unfinished == 0 && self.two_results == 0 && self.of_nobody == 0
    }
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
