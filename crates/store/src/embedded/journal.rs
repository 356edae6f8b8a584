//! What the journal is still needed for: which jobs are in it alone, and which of its rows may go.

use std::collections::VecDeque;

use assay_core::id::JobId;

use crate::StoreConfig;

/// Jobs that a commit files at least, if so many wait, beyond twice what it changes.
const FILED_PER_COMMIT: usize = 64;
/// What a row costs beside its content, in bytes: so rows without number are bounded, too.
const ROW_BYTES: usize = 256;

/// The rows of the journal, and the jobs that they are needed for. In order of commits.
#[derive(Debug, Default)]
pub(super) struct Journal {
    /// Jobs that are not in the tables as they are now, with the first commit that says so.
    jobs: VecDeque<(u64, JobId)>,
    /// Commits, and the bytes of their rows.
    rows: VecDeque<(u64, usize)>,
    bytes: usize,
}

/// What a commit moves from the journal to the tables.
#[derive(Debug, PartialEq)]
pub(super) struct Filing {
    /// Jobs to file.
    pub(super) jobs: Vec<JobId>,
    /// Rows before this one are not needed any more.
    pub(super) rows_from: u64,
}

impl Journal {
    pub(super) fn add_row(&mut self, commit: u64, bytes: usize) {
        self.rows
            .push_back((commit, bytes.saturating_add(ROW_BYTES)));
        self.bytes = self.bytes.saturating_add(bytes).saturating_add(ROW_BYTES);
    }

    /// A job that was in the tables, or nowhere, is changed by this commit.
    pub(super) fn add_job(&mut self, commit: u64, id: JobId) {
        self.jobs.push_back((commit, id));
    }

    /// What `commit`, which changes so many jobs, should file: the oldest beyond the bounds, but not all at
    /// once.
    pub(super) fn filing(&self, commit: u64, changed: usize, config: &StoreConfig) -> Filing {
        let surplus = (self.jobs.len() + changed).saturating_sub(config.journal_jobs_max);
        let held = self.holding_rows_before(self.first_row_within(config.journal_bytes_max));
        let most = 2 * changed + FILED_PER_COMMIT;
        let due = surplus.max(held).min(most).min(self.jobs.len());
        Filing {
            jobs: self.jobs.iter().take(due).map(|(_, id)| *id).collect(),
            rows_from: self.jobs.get(due).map_or(commit, |(first, _)| *first),
        }
    }

    /// Follows what a commit did.
    pub(super) fn filed(&mut self, filing: &Filing) {
        self.jobs.drain(..filing.jobs.len());
        let gone = self
            .rows
            .partition_point(|(row, _)| *row < filing.rows_from);
        let bytes: usize = self.rows.drain(..gone).map(|(_, bytes)| bytes).sum();
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// The first of the latest rows that have room in so many bytes.
    fn first_row_within(&self, bytes_max: usize) -> u64 {
        let mut bytes = self.bytes;
        for (row, row_bytes) in &self.rows {
            if bytes <= bytes_max {
                return *row;
            }
            bytes = bytes.saturating_sub(*row_bytes);
        }
        self.rows.back().map_or(0, |(last, _)| last + 1)
    }

    /// How many jobs need rows before this one.
    fn holding_rows_before(&self, row: u64) -> usize {
        self.jobs.partition_point(|(first, _)| *first < row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> JobId {
        JobId::from_bytes([number; 16])
    }

    /// Three jobs, each in a row of 1,000 bytes in all.
    fn journal() -> Journal {
        let mut journal = Journal::default();
        for number in 1..=3 {
            journal.add_row(number.into(), 1_000 - ROW_BYTES);
            journal.add_job(number.into(), id(number));
        }
        journal
    }

    fn filing(journal: &Journal, jobs_max: usize, bytes_max: usize) -> (usize, u64) {
        let config = StoreConfig {
            journal_jobs_max: jobs_max,
            journal_bytes_max: bytes_max,
            ..StoreConfig::default()
        };
        let filing = journal.filing(4, 1, &config);
        (filing.jobs.len(), filing.rows_from)
    }

    #[test]
    fn jobs_are_filed_when_they_are_too_many() {
        assert_eq!(filing(&journal(), 4, 9_000), (0, 1));
        assert_eq!(filing(&journal(), 3, 9_000), (1, 2));
        assert_eq!(filing(&journal(), 0, 9_000), (3, 4));
    }

    #[test]
    fn jobs_are_filed_when_their_rows_are_too_large() {
        assert_eq!(filing(&journal(), 99, 3_000), (0, 1));
        assert_eq!(filing(&journal(), 99, 2_999), (1, 2));
        assert_eq!(filing(&journal(), 99, 0), (3, 4));
    }

    /// A job that is renewed for days must not hold the rows of all those days.
    #[test]
    fn one_job_that_changes_all_the_time_holds_no_more_than_the_bound() {
        let (mut journal, mut rows_max) = (Journal::default(), 0);
        let config = StoreConfig {
            journal_bytes_max: 100 * ROW_BYTES,
            ..StoreConfig::default()
        };
        journal.add_job(1, id(1));
        for commit in 1..10_000 {
            let filing = journal.filing(commit, 1, &config);
            journal.filed(&filing);
            journal.add_row(commit, 0);
            if !filing.jobs.is_empty() {
                journal.add_job(commit + 1, id(1));
            }
            rows_max = rows_max.max(journal.rows.len());
        }
        assert_eq!(rows_max, 101, "what one commit adds is beyond the bound");
    }

    #[test]
    fn filing_is_spread_over_commits() {
        let mut journal = Journal::default();
        for _ in 0..1_000 {
            journal.add_job(1, id(1));
        }
        assert_eq!(filing(&journal, 0, 9_000), (FILED_PER_COMMIT + 2, 1));
    }
}
