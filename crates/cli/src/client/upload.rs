//! A file on its way to a server.

use std::path::{Path, PathBuf};

use assay_api::{CHUNK_BYTES_MAX, v1};
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::{Client, Fault, Patience};

/// Files up to this size are hashed before they are sent, so that a server that has them is not sent
/// them again, in bytes. Larger ones are sent at once: most servers refuse them by their size.
const HASH_FIRST_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Chunks that are read ahead of the connection.
const CHUNKS_AHEAD: usize = 4;

/// Longest file name that is sent, in bytes; the contract of `ContentMetadata`.
const FILE_NAME_BYTES_MAX: usize = 255;

/// A file of media on this machine.
#[derive(Clone, Debug)]
pub(crate) struct Media {
    path: PathBuf,
    size_bytes: u64,
}

impl Media {
    /// Looks at a file.
    ///
    /// # Errors
    /// When it is no regular file, or cannot be looked at.
    pub(crate) async fn open(path: &Path) -> Result<Self, Fault> {
        let metadata = tokio::fs::metadata(path).await;
        let metadata = metadata.map_err(|source| unreadable(path, source))?;
        if !metadata.is_file() {
            let source = std::io::Error::other("it is not a file");
            return Err(unreadable(path, source));
        }
        Ok(Self {
            path: path.to_path_buf(),
            size_bytes: metadata.len(),
        })
    }

    /// How large it was when it was looked at.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The name without folders, if the server would take it: evidence only.
    pub(crate) fn file_name(&self) -> String {
        let name = self.path.file_name().map(|name| name.to_string_lossy());
        let name = name.unwrap_or_default();
        let fits = name.len() <= FILE_NAME_BYTES_MAX && !name.contains(char::is_control);
        if fits {
            name.into_owned()
        } else {
            String::new()
        }
    }

    /// The media type that the name's ending claims; empty when it claims none that we know.
    pub(crate) fn declared_mime(&self) -> &'static str {
        let ending = self.path.extension().and_then(|ending| ending.to_str());
        let ending = ending.unwrap_or_default().to_ascii_lowercase();
        match ending.as_str() {
            "jpg" | "jpeg" => "image/jpeg",
            "png" => "image/png",
            "gif" => "image/gif",
            "webp" => "image/webp",
            "tif" | "tiff" => "image/tiff",
            "heic" => "image/heic",
            "avif" => "image/avif",
            "mp4" => "video/mp4",
            "mov" => "video/quicktime",
            "mp3" => "audio/mpeg",
            "wav" => "audio/wav",
            "pdf" => "application/pdf",
            _ => "",
        }
    }

    async fn sha256(&self) -> Result<String, Fault> {
        let mut file = self.reader().await?;
        let mut hash = Sha256::new();
        loop {
            let chunk = self.chunk(&mut file).await?;
            if chunk.is_empty() {
                return Ok(hex(&hash.finalize()));
            }
            hash.update(&chunk);
        }
    }

    async fn reader(&self) -> Result<File, Fault> {
        let file = File::open(&self.path).await;
        file.map_err(|source| unreadable(&self.path, source))
    }

    /// The next bytes; empty at the end.
    async fn chunk(&self, file: &mut File) -> Result<Vec<u8>, Fault> {
        let mut chunk = Vec::with_capacity(CHUNK_BYTES_MAX);
        let limit = u64::try_from(CHUNK_BYTES_MAX).unwrap_or(u64::MAX);
        let read = file.take(limit).read_to_end(&mut chunk).await;
        read.map_err(|source| unreadable(&self.path, source))?;
        Ok(chunk)
    }

    /// Sends the whole upload down the channel; ends early when nobody listens any more.
    async fn send(
        &self,
        sha256: String,
        messages: mpsc::Sender<v1::UploadContentRequest>,
    ) -> Result<(), Fault> {
        use v1::upload_content_request::Part;
        let mut file = self.reader().await?;
        let metadata = v1::ContentMetadata {
            file_name: self.file_name(),
            declared_mime: self.declared_mime().to_owned(),
            size_bytes: Some(self.size_bytes),
            sha256,
        };
        let mut part = Part::Metadata(metadata);
        loop {
            let message = v1::UploadContentRequest { part: Some(part) };
            if messages.send(message).await.is_err() {
                return Ok(());
            }
            let chunk = self.chunk(&mut file).await?;
            if chunk.is_empty() {
                return Ok(());
            }
            part = Part::Chunk(chunk.into());
        }
    }
}

