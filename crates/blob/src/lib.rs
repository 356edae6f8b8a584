//! Content-addressed bytes: media that jobs work on, and results too large for a record.
//!
//! Contract: what [`Upload::finish`] and [`Blobs::put`] answered is synced to disk, file and folder. Equal
//! bytes are one blob per tenant; another tenant's blob looks absent. A blob is whole or not there: bytes
//! are written elsewhere and renamed into place. Nothing here is ever changed, only touched and deleted.
//!
//! Layout: `<tenant>/<64 hex digits>`, and `.uploads/` for what is still coming in (no tenant begins with
//! a dot). Bytes live in a local folder behind `object_store`; a bucket is another [`Blobs::open`].
//!
//! Not here: who may store how much, which content a job needs, when to collect. No other crate names
//! `object_store`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use assay_core::id::Tenant;
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{ObjectStoreExt, PutPayload};
use parking_lot::Mutex;
use tokio::sync::RwLock;

mod collect;
mod content_id;
mod content_store;
mod error;
mod recent;
mod upload;

pub use collect::Stored;
pub use content_id::{ContentId, InvalidContentId};
pub use error::Error;
pub use upload::{PART_BYTES, Received, Upload, Uploaded};

use error::{attempt, missing_is_none};
use recent::Recent;

/// For how long a touch is remembered without asking the folder again, in milliseconds. Must be far less
/// than the age at which blobs are collected.
pub const TOUCH_REMEMBERED_MS: u64 = 10 * 60 * 1000;

/// A folder of blobs. Cloning gives another handle to the same.
#[derive(Clone, Debug)]
pub struct Blobs {
    store: Arc<LocalFileSystem>,
    folder: Arc<Path>,
    // Held alone over "look, then delete", and shared over each touch and store: what somebody touched or
    // stored since the look is not deleted.
    gate: Arc<RwLock<()>>,
    recent: Arc<Mutex<Recent>>,
    uploads: Arc<upload::Names>,
}

impl Blobs {
    /// Opens a folder, or makes it.
    ///
    /// # Errors
    /// When the folder can't be made or is none.
    pub async fn open(folder: impl Into<PathBuf>) -> Result<Self, Error> {
        let folder: PathBuf = folder.into();
        let place = folder.display().to_string();
        let opened = blocking(move || {
            std::fs::create_dir_all(&folder)?;
            let folder = folder.canonicalize()?;
            // A power cut must not take the folder from what is synced in it.
            if let Some(above) = folder.parent() {
                std::fs::File::open(above)?.sync_all()?;
            }
            // Without fsync a power cut could take content whose upload was answered.
            let store = LocalFileSystem::new_with_prefix(&folder)?.with_fsync(true);
            Ok::<_, error::Cause>((folder, store))
        });
        let (folder, store) = opened.await.map_err(attempt("open blob folder", place))?;
        Ok(Self {
            store: Arc::new(store),
            folder: folder.into(),
            gate: Arc::default(),
            recent: Arc::default(),
            uploads: Arc::default(),
        })
    }

    /// Begins to take in content of at most `bytes_max` bytes. Nothing is left of an upload that is
    /// dropped before [`Upload::finish`].
    pub fn upload(&self, tenant: &Tenant, bytes_max: u64) -> Upload {
        Upload::new(self.clone(), tenant.clone(), bytes_max)
    }

    /// Stores bytes that are at hand.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::Io`].
    pub async fn put(&self, tenant: &Tenant, bytes: Bytes) -> Result<ContentId, Error> {
        let id = ContentId::of(&bytes);
        self.write(tenant, id, PutPayload::from_bytes(bytes))
            .await?;
        Ok(id)
    }

    /// The whole content, if it is there.
    ///
    /// # Errors
    /// [`Error::TooLarge`] when it is larger than `bytes_max`, [`Error::Io`].
    pub async fn get(
        &self,
        tenant: &Tenant,
        id: &ContentId,
        bytes_max: u64,
    ) -> Result<Option<Bytes>, Error> {
        let key = key(tenant, id);
        let read = async {
            let Some(found) = missing_is_none(self.store.get(&key).await)? else {
                return Ok(None);
            };
            if found.meta.size > bytes_max {
                return Ok(Some(None));
            }
            Ok::<_, object_store::Error>(Some(Some(found.bytes().await?)))
        };
        match read
            .await
            .map_err(attempt("read content", id.to_string()))?
        {
            None => Ok(None),
            Some(Some(bytes)) => Ok(Some(bytes)),
            Some(None) => Err(Error::TooLarge { limit: bytes_max }),
        }
    }

