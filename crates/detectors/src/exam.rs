//! The question to the panel, and to one detector.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use crate::picture::Pixels;
use crate::task::{Modality, Task};

/// What is kept of the time that is left, in milliseconds: for what comes after the detectors.
pub const RESERVE_MS: u64 = 2_000;

/// A file, for all detectors.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Names the job.
    pub request_id: String,
    /// The file, open. It is read from its beginning, wherever it stands.
    pub file: Arc<File>,
    /// Its SHA-256, as 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its media type, by the bytes.
    pub mime: String,
    /// What it is.
    pub modality: Modality,
    /// Width and height of the picture in pixels, as its header says.
    pub size: Option<(u32, u32)>,
    /// How long there is for all that is left to do with the file. The detectors get [`RESERVE_MS`] less.
    pub time_left: Duration,
    /// Whether maps are of use.
    pub want_map: bool,
    /// What else detectors may know.
    pub hints: BTreeMap<String, String>,
}

impl Ask {
    /// Until when detectors may answer; nothing if there is no time for them.
    pub(crate) fn until(&self, now: Instant) -> Option<Instant> {
        let time = self
            .time_left
            .checked_sub(Duration::from_millis(RESERVE_MS))?;
        now.checked_add(time).filter(|until| *until > now)
    }

    /// Pixels of the picture, if they are known.
    pub(crate) fn pixels(&self) -> Option<u64> {
        self.size
            .map(|(width, height)| u64::from(width) * u64::from(height))
    }
}

/// What one detector is to look at, and for what.
#[derive(Debug, Clone)]
pub(crate) struct Exam {
    pub(crate) request_id: String,
    pub(crate) idempotency_key: String,
    pub(crate) body: Body,
    pub(crate) mime: String,
    pub(crate) modality: Modality,
    /// Width and height of the picture that is sent, if they are known.
    pub(crate) size: Option<(u32, u32)>,
    /// Not empty, each once.
    pub(crate) tasks: Vec<Task>,
    pub(crate) want_map: bool,
    pub(crate) hints: BTreeMap<String, String>,
}

/// What is sent.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    /// The file as it came.
    File {
        file: Arc<File>,
        bytes: u64,
        sha256: String,
    },
    /// A file that was rendered.
    Rendered(Bytes),
    /// Samples that were rendered.
    Pixels(Pixels),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detectors_get_the_time_that_is_left_without_the_reserve() {
        let now = Instant::now();
        let until = |time_ms| {
            let ask = Ask {
                request_id: String::new(),
                file: Arc::new(tempfile::tempfile().unwrap()),
                sha256: String::new(),
                bytes: 0,
                mime: String::new(),
                modality: Modality::Image,
                size: None,
                time_left: Duration::from_millis(time_ms),
                want_map: false,
                hints: BTreeMap::new(),
            };
            ask.until(now).map(|until| (until - now).as_millis())
        };
        assert_eq!(until(RESERVE_MS + 1), Some(1));
        assert_eq!(until(RESERVE_MS), None);
        assert_eq!(until(0), None);
    }
}
