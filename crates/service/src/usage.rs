//! What this process takes of its machine, where the system tells it in `/proc`.

use std::time::Duration;

use tokio::runtime::RuntimeMetrics;
use tokio::time::Instant;

/// Ticks per second of the times in `/proc`, the same on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;
/// Where the fields of `/proc/self/stat` begin that stand behind the name: the third of all.
const FIRST_FIELD: usize = 3;
const UTIME_FIELD: usize = 14;
const STIME_FIELD: usize = 15;
const THREADS_FIELD: usize = 20;

/// Resident memory in bytes.
pub(crate) fn resident_bytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u32 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(f64::from(kib) * 1024.0)
}

/// Open file descriptors.
pub(crate) fn open_fds() -> Option<f64> {
    let count = std::fs::read_dir("/proc/self/fd").ok()?.count();
    u32::try_from(count).ok().map(f64::from)
}

/// File descriptors that may be open.
pub(crate) fn max_fds() -> Option<f64> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Processor time used, and threads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Work {
    pub(crate) cpu_seconds: f64,
    pub(crate) threads: f64,
}

/// What the process did so far.
pub(crate) fn work() -> Option<Work> {
    parse(&std::fs::read_to_string("/proc/self/stat").ok()?)
}

fn parse(stat: &str) -> Option<Work> {
    // The name may hold spaces and parentheses: what counts stands behind its last parenthesis.
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let field = |number: usize| fields.get(number - FIRST_FIELD)?.parse::<f64>().ok();
    Some(Work {
        cpu_seconds: (field(UTIME_FIELD)? + field(STIME_FIELD)?) / TICKS_PER_SECOND,
        threads: field(THREADS_FIELD)?,
    })
}

/// Tells which part of their time the threads of a runtime were busy since it was asked last.
#[derive(Debug)]
pub(crate) struct Busyness {
    runtime: RuntimeMetrics,
    asked_at: Instant,
    busy: Duration,
}

impl Busyness {
    /// Of the runtime that the caller is in, from now on.
    pub(crate) fn here() -> Self {
        let runtime = tokio::runtime::Handle::current().metrics();
        Self {
            busy: busy(&runtime),
            runtime,
            asked_at: Instant::now(),
        }
    }

    /// From 0 to 1, since the last time.
    pub(crate) fn ratio(&mut self) -> f64 {
        let (now, busy) = (Instant::now(), busy(&self.runtime));
        let spent = busy.saturating_sub(self.busy).as_secs_f64();
        let passed = now.saturating_duration_since(self.asked_at).as_secs_f64();
        (self.busy, self.asked_at) = (busy, now);
        let workers = u32::try_from(self.runtime.num_workers()).unwrap_or(u32::MAX);
        let had = passed * f64::from(workers);
        if had > 0.0 {
            (spent / had).min(1.0)
        } else {
            0.0
        }
    }
}

fn busy(runtime: &RuntimeMetrics) -> Duration {
    let workers = 0..runtime.num_workers();
    workers
        .map(|worker| runtime.worker_total_busy_duration(worker))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_hides_nothing() {
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194304 90 0 0 0 150 50 0 0 20 0 9 0 81 1 2";
        let wanted = Work {
            cpu_seconds: 2.0,
            threads: 9.0,
        };
        assert_eq!(parse(stat), Some(wanted));
        assert_eq!(parse("7 (a"), None);
        assert_eq!(parse("7 (a) S 1"), None);
    }

    #[test]
    fn this_process_is_told_about() {
        assert!(resident_bytes().unwrap() > 0.0);
        assert!(work().unwrap().threads >= 1.0);
        assert!(open_fds().unwrap() <= max_fds().unwrap());
    }

    #[tokio::test]
    async fn busyness_is_a_part_of_the_time() {
        let mut busyness = Busyness::here();
        tokio::task::yield_now().await;
        let ratio = busyness.ratio();
        assert!((0.0..=1.0).contains(&ratio), "{ratio}");
    }
}
