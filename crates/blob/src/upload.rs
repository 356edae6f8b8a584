//! Content on its way in.

use std::sync::atomic::{AtomicU64, Ordering};

use assay_core::id::Tenant;
use bytes::{Bytes, BytesMut};
use object_store::path::Path as Key;
use object_store::{MultipartUpload, ObjectStoreExt, PutPayload};
use sha2::{Digest, Sha256};

use crate::error::attempt;
use crate::{Blobs, ContentId, Error, key};

/// How many bytes are held in memory before they are written: the least that a part of an S3 upload may
/// have. Content that is smaller is written in one go.
pub const PART_BYTES: usize = 5 * 1024 * 1024;

/// Where uploads are written until they are complete. No tenant begins with a dot.
pub(crate) const UPLOADS: &str = ".uploads";

/// Takes in content piece by piece; hashes it on the way.
#[derive(Debug)]
#[must_use]
pub struct Upload {
    blobs: Blobs,
    tenant: Tenant,
    bytes_max: u64,
    bytes: u64,
    hash: Sha256,
    // Not yet written. Copied together: chunks as they came would keep far more memory than their bytes,
    // and there is no bound on the number of empty ones.
    part: BytesMut,
    // Once the first part was full. Dropping it removes its file.
    begun: Option<Begun>,
}

#[derive(Debug)]
struct Begun {
    key: Key,
    parts: Box<dyn MultipartUpload>,
}

/// Content that was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uploaded {
    /// Its name.
    pub id: ContentId,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Content that came in whole and is not yet stored: the time to compare it with what was announced.
#[derive(Debug)]
#[must_use]
pub struct Received {
    upload: Upload,
    content: Uploaded,
}

impl Upload {
    pub(crate) fn new(blobs: Blobs, tenant: Tenant, bytes_max: u64) -> Self {
        Self {
            blobs,
            tenant,
            bytes_max,
            bytes: 0,
            hash: Sha256::new(),
            part: BytesMut::new(),
            begun: None,
        }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`Error::TooLarge`] with the first byte over the bound, [`Error::Full`], [`Error::Io`]. The upload
    /// is of no use then.
    pub async fn write(&mut self, chunk: Bytes) -> Result<(), Error> {
        let bytes = self.bytes + chunk.len() as u64;
        if bytes > self.bytes_max {
            return Err(Error::TooLarge {
                limit: self.bytes_max,
            });
        }
        self.bytes = bytes;
        self.hash.update(&chunk);
        self.part.extend_from_slice(&chunk);
        if self.part.len() >= PART_BYTES {
            self.write_part().await?;
        }
        Ok(())
    }

    /// How many bytes came in so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Ends the taking in: the content has a name now, and is not yet stored.
    pub fn received(self) -> Received {
        let content = Uploaded {
            id: ContentId::from_sha256(self.hash.clone().finalize().into()),
            bytes: self.bytes,
        };
        Received {
            upload: self,
            content,
        }
    }

    /// Stores what came in. After the answer it survives a power cut.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::Io`].
    pub async fn finish(self) -> Result<Uploaded, Error> {
        self.received().store().await
    }

    async fn write_part(&mut self) -> Result<(), Error> {
        let begun = match &mut self.begun {
            Some(begun) => begun,
            begun @ None => {
                let key = Key::from_iter([UPLOADS, &self.blobs.uploads.next()]);
                let parts = self.blobs.store.put_multipart(&key).await;
                let parts = parts.map_err(attempt("begin upload", key.to_string()))?;
                begun.insert(Begun { key, parts })
            }
        };
        let payload = PutPayload::from_bytes(self.part.split().freeze());
        // One part at a time: the client waits while the disk is slow.
        let written = begun.parts.put_part(payload).await;
        written.map_err(attempt("write upload", begun.key.to_string()))
    }
}

impl Received {
    /// What came in.
    #[must_use]
    pub fn content(&self) -> Uploaded {
        self.content
    }

    /// Stores it. After the answer it survives a power cut.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::Io`].
    pub async fn store(self) -> Result<Uploaded, Error> {
        let Self {
            mut upload,
            content,
        } = self;
        if upload.begun.is_some() && !upload.part.is_empty() {
            upload.write_part().await?;
        }
        let Upload {
            blobs,
            tenant,
            part,
            begun,
            ..
        } = upload;
        match begun {
            None => {
                blobs
                    .write(&tenant, content.id, PutPayload::from_bytes(part.freeze()))
                    .await?;
            }
            Some(begun) => publish(&blobs, begun, &tenant, &content.id).await?,
        }
        Ok(content)
    }
}

/// Syncs the file, then gives it its name. A process that dies between the two leaves a file that
/// [`Blobs::remove_abandoned_uploads`] finds.
async fn publish(
    blobs: &Blobs,
    mut begun: Begun,
    tenant: &Tenant,
    id: &ContentId,
) -> Result<(), Error> {
    let complete = begun.parts.complete().await;
    complete.map_err(attempt("complete upload", begun.key.to_string()))?;
    let _gate = blobs.gate.read().await;
    let renamed = blobs.store.rename(&begun.key, &key(tenant, id)).await;
    renamed.map_err(attempt("store content", id.to_string()))
}

/// Names of uploads: no two alike, in this process or another.
#[derive(Debug)]
pub(crate) struct Names {
    process: u64,
    next: AtomicU64,
}

impl Names {
    fn next(&self) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        format!("{:016x}-{number}", self.process)
    }
}

impl Default for Names {
    fn default() -> Self {
        Self {
            process: rand::random(),
            next: AtomicU64::new(0),
        }
    }
}
