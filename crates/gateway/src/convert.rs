//! Messages to words and back. Everything that comes from outside is checked here, all of it at once, so
//! that the caller can mend all of it at once.

use std::fmt::Display;

use assay_api::v1 as pb;
use assay_core::event::EventId;
use assay_core::id::JobId;
use assay_core::kind::JobKind;
use prost_types::{Duration, Timestamp};

use crate::status::{Refusal, Violation};

mod content;
mod dead_letter;
mod job;
mod list;
mod purge;
mod submit;
mod worker;

pub(crate) use content::{Announced, announced, content_id};
pub(crate) use dead_letter::{
    Chosen, Edited, content, edited, etag, filter, letter, listed_letter, purge, redrive,
};
pub(crate) use job::{event, job, lane};
pub(crate) use list::query;
pub(crate) use purge::{Purge, purge_queue};
pub(crate) use submit::submit;
pub(crate) use worker::worker;

/// The most that is told of what is wrong with a request, in bytes. A status has it in three places of its headers, of
/// which careful clients take 8 KiB.
const TOLD_BYTES_MAX: usize = 1024;
/// The longest name of a field, and the longest sentence about one; they may quote what came, and are cut.
const FIELD_BYTES_MAX: usize = 128;
const MUST_BYTES_MAX: usize = 384;
/// What stands around each of them.
const AROUND_BYTES: usize = 8;

/// Collects what is wrong with a request.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    violations: Vec<Violation>,
    told_bytes: usize,
    untold: usize,
}

impl Fields {
    /// Notes that `field` is wrong; `must` says how to mend it. Beyond the bound they are only counted.
    pub(crate) fn refuse(&mut self, field: impl Into<String>, must: impl Into<String>) {
        let field = cut(field.into(), FIELD_BYTES_MAX);
        let description = cut(must.into(), MUST_BYTES_MAX);
        let bytes = field.len() + description.len() + AROUND_BYTES;
        if self.untold > 0 || self.told_bytes + bytes > TOLD_BYTES_MAX {
            self.untold += 1;
            return;
        }
        self.told_bytes += bytes;
        self.violations.push(Violation { field, description });
    }

    /// Notes the error, if there is one.
    fn check<T, E: Display>(&mut self, field: &str, read: Result<T, E>) -> Option<T> {
        read.map_err(|error| self.refuse(field, error.to_string()))
            .ok()
    }

    /// Notes a text that is too long or holds control characters.
    fn text(&mut self, field: &str, text: &str, bytes_max: usize) {
        if text.len() > bytes_max {
            let bytes = text.len();
            self.refuse(
                field,
                format!("must be at most {bytes_max} bytes, has {bytes}"),
            );
        } else if text.chars().any(char::is_control) {
            self.refuse(field, "must not hold control characters");
        }
    }

    /// Refuses the request if anything was wrong.
    pub(crate) fn finish(self) -> Result<(), Refusal> {
        let Self {
            mut violations,
            untold,
            ..
        } = self;
        if untold > 0 {
            violations.push(Violation {
                field: "request".to_owned(),
                description: format!("has {untold} more that are wrong: mend these first"),
            });
        }
        if violations.is_empty() {
            Ok(())
        } else {
            Err(Refusal::InvalidField(violations))
        }
    }
}

/// The text, or as much of it as the bound leaves, and a sign that there was more.
fn cut(mut text: String, bytes_max: usize) -> String {
    const MORE: &str = "...";
    if text.len() > bytes_max {
        text.truncate(text.floor_char_boundary(bytes_max.saturating_sub(MORE.len())));
        text.push_str(MORE);
    }
    text
}

/// Reads the one field of a request for a job.
pub(crate) fn job_id(text: &str) -> Result<JobId, Refusal> {
    one("job_id", text.parse())
}

/// Reads the one field of a request for a kind.
pub(crate) fn kind(text: &str) -> Result<JobKind, Refusal> {
    one("kind", text.parse())
}

/// Reads where a watcher wants to go on.
pub(crate) fn watch(request: &pb::WatchJobRequest) -> Result<(JobId, Option<EventId>), Refusal> {
    let mut fields = Fields::default();
    let id = fields.check("job_id", request.job_id.parse::<JobId>());
    let after = Some(&request.after_event_id).filter(|text| !text.is_empty());
    let after = after.and_then(|text| fields.check("after_event_id", text.parse::<EventId>()));
    fields.finish()?;
    Ok((id.ok_or_else(lost)?, after))
}

/// A single checked value.
fn one<T, E: Display>(field: &str, read: Result<T, E>) -> Result<T, Refusal> {
    let mut fields = Fields::default();
    let value = fields.check(field, read);
    fields.finish()?;
    value.ok_or_else(lost)
}

/// A value is missing although nothing was refused: a mistake in this module.
fn lost() -> Refusal {
    Refusal::Internal("a field was neither read nor refused".to_owned())
}

/// A point in time as a message.
pub(crate) fn timestamp(ms: u64) -> Timestamp {
    Timestamp {
        seconds: i64::try_from(ms / 1000).unwrap_or(i64::MAX),
        nanos: nanos(ms),
    }
}

/// A length of time as a message.
pub(crate) fn duration(ms: u64) -> Duration {
    Duration {
        seconds: i64::try_from(ms / 1000).unwrap_or(i64::MAX),
        nanos: nanos(ms),
    }
}

fn nanos(ms: u64) -> i32 {
    // Below a thousand million, so it always fits.
    i32::try_from(ms % 1000 * 1_000_000).unwrap_or(0)
}

