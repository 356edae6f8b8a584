//! What a breaker is told: thresholds, window, open time, and the ranges they must stay in.

use serde::{Deserialize, Serialize};

/// The most calls a count-based window remembers (one small record each).
pub const WINDOW_CALLS_MAX: u32 = 1_000;
/// The shortest time-based window, in milliseconds.
pub const WINDOW_SPAN_MS_MIN: u64 = 100;
/// The longest time-based window, in milliseconds.
pub const WINDOW_SPAN_MS_MAX: u64 = 3_600_000;
/// The most probes that `HALF_OPEN` may let out.
pub const PROBES_MAX: u32 = 100;
/// The longest time that any duration in a breaker may be set to, in milliseconds.
pub const DURATION_MS_MAX: u64 = 3_600_000;
/// Share of a detector's call timeout after which its answer counts as slow, in percent.
pub const DETECTOR_SLOW_PERCENT: u64 = 80;

/// How far back a breaker looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowConfig {
    /// The last `calls` results, however old.
    Count {
        /// 1..=[`WINDOW_CALLS_MAX`].
        calls: u32,
    },
    /// The results of the last `span_ms`, however many; forgotten a tenth of the span at a time.
    Time {
        /// [`WINDOW_SPAN_MS_MIN`]..=[`WINDOW_SPAN_MS_MAX`].
        span_ms: u64,
    },
}

/// The settings of one breaker. [`BreakerConfig::validate`] names the first one out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakerConfig {
    /// How far back the rates look.
    pub window: WindowConfig,
    /// Below this many calls in the window the breaker never opens by itself.
    pub minimum_calls: u32,
    /// Opens when at least this share of the window failed, 1..=100.
    pub failure_rate_percent: u32,
    /// A call that took at least this long is slow, whatever it answered; none: nothing is slow.
    pub slow_call_ms: Option<u64>,
    /// Opens when at least this share of the window was slow, 1..=100.
    pub slow_rate_percent: u32,
    /// The first open time; doubles each time a probe fails.
    pub open_ms: u64,
    /// No open time is longer.
    pub open_cap_ms: u64,
    /// Open times are spread down by up to this share, 0..=100, so that many processes do not probe at once.
    pub open_spread_percent: u32,
    /// `HALF_OPEN` lets out exactly this many calls; all must succeed to close, 1..=[`PROBES_MAX`].
    pub probes: u32,
    /// A probe that nobody reported by then has lost its slot. Longer than the call's own timeout.
    pub probe_timeout_ms: u64,
}

impl BreakerConfig {
    /// For broker, store and blob store: quick to open, never shut for more than two seconds, because
    /// submissions are refused meanwhile.
    pub const fn infrastructure() -> Self {
        Self {
            window: WindowConfig::Time { span_ms: 10_000 },
            minimum_calls: 10,
            failure_rate_percent: 50,
            slow_call_ms: Some(3_000),
            slow_rate_percent: 80,
            open_ms: 250,
            open_cap_ms: 2_000,
            open_spread_percent: 20,
            probes: 3,
            probe_timeout_ms: 10_000,
        }
    }

    /// For an external detector whose calls are cut off after `call_timeout_ms`: few calls, long rests.
    pub const fn detector(call_timeout_ms: u64) -> Self {
        Self {
            window: WindowConfig::Count { calls: 20 },
            minimum_calls: 10,
            failure_rate_percent: 50,
            slow_call_ms: Some(call_timeout_ms.saturating_mul(DETECTOR_SLOW_PERCENT) / 100),
            slow_rate_percent: 80,
            open_ms: 30_000,
            open_cap_ms: 300_000,
            open_spread_percent: 20,
            probes: 3,
            probe_timeout_ms: call_timeout_ms.saturating_mul(2),
        }
    }

    /// Checks every field against its range.
    ///
    /// # Errors
    /// The first field that is out of range, with the range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let calls_max = match self.window {
            WindowConfig::Count { calls } => {
                check("window.calls", calls.into(), 1, WINDOW_CALLS_MAX.into())?;
                // A minimum above the window's size could never be reached.
                calls
            }
            WindowConfig::Time { span_ms } => {
                check(
                    "window.span_ms",
                    span_ms,
                    WINDOW_SPAN_MS_MIN,
                    WINDOW_SPAN_MS_MAX,
                )?;
                u32::MAX
            }
        };
        check(
            "minimum_calls",
            self.minimum_calls.into(),
            1,
            calls_max.into(),
        )?;
        check(
            "failure_rate_percent",
            self.failure_rate_percent.into(),
            1,
            100,
        )?;
        if let Some(slow_call_ms) = self.slow_call_ms {
            check("slow_call_ms", slow_call_ms, 1, DURATION_MS_MAX)?;
        }
        check("slow_rate_percent", self.slow_rate_percent.into(), 1, 100)?;
        check("open_ms", self.open_ms, 1, DURATION_MS_MAX)?;
        check(
            "open_cap_ms",
            self.open_cap_ms,
            self.open_ms,
            DURATION_MS_MAX,
        )?;
        check(
            "open_spread_percent",
            self.open_spread_percent.into(),
            0,
            100,
        )?;
        check("probes", self.probes.into(), 1, PROBES_MAX.into())?;
        check(
            "probe_timeout_ms",
            self.probe_timeout_ms,
            1,
            DURATION_MS_MAX,
        )
    }
}

