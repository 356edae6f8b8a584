//! How long something waits on the broker. Pure.
//!
//! A queue lets go of what waits in it at its head only, so each delay has a queue of its own, and a wait is made
//! of stays: the longest that does not end too late, again and again. What is left in the end is waited for by whoever
//! received it.

use std::time::Duration;

/// A stay of fixed length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bucket {
    /// What its names end with.
    pub(super) name: &'static str,
    pub(super) stay: Duration,
}

/// The shortest first. A name says the length: another length needs another name.
pub(super) const BUCKETS: [Bucket; 6] = [
    bucket("1s", 1),
    bucket("5s", 5),
    bucket("30s", 30),
    bucket("2m", 120),
    bucket("10m", 600),
    bucket("1h", 3_600),
];

const fn bucket(name: &'static str, seconds: u64) -> Bucket {
    Bucket {
        name,
        stay: Duration::from_secs(seconds),
    }
}

/// Which of [`BUCKETS`] something stays in that is not to come before `wait` has passed; `None` when that is less
/// than the shortest.
pub(super) fn bucket_for(wait: Duration) -> Option<usize> {
    BUCKETS.iter().rposition(|bucket| bucket.stay <= wait)
}

/// How long something waits that is not to come before `at_ms`, both in milliseconds since the epoch.
pub(super) fn wait_until(at_ms: u64, now_ms: u64) -> Duration {
    Duration::from_millis(at_ms.saturating_sub(now_ms))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_wait_takes_the_longest_stay_that_is_not_too_long() {
        let name = |ms| bucket_for(Duration::from_millis(ms)).map(|bucket| BUCKETS[bucket].name);
        for (ms, expected) in [
            (0, None),
            (999, None),
            (1_000, Some("1s")),
            (4_999, Some("1s")),
            (5_000, Some("5s")),
            (119_999, Some("30s")),
            (3_600_000, Some("1h")),
            (u64::MAX, Some("1h")),
        ] {
            assert_eq!(name(ms), expected, "{ms}");
        }
    }

    proptest! {
        /// Stay after stay ends less than the shortest before the time, and never after it.
        #[test]
        fn stays_add_up_to_the_wait(ms in 0_u64..100_000_000) {
            let (wait, mut waited, mut stays) = (Duration::from_millis(ms), Duration::ZERO, 0);
            while let Some(bucket) = bucket_for(wait - waited) {
                waited += BUCKETS[bucket].stay;
                stays += 1;
            }
            prop_assert!(waited <= wait && wait - waited < BUCKETS[0].stay);
            prop_assert!(stays <= ms / 3_600_000 + 5 + 4 + 3 + 5 + 4);
        }
    }
}
