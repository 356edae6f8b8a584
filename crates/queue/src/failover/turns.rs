//! Which of two ways is asked first. Pure.
//!
//! Both are asked at once, and the one that answers first is taken from. That alone would leave out a way that needs
//! longer for its answers than a full one does. So the way that was not taken from last has a *turn*, in which it is
//! asked alone, for a moment. One that let its turn pass has the next after a rest: most of the time it is empty.

use std::time::Duration;

use tokio::time::Instant;

/// How long a turn lasts.
pub(super) const TURN: Duration = Duration::from_millis(20);
/// When a way that let a turn pass has the next.
const REST: Duration = Duration::from_secs(1);

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    First,
    Second,
}

impl Way {
    pub(super) fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

/// Whose turn it is.
pub(super) struct Turns {
    /// Which was taken from last.
    last: Option<Way>,
    /// When each has its next turn, at the earliest.
    due: [Instant; 2],
}

impl Turns {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            last: None,
            due: [now; 2],
        }
    }

    /// Begins a turn, if it is time for one.
    pub(super) fn begin(&mut self, now: Instant) -> Option<Way> {
        let way = self.last?.other();
        let due = &mut self.due[way as usize];
        if *due > now {
            return None;
        }
        // Whoever asks may go away in the middle of it: this must not begin it again and again.
        *due = now + REST;
        Some(way)
    }

    /// Something was taken, so there may be more.
    pub(super) fn taken(&mut self, way: Way, now: Instant) {
        self.last = Some(way);
        self.due[way as usize] = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn two_full_ways_have_turns_one_after_the_other() {
        let now = Instant::now();
        let mut turns = Turns::new(now);
        assert_eq!(turns.begin(now), None);
        turns.taken(Way::First, now);
        for _ in 0..3 {
            for way in [Way::Second, Way::First] {
                assert_eq!(turns.begin(now), Some(way));
                turns.taken(way, now);
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_way_has_a_turn_now_and_then() {
        let now = Instant::now();
        let mut turns = Turns::new(now);
        turns.taken(Way::First, now);
        assert_eq!(turns.begin(now), Some(Way::Second));
        for after in [Duration::ZERO, REST.saturating_sub(Duration::from_nanos(1))] {
            turns.taken(Way::First, now + after);
            assert_eq!(turns.begin(now + after), None);
        }
        assert_eq!(turns.begin(now + REST), Some(Way::Second));
        turns.taken(Way::Second, now + REST);
        assert_eq!(turns.begin(now + REST), Some(Way::First));
    }
}
