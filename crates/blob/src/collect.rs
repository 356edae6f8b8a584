//! Finding and deleting what nobody needs any more. When that is, the scheduler decides.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use assay_core::id::Tenant;

use crate::error::attempt;
use crate::upload::UPLOADS;
use crate::{Blobs, ContentId, Error, blocking};

/// A blob as the collection sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Whose it is.
    pub tenant: Tenant,
    /// Its name.
    pub id: ContentId,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was last stored or touched, in milliseconds since the epoch.
    pub touched_at_ms: u64,
}

impl Blobs {
    /// At most `limit` blobs that nobody stored or touched since `before_ms`, in no order. Reads the whole
    /// folder in the worst case: for a loop that runs rarely.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub async fn untouched(&self, before_ms: u64, limit: usize) -> Result<Vec<Stored>, Error> {
        let folder = Arc::clone(&self.folder);
        let found = blocking(move || find_untouched(&folder, before_ms, limit));
        found
            .await
            .map_err(attempt("list blobs in", self.folder.display().to_string()))
    }

    /// Deletes a blob, unless somebody stored or touched it since `before_ms`. Says whether it did.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub async fn delete_untouched(
        &self,
        tenant: &Tenant,
        id: &ContentId,
        before_ms: u64,
    ) -> Result<bool, Error> {
        let (path, recent, name) = (self.path(tenant, id), Arc::clone(&self.recent), *id);
        let deleted = blocking(move || {
            // A touch waits until this is over, and then finds nothing.
            let mut recent = recent.lock();
            let untouched =
                existing(path.metadata())?.is_some_and(|found| touched_at_ms(&found) < before_ms);
            if untouched {
                recent.forget(&name);
                std::fs::remove_file(&path)?;
            }
            Ok::<_, std::io::Error>(untouched)
        });
        deleted
            .await
            .map_err(attempt("delete content", id.to_string()))
    }

    /// Removes what uploads left behind whose process died before `before_ms`; says how many files.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub async fn remove_abandoned_uploads(&self, before_ms: u64) -> Result<usize, Error> {
        let folder = Arc::clone(&self.folder);
        let removed = blocking(move || remove_unfinished(&folder, before_ms));
        removed.await.map_err(attempt(
            "remove abandoned uploads in",
            self.folder.display().to_string(),
        ))
    }
}

fn find_untouched(
    folder: &Path,
    before_ms: u64,
    limit: usize,
) -> Result<Vec<Stored>, std::io::Error> {
    let mut found = Vec::new();
    for place in read_folder(folder)? {
        // `.uploads` is no tenant.
        let Ok(tenant) = Tenant::new(place.file_name().to_string_lossy()) else {
            continue;
        };
        for file in read_folder(&place.path())? {
            let Ok(id) = ContentId::from_hex(&file.file_name().to_string_lossy()) else {
                continue;
            };
            let Some(metadata) = existing(file.metadata())? else {
                continue;
            };
            let touched_at_ms = touched_at_ms(&metadata);
            if touched_at_ms >= before_ms {
                continue;
            }
            if found.len() == limit {
                return Ok(found);
            }
            let tenant = tenant.clone();
            let bytes = metadata.len();
            found.push(Stored {
                tenant,
                id,
                bytes,
                touched_at_ms,
            });
        }
    }
    Ok(found)
}

fn remove_unfinished(folder: &Path, before_ms: u64) -> Result<usize, std::io::Error> {
    let mut removed = 0;
    for place in read_folder(folder)? {
        let uploads = place.file_name() == UPLOADS;
        for file in read_folder(&place.path())? {
            if !uploads && !is_unfinished(&file.file_name()) {
                continue;
            }
            let found = existing(file.metadata())?;
            if found.is_some_and(|found| touched_at_ms(&found) < before_ms) {
                std::fs::remove_file(file.path())?;
                removed += 1;
            }
        }
    }
    Ok(removed)
}

/// `object_store` writes a file under a name that ends in `#` and a number, and renames it.
fn is_unfinished(name: &std::ffi::OsStr) -> bool {
    name.to_string_lossy().contains('#')
}

/// The entries of a folder; none for what is no folder.
fn read_folder(path: &Path) -> Result<Vec<std::fs::DirEntry>, std::io::Error> {
    match std::fs::read_dir(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => Ok(Vec::new()),
        opened => opened?.collect(),
    }
}

/// Others may delete at the same time.
fn existing<T>(found: Result<T, std::io::Error>) -> Result<Option<T>, std::io::Error> {
    match found {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}

fn touched_at_ms(metadata: &std::fs::Metadata) -> u64 {
    let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    let since_epoch: Duration = modified
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}
