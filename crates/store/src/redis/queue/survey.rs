//! What the streams hold.

use std::sync::Arc;

use assay_core::kind::{JobKind, Lane};
use assay_core::port::LaneDepth;
use assay_core::state::JobState;
use redis::Value;

use super::Access;
use super::entry::Entry;
use super::judge::{Verdict, judge};
use super::scripts::SURVEY;
use super::streams::{KindStreams, STREAMS, StreamNo};
use crate::metric_definitions::redis::Call;
use crate::redis::keys::{self, CONSUMER_GROUP, GroupKeys};
use crate::redis::link::LinkError;

/// Jobs in these states are worked on.
const STATES_WORKED_ON: [JobState; 2] = [JobState::Running, JobState::Cancelling];

/// One kind's streams in one group, at one moment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Survey {
    /// By Redis's clock, in milliseconds since the epoch.
    pub(super) now_ms: u64,
    /// Jobs that wait.
    queued: u64,
    /// Jobs that somebody works on.
    worked_on: u64,
    /// Entries that come back later.
    later: u64,
    /// Entries that somebody holds.
    held: u64,
    pub(super) streams: [Waiting; STREAMS],
}

/// What nobody was given yet of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) ready: u64,
    pub(super) first: Option<Entry>,
}

impl Survey {
    /// Looks at one kind's streams in one group.
    pub(super) async fn make(
        access: &Access,
        group: &GroupKeys,
        streams: &KindStreams,
    ) -> Result<Self, LinkError> {
        let keys = [group.counts.as_str(), &streams.later];
        let keys: Vec<_> = keys.into_iter().chain(streams.names()).collect();
        let mut call = SURVEY.call(keys.into_iter());
        call.arg(CONSUMER_GROUP);
        call.arg(keys::count(streams.kind, JobState::Queued));
        for state in STATES_WORKED_ON {
            call.arg(keys::count(streams.kind, state));
        }
        let answer = access.link(Call::Count).run(&SURVEY, &call).await?;
        Self::read(&answer).ok_or_else(|| LinkError::Lost("an answer that no script gives".into()))
    }

    fn read(answer: &Value) -> Option<Self> {
        let Value::Array(parts) = answer else {
            return None;
        };
        let (numbers, streams) = parts.split_first_chunk::<5>()?;
        let numbers = numbers.each_ref().map(|number| {
            let Value::Int(number) = number else {
                return None;
            };
            u64::try_from(*number).ok()
        });
        let [now_ms, queued, worked_on, later, held] = numbers;
        let streams = StreamNo::ALL.into_iter().zip(streams);
        let streams = streams.map(|(stream, told)| Waiting::read(stream, told));
        let streams: Option<Vec<_>> = streams.collect();
        Some(Self {
            now_ms: now_ms?,
            queued: queued?,
            worked_on: worked_on?,
            later: later?,
            held: held?,
            streams: streams?.try_into().ok()?,
        })
    }

    /// How many fewer entries there are than jobs that wait for one to be delivered. What is held belongs to
    /// jobs that are worked on, as far as there are any.
    pub(super) fn lacking_entries(&self) -> u64 {
        let ready: u64 = self.streams.iter().map(|waiting| waiting.ready).sum();
        let held_waiting = self.held.saturating_sub(self.worked_on);
        self.queued
            .saturating_sub(ready + self.later + held_waiting)
    }

    /// When the first entry that waits in a stream was added; now, when none waits: all that was added
    /// before went to somebody.
    pub(super) fn oldest_waiting_ms(&self, stream: StreamNo) -> u64 {
        let first = &self.streams[stream.place()].first;
        first
            .as_ref()
            .map_or(self.now_ms, |entry| entry.id.added_at_ms)
    }
}

impl Waiting {
    fn read(stream: StreamNo, told: &Value) -> Option<Self> {
        let Value::Array(parts) = told else {
            return None;
        };
        let [Value::Int(ready), id, fields] = parts.as_slice() else {
            return None;
        };
        let first = Entry::of(stream, id, fields);
        Some(Self {
            ready: u64::try_from(*ready).ok()?,
            first,
        })
    }
}

