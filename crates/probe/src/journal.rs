//! What a probe really did, one line each, in a file that outlives every process.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;

/// A file that probes append to. Each line is one write to a file opened for appending: a killed process leaves
/// at most one torn line, the last.
#[derive(Debug)]
pub struct Journal {
    file: Option<Mutex<File>>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A handler began.
    Started,
    /// A handler gave its result.
    Finished,
    /// A handler gave up by itself, so that its next start is no recovery.
    Failed,
    /// A handler saw that it was to stop.
    Cancelled,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What happened.
    pub mark: Mark,
    /// To which job.
    pub job_id: String,
    /// In which attempt.
    pub attempt: u32,
    /// Under which fencing token.
    pub token: u64,
    /// When, in microseconds since the epoch.
    pub at_us: u64,
}

impl Journal {
    /// A journal that forgets.
    #[must_use]
    pub fn none() -> Self {
        Self { file: None }
    }

    /// Goes on in a file, which is made if it is not there.
    ///
    /// # Errors
    /// When the file can't be opened.
    pub fn append(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self {
            file: Some(Mutex::new(file)),
        })
    }

    /// Writes a line.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn note(&self, mark: Mark, job_id: &str, attempt: u32, token: u64) -> io::Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let line = format!("{} {job_id} {attempt} {token} {}\n", mark.word(), now_us());
        file.lock().write_all(line.as_bytes())
    }

    /// Reads what was written; a torn last line is left out.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn read(path: &Path) -> io::Result<Vec<Entry>> {
        let lines = BufReader::new(File::open(path)?).lines();
        let entries: io::Result<Vec<_>> = lines
            .map(|line| line.map(|line| Entry::parse(&line)))
            .collect();
        Ok(entries?.into_iter().flatten().collect())
    }

    /// Reads what was written behind `offset` (in bytes), and where to go on. A line that is not whole yet is
    /// left for the next time.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn read_from(path: &Path, offset: u64) -> io::Result<(Vec<Entry>, u64)> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let lines = text.get(..whole).unwrap_or_default().lines();
        Ok((
            lines.filter_map(Entry::parse).collect(),
            offset + whole as u64,
        ))
    }
}

impl Mark {
    fn word(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Entry {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let mark = match words.next()? {
            "started" => Mark::Started,
            "finished" => Mark::Finished,
            "failed" => Mark::Failed,
            "cancelled" => Mark::Cancelled,
            _ => return None,
        };
        let job_id = words.next()?.to_owned();
        Some(Self {
            mark,
            job_id,
            attempt: words.next()?.parse().ok()?,
            token: words.next()?.parse().ok()?,
            at_us: words.next()?.parse().ok()?,
        })
    }
}

/// Now, in microseconds since the epoch: client and handler run on one machine and compare by it.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "measures the real world, so it takes the real time"
)]
pub fn now_us() -> u64 {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_last_line_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let journal = Journal::append(&path).unwrap();
        journal.note(Mark::Started, "a", 1, 7).unwrap();
        journal.note(Mark::Finished, "a", 1, 7).unwrap();
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"started b").unwrap();
        let entries = Journal::read(&path).unwrap();
        let read: Vec<_> = entries
            .iter()
            .map(|entry| (entry.mark, entry.token))
            .collect();
        assert_eq!(read, [(Mark::Started, 7), (Mark::Finished, 7)]);
    }

    #[test]
    fn reading_goes_on_where_it_ended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let journal = Journal::append(&path).unwrap();
        journal.note(Mark::Started, "a", 1, 7).unwrap();
        let (entries, offset) = Journal::read_from(&path, 0).unwrap();
        assert_eq!(entries.len(), 1);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"finished a 1").unwrap();
        assert_eq!(Journal::read_from(&path, offset).unwrap(), (vec![], offset));
        file.write_all(b" 7 9\n").unwrap();
        let (entries, end) = Journal::read_from(&path, offset).unwrap();
        assert_eq!(entries.first().map(|entry| entry.at_us), Some(9));
        assert_eq!(Journal::read_from(&path, end).unwrap(), (vec![], end));
    }
}
