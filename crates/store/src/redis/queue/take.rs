//! One call of the script that takes entries, and its answer.

use std::time::Duration;

use redis::Value;

use super::entry::{Entry, EntryId};
use super::plan::{Head, Room};
use super::scripts::TAKE;
use super::streams::{KindStreams, STREAMS, StreamNo};
use crate::redis::keys::CONSUMER_GROUP;
use crate::redis::link::{Link, LinkError};
use crate::redis::record::{bytes, number};

/// Most entries that come back from their delay in one call.
const LET_IN_MAX: usize = 100;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request<'a> {
    pub(super) consumer: &'a str,
    pub(super) room: Room,
    /// Of each lane.
    pub(super) plan: [usize; 3],
    /// The last entry of each stream that was seen.
    pub(super) seen: &'a [EntryId; STREAMS],
    /// Whether to look also where nothing is to be taken. The time by a given clock; 0 for Redis's.
    pub(super) look_around: Option<u64>,
}

/// What was taken, and what was seen on the way.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) entries: Vec<Entry>,
    pub(super) heads: [Head; STREAMS],
    /// When the next delayed entry comes back; known after a look around.
    pub(super) comes_back_in: Option<Duration>,
}

/// Takes entries of one kind in one group.
pub(super) async fn take(
    link: &Link,
    streams: &KindStreams,
    request: &Request<'_>,
) -> Result<Taken, LinkError> {
    let keys: Vec<_> = std::iter::once(streams.later.as_str())
        .chain(streams.names())
        .collect();
    let mut call = TAKE.call(keys.into_iter());
    call.arg(CONSUMER_GROUP)
        .arg(request.consumer)
        .arg(request.room.slots)
        .arg(request.room.low.min(request.room.slots))
        .arg(LET_IN_MAX);
    match request.look_around {
        Some(now_ms) => call.arg(now_ms),
        None => call.arg(""),
    };
    call.arg(&request.plan[..]);
    for seen in request.seen {
        call.arg(seen.to_string());
    }
    let answer = link.run(&TAKE, &call).await?;
    read(&answer).ok_or_else(|| LinkError::Lost("an answer that no script gives".into()))
}

fn read(answer: &Value) -> Option<Taken> {
    let Value::Array(parts) = answer else {
        return None;
    };
    let [Value::Array(entries), Value::Array(heads), now, next_back] = parts.as_slice() else {
        return None;
    };
    let heads: Option<Vec<_>> = heads.iter().map(read_head).collect();
    let comes_back_in = match (now, bytes(next_back)) {
        (Value::Int(now_ms), Some(at_ms)) => {
            let now_ms = u64::try_from(*now_ms).ok()?;
            Some(Duration::from_millis(number(at_ms)?.saturating_sub(now_ms)))
        }
        _ => None,
    };
    Some(Taken {
        entries: read_entries(entries)?,
        heads: heads?.try_into().ok()?,
        comes_back_in,
    })
}

/// Reads streams with their entries.
fn read_entries(streams: &[Value]) -> Option<Vec<Entry>> {
    let mut all = Vec::new();
    for stream in streams {
        let Value::Array(parts) = stream else {
            return None;
        };
        let [Value::Int(stream), entries] = parts.as_slice() else {
            return None;
        };
        all.extend(Entry::read_all(StreamNo::numbered(*stream)?, entries)?);
    }
    Some(all)
}

fn read_head(value: &Value) -> Option<Head> {
    if *value == Value::Nil {
        return Some(Head::Empty);
    }
    match bytes(value)?.is_empty() {
        true => Some(Head::Unknown),
        false => EntryId::read(value).map(Head::At),
    }
}

/// The last entry of each stream that is among `entries`, or what was known before.
pub(super) fn see(seen: &mut [EntryId; STREAMS], entries: &[Entry]) {
    for entry in entries {
        let last = &mut seen[entry.stream.place()];
        *last = (*last).max(entry.id);
    }
}

/// Entries of each lane, in the order in which they came.
pub(super) fn by_lane<T>(entries: Vec<T>, stream: impl Fn(&T) -> StreamNo) -> [Vec<T>; 3] {
    let mut lanes = [Vec::new(), Vec::new(), Vec::new()];
    for entry in entries {
        lanes[stream(&entry).lane() as usize].push(entry);
    }
    lanes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redis::queue::entry::Content;

    fn text(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    /// One entry, 9-1.
    fn entries() -> Value {
        let entry = vec![text("9-1"), Value::Array(vec![])];
        Value::Array(vec![Value::Array(entry)])
    }

    #[test]
    fn an_answer_tells_entries_heads_and_what_comes_back() {
        let stream = Value::Array(vec![Value::Int(4), entries()]);
        let heads = [Value::Nil, text(""), text("7-0")].into_iter().cycle();
        let answer = |now, next_back| {
            Value::Array(vec![
                Value::Array(vec![stream.clone()]),
                Value::Array(heads.clone().take(STREAMS).collect()),
                now,
                next_back,
            ])
        };
        let id = |added_at_ms, number| EntryId {
            added_at_ms,
            number,
        };
        let known = [Head::Empty, Head::Unknown, Head::At(id(7, 0))];
        let [a, b, c] = known;
        let mut expected = Taken {
            entries: vec![Entry {
                stream: StreamNo::ALL[3],
                id: id(9, 1),
                content: Content::Garbage,
            }],
            heads: [a, b, c, a, b, c],
            comes_back_in: None,
        };
        let without = answer(Value::Nil, Value::Nil);
        assert_eq!(read(&without).as_ref(), Some(&expected));
        expected.comes_back_in = Some(Duration::from_millis(30));
        assert_eq!(read(&answer(Value::Int(70), text("100"))), Some(expected));
        assert_eq!(read(&Value::Okay), None);
    }
}