/// When the oldest entry was added that waits in a lane's streams of one group, in milliseconds since the epoch
/// by Redis's clock; `None` if none waits.
pub(in crate::redis) async fn oldest_waiting_ms(
    access: &Access,
    group: &GroupKeys,
    (kind, lane): (JobKind, Lane),
) -> Result<Option<u64>, LinkError> {
    let streams = KindStreams::new(group, kind);
    let survey = Survey::make(access, group, &streams).await?;
    let of_lane = StreamNo::ALL
        .into_iter()
        .filter(|stream| stream.lane() == lane);
    let firsts = of_lane.filter_map(|stream| survey.streams[stream.place()].first.as_ref());
    Ok(firsts.map(|entry| entry.id.added_at_ms).min())
}

/// How much waits in each lane of a kind, over all groups.
pub(super) async fn depth(
    access: &Access,
    kind: &[Arc<KindStreams>],
) -> Result<[LaneDepth; 3], LinkError> {
    let mut depth = Lane::ALL.map(|lane| LaneDepth {
        lane,
        ready: 0,
        oldest_published_at_ms: None,
    });
    for streams in kind {
        let group = &access.keys.groups()[streams.group];
        let survey = Survey::make(access, group, streams).await?;
        let mut firsts = Vec::new();
        for (stream, waiting) in StreamNo::ALL.into_iter().zip(survey.streams) {
            depth[stream.lane() as usize].ready += waiting.ready;
            firsts.extend(waiting.first);
        }
        let found = access.read(&firsts).await?;
        for (entry, found) in firsts.iter().zip(found) {
            let mut published_at_ms = entry.id.added_at_ms;
            if let Verdict::Deliver(envelope) = judge(&entry.content, &found) {
                published_at_ms = envelope.published_at_ms;
            }
            let oldest = &mut depth[entry.stream.lane() as usize].oldest_published_at_ms;
            *oldest = Some(oldest.map_or(published_at_ms, |other| other.min(published_at_ms)));
        }
    }
    Ok(depth)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survey(numbers: [i64; 5], last: Value) -> Option<Survey> {
        let nothing = Value::Array(vec![Value::Int(0), Value::Nil, Value::Nil]);
        let mut answer: Vec<_> = numbers.into_iter().map(Value::Int).collect();
        answer.extend(vec![nothing; STREAMS - 1]);
        answer.push(last);
        Survey::read(&Value::Array(answer))
    }

    fn three() -> Value {
        let id = Value::BulkString(b"70-1".to_vec());
        Value::Array(vec![Value::Int(3), id, Value::Array(vec![])])
    }

    #[test]
    fn a_survey_tells_what_waits_in_each_stream() {
        let survey = survey([100, 0, 0, 0, 0], three()).unwrap();
        let [first, .., last] = StreamNo::ALL;
        assert_eq!(survey.now_ms, 100);
        assert_eq!(survey.streams[last.place()].ready, 3);
        assert_eq!(survey.oldest_waiting_ms(last), 70);
        assert_eq!(survey.oldest_waiting_ms(first), 100);
        assert_eq!(Survey::read(&Value::Nil), None);
    }

    #[test]
    fn entries_are_lacking_when_more_jobs_wait_than_can_be_delivered() {
        // Queued, worked on, later, held; three are ready.
        let lacks = |queued, worked_on, later, held| {
            let survey = survey([100, queued, worked_on, later, held], three());
            survey.unwrap().lacking_entries() > 0
        };
        assert!(!lacks(3, 0, 0, 0));
        assert!(lacks(4, 0, 0, 0));
        assert!(!lacks(4, 0, 1, 0));
        // One of what is held waits for a slot; the others run.
        assert!(!lacks(4, 7, 0, 8));
        assert!(lacks(4, 8, 0, 8));
        // What runs without an entry needs none.
        assert!(!lacks(3, 9, 0, 0));
    }
}