impl Client {
    /// Makes sure that the server has the bytes of a file, and answers their name.
    ///
    /// # Errors
    /// When the file cannot be read, or the server refuses it or stays away too long.
    pub(crate) async fn upload(&self, media: &Media) -> Result<String, Fault> {
        let sha256 = if media.size_bytes <= HASH_FIRST_BYTES_MAX {
            media.sha256().await?
        } else {
            String::new()
        };
        let mut tries = 0;
        loop {
            let fault = match self.upload_once(media, &sha256).await {
                Ok(content_id) => return Ok(content_id),
                Err(fault) => fault,
            };
            tries += 1;
            match fault.wait(Patience::CALL, tries) {
                Some(delay) => tokio::time::sleep(delay).await,
                None => return Err(fault),
            }
        }
    }

    async fn upload_once(&self, media: &Media, sha256: &str) -> Result<String, Fault> {
        if !sha256.is_empty() {
            let content_id = format!("sha256:{sha256}");
            match self.has_content(&content_id).await {
                Ok(true) => return Ok(content_id),
                Ok(false) => {}
                Err(fault) => return Err(fault),
            }
        }
        let (messages, receiver) = mpsc::channel(CHUNKS_AHEAD);
        let mut content = self.content.clone();
        let upload = content.upload_content(ReceiverStream::new(receiver));
        let (sent, answer) = tokio::join!(media.send(sha256.to_owned(), messages), upload);
        sent?;
        match self.read(answer) {
            Ok(stored) => Ok(stored.content_id),
            Err(fault) if fault.reason() == Some("CONTENT_MISMATCH") => Err(Fault::Changed {
                path: media.path.clone(),
            }),
            Err(fault) => Err(fault),
        }
    }

    async fn has_content(&self, content_id: &str) -> Result<bool, Fault> {
        let content_id = content_id.to_owned();
        let mut content = self.content.clone();
        let answer = content.get_content(v1::GetContentRequest { content_id });
        match self.read(answer.await) {
            Ok(_) => Ok(true),
            // A token may allow to store and not to look: then it is sent, whether it is there or not.
            Err(fault) if matches!(fault.reason(), Some("CONTENT_NOT_FOUND" | "SCOPE_MISSING")) => {
                Ok(false)
            }
            Err(fault) => Err(fault),
        }
    }
}

fn unreadable(path: &Path, source: std::io::Error) -> Fault {
    Fault::File {
        path: path.to_path_buf(),
        source,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_is_cut_into_chunks_behind_its_metadata() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("photo.JPG");
        std::fs::write(&path, vec![7; CHUNK_BYTES_MAX + 1]).unwrap();
        let media = Media::open(&path).await.unwrap();
        let (sender, mut receiver) = mpsc::channel(8);
        let hash = media.sha256().await.unwrap();
        media.send(hash.clone(), sender).await.unwrap();
        let mut parts = Vec::new();
        while let Some(message) = receiver.recv().await {
            parts.push(message.part.unwrap());
        }
        use v1::upload_content_request::Part;
        let [
            Part::Metadata(metadata),
            Part::Chunk(first),
            Part::Chunk(last),
        ] = &parts[..]
        else {
            panic!("{parts:?}")
        };
        assert_eq!(
            (metadata.file_name.as_str(), metadata.sha256.len()),
            ("photo.JPG", 64)
        );
        assert_eq!(metadata.declared_mime, "image/jpeg");
        assert_eq!((first.len(), last.len()), (CHUNK_BYTES_MAX, 1));
        assert_eq!(hash, hex(&Sha256::digest(vec![7; CHUNK_BYTES_MAX + 1])));
    }

    #[tokio::test]
    async fn what_is_no_file_is_told_in_one_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let said = anyhow::Error::from(Media::open(folder.path()).await.unwrap_err());
        let said = format!("{said:#}");
        assert!(said.contains("it is not a file"), "{said}");
        let missing = Media::open(&folder.path().join("none")).await.unwrap_err();
        assert!(
            missing.to_string().contains("check that it exists"),
            "{missing}"
        );
    }

    #[test]
    fn a_name_out_of_bounds_is_not_sent() {
        let named = |name: &str| {
            let media = Media {
                path: name.into(),
                size_bytes: 0,
            };
            media.file_name()
        };
        assert_eq!(named("a/b.png"), "b.png");
        assert_eq!(named("a/b\n.png"), "");
        assert_eq!(
            named(&"n".repeat(FILE_NAME_BYTES_MAX)).len(),
            FILE_NAME_BYTES_MAX
        );
        assert_eq!(named(&"n".repeat(FILE_NAME_BYTES_MAX + 1)), "");
    }
}
