//! Finding and deleting what nobody needs any more. When that is, the scheduler decides.

use std::fs::DirEntry;
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
        // Who touches or stores waits until this is over.
        let gate = Arc::clone(&self.gate).write_owned().await;
        let deleted = blocking(move || {
            let untouched =
                existing(path.metadata())?.is_some_and(|found| touched_at_ms(&found) < before_ms);
            if untouched {
                recent.lock().forget(&name);
                std::fs::remove_file(&path)?;
            }
            drop(gate);
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
        let place = place?;
        // `.uploads` is no tenant.
        let Ok(tenant) = Tenant::new(place.file_name().to_string_lossy()) else {
            continue;
        };
        for file in read_folder(&place.path())? {
            let file = file?;
            let Some(stored) = stored(&tenant, &file)? else {
                continue;
            };
            if stored.touched_at_ms >= before_ms {
                continue;
            }
            if found.len() == limit {
                return Ok(found);
            }
            found.push(stored);
        }
    }
    Ok(found)
}

/// The blob that a file of a tenant's folder is; none for what is no blob, or gone by now.
fn stored(tenant: &Tenant, file: &DirEntry) -> Result<Option<Stored>, std::io::Error> {
    let Ok(id) = ContentId::from_hex(&file.file_name().to_string_lossy()) else {
        return Ok(None);
    };
    let metadata = existing(file.metadata())?;
    Ok(metadata.map(|metadata| Stored {
        tenant: tenant.clone(),
        id,
        bytes: metadata.len(),
        touched_at_ms: touched_at_ms(&metadata),
    }))
}

fn remove_unfinished(folder: &Path, before_ms: u64) -> Result<usize, std::io::Error> {
    let mut removed = 0;
    for place in read_folder(folder)? {
        let place = place?;
        let uploads = place.file_name() == UPLOADS;
        for file in read_folder(&place.path())? {
            let file = file?;
            if !uploads && !is_unfinished(&file.file_name()) {
                continue;
            }
            let found = existing(file.metadata())?;
            if found.is_some_and(|found| touched_at_ms(&found) < before_ms) {
                removed += usize::from(existing(std::fs::remove_file(file.path()))?.is_some());
            }
        }
    }
    Ok(removed)
}

/// `object_store` writes a file under a name that ends in `#` and a number, and renames it.
fn is_unfinished(name: &std::ffi::OsStr) -> bool {
    name.to_string_lossy().contains('#')
}

/// The entries of a folder, one after the other: there may be millions. None for what is no folder.
fn read_folder(
    path: &Path,
) -> Result<impl Iterator<Item = Result<DirEntry, std::io::Error>>, std::io::Error> {
    let opened = match std::fs::read_dir(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => None,
        opened => Some(opened?),
    };
    Ok(opened.into_iter().flatten())
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

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures::FutureExt;

    use super::*;

    /// Beyond the time at which this test runs: everything is old.
    const FUTURE_MS: u64 = 10_000_000_000_000;

    #[tokio::test]
    async fn what_is_being_stored_is_not_deleted_and_the_other_way_round() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path()).await.unwrap();
        let (tenant, bytes) = (Tenant::default(), Bytes::from_static(b"abc"));
        let id = blobs.put(&tenant, bytes.clone()).await.unwrap();

        let storing = blobs.gate.read().await;
        let mut delete = Box::pin(blobs.delete_untouched(&tenant, &id, FUTURE_MS));
        assert!((&mut delete).now_or_never().is_none());
        assert_eq!(blobs.size(&tenant, &id).await.unwrap(), Some(3));
        drop(storing);
        assert!(delete.await.unwrap());

        let deleting = blobs.gate.write().await;
        let mut small = Box::pin(blobs.put(&tenant, bytes));
        assert!((&mut small).now_or_never().is_none());
        let mut large = blobs.upload(&tenant, u64::MAX);
        let part = Bytes::from_static(&[7; crate::PART_BYTES]);
        large.write(part).await.unwrap();
        let mut large = Box::pin(large.finish());
        let mut touch = Box::pin(blobs.touch(&tenant, &id, 1));
        for _ in 0..1_000 {
            assert!((&mut large).now_or_never().is_none(), "it has no name yet");
            assert!((&mut touch).now_or_never().is_none());
            tokio::task::yield_now().await;
        }
        assert!(blobs.untouched(FUTURE_MS, 9).await.unwrap().is_empty());
        drop(deleting);
        let (small, large, touch) = tokio::join!(small, large, touch);
        assert!(small.is_ok() && large.is_ok() && touch.is_ok());
    }
}
