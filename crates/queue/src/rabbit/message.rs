//! What travels: an envelope or a marker, as the broker carries it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use assay_core::envelope::{DecodeError, Envelope};
use assay_core::id::JobId;
use assay_core::kind::{JobKind, Lane};
use assay_core::retry::DeadLetterReason;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, ShortString};

/// When it may be delivered, in milliseconds since the epoch.
const NOT_BEFORE_MS: &str = "assay-not-before-ms";
/// Why it was moved out of the way.
const REASON: &str = "assay-reason";
/// When a marker was published, in milliseconds since the epoch.
const MARKED_AT_MS: &str = "assay-marked-at-ms";
/// Why the broker moved something out of the way first.
const BROKERS_REASON: &str = "x-first-death-reason";
const MARKER: &str = "assay.marker";
/// On disk in every copy.
const PERSISTENT: u8 = 2;

/// What tells a message apart from the others of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum MessageId {
    /// An envelope of this generation.
    Envelope(JobId, u64),
    /// A marker of this time.
    Marker(JobKind, Lane, u64),
    /// Something that nobody can read, numbered.
    Unreadable(u64),
}

/// A message that came.
pub(super) enum Received {
    Envelope(Arc<Envelope>),
    /// Written by later code.
    Newer,
    Garbage,
    Marker {
        published_at_ms: u64,
    },
}

/// What a message says beside its body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    pub(super) not_before_ms: Option<u64>,
    pub(super) reason: Option<DeadLetterReason>,
}

impl MessageId {
    pub(super) fn of(envelope: &Envelope) -> Self {
        Self::Envelope(envelope.job_id, envelope.generation)
    }

    /// One for something that can't be read, unlike all others of this process.
    pub(super) fn unreadable() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self::Unreadable(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    fn text(self) -> String {
        match self {
            Self::Envelope(job, generation) => format!("{job}:{generation}"),
            Self::Marker(kind, lane, at_ms) => {
                format!("marker:{}:{}:{at_ms}", kind.as_str(), lane.as_str())
            }
            Self::Unreadable(number) => format!("unreadable:{number}"),
        }
    }

    /// The id that a message carries which came back.
    pub(super) fn read(properties: &BasicProperties) -> Option<Self> {
        let text = properties.message_id().as_ref()?.as_str();
        if let Some(marker) = text.strip_prefix("marker:") {
            let mut parts = marker.split(':');
            let (kind, lane, at_ms) = (parts.next()?, parts.next()?, parts.next()?);
            return Some(Self::Marker(
                kind.parse().ok()?,
                lane.parse().ok()?,
                at_ms.parse().ok()?,
            ));
        }
        if let Some(number) = text.strip_prefix("unreadable:") {
            return number.parse().ok().map(Self::Unreadable);
        }
        let (job, generation) = text.split_once(':')?;
        Some(Self::Envelope(job.parse().ok()?, generation.parse().ok()?))
    }
}

/// What the broker is told of a message.
pub(super) fn properties(id: MessageId, marks: Marks) -> BasicProperties {
    let mut headers = FieldTable::default();
    if let Some(at_ms) = marks.not_before_ms {
        headers.insert(NOT_BEFORE_MS.into(), number(at_ms));
    }
    if let Some(reason) = marks.reason {
        let reason = AMQPValue::LongString(reason.as_str().into());
        headers.insert(REASON.into(), reason);
    }
    let mut properties = BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_message_id(id.text().into());
    if let MessageId::Marker(_, _, at_ms) = id {
        headers.insert(MARKED_AT_MS.into(), number(at_ms));
        properties = properties.with_type(MARKER.into());
    }
    if headers.inner().is_empty() {
        properties
    } else {
        properties.with_headers(headers)
    }
}

/// What a message is.
pub(super) fn read(properties: &BasicProperties, body: &[u8]) -> Received {
    if properties.kind().as_ref().map(ShortString::as_str) == Some(MARKER) {
        return match header(properties, MARKED_AT_MS).and_then(read_number) {
            Some(published_at_ms) => Received::Marker { published_at_ms },
            None => Received::Garbage,
        };
    }
    match Envelope::decode(body) {
        Ok(envelope) => Received::Envelope(Arc::new(envelope)),
        Err(DecodeError::NewerVersion { .. }) => Received::Newer,
        Err(DecodeError::Malformed { .. }) => Received::Garbage,
    }
}

/// When a message may be delivered, in milliseconds since the epoch.
pub(super) fn not_before_ms(properties: &BasicProperties) -> Option<u64> {
    header(properties, NOT_BEFORE_MS).and_then(read_number)
}

/// Why a message was moved out of the way.
pub(super) fn reason(properties: &BasicProperties) -> String {
    let said = header(properties, REASON).or_else(|| header(properties, BROKERS_REASON));
    match said {
        Some(AMQPValue::LongString(text)) => text.to_string(),
        _ => "unknown".to_owned(),
    }
}

fn header<'a>(properties: &'a BasicProperties, name: &str) -> Option<&'a AMQPValue> {
    properties.headers().as_ref()?.inner().get(name)
}

/// The broker keeps signed numbers only.
fn number(value: u64) -> AMQPValue {
    AMQPValue::LongLongInt(i64::try_from(value).unwrap_or(i64::MAX))
}

fn read_number(value: &AMQPValue) -> Option<u64> {
    u64::try_from(value.as_long_long_int()?).ok()
}

#[cfg(test)]
mod tests {
    use assay_core::job::JobSpec;

    use super::*;

    #[test]
    fn an_id_reads_as_it_is_written() {
        for id in [
            MessageId::Envelope(JobId::from_bytes([7; 16]), 3),
            MessageId::Marker(JobKind::RuvProfile, Lane::High, 1_700_000_000_000),
            MessageId::Unreadable(9),
        ] {
            let properties = properties(id, Marks::default());
            assert_eq!(MessageId::read(&properties), Some(id));
            assert_eq!(*properties.delivery_mode(), Some(2), "not persistent");
        }
        let of =
            |text: &str| MessageId::read(&BasicProperties::default().with_message_id(text.into()));
        for wrong in [
            "",
            "7",
            "x:1",
            "marker:batch:low",
            "marker:batch:low:x",
            "unreadable:",
        ] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_message_says_what_it_is_and_when() {
        let spec = JobSpec::new(JobKind::Batch, b"payload".to_vec(), 1);
        let envelope = Envelope::new(JobId::from_bytes([7; 16]), &spec, 1);
        let marks = Marks {
            not_before_ms: Some(5),
            reason: Some(DeadLetterReason::Orphan),
        };
        let carried = properties(MessageId::of(&envelope), marks);
        assert_eq!(not_before_ms(&carried), Some(5));
        assert_eq!(reason(&carried), DeadLetterReason::Orphan.as_str());
        let read_back = read(&carried, &envelope.encode());
        assert!(matches!(read_back, Received::Envelope(back) if *back == envelope));
        assert!(matches!(read(&carried, b"{}"), Received::Garbage));
        assert!(matches!(read(&carried, b"\x08\x7f"), Received::Newer));

        let marker = properties(
            MessageId::Marker(JobKind::Batch, Lane::Low, 8),
            Marks::default(),
        );
        assert!(matches!(
            read(&marker, b""),
            Received::Marker { published_at_ms: 8 }
        ));
        let plain = properties(MessageId::Unreadable(1), Marks::default());
        assert_eq!(
            (not_before_ms(&plain), reason(&plain)),
            (None, "unknown".to_owned())
        );
    }
}
