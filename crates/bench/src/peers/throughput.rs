//! How many jobs a second go from submit to recorded result.

use tokio::time::Instant;

use super::contender::{Contender, Programs};
use super::machine::cores;
use super::setting::Setting;
use super::stage::{Load, Stage};
use super::usage::Usage;
use crate::process;

/// One run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Run {
    /// Jobs.
    pub jobs: usize,
    /// From the first submit to the last recorded result.
    pub seconds: f64,
    /// CPU seconds in that time.
    pub usage: Usage,
    /// What others took of this machine's CPUs in that time, from 0 to 1.
    pub others: f64,
    /// Memory of Redis that one finished job takes, in bytes.
    pub bytes_per_job: f64,
}

/// Runs `jobs` jobs on a fresh Redis.
///
/// # Errors
/// When a process fails, or a job does not end.
pub async fn measure(
    programs: &Programs,
    contender: Contender,
    setting: Setting,
    jobs: usize,
) -> anyhow::Result<Run> {
    let load = Load {
        jobs,
        setting,
        rate_hz: 0,
    };
    let mut stage = Stage::set(programs, contender, load).await?;
    let bytes_before = stage.redis_bytes()?;
    let used_before = Usage::of(&stage.processes()?)?;
    let busy_before = process::busy_seconds()?;
    let begun = Instant::now();
    stage.producer.go().await?;
    stage.wait_until_ended().await?;
    let seconds = begun.elapsed().as_secs_f64();
    let usage = Usage::of(&stage.processes()?)? - used_before;
    let busy = process::busy_seconds()? - busy_before;
    stage.wait_until_submitted().await?;
    let bytes = stage.redis_bytes()?.saturating_sub(bytes_before);
    Ok(Run {
        jobs,
        seconds,
        usage,
        others: (busy - usage.sum()).max(0.0) / (seconds * count(cores())),
        bytes_per_job: real(bytes) / count(jobs),
    })
}

impl Run {
    /// Jobs a second, end to end.
    #[must_use]
    pub fn jobs_per_second(&self) -> f64 {
        count(self.jobs) / self.seconds
    }

    /// CPU microseconds that a job took of a sum of seconds.
    #[must_use]
    pub fn us_per_job(&self, cpu_seconds: f64) -> f64 {
        cpu_seconds * 1e6 / count(self.jobs)
    }
}

/// The run whose speed is in the middle; of an even number the slower of the two. None of none.
#[must_use]
pub fn median(runs: &[Run]) -> Option<Run> {
    let mut runs = runs.to_vec();
    runs.sort_by(|one, other| one.jobs_per_second().total_cmp(&other.jobs_per_second()));
    let middle = runs.len().checked_sub(1)? / 2;
    runs.get(middle).copied()
}

#[expect(clippy::cast_precision_loss, reason = "fewer than 2^52 jobs")]
fn count(jobs: usize) -> f64 {
    jobs as f64
}

#[expect(clippy::cast_precision_loss, reason = "fewer than 2^52 bytes")]
fn real(bytes: u64) -> f64 {
    bytes as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(seconds: f64) -> Run {
        Run {
            jobs: 100,
            seconds,
            usage: Usage::default(),
            others: 0.0,
            bytes_per_job: 0.0,
        }
    }

    #[test]
    fn the_median_is_a_run_that_took_place() {
        let seconds = |runs: &[f64]| {
            let runs: Vec<Run> = runs.iter().copied().map(run).collect();
            median(&runs).map(|run| run.seconds)
        };
        assert_eq!(seconds(&[5.0, 1.0, 2.0, 9.0, 3.0]), Some(3.0));
        assert_eq!(seconds(&[1.0, 2.0]), Some(2.0));
        assert_eq!(seconds(&[4.0]), Some(4.0));
        assert_eq!(seconds(&[]), None);
    }

    #[test]
    fn speeds_and_costs_are_per_job() {
        assert_eq!(run(4.0).jobs_per_second(), 25.0);
        assert_eq!(run(4.0).us_per_job(0.5), 5_000.0);
    }
}