/// The end of the year 9999, where timestamps end, in seconds since the epoch.
const TIMESTAMP_SECONDS_MAX: i64 = 253_402_300_799;

fn timestamp_ms(time: Timestamp) -> Result<u64, &'static str> {
    let seconds = u64::try_from(time.seconds);
    let nanos = u64::try_from(time.nanos)
        .ok()
        .filter(|nanos| *nanos < 1_000_000_000);
    match (seconds, nanos) {
        (Ok(seconds), Some(nanos)) if time.seconds <= TIMESTAMP_SECONDS_MAX => {
            Ok(seconds * 1000 + nanos / 1_000_000)
        }
        _ => Err("must be a time from 1970 to 9999"),
    }
}

/// Reads a duration of at least 1 ms.
fn duration_ms(time: Duration, ms_max: u64) -> Result<u64, String> {
    let seconds = u64::try_from(time.seconds).ok();
    let nanos = u64::try_from(time.nanos)
        .ok()
        .filter(|nanos| *nanos < 1_000_000_000);
    let ms = seconds
        .zip(nanos)
        .and_then(|(seconds, nanos)| seconds.checked_mul(1000)?.checked_add(nanos / 1_000_000));
    // A fraction of a millisecond beyond the bound is beyond the bound.
    let fraction = nanos.is_some_and(|nanos| nanos % 1_000_000 != 0);
    ms.filter(|ms| (1..=ms_max).contains(ms) && !(*ms == ms_max && fraction))
        .ok_or_else(|| format!("must be from 1 ms to {} s", ms_max / 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_round_trip_to_the_millisecond() {
        for ms in [0, 1, 999, 1_000, 1_700_000_000_123] {
            assert_eq!(timestamp_ms(timestamp(ms)), Ok(ms));
        }
        for (seconds, nanos) in [(-1, 0), (0, -1), (0, 1_000_000_000), (253_402_300_800, 0)] {
            assert!(timestamp_ms(Timestamp { seconds, nanos }).is_err());
        }
        let last = Timestamp {
            seconds: TIMESTAMP_SECONDS_MAX,
            nanos: 0,
        };
        assert!(timestamp_ms(last).is_ok());
    }

    #[test]
    fn durations_hold_their_bounds_to_the_nanosecond() {
        let read = |seconds, nanos| duration_ms(Duration { seconds, nanos }, 5_000);
        assert_eq!(read(0, 1_000_000), Ok(1));
        assert_eq!(read(5, 0), Ok(5_000));
        for (seconds, nanos) in [
            (0, 0),
            (0, 999_999),
            (5, 1),
            (5, 1_000_000),
            (-1, 0),
            (0, -1),
            (i64::MAX, 0),
        ] {
            assert!(read(seconds, nanos).is_err(), "{seconds} s {nanos} ns");
        }
    }

    #[test]
    fn no_more_is_told_of_wrong_fields_than_the_bound() {
        let refused = |count: usize, bytes: usize| {
            let mut fields = Fields::default();
            for _ in 0..count {
                fields.refuse("f", "m".repeat(bytes - AROUND_BYTES - 1));
            }
            fields.finish().unwrap_err()
        };
        let quarter = TOLD_BYTES_MAX / 4;
        assert_eq!(refused(4, quarter).violations().len(), 4);
        for refused in [refused(5, quarter), refused(4, quarter + 1)] {
            let Some((more, told)) = refused.violations().split_last() else {
                panic!("{refused}")
            };
            assert_eq!(more.field, "request");
            assert!(more.description.starts_with("has 1 more"), "{refused}");
            assert!(told.iter().all(|wrong| wrong.field == "f"));
        }
        assert!(refused(1_000_000, 10).to_string().len() < 2 * TOLD_BYTES_MAX);
    }

    #[test]
    fn what_is_quoted_is_cut_at_the_bound_between_characters() {
        for (text, left) in [
            ("m".repeat(MUST_BYTES_MAX), "m".repeat(MUST_BYTES_MAX)),
            (
                "m".repeat(MUST_BYTES_MAX + 1),
                format!("{}...", "m".repeat(MUST_BYTES_MAX - 3)),
            ),
            (
                "ü".repeat(MUST_BYTES_MAX),
                format!("{}...", "ü".repeat((MUST_BYTES_MAX - 3) / 2)),
            ),
        ] {
            let mut fields = Fields::default();
            fields.refuse("f".repeat(FIELD_BYTES_MAX + 1), text);
            let refusal = fields.finish().unwrap_err();
            let [wrong] = refusal.violations() else {
                panic!("{refusal}")
            };
            assert_eq!(wrong.description, left);
            assert_eq!(wrong.field.len(), FIELD_BYTES_MAX);
        }
    }

    #[test]
    fn a_watch_names_every_wrong_field() {
        let request = |job_id: &str, after: &str| pb::WatchJobRequest {
            job_id: job_id.to_owned(),
            after_event_id: after.to_owned(),
        };
        let refusal = watch(&request("nonsense", "nonsense")).unwrap_err();
        let fields: Vec<_> = refusal
            .violations()
            .iter()
            .map(|wrong| wrong.field.as_str())
            .collect();
        assert_eq!(fields, ["job_id", "after_event_id"]);

        let id = JobId::from_bytes([1; 16]);
        assert_eq!(watch(&request(&id.to_string(), "")), Ok((id, None)));
        let after = EventId {
            token: 3,
            sequence: 4,
        };
        assert_eq!(
            watch(&request(&id.to_string(), "3-4")),
            Ok((id, Some(after)))
        );
    }
}
