//! Bounds how often a job's progress is written.

use serde::{Deserialize, Serialize};

/// Between two writes of one job, in milliseconds: at most five a second.
pub const WRITE_GAP_MS: u64 = 200;

/// Says when the latest progress of one attempt is to be written. It keeps no progress itself: the caller
/// holds the latest and, told to write later, offers again at that time whatever is the latest then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coalescer {
    min_gap_ms: u64,
    written_ms: Option<u64>,
}

/// What to do with an offered progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Write {
    /// Write it. The coalescer takes it as written.
    Now,
    /// Keep it and offer the latest again then.
    Later {
        /// Milliseconds since the epoch; at most one gap away.
        at_ms: u64,
    },
}

impl Default for Coalescer {
    fn default() -> Self {
        Self::new(WRITE_GAP_MS)
    }
}

impl Coalescer {
    /// With writes at least `min_gap_ms` apart.
    pub const fn new(min_gap_ms: u64) -> Self {
        Self {
            min_gap_ms,
            written_ms: None,
        }
    }

    /// Offers an ordinary report; the end of a step is one too, or a plan of many short steps would
    /// write without bound.
    pub fn offer(&mut self, now_ms: u64) -> Write {
        if let Some(written_ms) = self.written_ms
            // A clock set back would put the next write off by as much: write instead.
            && now_ms >= written_ms
            && now_ms - written_ms < self.min_gap_ms
        {
            return Write::Later {
                at_ms: written_ms.saturating_add(self.min_gap_ms),
            };
        }
        self.offer_last(now_ms)
    }

    /// Offers the last report of an attempt, which is always written.
    pub fn offer_last(&mut self, now_ms: u64) -> Write {
        self.written_ms = Some(now_ms);
        Write::Now
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn writes_are_a_gap_apart_except_the_last() {
        let mut coalescer = Coalescer::default();
        assert_eq!(coalescer.offer(1_000), Write::Now);
        assert_eq!(coalescer.offer(1_001), Write::Later { at_ms: 1_200 });
        assert_eq!(coalescer.offer(1_199), Write::Later { at_ms: 1_200 });
        assert_eq!(coalescer.offer(1_200), Write::Now);
        assert_eq!(coalescer.offer_last(1_201), Write::Now);
        assert_eq!(coalescer.offer(1_202), Write::Later { at_ms: 1_401 });
    }

    #[test]
    fn a_clock_set_back_does_not_silence_a_job() {
        let mut coalescer = Coalescer::default();
        assert_eq!(coalescer.offer(1_000_000), Write::Now);
        assert_eq!(coalescer.offer(500_000), Write::Now);
        assert_eq!(coalescer.offer(500_199), Write::Later { at_ms: 500_200 });
    }

    proptest! {
        #[test]
        fn at_most_five_writes_in_any_second(gaps in prop::collection::vec(0..300_u64, 1..200)) {
            let mut coalescer = Coalescer::default();
            let mut now_ms = 5_000;
            let mut written: Vec<u64> = Vec::new();
            for gap_ms in gaps {
                now_ms += gap_ms;
                match coalescer.offer(now_ms) {
                    Write::Now => written.push(now_ms),
                    Write::Later { at_ms } => {
                        prop_assert!(at_ms > now_ms && at_ms <= now_ms + WRITE_GAP_MS);
                        prop_assert_eq!(coalescer.clone().offer(at_ms), Write::Now);
                    }
                }
            }
            for start in &written {
                let second = written.iter().filter(|at| (*start..start + 1_000).contains(*at));
                prop_assert!(second.count() <= 5);
            }
        }
    }
}
