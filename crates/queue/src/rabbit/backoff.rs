//! How long to wait before the next try. Pure.

use std::time::Duration;

const LEAST: Duration = Duration::from_millis(100);
const MOST: Duration = Duration::from_secs(5);

/// The wait before try number `tries` (from 0), with `jitter` drawn from 0..1: full jitter over a ceiling that
/// doubles, so that those who lost the same broker do not come back together.
pub(super) fn wait(tries: u32, jitter: f64) -> Duration {
    let doubled = LEAST.saturating_mul(1_u32.checked_shl(tries).unwrap_or(u32::MAX));
    let ceiling = doubled.min(MOST);
    LEAST + (ceiling - LEAST).mul_f64(jitter.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound() {
        assert_eq!(wait(0, 0.9), LEAST);
        assert_eq!(wait(1, 1.0), 2 * LEAST);
        assert_eq!(wait(3, 0.5), Duration::from_millis(450));
        for tries in [6, 31, 32, 1_000] {
            assert_eq!(wait(tries, 1.0), MOST);
            assert_eq!(wait(tries, 0.0), LEAST);
        }
    }
}
