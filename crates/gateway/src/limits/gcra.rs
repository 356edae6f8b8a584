//! So many calls in so much time: the generic cell rate algorithm. Pure: the time is passed in.
//!
//! ITU-T Recommendation I.371, annex A, in its form as virtual scheduling: a call is *due* one interval after the one
//! before it; it may come early, by the tolerance at most. A burst of `b` calls at once is a tolerance of `b - 1`
//! intervals, and in any span of `n` intervals at most `b + n` calls are let in.
//!
//! Own code and no library, because the whole of it is one comparison. What `governor` has around that comparison is a
//! clock that it reads itself and a map of callers that grows until somebody sweeps it; here the time comes in as an
//! argument, and the map is bounded (`rates`).

use std::time::Duration;

use tokio::time::Instant;

const MINUTE_NS: u64 = 60 * 1_000_000_000;

/// How often something may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quota {
    interval: Duration,
    tolerance: Duration,
}

impl Quota {
    /// `per_minute` calls in the long run, `burst` of them at once. None if there is no limit, which 0 calls stand for.
    pub(crate) fn new(per_minute: u64, burst: u64) -> Option<Self> {
        if per_minute == 0 {
            return None;
        }
        // Rounded up: never more than was allowed.
        let interval_ns = MINUTE_NS.div_ceil(per_minute);
        let tolerance_ns = interval_ns.saturating_mul(burst.saturating_sub(1));
        Some(Self {
            interval: Duration::from_nanos(interval_ns),
            tolerance: Duration::from_nanos(tolerance_ns),
        })
    }
}

/// What is remembered of one caller.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    // When the next call is due.
    due: Instant,
}

impl Cell {
    /// One that has not called, or not for long.
    pub(crate) fn new(now: Instant) -> Self {
        Self { due: now }
    }

    /// Lets a call in.
    ///
    /// # Errors
    /// How long it comes too early. A call that is refused changes nothing.
    pub(crate) fn take(&mut self, quota: Quota, now: Instant) -> Result<(), Duration> {
        let early = self.due.saturating_duration_since(now);
        match early.checked_sub(quota.tolerance) {
            Some(wait) if !wait.is_zero() => Err(wait),
            Some(_) | None => {
                self.due = self.due.max(now) + quota.interval;
                Ok(())
            }
        }
    }

    /// Whether it says no more than a new one would.
    pub(crate) fn is_idle(&self, now: Instant) -> bool {
        self.due <= now
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NS: Duration = Duration::from_nanos(1);

    fn quota(per_minute: u64, burst: u64) -> Quota {
        Quota::new(per_minute, burst).unwrap()
    }

    #[test]
    fn a_burst_is_let_in_at_once_and_one_call_more_is_told_when() {
        let (now, quota) = (Instant::now(), quota(60, 3));
        let mut cell = Cell::new(now);
        for _ in 0..3 {
            cell.take(quota, now).unwrap();
        }
        assert_eq!(cell.take(quota, now), Err(Duration::from_secs(1)));
        let soon = now + Duration::from_millis(400);
        let wait = cell.take(quota, soon).unwrap_err();
        assert_eq!(wait, Duration::from_millis(600));
        assert_eq!(cell.take(quota, soon + wait - NS), Err(NS));
        cell.take(quota, soon + wait).unwrap();
        cell.take(quota, soon + wait).unwrap_err();
    }

    #[test]
    fn a_steady_caller_is_never_refused_and_a_pause_gives_the_whole_burst_back() {
        let (mut now, quota) = (Instant::now(), quota(600, 1));
        let mut cell = Cell::new(now);
        for _ in 0..1_000 {
            cell.take(quota, now).unwrap();
            assert!(!cell.is_idle(now));
            now += Duration::from_millis(100);
            assert!(cell.is_idle(now), "it says no more than a new one");
        }
    }

    #[test]
    fn no_calls_at_all_stand_for_no_limit() {
        assert_eq!(Quota::new(0, 5), None);
        let odd = quota(7, 1).interval;
        assert!(odd * 7 >= Duration::from_secs(60), "rounded up");
    }

    #[test]
    fn the_largest_numbers_do_no_harm() {
        let (now, quota) = (Instant::now(), quota(1, 1_000_000));
        let mut cell = Cell::new(now);
        for _ in 0..1_000 {
            cell.take(quota, now).unwrap();
        }
        assert_eq!(Quota::new(u64::MAX, u64::MAX).unwrap().interval, NS);
    }

    proptest! {
        /// Whatever comes when, and even if the time goes back: in no span are more let in than the burst and what the
        /// span allows, and whoever waits as long as they were told is let in.
        #[test]
        fn never_more_than_the_quota(
            per_minute in 1_u64..100_000,
            burst in 1_u64..20,
            steps in prop::collection::vec((0_u64..2_000_000_000, any::<bool>()), 1..200),
        ) {
            let (begun, quota) = (Instant::now(), quota(per_minute, burst));
            let (mut now, mut cell) = (begun, Cell::new(begun));
            let mut admitted = Vec::new();
            for (step, goes_back) in steps {
                let step = Duration::from_nanos(step);
                now = if goes_back { now.checked_sub(step).unwrap_or(now).max(begun) } else { now + step };
                match cell.take(quota, now) {
                    Ok(()) => admitted.push(now),
                    Err(wait) => {
                        let mut later = cell;
                        prop_assert!(later.take(quota, now + wait - NS).is_err());
                        prop_assert!(later.take(quota, now + wait).is_ok());
                    }
                }
            }
            admitted.sort_unstable();
            for (first, from) in admitted.iter().enumerate() {
                for (last, until) in admitted.iter().enumerate().skip(first) {
                    let span = until.duration_since(*from).as_nanos();
                    let allowed = u128::from(burst) + span / quota.interval.as_nanos();
                    prop_assert!((last - first + 1) as u128 <= allowed);
                }
            }
        }
    }
}
