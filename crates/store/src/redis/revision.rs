//! Revisions of records.

/// Bits of a revision below its time. They are chance, so that no two writers make the same revision.
const CHANCE_BITS: u32 = 22;

/// The revision behind `current`, made at `now_ms`. No other change has the same, also where Redis has lost
/// what came behind `current`: the time has gone on since, and `chance` does the rest.
pub(crate) fn next_revision(current: u64, now_ms: u64, chance: u64) -> u64 {
    let chance = chance >> (u64::BITS - CHANCE_BITS);
    let fresh = (now_ms << CHANCE_BITS) | chance;
    if fresh > current {
        fresh
    } else {
        current.saturating_add(1 + chance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: u64 = 1_700_000_000_000;

    #[test]
    fn it_rises_whatever_the_clock_does() {
        let mut current = 0;
        for now_ms in [NOW_MS, NOW_MS, NOW_MS - 50_000, NOW_MS, NOW_MS + 1] {
            for chance in [u64::MAX, 0, u64::MAX / 3] {
                let next = next_revision(current, now_ms, chance);
                assert!(next > current);
                current = next;
            }
        }
    }

    #[test]
    fn two_writers_do_not_make_the_same() {
        let before = next_revision(0, NOW_MS, 1 << 50);
        for now_ms in [NOW_MS, NOW_MS + 1] {
            let one = next_revision(before, now_ms, 3 << 50);
            let other = next_revision(before, now_ms, 4 << 50);
            assert_ne!(one, other);
        }
    }
}
