//! What the system knows of a process, and of all of them.

use anyhow::Context;

/// Ticks of a second in `/proc/*/stat`: the same on every Linux that Rust runs on.
const TICKS_HZ: f64 = 100.0;
/// Where the ticks in user mode stand, behind the name.
const USER_TICKS: usize = 11;
/// Where the ticks in system mode stand, behind the name.
const SYSTEM_TICKS: usize = 12;
/// The same of the children that it has waited for.
const REAPED_USER_TICKS: usize = 13;
const REAPED_SYSTEM_TICKS: usize = 14;
/// User, nice, system, interrupts, soft interrupts and stolen in the first line of `/proc/stat`: all but idle and
/// waiting for disks.
const BUSY_TICKS: [usize; 6] = [0, 1, 2, 5, 6, 7];

/// CPU seconds that a process has used, user and system.
///
/// # Errors
/// When it does not run.
pub fn cpu_seconds(pid: u32) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    let stat = stat.with_context(|| format!("read the times of process {pid}"))?;
    cpu_seconds_in(&stat).with_context(|| format!("parse the times of process {pid}"))
}

/// CPU seconds that those children of a process have used that have ended, user and system.
///
/// # Errors
/// When it does not run.
pub fn reaped_cpu_seconds(pid: u32) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    let stat = stat.with_context(|| format!("read the times of process {pid}"))?;
    let ticks = [REAPED_USER_TICKS, REAPED_SYSTEM_TICKS];
    seconds_in(&stat, ticks).with_context(|| format!("parse the times of process {pid}"))
}

/// CPU seconds that all processes of this machine have used, and what other machines on its host took from it.
///
/// # Errors
/// When the system does not tell.
pub fn busy_seconds() -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string("/proc/stat").context("read the times of the machine")?;
    busy_seconds_in(&stat).context("parse the times of the machine")
}

/// Resident memory of a process in bytes.
///
/// # Errors
/// When it does not run.
pub fn resident_bytes(pid: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"));
    let status = status.with_context(|| format!("read the status of process {pid}"))?;
    resident_bytes_in(&status).with_context(|| format!("find VmRSS of process {pid}"))
}

/// The most memory that a process has had so far, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Peak {
    /// Of its memory in use.
    pub resident_bytes: u64,
    /// Of its address space.
    pub space_bytes: u64,
}

/// What a process may have at most; nothing where the kernel sets no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// CPU time in seconds.
    pub cpu_s: Option<u64>,
    /// Address space in bytes.
    pub space_bytes: Option<u64>,
}

/// The most memory that a process has had so far.
///
/// # Errors
/// When it does not run.
pub fn peak(pid: u32) -> anyhow::Result<Peak> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"));
    let status = status.with_context(|| format!("read the status of process {pid}"))?;
    peak_in(&status).with_context(|| format!("find the peaks of process {pid}"))
}

/// What a process may have at most.
///
/// # Errors
/// When it does not run.
pub fn bounds(pid: u32) -> anyhow::Result<Bounds> {
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits"));
    let limits = limits.with_context(|| format!("read the limits of process {pid}"))?;
    Ok(bounds_in(&limits))
}

fn cpu_seconds_in(stat: &str) -> Option<f64> {
    seconds_in(stat, [USER_TICKS, SYSTEM_TICKS])
}

/// The sum of the ticks at these places behind the name, in seconds.
fn seconds_in(stat: &str, places: [usize; 2]) -> Option<f64> {
    // The name is in brackets and may hold anything, brackets too.
    let (_, after_name) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |place: usize| fields.get(place)?.parse::<f64>().ok();
    let [one, other] = places;
    Some((ticks(one)? + ticks(other)?) / TICKS_HZ)
}

fn busy_seconds_in(stat: &str) -> Option<f64> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks: Vec<f64> = line
        .split_whitespace()
        .map(|word| word.parse().ok())
        .collect::<Option<_>>()?;
    let busy = BUSY_TICKS.iter().map(|place| ticks.get(*place).copied());
    Some(busy.sum::<Option<f64>>()? / TICKS_HZ)
}

fn resident_bytes_in(status: &str) -> Option<u64> {
    bytes_in(status, "VmRSS:")
}

/// The figure behind a name in a status, in bytes.
fn bytes_in(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

fn peak_in(status: &str) -> Option<Peak> {
    Some(Peak {
        resident_bytes: bytes_in(status, "VmHWM:")?,
        space_bytes: bytes_in(status, "VmPeak:")?,
    })
}

/// The first of two bounds behind a name is the one that holds.
fn bounds_in(limits: &str) -> Bounds {
    let bound = |name: &str| {
        let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    Bounds {
        cpu_s: bound("Max cpu time"),
        space_bytes: bound("Max address space"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_stand_behind_the_name_whatever_that_is() {
        let stat = "12 (a (b) c) S 1 12 12 0 -1 4194560 1 2 3 4 150 50 7 8 20 0";
        assert_eq!(cpu_seconds_in(stat), Some(2.0));
        let reaped = [REAPED_USER_TICKS, REAPED_SYSTEM_TICKS];
        assert_eq!(seconds_in(stat, reaped), Some(0.15));
        assert_eq!(cpu_seconds_in("12 (a) S 1 2"), None);
        assert_eq!(cpu_seconds_in(""), None);
    }

    #[test]
    fn a_machine_that_waits_is_not_busy() {
        let stat = "cpu  100 10 50 9000 800 1 2 37 5 5\ncpu0 1 1 1 1 1 1 1 1 1 1\n";
        assert_eq!(busy_seconds_in(stat), Some(2.0));
        assert_eq!(busy_seconds_in("cpu  100 10\n"), None);
        assert!(busy_seconds().unwrap() > 0.0);
    }

    #[test]
    fn resident_memory_is_told_in_bytes() {
        let status = "Name:\tx\nVmRSS:\t    2048 kB\nThreads:\t1\n";
        assert_eq!(resident_bytes_in(status), Some(2 * 1024 * 1024));
        assert_eq!(resident_bytes_in("Name:\tx\n"), None);
    }

    #[test]
    fn peaks_stand_beside_what_is_in_use() {
        let status = "Name:\tx\nVmPeak:\t    4096 kB\nVmHWM:\t    3072 kB\nVmRSS:\t    2048 kB\n";
        let peak = Peak {
            resident_bytes: 3 * 1024 * 1024,
            space_bytes: 4 * 1024 * 1024,
        };
        assert_eq!(peak_in(status), Some(peak));
        assert_eq!(peak_in("VmRSS:\t    2048 kB\n"), None);
    }

    #[test]
    fn a_bound_is_a_number_or_none() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max cpu time              27                   28                   seconds   \n\
                      Max address space         unlimited            unlimited            bytes     \n";
        let bounds = Bounds {
            cpu_s: Some(27),
            space_bytes: None,
        };
        assert_eq!(bounds_in(limits), bounds);
        assert_eq!(bounds_in(""), Bounds::default());
    }

    #[test]
    fn this_process_is_known() {
        let pid = std::process::id();
        assert!(reaped_cpu_seconds(pid).unwrap() >= 0.0);
        assert!(peak(pid).unwrap().space_bytes > 0);
        assert!(bounds(pid).is_ok());
        assert!(cpu_seconds(pid).unwrap() >= 0.0);
        assert!(resident_bytes(pid).unwrap() > 0);
    }
}
