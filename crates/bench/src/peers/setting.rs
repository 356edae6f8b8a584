//! What each contender is tried with, and in which order they run.

use std::fmt;

use super::role::Add;

/// Jobs that a worker runs at once: each contender is tried with all of them.
const CONCURRENCIES: [usize; 3] = [50, 100, 200];
/// How jobs are added: each contender is tried with both.
const ADDS: [Add; 2] = [Add::Single, Add::Bulk];

/// How a contender runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Jobs that the worker runs at once.
    pub concurrency: usize,
    /// How jobs are added.
    pub add: Add,
}

impl Setting {
    /// For jobs that come one by one.
    pub const USUAL: Self = Self {
        concurrency: 50,
        add: Add::Single,
    };

    /// All that are tried.
    pub fn all() -> impl Iterator<Item = Self> {
        let with = |concurrency| ADDS.map(|add| Self { concurrency, add });
        CONCURRENCIES.into_iter().flat_map(with)
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let add = match self.add {
            Add::Single => "single",
            Add::Bulk => "bulk",
        };
        write!(f, "{} at once, {add}", self.concurrency)
    }
}

/// The setting with the highest speed; none of none.
#[must_use]
pub fn best(tried: &[(Setting, f64)]) -> Option<Setting> {
    let best = tried.iter().max_by(|one, other| one.1.total_cmp(&other.1));
    best.map(|(setting, _)| *setting)
}

/// Who runs after whom in a round: every second round backwards, so that none always follows the same one.
#[must_use]
pub fn order<T: Copy>(contenders: &[T], round: usize) -> Vec<T> {
    let mut order = contenders.to_vec();
    if round % 2 == 1 {
        order.reverse();
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_tried_once() {
        let all: Vec<Setting> = Setting::all().collect();
        assert_eq!(all.len(), CONCURRENCIES.len() * ADDS.len());
        for (place, setting) in all.iter().enumerate() {
            assert!(!all.iter().skip(place + 1).any(|other| other == setting));
        }
    }

    #[test]
    fn the_fastest_setting_is_the_best() {
        let of = |concurrency| Setting {
            concurrency,
            add: Add::Bulk,
        };
        let tried = [(of(50), 10.0), (of(100), 30.0), (of(200), 20.0)];
        assert_eq!(best(&tried), Some(of(100)));
        assert_eq!(best(&[]), None);
    }

    #[test]
    fn rounds_run_forth_and_back() {
        assert_eq!(order(&[1, 2, 3], 0), [1, 2, 3]);
        assert_eq!(order(&[1, 2, 3], 1), [3, 2, 1]);
        assert_eq!(order(&[1, 2, 3], 2), [1, 2, 3]);
    }
}
