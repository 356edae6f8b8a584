//! What a step writes, in the form that the committer's script takes.
//!
//! A [`Step`] is one *part*, and perhaps more parts for jobs that it brings forth. A part happens if its record
//! is as [`Guard`] says, and then whole.

use super::keys::GroupKeys;
use super::script::Room;

/// What the record of a part must be for the part to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    /// There must be none.
    Absent,
    /// It must have this revision.
    Revision(u64),
}

/// One atomic change, in the keys of one group.
#[derive(Debug)]
pub(crate) struct Step {
    pub(super) parts: Vec<Part>,
    pub(super) room: Room,
    /// The group of all its keys.
    pub(super) group: usize,
}

impl Step {
    /// A step of one part.
    pub(crate) fn new(group: &GroupKeys, room: Room, part: Part) -> Self {
        Self {
            parts: vec![part],
            room,
            group: group.number,
        }
    }

    /// Asks for the checkpoint of the record, with the answer that the step happened.
    pub(crate) fn want_checkpoint(&mut self) {
        if let Some(first) = self.parts.first_mut() {
            first.want = Want::Checkpoint;
        }
    }

    pub(crate) fn wants_checkpoint(&self) -> bool {
        let first = self.parts.first();
        first.is_some_and(|first| first.want == Want::Checkpoint)
    }

    /// Adds a job that the step brings forth, unless there is one under its id.
    pub(crate) fn link(&mut self, mut part: Part) {
        part.want = Want::Linked;
        self.parts.push(part);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Want {
    Nothing,
    Checkpoint,
    Linked,
}

/// Commands on one record and what hangs on it.
#[derive(Debug)]
pub(crate) struct Part {
    record: String,
    guard: Guard,
    want: Want,
    limit: Option<u64>,
    events: usize,
    stops: bool,
    wake: String,
    counts: Vec<(String, i64)>,
    commands: Words,
}

impl Part {
    /// A part that does nothing yet. `record` is the key of the record that `guard` is about.
    pub(crate) fn new(record: String, guard: Guard) -> Self {
        Self {
            record,
            guard,
            want: Want::Nothing,
            limit: None,
            events: 0,
            stops: false,
            wake: String::new(),
            counts: Vec::new(),
            commands: Words::default(),
        }
    }

    /// Adds a command; its words go behind.
    pub(crate) fn command(&mut self, name: &str) -> &mut Words {
        self.commands.begin();
        self.commands.word(name)
    }

    /// Adds to a field of the counts.
    pub(crate) fn count(&mut self, field: String, delta: i64) {
        self.counts.push((field, delta));
    }

    /// Refuses the part when there are `limit` jobs of what `field` counts, and counts one more.
    pub(crate) fn limit(&mut self, field: String, limit: u64) {
        self.limit = Some(limit);
        self.counts.insert(0, (field, 1));
    }

    /// Says that the first command ends with so many pairs of a field and an event, which listeners are told.
    pub(crate) fn tell(&mut self, events: usize, stops: bool) {
        self.events = events;
        self.stops = stops;
    }

    /// Wakes whoever listens to `channel`.
    pub(crate) fn wake(&mut self, channel: String) {
        self.wake = channel;
    }

    pub(super) fn record(&self) -> &str {
        &self.record
    }

    /// Writes the part as the script reads it.
    pub(super) fn write(&self, call: &mut redis::Cmd) {
        let size = HEAD_WORDS + 2 * self.counts.len() + self.commands.sized_words();
        call.arg(size);
        match self.guard {
            Guard::Absent => call.arg(""),
            Guard::Revision(revision) => call.arg(revision),
        };
        call.arg(match self.want {
            Want::Nothing => "",
            Want::Checkpoint => "c",
            Want::Linked => "l",
        });
        match self.limit {
            Some(limit) => call.arg(limit),
            None => call.arg(""),
        };
        if self.stops {
            call.arg(format!("-{}", self.events));
        } else {
            call.arg(self.events);
        }
        call.arg(&self.wake).arg(self.counts.len());
        for (field, delta) in &self.counts {
            call.arg(field).arg(*delta);
        }
        self.commands.write(call);
    }
}

/// Words of a part before its counts.
const HEAD_WORDS: usize = 7;

/// Commands, each a row of words, in one buffer.
#[derive(Debug, Default)]
pub(crate) struct Words {
    bytes: Vec<u8>,
    /// Where each word ends in the bytes.
    ends: Vec<usize>,
    /// Where each command begins in the words.
    begins: Vec<usize>,
}

impl Words {
    fn begin(&mut self) {
        self.begins.push(self.ends.len());
    }

    /// Adds a text.
    pub(crate) fn word(&mut self, word: &str) -> &mut Self {
        self.bytes(word.as_bytes())
    }

    /// Adds bytes.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self.ends.push(self.bytes.len());
        self
    }

    /// Adds a number.
    pub(crate) fn number(&mut self, number: u64) -> &mut Self {
        self.word(&number.to_string())
    }

    /// Adds what `write` appends.
    pub(crate) fn written(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> &mut Self {
        write(&mut self.bytes);
        self.ends.push(self.bytes.len());
        self
    }

    /// All words, and one for the size of each command.
    fn sized_words(&self) -> usize {
        self.ends.len() + self.begins.len()
    }

    fn write(&self, call: &mut redis::Cmd) {
        let ends = self.begins.iter().skip(1).copied();
        for (begin, end) in self
            .begins
            .iter()
            .copied()
            .zip(ends.chain([self.ends.len()]))
        {
            call.arg(end - begin);
            for place in begin..end {
                let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
                call.arg(&self.bytes[start..self.ends[place]]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(part: &Part) -> Vec<String> {
        let mut call = redis::Cmd::new();
        part.write(&mut call);
        let args = call.args_iter().map(|arg| match arg {
            redis::Arg::Simple(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
            _ => panic!("an argument of another sort"),
        });
        args.collect()
    }

    #[test]
    fn a_part_is_its_size_its_head_its_counts_and_its_commands() {
        let mut part = Part::new("key".into(), Guard::Revision(7));
        part.limit("live".into(), 40);
        part.count("queued".into(), -1);
        part.command("HSET")
            .word("key")
            .word("v")
            .number(8)
            .word("1")
            .bytes(b"event");
        part.command("DEL").word("other");
        part.tell(1, true);
        part.wake("ready".into());
        let expected = [
            "21", "7", "", "40", "-1", "ready", "2", "live", "1", "queued", "-1", "6", "HSET",
            "key", "v", "8", "1", "event", "2", "DEL", "other",
        ];
        assert_eq!(words(&part), expected);
    }

    #[test]
    fn the_size_counts_every_word() {
        let mut part = Part::new("key".into(), Guard::Absent);
        assert_eq!(words(&part), ["7", "", "", "", "0", "", "0"]);
        part.want = Want::Checkpoint;
        part.command("PING");
        let all = words(&part);
        assert_eq!(all[0], all.len().to_string());
        assert_eq!(all[2], "c");
    }
}
