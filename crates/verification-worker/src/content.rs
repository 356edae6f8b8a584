//! The bytes of a job: opened once, hashed again, then only handed on.

use std::fs::File;
use std::io::{self, Read};

use assay_blob::{Blobs, ContentId};
use assay_core::id::Tenant;
use assay_forensics::{Limits, MediaKind, Refusal};
use sha2::{Digest, Sha256};

use crate::failure::Failure;

/// Bytes hashed at a time.
const CHUNK_BYTES: usize = 256 * 1024;

/// Content in hand.
#[derive(Debug)]
pub(crate) struct Content {
    /// The open file. A child reads the very file that was hashed, whatever happens to its name.
    pub(crate) file: File,
    /// Its name.
    pub(crate) id: ContentId,
    /// Its size in bytes.
    pub(crate) bytes: u64,
}

impl Content {
    /// Refuses a file above every bound before it is read. Its kind is not known then, and need not be.
    ///
    /// # Errors
    /// The refusal.
    pub(crate) fn refuse_above(&self, limits: &Limits) -> Result<(), Failure> {
        let (bytes, bytes_max) = (self.bytes, bytes_max(limits));
        if bytes > bytes_max {
            let kind = MediaKind::Other;
            return Err(Failure::Refused(Refusal::LimitBytes {
                kind,
                bytes,
                bytes_max,
            }));
        }
        Ok(())
    }
}

/// The largest file of any kind, in bytes.
pub(crate) fn bytes_max(limits: &Limits) -> u64 {
    let kinds = [
        MediaKind::Image,
        MediaKind::Audio,
        MediaKind::Video,
        MediaKind::Document,
    ];
    kinds
        .into_iter()
        .map(|kind| limits.bytes_max(kind))
        .max()
        .unwrap_or_default()
}

/// Opens the content and checks that it still is what its name says.
pub(crate) async fn open(
    blobs: &Blobs,
    tenant: &Tenant,
    id: ContentId,
) -> Result<Content, Failure> {
    let path = blobs
        .local_file(tenant, &id)
        .await
        .map_err(Failure::Store)?;
    let path = path.ok_or(Failure::SourceNotFound { id })?;
    let hashed = tokio::task::spawn_blocking(move || {
        let mut file = File::open(path)?;
        let (found, bytes) = hash(&mut file)?;
        Ok::<_, io::Error>((file, found, bytes))
    });
    let hashed = hashed
        .await
        .map_err(io::Error::from)
        .and_then(|hashed| hashed);
    match hashed {
        Ok((file, found, bytes)) if found == id => Ok(Content { file, id, bytes }),
        Ok((_, found, _)) => Err(Failure::Checksum { id, found }),
        // Collected between the two looks.
        Err(source) if source.kind() == io::ErrorKind::NotFound => {
            Err(Failure::SourceNotFound { id })
        }
        Err(source) => Err(Failure::Read { id, source }),
    }
}

/// The name and the size of what a file holds from where it stands.
///
/// # Errors
/// What the system says.
pub(crate) fn hash(file: &mut File) -> io::Result<(ContentId, u64)> {
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut bytes = 0;
    loop {
        let read = match file.read(&mut chunk) {
            Ok(0) => return Ok((ContentId::from_sha256(hash.finalize().into()), bytes)),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hash.update(chunk.get(..read).unwrap_or_default());
        bytes += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    async fn blobs(folder: &Path) -> Blobs {
        Blobs::open(folder).await.unwrap()
    }

    #[tokio::test]
    async fn content_is_opened_and_hashed_again() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = blobs(folder.path()).await;
        let tenant = Tenant::default();
        // More than one chunk, and not a whole number of them.
        let bytes = vec![7; CHUNK_BYTES * 2 + 1];
        let id = blobs.put(&tenant, bytes.into()).await.unwrap();
        let content = open(&blobs, &tenant, id).await.unwrap();
        assert_eq!(
            (content.id, content.bytes),
            (id, CHUNK_BYTES as u64 * 2 + 1)
        );
    }

    #[tokio::test]
    async fn absent_content_is_told_from_changed_content() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = blobs(folder.path()).await;
        let tenant = Tenant::default();
        let id = blobs.put(&tenant, "original".into()).await.unwrap();
        let path = blobs.local_file(&tenant, &id).await.unwrap().unwrap();

        std::fs::write(&path, "something else").unwrap();
        let found = ContentId::of(b"something else");
        assert!(
            matches!(open(&blobs, &tenant, id).await, Err(Failure::Checksum { found: it, .. }) if it == found)
        );

        let other = Tenant::new("other").unwrap();
        assert!(matches!(
            open(&blobs, &other, id).await,
            Err(Failure::SourceNotFound { .. })
        ));
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(
            open(&blobs, &tenant, id).await,
            Err(Failure::SourceNotFound { .. })
        ));
    }

    #[test]
    fn a_file_above_every_bound_is_refused_by_its_size() {
        let limits = Limits {
            video_bytes_max: 1_000,
            ..Limits::default()
        };
        let of = |bytes| {
            let file = tempfile::tempfile().unwrap();
            Content {
                file,
                id: ContentId::of(b""),
                bytes,
            }
        };
        assert_eq!(bytes_max(&limits), limits.audio_bytes_max);
        assert!(of(limits.audio_bytes_max).refuse_above(&limits).is_ok());
        let failure = of(limits.audio_bytes_max + 1)
            .refuse_above(&limits)
            .unwrap_err();
        assert_eq!(failure.code(), "limit_bytes");
    }
}