    /// The content in chunks as the store reads them, if it is there.
    ///
    /// # Errors
    /// [`Error::Io`], also in place of a chunk.
    pub async fn read(
        &self,
        tenant: &Tenant,
        id: &ContentId,
    ) -> Result<Option<impl Stream<Item = Result<Bytes, Error>> + Send + use<>>, Error> {
        let found = missing_is_none(self.store.get(&key(tenant, id)).await)
            .map_err(attempt("read content", id.to_string()))?;
        let name = id.to_string();
        let read = move |chunk: object_store::Result<Bytes>| {
            chunk.map_err(attempt("read content", name.clone()))
        };
        Ok(found.map(|found| found.into_stream().map(read)))
    }

    /// The size of the content in bytes, if it is there.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub async fn size(&self, tenant: &Tenant, id: &ContentId) -> Result<Option<u64>, Error> {
        let meta = missing_is_none(self.store.head(&key(tenant, id)).await)
            .map_err(attempt("look for content", id.to_string()))?;
        Ok(meta.map(|meta| meta.size))
    }

    /// Marks content as in use at `now_ms`, so that it is not collected soon, and answers its size in
    /// bytes if it is there. A touch is remembered for [`TOUCH_REMEMBERED_MS`]: within that time the
    /// folder is not asked again.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub async fn touch(
        &self,
        tenant: &Tenant,
        id: &ContentId,
        now_ms: u64,
    ) -> Result<Option<u64>, Error> {
        if let Some(bytes) = self.recent.lock().bytes(tenant, id, now_ms) {
            return Ok(Some(bytes));
        }
        let (path, recent) = (self.path(tenant, id), Arc::clone(&self.recent));
        let (tenant, name) = (tenant.clone(), *id);
        let gate = Arc::clone(&self.gate).read_owned().await;
        let touched = blocking(move || {
            let bytes = set_touched(&path, now_ms)?;
            if let Some(bytes) = bytes {
                recent.lock().remember(tenant, name, bytes, now_ms);
            }
            drop(gate);
            Ok::<_, std::io::Error>(bytes)
        });
        touched
            .await
            .map_err(attempt("touch content", id.to_string()))
    }

    /// A file that holds the content, for a child process to read, if it is there. It must not be written.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub async fn local_file(
        &self,
        tenant: &Tenant,
        id: &ContentId,
    ) -> Result<Option<PathBuf>, Error> {
        // A bucket would download it here; the folder has it already.
        let there = self.size(tenant, id).await?;
        Ok(there.map(|_| self.path(tenant, id)))
    }

    async fn write(
        &self,
        tenant: &Tenant,
        id: ContentId,
        payload: PutPayload,
    ) -> Result<(), Error> {
        let _gate = self.gate.read().await;
        // Written over what may be there: it is the same, and writing it again is a touch.
        let written = self.store.put(&key(tenant, &id), payload).await;
        written
            .map(drop)
            .map_err(attempt("store content", id.to_string()))
    }

    fn path(&self, tenant: &Tenant, id: &ContentId) -> PathBuf {
        self.folder.join(tenant.as_str()).join(id.hex())
    }
}

fn key(tenant: &Tenant, id: &ContentId) -> Key {
    Key::from_iter([tenant.as_str(), &id.hex()])
}

fn set_touched(path: &Path, now_ms: u64) -> Result<Option<u64>, std::io::Error> {
    let file = match std::fs::File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let metadata = file.metadata()?;
    let now = SystemTime::UNIX_EPOCH + Duration::from_millis(now_ms);
    // A clock that stands behind must not make the content look older.
    if metadata.modified()? < now {
        file.set_modified(now)?;
    }
    Ok(Some(metadata.len()))
}

async fn blocking<T, E>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, error::Cause>
where
    T: Send + 'static,
    E: Into<error::Cause> + Send + 'static,
{
    tokio::task::spawn_blocking(work).await?.map_err(Into::into)
}
