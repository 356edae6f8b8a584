use std::io::{Error, ErrorKind};
use std::sync::Arc;

use parking_lot::Mutex;
use redb::{Database, StorageBackend};

use crate::embedded::folder::{Medium, OpenError};

/// A disk in memory that remembers what was written and not yet synced.
#[derive(Debug, Default)]
pub(super) struct MemoryDisk {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What reads see.
    content: Vec<u8>,
    synced: Vec<u8>,
    unsynced: Vec<Write>,
    cuts: Vec<Cut>,
    /// The ledger's length when a sync is asked for.
    acknowledged: usize,
    /// Bytes that the disk has room for.
    room: Option<usize>,
    syncs_fail: bool,
    writes_fail: bool,
}

/// One change that a power cut may or may not keep.
#[derive(Clone, Debug)]
pub(super) enum Write {
    Length(usize),
    Bytes(usize, Vec<u8>),
}

/// The disk at a sync boundary.
#[derive(Clone, Debug)]
pub(super) struct Cut {
    /// What is safe whatever happens.
    pub(super) synced: Vec<u8>,
    /// What the sync was to make safe.
    pub(super) unsynced: Vec<Write>,
    /// How many entries the ledger had.
    pub(super) acknowledged: usize,
}

impl Write {
    /// Makes the change to a disk's content.
    pub(super) fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Length(length) => content.resize(*length, 0),
            Self::Bytes(offset, bytes) => {
                let end = offset + bytes.len();
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[*offset..end].copy_from_slice(bytes);
            }
        }
    }

    /// The first half of it, as if the power went in the middle.
    pub(super) fn torn(&self) -> Self {
        match self {
            Self::Length(length) => Self::Length(*length),
            Self::Bytes(offset, bytes) => Self::Bytes(*offset, bytes[..bytes.len() / 2].to_vec()),
        }
    }
}

impl MemoryDisk {
    /// A disk that was found like this.
    pub(super) fn with(content: Vec<u8>) -> Self {
        let state = State {
            synced: content.clone(),
            content,
            ..State::default()
        };
        Self {
            state: Mutex::new(state),
        }
    }

    pub(super) fn acknowledge(&self, entries: usize) {
        self.state.lock().acknowledged = entries;
    }

    pub(super) fn cuts(&self) -> Vec<Cut> {
        self.state.lock().cuts.clone()
    }

    /// Leaves room for this many bytes in all; `None` for any number.
    pub(super) fn set_room(&self, room: Option<usize>) {
        self.state.lock().room = room;
    }

    pub(super) fn used(&self) -> usize {
        self.state.lock().content.len()
    }

    pub(super) fn fail_writes(&self, fail: bool) {
        self.state.lock().writes_fail = fail;
    }

    pub(super) fn fail_syncs(&self, fail: bool) {
        self.state.lock().syncs_fail = fail;
    }
}

impl State {
    fn change(&mut self, write: Write) -> Result<(), Error> {
        if self.writes_fail {
            return Err(Error::other("the disk does not write"));
        }
        let end = match &write {
            Write::Length(length) => *length,
            Write::Bytes(offset, bytes) => offset + bytes.len(),
        };
        if end > self.content.len() && self.room.is_some_and(|room| end > room) {
            return Err(Error::from(ErrorKind::StorageFull));
        }
        write.apply(&mut self.content);
        self.unsynced.push(write);
        Ok(())
    }
}

/// What the database sees of the disk.
#[derive(Debug)]
struct Handle(Arc<MemoryDisk>);

impl StorageBackend for Handle {
    fn len(&self) -> Result<u64, Error> {
        Ok(self.0.used() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), Error> {
        let offset = usize::try_from(offset).unwrap();
        let state = self.0.state.lock();
        let bytes = state.content.get(offset..offset + out.len());
        out.copy_from_slice(bytes.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, length: u64) -> Result<(), Error> {
        let length = usize::try_from(length).unwrap();
        self.0.state.lock().change(Write::Length(length))
    }

    fn sync_data(&self) -> Result<(), Error> {
        let mut state = self.0.state.lock();
        if state.syncs_fail {
            return Err(Error::other("the disk does not sync"));
        }
        let unsynced = std::mem::take(&mut state.unsynced);
        // Without a ledger there is nothing to compare a cut with.
        if state.acknowledged > 0 {
            let cut = Cut {
                synced: state.synced.clone(),
                unsynced,
                acknowledged: state.acknowledged,
            };
            state.cuts.push(cut);
        }
        state.synced = state.content.clone();
        Ok(())
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        let offset = usize::try_from(offset).unwrap();
        self.0
            .state
            .lock()
            .change(Write::Bytes(offset, bytes.to_vec()))
    }
}

impl Medium for Arc<MemoryDisk> {
    fn open(&self, cache_bytes: usize) -> Result<Database, OpenError> {
        Database::builder()
            .set_cache_size(cache_bytes)
            .create_with_backend(Handle(Self::clone(self)))
            .map_err(|error| OpenError::Unreadable {
                file: "memory".into(),
                source: Box::new(error),
            })
    }
}
