//! A point in time as people type it: a date and time, or how long ago.

use std::str::FromStr;

use assay_gateway::json;
use prost_types::Timestamp;

/// Units of how long ago something was, in milliseconds.
const UNITS: [(char, u64); 4] = [
    ('s', 1_000),
    ('m', 60_000),
    ('h', 3_600_000),
    ('d', 86_400_000),
];

/// A point in time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Moment {
    /// This one.
    At(Timestamp),
    /// So long before now.
    Ago {
        /// In milliseconds.
        ms: u64,
    },
}

impl Moment {
    /// When it is, if it is now `now_ms`.
    pub(crate) fn time(self, now_ms: u64) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::Ago { ms } => timestamp(now_ms.saturating_sub(ms)),
        }
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(ms) = ago_ms(text) {
            return Ok(Self::Ago { ms });
        }
        let time = json::read_time(text);
        time.map(Self::At)
            .map_err(|must| format!("it {must}, or how long ago, such as 90m, 12h or 7d"))
    }
}

/// Milliseconds since 1970 as the API has them.
pub(crate) fn timestamp(ms: u64) -> Timestamp {
    let nanos = i32::try_from(ms % 1_000 * 1_000_000).unwrap_or(0);
    Timestamp {
        seconds: i64::try_from(ms / 1_000).unwrap_or(i64::MAX),
        nanos,
    }
}

fn ago_ms(text: &str) -> Option<u64> {
    let read = |(unit, ms): &(char, u64)| {
        let count: u64 = text.strip_suffix(*unit)?.parse().ok()?;
        count.checked_mul(*ms)
    };
    UNITS.iter().find_map(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_or_how_long_ago_it_was() {
        let now_ms = 10 * 86_400_000;
        let ms = |text: &str| {
            let time = text.parse::<Moment>().unwrap().time(now_ms);
            time.seconds * 1_000 + i64::from(time.nanos) / 1_000_000
        };
        assert_eq!(ms("1970-01-01T00:00:01.5Z"), 1_500);
        assert_eq!(ms("0s"), 864_000_000);
        assert_eq!(ms("90m"), 864_000_000 - 5_400_000);
        assert_eq!(ms("12h"), 864_000_000 - 43_200_000);
        assert_eq!(ms("7d"), 3 * 86_400_000);
        assert_eq!(ms("11d"), 0, "nothing was before 1970");
    }

    #[test]
    fn what_is_neither_is_told_both() {
        for wrong in [
            "",
            "h",
            "soon",
            "-1h",
            "1.5h",
            "5w",
            "é",
            "99999999999999999999d",
        ] {
            let said = wrong.parse::<Moment>().unwrap_err();
            let wanted = "it must be a time such as 2026-01-31T12:00:00Z, or how long ago, such as 90m, 12h or 7d";
            assert_eq!(said, wanted, "{wrong}");
        }
    }
}
