//! The events of a job, packed: most jobs have a handful, and a hundred thousand jobs have many.

use assay_core::event::{EventId, HISTORY_EVENTS_MAX, JobEvent};
use assay_core::id::{JobId, Tenant};
use assay_core::state::JobState;
use serde::{Deserialize, Serialize};

use super::parts::{Malformed, decode, encode_into};

/// What most events take, in bytes.
const EVENT_BYTES_USUAL: usize = 64;

/// The latest events of a job, oldest first. Each is its length in two bytes and its fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Packed {
    bytes: Vec<u8>,
    count: usize,
}

/// An event without what its job says already. Fields may be added at the end.
#[derive(Serialize, Deserialize)]
struct Fields<'a> {
    token: u64,
    sequence: u64,
    at_ms: u64,
    state: JobState,
    attempt: u32,
    percent: f32,
    step: Option<&'a str>,
    eta_ms: Option<u64>,
    message: &'a str,
}

impl Packed {
    /// Adds an event; the oldest makes room when there are [`HISTORY_EVENTS_MAX`].
    pub(super) fn push(&mut self, event: &JobEvent) {
        // Room for a usual event: growing by a few bytes at a time costs more than writing it.
        self.bytes.reserve(EVENT_BYTES_USUAL);
        let start = self.bytes.len();
        self.bytes.extend([0, 0]);
        let fields = Fields {
            token: event.id.token,
            sequence: event.id.sequence,
            at_ms: event.at_ms,
            state: event.state,
            attempt: event.attempt,
            percent: event.percent,
            step: event.step.as_deref(),
            eta_ms: event.eta_ms,
            message: &event.message,
        };
        encode_into(&mut self.bytes, &fields);
        let length = self.bytes.len() - start - 2;
        // Texts in events are bounded far below this.
        let length = u16::try_from(length).unwrap_or(u16::MAX).to_le_bytes();
        if let Some(prefix) = self.bytes.get_mut(start..start + 2) {
            prefix.copy_from_slice(&length);
        }
        self.count += 1;
        self.trim();
    }

    /// Adds the events of another pack.
    pub(super) fn extend(&mut self, more: &Self) {
        self.bytes.reserve_exact(more.bytes.len());
        self.bytes.extend(&more.bytes);
        self.count += more.count;
        self.trim();
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let count = split(bytes).try_fold(0, |count, event| event.map(|_| count + 1))?;
        let bytes = bytes.to_vec();
        Ok(Self { bytes, count })
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The events as watchers know them.
    pub(super) fn unpack(
        &self,
        tenant: &Tenant,
        job_id: JobId,
    ) -> Result<Vec<JobEvent>, Malformed> {
        let unpacked = split(&self.bytes).map(|event| {
            let fields: Fields<'_> = decode(event?)?;
            Ok(JobEvent {
                tenant: tenant.clone(),
                job_id,
                id: EventId {
                    token: fields.token,
                    sequence: fields.sequence,
                },
                at_ms: fields.at_ms,
                state: fields.state,
                attempt: fields.attempt,
                percent: fields.percent,
                step: fields.step.map(str::to_owned),
                eta_ms: fields.eta_ms,
                message: fields.message.to_owned(),
            })
        });
        unpacked.collect()
    }

    fn trim(&mut self) {
        let surplus = self.count.saturating_sub(HISTORY_EVENTS_MAX);
        if surplus == 0 {
            return;
        }
        let cut: usize = split(&self.bytes)
            .take(surplus)
            .map(|event| event.map_or(0, |event| event.len() + 2))
            .sum();
        self.bytes.drain(..cut);
        self.count -= surplus;
    }
}

/// The packed events one by one.
fn split(mut bytes: &[u8]) -> impl Iterator<Item = Result<&[u8], Malformed>> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let event = bytes
            .split_first_chunk::<2>()
            .and_then(|(length, rest)| rest.split_at_checked(u16::from_le_bytes(*length).into()));
        let Some((event, rest)) = event else {
            bytes = &[];
            return Some(Err(Malformed("an event is cut short")));
        };
        bytes = rest;
        Some(Ok(event))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(sequence: u64) -> JobEvent {
        JobEvent {
            tenant: Tenant::default(),
            job_id: JobId::from_bytes([1; 16]),
            id: EventId { token: 5, sequence },
            at_ms: 1_700_000_000_000,
            state: JobState::Running,
            attempt: 1,
            percent: 12.5,
            step: Some("decode".into()),
            eta_ms: Some(900),
            message: "m".repeat(1_024),
        }
    }

    fn packed(count: u64) -> Packed {
        let mut packed = Packed::default();
        (1..=count).for_each(|sequence| packed.push(&event(sequence)));
        packed
    }

    fn sequences(packed: &Packed) -> Vec<u64> {
        let events = packed.unpack(&Tenant::default(), JobId::from_bytes([1; 16]));
        events
            .unwrap()
            .iter()
            .map(|event| event.id.sequence)
            .collect()
    }

    #[test]
    fn two_hundred_events_are_kept_and_the_next_one_pushes_out_the_oldest() {
        assert_eq!(sequences(&packed(200)), (1..=200).collect::<Vec<_>>());
        assert_eq!(sequences(&packed(201)), (2..=201).collect::<Vec<_>>());
        let mut appended = packed(199);
        appended.extend(&packed(2));
        assert_eq!(sequences(&appended).len(), 200);
    }

    #[test]
    fn what_was_packed_is_unpacked() {
        let read = Packed::from_bytes(packed(3).as_bytes()).unwrap();
        assert_eq!(read, packed(3));
        let events = read
            .unpack(&Tenant::default(), JobId::from_bytes([1; 16]))
            .unwrap();
        assert_eq!(events, (1..=3).map(event).collect::<Vec<_>>());
    }

    #[test]
    fn a_cut_is_noticed() {
        let bytes = packed(2).as_bytes().to_vec();
        assert!(Packed::from_bytes(&bytes[..bytes.len() - 1]).is_err());
        assert!(Packed::from_bytes(&bytes[..1]).is_err());
    }
}
