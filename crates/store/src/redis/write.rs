//! What a step writes, in the form that the committer's script takes (`commit.lua` says which).
//!
//! A [`Step`] is one *part*, and perhaps more parts for jobs that it brings forth. A part happens if its record
//! is as [`Guard`] says, and then whole. A job is changed by at most one part of a batch; so what parts do to
//! sets goes together, and only their words for it are here.

use assay_core::id::JobId;

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

    /// The part that the others hang on.
    pub(crate) fn first_mut(&mut self) -> Option<&mut Part> {
        self.parts.first_mut()
    }

    /// Asks for the checkpoint of the record, with the answer that the step happened.
    pub(crate) fn want_checkpoint(&mut self) {
        if let Some(first) = self.first_mut() {
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

/// What happens to one record and what hangs on it.
#[derive(Debug)]
pub(crate) struct Part {
    id: JobId,
    record: String,
    guard: Guard,
    want: Want,
    limit: Option<(u64, String)>,
    crowd: Option<(String, u64)>,
    shift: String,
    fields: Words,
    events: usize,
    stops: bool,
    /// Sets and scores in turn.
    puts: Words,
    takes: Words,
    entry: Option<Entry>,
    commands: Vec<Words>,
}

/// An entry of a stream.
#[derive(Debug)]
struct Entry {
    stream: String,
    generation: u64,
    wake: String,
}

impl Part {
    /// A part that does nothing yet to what is under `id`.
    pub(crate) fn new(group: &GroupKeys, id: JobId, guard: Guard) -> Self {
        Self {
            id,
            record: group.record(id),
            guard,
            want: Want::Nothing,
            limit: None,
            crowd: None,
            shift: String::new(),
            fields: Words::default(),
            events: 0,
            stops: false,
            puts: Words::default(),
            takes: Words::default(),
            entry: None,
            commands: Vec::new(),
        }
    }

    pub(super) fn record(&self) -> &str {
        &self.record
    }

    /// Fields of the record, names and values in turn; more go behind.
    pub(crate) fn fields(&mut self) -> &mut Words {
        &mut self.fields
    }

    /// Says that the fields end with so many events, which listeners are told.
    pub(crate) fn tell(&mut self, events: usize, stops: bool) {
        self.events = events;
        self.stops = stops;
    }

    /// Puts the job into a set, by a time.
    pub(crate) fn put(&mut self, set: &str, at_ms: u64) {
        self.puts.word(set).number(at_ms);
    }

    /// Takes the job out of a set.
    pub(crate) fn take(&mut self, set: &str) {
        self.takes.word(set);
    }

    /// Counts one more.
    pub(crate) fn count(&mut self, field: &str) {
        self.shift('+', field);
    }

    /// Counts one less.
    pub(crate) fn discount(&mut self, field: &str) {
        self.shift('-', field);
    }

    fn shift(&mut self, sign: char, field: &str) {
        if !self.shift.is_empty() {
            self.shift.push(' ');
        }
        self.shift.push(sign);
        self.shift.push_str(field);
    }

    /// Counts one more, and refuses the part when there are `limit` already.
    pub(crate) fn limit(&mut self, field: String, limit: u64) {
        self.count(&field);
        self.limit = Some((limit, field));
    }

    /// Refuses a part that has a limit also when a set that it goes into has `most` members already.
    pub(crate) fn crowd(&mut self, set: &str, most: u64) {
        self.crowd = Some((set.to_owned(), most));
    }

    /// Puts a generation of the job into a stream, and wakes whoever listens to the channel `wake`.
    pub(crate) fn enter(&mut self, stream: String, generation: u64, wake: String) {
        self.entry = Some(Entry {
            stream,
            generation,
            wake,
        });
    }

    /// Adds any other command; its words go behind.
    pub(crate) fn command(&mut self, name: &str) -> &mut Words {
        let mut words = Words::default();
        words.word(name);
        self.commands.push(words);
        let last = self.commands.len() - 1;
        &mut self.commands[last]
    }

    /// Writes the part as the script reads it.
    pub(super) fn write(&self, call: &mut redis::Cmd) {
        call.arg(self.size());
        match self.guard {
            Guard::Absent => call.arg(""),
            Guard::Revision(revision) => call.arg(revision),
        };
        call.arg(match self.want {
            Want::Nothing => "",
            Want::Checkpoint => "c",
            Want::Linked => "l",
        });
        match (&self.limit, &self.crowd) {
            (None, _) => call.arg(""),
            (Some((limit, field)), None) => call.arg(limit).arg(field).arg(""),
            (Some((limit, field)), Some((set, most))) => {
                call.arg(limit).arg(field).arg(set).arg(most)
            }
        };
        call.arg(&self.shift).arg(self.id.as_bytes());
        if self.stops {
            call.arg(format!("-{}", self.events));
        } else {
            call.arg(self.events);
        }
        for words in [&self.fields, &self.puts, &self.takes] {
            call.arg(words.len());
            words.write(call);
        }
        match &self.entry {
            Some(entry) => call
                .arg(&entry.stream)
                .arg(entry.generation)
                .arg(&entry.wake),
            None => call.arg(""),
        };
        for words in &self.commands {
            call.arg(words.len());
            words.write(call);
        }
    }

    fn size(&self) -> usize {
        let rows = [&self.fields, &self.puts, &self.takes].map(Words::len);
        let commands = self.commands.iter().map(|words| words.len() + 1);
        let limits = match (&self.limit, &self.crowd) {
            (None, _) => 0,
            (Some(_), None) => 2,
            (Some(_), Some(_)) => 3,
        };
        HEAD_WORDS
            + limits
            + rows.iter().sum::<usize>()
            + self.entry.as_ref().map_or(0, |_| 2)
            + commands.sum::<usize>()
    }
}

/// Words that every part has.
const HEAD_WORDS: usize = 11;

/// A row of words in one buffer.
#[derive(Debug, Default)]
pub(crate) struct Words {
    bytes: Vec<u8>,
    /// Where each word ends in the bytes.
    ends: Vec<usize>,
}

impl Words {
    /// Adds a text.
    pub(crate) fn word(&mut self, word: &str) -> &mut Self {
        self.bytes(word.as_bytes())
    }

    /// Adds bytes.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.written(|out| out.extend_from_slice(bytes))
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

    fn len(&self) -> usize {
        self.ends.len()
    }

    fn write(&self, call: &mut redis::Cmd) {
        let mut start = 0;
        for end in &self.ends {
            call.arg(&self.bytes[start..*end]);
            start = *end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redis::keys::Keys;

    fn part(guard: Guard) -> Part {
        let keys = Keys::new("assay", 1);
        Part::new(
            &keys.groups()[0],
            JobId::from_bytes(*b"sixteen bytes id"),
            guard,
        )
    }

    fn words(part: &Part) -> Vec<String> {
        let mut call = redis::Cmd::new();
        part.write(&mut call);
        let args = call.args_iter().map(|arg| {
            let redis::Arg::Simple(bytes) = arg else {
                panic!("an argument of another sort");
            };
            String::from_utf8(bytes.to_vec()).unwrap()
        });
        args.collect()
    }

    #[test]
    fn a_part_is_written_as_the_script_reads_it() {
        let mut part = part(Guard::Revision(7));
        part.limit("live".into(), 40);
        part.crowd("outbox", 9);
        part.discount("queued");
        part.fields().word("v").number(8).word("1").bytes(b"event");
        part.tell(1, true);
        part.put("due", 99);
        part.take("leases");
        part.enter("lane".into(), 3, "ready".into());
        part.command("DEL").word("other");
        let expected = [
            "26",
            "7",
            "",
            "40",
            "live",
            "outbox",
            "9",
            "+live -queued",
            "sixteen bytes id",
            "-1",
            "4",
            "v",
            "8",
            "1",
            "event",
            "2",
            "due",
            "99",
            "1",
            "leases",
            "lane",
            "3",
            "ready",
            "2",
            "DEL",
            "other",
        ];
        assert_eq!(words(&part), expected);
    }

    #[test]
    fn the_size_counts_every_word() {
        let mut part = part(Guard::Absent);
        let expected = [
            "11",
            "",
            "",
            "",
            "",
            "sixteen bytes id",
            "0",
            "0",
            "0",
            "0",
            "",
        ];
        assert_eq!(words(&part), expected);
        part.limit("live".into(), 40);
        assert_eq!(words(&part)[0], words(&part).len().to_string());
        part.want = Want::Checkpoint;
        part.command("PING");
        let all = words(&part);
        assert_eq!(all[0], all.len().to_string());
        assert_eq!(all[2], "c");
    }
}
