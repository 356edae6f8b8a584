//! A file as a stream of messages. It is read by position, so that many may read one open file.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, OnceLock};

use assay_api::v1::AnalyzeChunk;
use assay_api::v1::analyze_chunk::Part;
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};

use crate::exam::Body;

/// The largest chunk of a file, in bytes.
pub const CHUNK_BYTES_MAX: usize = 256 * 1024;

/// What went wrong on our side of a stream. A stream of messages cannot say so itself: it ends early.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trouble(Arc<OnceLock<String>>);

impl Trouble {
    /// What went wrong, if something did.
    pub(crate) fn said(&self) -> Option<String> {
        self.0.get().cloned()
    }
}

/// The chunks of a body, after a first message.
pub(crate) fn stream(
    first: AnalyzeChunk,
    body: &Body,
) -> (impl Stream<Item = AnalyzeChunk> + Send + 'static, Trouble) {
    let trouble = Trouble::default();
    let source = Source::of(body);
    let parts = stream::unfold((source, trouble.clone()), |(source, trouble)| async move {
        match source.next().await {
            Ok((Some(data), source)) => {
                let part = Some(Part::Data(data));
                Some((AnalyzeChunk { part }, (source, trouble)))
            }
            Ok((None, _)) => None,
            Err(error) => {
                let said = format!("read the content: {error}");
                // The first trouble is the only one: the stream ends here.
                trouble.0.get_or_init(|| said);
                None
            }
        }
    });
    (stream::iter([first]).chain(parts), trouble)
}

/// Where the bytes come from, and how far it has come.
enum Source {
    File { file: Arc<File>, at: u64, end: u64 },
    Memory(Bytes),
}

impl Source {
    fn of(body: &Body) -> Self {
        match body {
            Body::File { file, bytes, .. } => Self::File {
                file: Arc::clone(file),
                at: 0,
                end: *bytes,
            },
            Body::Rendered(bytes) => Self::Memory(bytes.clone()),
            // Those who are shown samples are sent no file.
            Body::Pixels(_) => Self::Memory(Bytes::new()),
        }
    }

    /// The next chunk, or nothing at the end.
    async fn next(self) -> io::Result<(Option<Bytes>, Self)> {
        match self {
            Self::Memory(mut bytes) => {
                let chunk = bytes.split_to(bytes.len().min(CHUNK_BYTES_MAX));
                Ok(((!chunk.is_empty()).then_some(chunk), Self::Memory(bytes)))
            }
            Self::File { file, at, end } => {
                let wanted = usize::try_from(end - at).unwrap_or(usize::MAX);
                let wanted = wanted.min(CHUNK_BYTES_MAX);
                if wanted == 0 {
                    return Ok((None, Self::File { file, at, end }));
                }
                let reader = Arc::clone(&file);
                let read = move || {
                    let mut chunk = vec![0; wanted];
                    reader.read_exact_at(&mut chunk, at)?;
                    Ok::<_, io::Error>(chunk)
                };
                let chunk = tokio::task::spawn_blocking(read).await??;
                let at = at + wanted as u64;
                Ok((Some(chunk.into()), Self::File { file, at, end }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, SeekFrom, Write};

    use super::*;

    fn body(written: usize, claimed: u64) -> Body {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![7; written]).unwrap();
        file.seek(SeekFrom::End(0)).unwrap();
        Body::File {
            file: Arc::new(file),
            bytes: claimed,
            sha256: String::new(),
        }
    }

    async fn sizes(body: &Body) -> (Vec<usize>, Option<String>) {
        let (chunks, trouble) = stream(AnalyzeChunk { part: None }, body);
        let sizes = chunks.skip(1).map(|chunk| match chunk.part {
            Some(Part::Data(data)) => data.len(),
            other => panic!("{other:?}"),
        });
        (sizes.collect().await, trouble.said())
    }

    #[tokio::test]
    async fn a_chunk_is_full_and_not_fuller() {
        let full = CHUNK_BYTES_MAX;
        for (bytes, expected) in [(0, vec![]), (full, vec![full]), (full + 1, vec![full, 1])] {
            let file = body(bytes, bytes as u64);
            assert_eq!(sizes(&file).await, (expected.clone(), None));
            // The same open file, again.
            assert_eq!(sizes(&file).await, (expected.clone(), None));
            let memory = Body::Rendered(vec![7; bytes].into());
            assert_eq!(sizes(&memory).await, (expected, None));
        }
    }

    #[tokio::test]
    async fn a_file_that_shrank_is_our_trouble() {
        let (sent, trouble) = sizes(&body(10, 11)).await;
        assert_eq!(sent, Vec::<usize>::new());
        assert!(trouble.unwrap().starts_with("read the content"));
    }
}
