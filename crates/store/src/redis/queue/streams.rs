//! The streams of one kind in one group of keys.
//!
//! The scripts know a stream by its number, from 1: two for each lane, least urgent lane first; of the two
//! first what goes before the others of its lane, because it had begun or came back, then what is new.

use assay_core::envelope::Envelope;
use assay_core::kind::{JobKind, Lane};

use crate::redis::keys::GroupKeys;

/// How many streams a kind has in a group.
pub(super) const STREAMS: usize = 2 * Lane::ALL.len();

/// Which of a kind's streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct StreamNo(u8);

/// The names of one kind's streams, and of what belongs to them.
#[derive(Debug)]
pub(super) struct KindStreams {
    pub(super) kind: JobKind,
    /// The number of the group that they are in.
    pub(super) group: usize,
    /// Deliveries that are to come again, by time.
    pub(super) later: String,
    /// Envelopes that are kept for people.
    pub(super) dead: String,
    /// The channel that tells that a stream got an entry.
    pub(super) ready: String,
    names: [String; STREAMS],
}

impl StreamNo {
    /// Every stream, by its number.
    pub(super) const ALL: [Self; STREAMS] = [Self(0), Self(1), Self(2), Self(3), Self(4), Self(5)];

    /// Where an envelope belongs.
    pub(super) fn of(envelope: &Envelope) -> Self {
        Self(2 * envelope.lane as u8 + u8::from(!envelope.resumed))
    }

    /// The stream that a script calls `number`.
    pub(super) fn numbered(number: i64) -> Option<Self> {
        let place = usize::try_from(number).ok()?.checked_sub(1)?;
        Self::ALL.get(place).copied()
    }

    pub(super) fn number(self) -> usize {
        self.place() + 1
    }

    /// Its place in [`StreamNo::ALL`].
    pub(super) fn place(self) -> usize {
        usize::from(self.0)
    }

    pub(super) fn lane(self) -> Lane {
        Lane::ALL[self.place() / 2]
    }
}

impl KindStreams {
    pub(super) fn new(keys: &GroupKeys, kind: JobKind) -> Self {
        let names = StreamNo::ALL.map(|stream| match stream.place() % 2 {
            0 => keys.stream_again(kind, stream.lane()),
            _ => keys.stream(kind, stream.lane()),
        });
        Self {
            kind,
            group: keys.number,
            later: keys.later(kind),
            dead: keys.dead(kind),
            ready: keys.ready(kind),
            names,
        }
    }

    pub(super) fn name(&self, stream: StreamNo) -> &str {
        &self.names[stream.place()]
    }

    /// All names, in the order of their numbers.
    pub(super) fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use assay_core::id::JobId;
    use assay_core::job::JobSpec;

    use super::*;
    use crate::redis::keys::Keys;

    #[test]
    fn a_number_is_a_lane_and_whether_it_goes_first() {
        let keys = Keys::new("assay", 1);
        let streams = KindStreams::new(&keys.groups()[0], JobKind::Batch);
        let spec = JobSpec::new(JobKind::Batch, Vec::new(), 1);
        let mut envelope = Envelope::new(JobId::from_bytes([1; 16]), &spec, 1);
        for lane in Lane::ALL {
            for resumed in [true, false] {
                (envelope.lane, envelope.resumed) = (lane, resumed);
                let stream = StreamNo::of(&envelope);
                assert_eq!(stream.lane(), lane);
                let number = i64::try_from(stream.number()).unwrap();
                assert_eq!(StreamNo::numbered(number), Some(stream));
                let name = streams.name(stream);
                assert_eq!(name.ends_with(":again"), resumed, "{name}");
            }
        }
        assert_eq!(StreamNo::numbered(0), None);
        assert_eq!(StreamNo::numbered(7), None);
        assert_eq!(streams.names().len(), STREAMS);
    }
}
