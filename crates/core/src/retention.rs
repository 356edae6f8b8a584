//! How long the record of a job is kept that has ended.

use crate::state::JobState;

/// Times from the end of a job until its record may be forgotten, each in milliseconds. With the record go its
/// envelope, its events and its request key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// For a job that ended any other way than as a dead letter.
    pub ended_ms: u64,
    /// For a dead letter: it waits for people, who need longer than programs.
    pub dead_letters_ms: u64,
}

impl Retention {
    /// For a job that ended in `state`.
    #[must_use]
    pub fn of_ms(self, state: JobState) -> u64 {
        if state == JobState::DeadLettered {
            self.dead_letters_ms
        } else {
            self.ended_ms
        }
    }

    /// How long any record is kept at least: what is younger and missing was lost.
    #[must_use]
    pub fn shortest_ms(self) -> u64 {
        self.ended_ms.min(self.dead_letters_ms)
    }

    /// How long a record is kept at most: content that records name must be there for as long.
    #[must_use]
    pub fn longest_ms(self) -> u64 {
        self.ended_ms.max(self.dead_letters_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_letter_alone_has_a_time_of_its_own() {
        let retention = Retention {
            ended_ms: 7,
            dead_letters_ms: 30,
        };
        for state in JobState::ALL {
            let is_dead = state == JobState::DeadLettered;
            assert_eq!(retention.of_ms(state), if is_dead { 30 } else { 7 });
        }
        assert_eq!((retention.shortest_ms(), retention.longest_ms()), (7, 30));
    }
}
