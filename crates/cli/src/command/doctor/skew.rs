//! Whether a server's clock and ours agree. Pure.

use super::check::Check;

const NAME: &str = "server clock";

/// What a server tells of its clock is exact to this, in milliseconds.
const RESOLUTION_MS: u64 = 1_000;

/// Clocks that differ by less are as good as one, in milliseconds.
const SKEW_GOOD_MS: u64 = 2_000;

/// When a server was asked and had answered, by our clock, and what its own showed between the two; all in
/// milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) asked_ms: u64,
    pub(crate) answered_ms: u64,
    pub(crate) shown_ms: u64,
}

/// By how much the clocks differ at least, in milliseconds, and which is ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Skew {
    None,
    Ahead(u64),
    Behind(u64),
}

impl Seen {
    fn skew(self) -> Skew {
        let latest_ms = self.shown_ms.saturating_add(RESOLUTION_MS);
        if self.shown_ms > self.answered_ms {
            Skew::Ahead(self.shown_ms - self.answered_ms)
        } else if latest_ms < self.asked_ms {
            Skew::Behind(self.asked_ms - latest_ms)
        } else {
            Skew::None
        }
    }
}

/// Says how the clocks stand to each other. Jobs run by the server's; `--since` and `--until` are counted from ours.
pub(crate) fn clocks(seen: Seen) -> Check {
    let (by_ms, way) = match seen.skew() {
        Skew::Ahead(by_ms) => (by_ms, "ahead of"),
        Skew::Behind(by_ms) => (by_ms, "behind"),
        Skew::None => (0, ""),
    };
    if by_ms < SKEW_GOOD_MS {
        return Check::ok(NAME, "shows the same time as this machine's");
    }
    let finding = format!("it is {} s {way} this machine's", by_ms / 1_000);
    let mend = "set both by one time server, for example with `timedatectl set-ntp true`";
    Check::warn(NAME, &finding, mend)
}

#[cfg(test)]
mod tests {
    use super::super::check::Status;
    use super::*;

    fn seen(shown_ms: u64) -> Seen {
        Seen {
            asked_ms: 100_000,
            answered_ms: 100_400,
            shown_ms,
        }
    }

    #[test]
    fn a_clock_that_is_told_to_the_second_is_not_blamed_for_it() {
        assert_eq!(seen(99_000).skew(), Skew::None);
        assert_eq!(seen(98_999).skew(), Skew::Behind(1));
        assert_eq!(seen(100_400).skew(), Skew::None);
        assert_eq!(seen(100_401).skew(), Skew::Ahead(1));
    }

    #[test]
    fn clocks_that_differ_are_told_apart_by_a_bound() {
        let status = |shown_ms| clocks(seen(shown_ms)).status;
        assert_eq!(status(100_400 + SKEW_GOOD_MS - 1), Status::Ok);
        assert_eq!(status(100_400 + SKEW_GOOD_MS), Status::Warn);
        assert_eq!(status(99_000 - SKEW_GOOD_MS + 1), Status::Ok);
        assert_eq!(status(99_000 - SKEW_GOOD_MS), Status::Warn);
        let said = format!("{:?}", clocks(seen(160_400)));
        assert!(
            said.contains("it is 60 s ahead of this machine's"),
            "{said}"
        );
    }
}
