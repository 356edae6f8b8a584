//! What each contender is tried with, and in which order they run.

use std::fmt;

use super::contender::Contender;
use super::mode::Mode;
use super::role::Add;

/// Jobs that a worker runs at once: each contender is tried with all of them.
const CONCURRENCIES: [usize; 3] = [50, 100, 200];
/// How jobs are added: each contender is tried with both.
const ADDS: [Add; 2] = [Add::Single, Add::Bulk];

/// What Celery runs jobs in, and how many at once: its processes and threads are too heavy for [`CONCURRENCIES`].
const POOLS: [(Pool, usize); 6] = [
    (Pool::Prefork, 2),
    (Pool::Prefork, 4),
    (Pool::Prefork, 8),
    (Pool::Threads, 8),
    (Pool::Threads, 50),
    (Pool::Solo, 1),
];

/// What Celery runs jobs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    /// Processes.
    Prefork,
    /// Threads.
    Threads,
    /// Nothing more than its worker.
    Solo,
}

impl Pool {
    /// Celery's own name for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Prefork => "prefork",
            Self::Threads => "threads",
            Self::Solo => "solo",
        }
    }
}

/// How a contender runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Jobs that the worker runs at once.
    pub concurrency: usize,
    /// How jobs are added.
    pub add: Add,
    /// What they run in, of contenders that have a choice.
    pub pool: Option<Pool>,
}

impl Setting {
    /// One pipeline: it has no settings.
    const PIPELINE: Self = Self {
        concurrency: 1,
        add: Add::Bulk,
        pool: None,
    };

    /// All that a contender is tried with; never none.
    #[must_use]
    pub fn all(mode: Mode, contender: Contender) -> Vec<Self> {
        let runs: Vec<_> = match (mode, contender) {
            (Mode::Redis, Contender::Ceiling) => return vec![Self::PIPELINE],
            (_, Contender::Celery) => {
                let pools = POOLS.into_iter();
                pools.map(|(pool, count)| (Some(pool), count)).collect()
            }
            _ => CONCURRENCIES.map(|count| (None, count)).into(),
        };
        let with = |(pool, concurrency)| {
            ADDS.map(|add| Self {
                concurrency,
                add,
                pool,
            })
        };
        runs.into_iter().flat_map(with).collect()
    }

    /// What a contender runs with that nobody has tried, or that can't be tried.
    #[must_use]
    pub fn usual(mode: Mode, contender: Contender) -> Self {
        let mut all = Self::all(mode, contender).into_iter();
        all.next().unwrap_or(Self::PIPELINE)
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::PIPELINE {
            return f.write_str("one pipeline");
        }
        let add = match self.add {
            Add::Single => "single",
            Add::Bulk => "bulk",
        };
        if let Some(pool) = self.pool {
            write!(f, "{}, ", pool.name())?;
        }
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
        for mode in [Mode::Redis, Mode::Full] {
            for contender in mode.contenders() {
                let all = Setting::all(mode, *contender);
                assert!(!all.is_empty());
                for (place, setting) in all.iter().enumerate() {
                    assert!(!all.iter().skip(place + 1).any(|other| other == setting));
                }
            }
        }
        let bare = Setting::all(Mode::Full, Contender::Bare);
        assert_eq!(bare, Setting::all(Mode::Redis, Contender::Assay));
        assert_eq!(bare.len(), CONCURRENCIES.len() * ADDS.len());
    }

    #[test]
    fn a_setting_names_what_was_chosen() {
        let of = |mode, contender| Setting::usual(mode, contender).to_string();
        assert_eq!(of(Mode::Redis, Contender::Ceiling), "one pipeline");
        assert_eq!(of(Mode::Full, Contender::Assay), "50 at once, single");
        let celery = of(Mode::Full, Contender::Celery);
        assert_eq!(celery, "prefork, 2 at once, single");
    }

    #[test]
    fn the_fastest_setting_is_the_best() {
        let of = |concurrency| Setting {
            concurrency,
            add: Add::Bulk,
            pool: None,
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
