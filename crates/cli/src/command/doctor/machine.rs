//! The machine: its clock, its limits.

use assay_core::clock::Clock;

use super::check::Check;

/// A clock that shows an earlier time stands wrong: this program is newer. 2026-01-01, in milliseconds.
const EARLIEST_MS: u64 = 1_767_225_600_000;
/// A clock that shows a later time stands wrong. 2100-01-01, in milliseconds.
const LATEST_MS: u64 = 4_102_444_800_000;

/// With fewer open files a server refuses clients early.
const OPEN_FILES_GOOD: u64 = 1_024;
/// With fewer open files a server does not work.
const OPEN_FILES_MIN: u64 = 128;

/// The clock: leases, deadlines and ids depend on it.
pub(crate) fn clock(clock: &dyn Clock) -> Check {
    let name = "clock";
    let now_ms = clock.now_ms();
    if (EARLIEST_MS..LATEST_MS).contains(&now_ms) {
        return Check::ok(name, "shows a plausible time");
    }
    let shown = i64::try_from(now_ms / 1_000).unwrap_or(i64::MAX);
    let shown = prost_types::Timestamp {
        seconds: shown,
        nanos: 0,
    };
    Check::fail(
        name,
        &format!("it shows {shown}"),
        "set it, for example with `timedatectl set-ntp true`",
    )
}

/// How many files a process may have open.
pub(crate) fn open_files() -> Check {
    match rlimit::Resource::NOFILE.get() {
        Ok((soft, _)) => open_files_of(soft),
        Err(error) => Check::warn(
            "open files",
            &format!("cannot read the limit ({error})"),
            "",
        ),
    }
}

fn open_files_of(limit: u64) -> Check {
    let name = "open files";
    let finding = format!("at most {limit}");
    let mend = format!(
        "raise it, for example with `ulimit -n {}`",
        OPEN_FILES_GOOD * 4
    );
    if limit >= OPEN_FILES_GOOD {
        Check::ok(name, &finding)
    } else if limit >= OPEN_FILES_MIN {
        Check::warn(name, &finding, &mend)
    } else {
        Check::fail(name, &finding, &mend)
    }
}

#[cfg(test)]
mod tests {
    use assay_core::clock::ManualClock;

    use super::super::check::Status;
    use super::*;

    #[test]
    fn a_clock_is_believed_within_its_bounds() {
        let status = |now_ms| clock(&ManualClock::at(now_ms)).status;
        assert_eq!(status(EARLIEST_MS), Status::Ok);
        assert_eq!(status(EARLIEST_MS - 1), Status::Fail);
        assert_eq!(status(LATEST_MS - 1), Status::Ok);
        assert_eq!(status(LATEST_MS), Status::Fail);
    }

    #[test]
    fn few_open_files_warn_and_very_few_fail() {
        let status = |limit| open_files_of(limit).status;
        assert_eq!([status(1_024), status(1_023)], [Status::Ok, Status::Warn]);
        assert_eq!([status(128), status(127)], [Status::Warn, Status::Fail]);
    }
}
