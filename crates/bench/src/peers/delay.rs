//! How long a job waits to start while so many come each second.

use std::collections::BTreeMap;

use anyhow::Context;

use super::contender::{Contender, Programs};
use super::role::{SENT, STARTED};
use super::setting::Setting;
use super::stage::{Load, Stage};

/// Jobs a second.
pub const RATE_HZ: u64 = 500;

/// From the moment a submit was sent to the start of its handler, for each of `jobs`, in microseconds.
///
/// # Errors
/// When a process fails, or a job does not start.
pub async fn measure(
    programs: &Programs,
    contender: Contender,
    setting: Setting,
    jobs: usize,
) -> anyhow::Result<Vec<u64>> {
    let load = Load {
        jobs,
        setting,
        rate_hz: RATE_HZ,
    };
    let mut stage = Stage::set(programs, contender, load).await?;
    stage.producer.go().await?;
    stage.wait_until_ended().await?;
    stage.wait_until_submitted().await?;
    let journal = stage.journal();
    // Some drivers write their notes when they end.
    let folder = stage.end().await?;
    let text = std::fs::read_to_string(&journal).context("read the journal")?;
    drop(folder);
    delays(&text)
}

/// The time from `sent` to the first `started` of each job in a journal.
fn delays(journal: &str) -> anyhow::Result<Vec<u64>> {
    let mut sent = BTreeMap::new();
    let mut started = BTreeMap::new();
    for line in journal.lines() {
        // Between them stands whatever else a driver notes.
        let words: Vec<&str> = line.split(' ').collect();
        let [word, job_id, .., at_us] = words[..] else {
            continue;
        };
        let at_us: u64 = at_us.parse().context("read a time in the journal")?;
        match word {
            SENT => sent.entry(job_id).or_insert(at_us),
            STARTED => started.entry(job_id).or_insert(at_us),
            _ => continue,
        };
    }
    let of_job = |(job_id, sent_us): (&&str, &u64)| {
        let started_us: &u64 = started
            .get(job_id)
            .with_context(|| format!("find the start of job {job_id}"))?;
        Ok(started_us.saturating_sub(*sent_us))
    };
    sent.iter().map(of_job).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_job_waits_from_sent_to_its_first_start() {
        let journal = "started b 1 250\nsent a 1 100\nstarted a 1 77 130\nstarted a 2 78 900\nfinished a 1 140\nsent b 1 200\n";
        assert_eq!(delays(journal).unwrap(), [30, 50]);
    }

    #[test]
    fn a_job_that_did_not_start_is_an_error() {
        let error = delays("sent a 1 100\n").unwrap_err().to_string();
        assert_eq!(error, "find the start of job a");
        assert!(delays("").unwrap().is_empty());
    }
}