/// A setting outside its range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("set breaker field {field} between {min} and {max}, not {value}")]
pub struct ConfigError {
    /// Path of the field inside [`BreakerConfig`].
    pub field: &'static str,
    /// What was set.
    pub value: u64,
    /// The least that is allowed.
    pub min: u64,
    /// The most that is allowed.
    pub max: u64,
}

fn check(field: &'static str, value: u64, min: u64, max: u64) -> Result<(), ConfigError> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(ConfigError {
        field,
        value,
        min,
        max,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(change: impl FnOnce(&mut BreakerConfig)) -> Result<(), &'static str> {
        let mut config = BreakerConfig::detector(20_000);
        change(&mut config);
        config.validate().map_err(|error| error.field)
    }

    #[test]
    fn presets_are_valid_and_keep_their_caps() {
        for (config, cap_ms) in [
            (BreakerConfig::infrastructure(), 2_000),
            (BreakerConfig::detector(20_000), 300_000),
            (BreakerConfig::detector(120_000), 300_000),
        ] {
            assert_eq!(config.validate(), Ok(()));
            assert_eq!(config.open_cap_ms, cap_ms);
        }
        assert_eq!(BreakerConfig::detector(20_000).slow_call_ms, Some(16_000));
    }

    type Set = fn(&mut BreakerConfig, u64);

    fn u(value: u64) -> u32 {
        u32::try_from(value).unwrap()
    }

    /// Field, how to set it, its range, and the field that an error below and above the range names: a
    /// range that leans on another field is broken from the other side.
    const RANGES: [(&str, Set, [u64; 2], [&str; 2]); 11] = [
        (
            "window.calls",
            |c, v| c.window = WindowConfig::Count { calls: u(v) },
            [10, 1_000],
            ["minimum_calls", "window.calls"],
        ),
        (
            "window.span_ms",
            |c, v| c.window = WindowConfig::Time { span_ms: v },
            [100, 3_600_000],
            ["window.span_ms"; 2],
        ),
        (
            "minimum_calls",
            |c, v| c.minimum_calls = u(v),
            [1, 20],
            ["minimum_calls"; 2],
        ),
        (
            "failure_rate_percent",
            |c, v| c.failure_rate_percent = u(v),
            [1, 100],
            ["failure_rate_percent"; 2],
        ),
        (
            "slow_call_ms",
            |c, v| c.slow_call_ms = Some(v),
            [1, 3_600_000],
            ["slow_call_ms"; 2],
        ),
        (
            "slow_rate_percent",
            |c, v| c.slow_rate_percent = u(v),
            [1, 100],
            ["slow_rate_percent"; 2],
        ),
        (
            "open_ms",
            |c, v| c.open_ms = v,
            [1, 300_000],
            ["open_ms", "open_cap_ms"],
        ),
        (
            "open_cap_ms",
            |c, v| c.open_cap_ms = v,
            [30_000, 3_600_000],
            ["open_cap_ms"; 2],
        ),
        (
            "open_spread_percent",
            |c, v| c.open_spread_percent = u(v),
            [0, 100],
            ["", "open_spread_percent"],
        ),
        ("probes", |c, v| c.probes = u(v), [1, 100], ["probes"; 2]),
        (
            "probe_timeout_ms",
            |c, v| c.probe_timeout_ms = v,
            [1, 3_600_000],
            ["probe_timeout_ms"; 2],
        ),
    ];

    #[test]
    fn every_range_holds_at_its_edge_and_not_beyond() {
        for (field, set, [min, max], [below, above]) in RANGES {
            assert_eq!(with(|c| set(c, min)), Ok(()), "{field} at {min}");
            assert_eq!(with(|c| set(c, max)), Ok(()), "{field} at {max}");
            if let Some(too_low) = min.checked_sub(1) {
                assert_eq!(
                    with(|c| set(c, too_low)),
                    Err(below),
                    "{field} at {too_low}"
                );
            }
            assert_eq!(with(|c| set(c, max + 1)), Err(above), "{field} above {max}");
        }
        assert_eq!(
            with(|c| c.window = WindowConfig::Count { calls: 0 }),
            Err("window.calls")
        );
        assert_eq!(with(|c| c.slow_call_ms = None), Ok(()));
    }

    #[test]
    fn the_error_says_what_where_and_how_to_mend_it() {
        let mut config = BreakerConfig::infrastructure();
        config.failure_rate_percent = 101;
        let error = config.validate().unwrap_err();
        assert_eq!(
            error.to_string(),
            "set breaker field failure_rate_percent between 1 and 100, not 101"
        );
    }
}
