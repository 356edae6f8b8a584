//! How much of the time that is left one child may have. Pure.

use std::time::Duration;

/// What one child may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share {
    /// Wall time.
    pub(super) wall: Duration,
    /// Processor time in seconds, at least 1.
    pub(super) cpu_s: u64,
}

/// The share of a child that has `stages` before it while `left` of the time remains. While stages wait behind the
/// first it gets half: should it get stuck, the others still have their time.
pub(super) fn share(left: Duration, stages: usize, cpu_s_max: u64) -> Share {
    let wall = if stages > 1 { left / 2 } else { left };
    Share {
        wall,
        cpu_s: wall.as_secs().clamp(1, cpu_s_max.max(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stuck_child_leaves_time_for_the_stages_behind_it() {
        let table = [
            // (left in s, stages, most cpu) -> (wall in ms, cpu in s)
            ((120, 5, 60), (60_000, 60)),
            ((120, 1, 60), (120_000, 60)),
            ((55, 4, 60), (27_500, 27)),
            ((1, 2, 60), (500, 1)),
            ((120, 5, 0), (60_000, 1)),
        ];
        for ((left_s, stages, cpu_s_max), (wall_ms, cpu_s)) in table {
            let expected = Share {
                wall: Duration::from_millis(wall_ms),
                cpu_s,
            };
            assert_eq!(
                share(Duration::from_secs(left_s), stages, cpu_s_max),
                expected
            );
        }
    }
}
