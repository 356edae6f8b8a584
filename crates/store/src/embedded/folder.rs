//! The data folder: one process at a time, one database file.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use redb::{Database, DatabaseError, StorageError};

/// The database file in the data folder.
pub const DATABASE_FILE: &str = "jobs.redb";
/// Locked while a process uses the data folder.
pub const LOCK_FILE: &str = "lock";

/// Where the database is. It can be opened again after it failed.
pub(super) trait Medium: Send {
    /// Opens the database, and makes it if there is none.
    fn open(&self, cache_bytes: usize) -> Result<Database, OpenError>;
}

/// Why a store can't be opened. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder or a file in it can't be made or written.
    #[error(
        "write to data folder {folder}: give this user the right to write there, or choose another folder"
    )]
    NotWritable {
        /// The data folder.
        folder: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process has it.
    #[error(
        "open data folder {folder}: another process uses it, stop that one or choose another folder"
    )]
    InUse {
        /// The data folder.
        folder: String,
    },
    /// Later code wrote it.
    #[error(
        "open database {file}: it has format {found} and this version reads up to {known}, use the version that wrote it"
    )]
    NewerVersion {
        /// The database.
        file: String,
        /// Its format.
        found: u32,
        /// The newest format that this code knows.
        known: u32,
    },
    /// Something else has that name.
    #[error("open database {file}: it is not a database of assay, move it away")]
    NotADatabase {
        /// The file.
        file: String,
        /// What the database said.
        source: Box<redb::Error>,
    },
    /// It can't be read, or its rows can't.
    #[error(
        "read database {file}: it is damaged or its disk fails, restore a copy of the data folder"
    )]
    Unreadable {
        /// The database.
        file: String,
        /// What went wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A setting is out of range.
    #[error("open store")]
    Config {
        /// Which setting.
        source: crate::ConfigError,
    },
    /// The system gives no thread.
    #[error("start the store's writer thread")]
    Thread {
        /// What the system said.
        source: std::io::Error,
    },
}

/// A data folder that this process has to itself until this is dropped.
pub(super) struct Folder {
    file: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder if need be, and locks it.
    pub(super) fn lock(folder: &Path) -> Result<Self, OpenError> {
        let not_writable = |source| OpenError::NotWritable {
            folder: folder.display().to_string(),
            source,
        };
        std::fs::create_dir_all(folder).map_err(not_writable)?;
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(folder.join(LOCK_FILE))
            .map_err(not_writable)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => OpenError::InUse {
                folder: folder.display().to_string(),
            },
            TryLockError::Error(source) => not_writable(source),
        })?;
        // A new file is safe only when its name in the folder is.
        let file = folder.join(DATABASE_FILE);
        if !file.exists() {
            sync_folder(folder).map_err(not_writable)?;
        }
        Ok(Self { file, _lock: lock })
    }
}

impl Medium for Folder {
    fn open(&self, cache_bytes: usize) -> Result<Database, OpenError> {
        let is_new = !self.file.exists();
        let database = Database::builder()
            .set_cache_size(cache_bytes)
            .create(&self.file)
            .map_err(|error| explain(&self.file, error))?;
        if let (true, Some(folder)) = (is_new, self.file.parent()) {
            sync_folder(folder).map_err(|source| OpenError::NotWritable {
                folder: folder.display().to_string(),
                source,
            })?;
        }
        Ok(database)
    }
}

fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()?;
    match folder
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the database may have new errors any time; what is not known here is a fault of the file"
)]
fn explain(file: &Path, error: DatabaseError) -> OpenError {
    let name = file.display().to_string();
    match error {
        DatabaseError::DatabaseAlreadyOpen => OpenError::InUse { folder: name },
        DatabaseError::Storage(StorageError::Io(source))
            if source.kind() == std::io::ErrorKind::PermissionDenied =>
        {
            OpenError::NotWritable {
                folder: name,
                source,
            }
        }
        DatabaseError::Storage(StorageError::Io(source))
            if source.kind() == std::io::ErrorKind::InvalidData =>
        {
            OpenError::NotADatabase {
                file: name,
                source: Box::new(redb::Error::Io(source)),
            }
        }
        DatabaseError::UpgradeRequired(_) => OpenError::NotADatabase {
            file: name,
            source: Box::new(error.into()),
        },
        other => OpenError::Unreadable {
            file: name,
            source: Box::new(other),
        },
    }
}
