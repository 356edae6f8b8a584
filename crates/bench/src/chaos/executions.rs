//! What the handlers' own journal proves: who ran when, how often, under which token.

use std::collections::{BTreeMap, BTreeSet};

use assay_probe::{Entry, Mark};

/// Jobs whose handler ran to its end more than once; only one of the results was recorded.
pub(super) fn to_the_end_again(entries: &[Entry]) -> usize {
    let mut finished = BTreeSet::new();
    let finishes = entries.iter().filter(|entry| entry.mark == Mark::Finished);
    finishes
        .filter(|entry| !finished.insert(entry.job_id.as_str()))
        .count()
}

/// For each fault, the jobs that had started and not finished, and how long until they started again.
pub(super) fn recoveries_us(entries: &[Entry], faults_us: &[u64]) -> Vec<u64> {
    let mut by_job: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in entries {
        by_job.entry(&entry.job_id).or_default().push(entry);
    }
    let mut recoveries = Vec::new();
    for history in by_job.values() {
        for pair in history.windows(2) {
            let [before, after] = pair else { continue };
            let interrupted = before.mark == Mark::Started && after.mark == Mark::Started;
            let fault_us = faults_us
                .iter()
                .find(|fault_us| (before.at_us..after.at_us).contains(fault_us));
            if let (true, Some(fault_us)) = (interrupted, fault_us) {
                recoveries.push(after.at_us - fault_us);
            }
        }
    }
    recoveries
}

/// For each fault, how long until any job ran to its end again.
pub(super) fn first_ends_us(entries: &[Entry], faults_us: &[u64]) -> Vec<u64> {
    let ends = |fault_us: &u64| {
        let finishes = entries.iter().filter(|entry| entry.mark == Mark::Finished);
        let after = finishes.filter_map(|entry| entry.at_us.checked_sub(*fault_us));
        after.min()
    };
    faults_us.iter().filter_map(ends).collect()
}

/// Jobs that were run twice under one token: two workers held one lease.
pub(super) fn under_one_token(entries: &[Entry]) -> BTreeSet<&str> {
    let mut begun = BTreeSet::new();
    let starts = entries.iter().filter(|entry| entry.mark == Mark::Started);
    starts
        .filter(|entry| !begun.insert((entry.job_id.as_str(), entry.token)))
        .map(|entry| entry.job_id.as_str())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(mark: Mark, job_id: &str, token: u64, at_us: u64) -> Entry {
        Entry {
            mark,
            job_id: job_id.to_owned(),
            attempt: 1,
            token,
            at_us,
        }
    }

    #[test]
    fn recovery_runs_from_the_fault_to_the_next_start() {
        let entries = [
            entry(Mark::Started, "a", 1, 100),
            entry(Mark::Started, "b", 1, 110),
            entry(Mark::Finished, "b", 1, 120),
            entry(Mark::Started, "a", 2, 500),
            entry(Mark::Finished, "a", 2, 600),
        ];
        assert_eq!(recoveries_us(&entries, &[200]), [300]);
        assert_eq!(recoveries_us(&entries, &[700]), [0_u64; 0]);
        assert_eq!(first_ends_us(&entries, &[115, 200, 700]), [5, 400]);
        assert_eq!(to_the_end_again(&entries), 0);
        assert!(under_one_token(&entries).is_empty());
    }

    /// It waits out its delay and then its turn, fault or no fault.
    #[test]
    fn the_next_start_of_a_job_that_failed_is_no_recovery() {
        let entries = [
            entry(Mark::Started, "a", 1, 100),
            entry(Mark::Failed, "a", 1, 110),
            entry(Mark::Started, "a", 2, 500),
        ];
        assert_eq!(recoveries_us(&entries, &[200]), [0_u64; 0]);
    }

    #[test]
    fn what_runs_twice_is_seen() {
        let entries = [
            entry(Mark::Started, "a", 7, 100),
            entry(Mark::Started, "a", 7, 110),
            entry(Mark::Finished, "a", 7, 120),
            entry(Mark::Finished, "a", 7, 130),
        ];
        assert_eq!(to_the_end_again(&entries), 1);
        assert_eq!(under_one_token(&entries), BTreeSet::from(["a"]));
    }
}
