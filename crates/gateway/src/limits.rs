//! Bounds of requests. They are part of the API (`proto/assay/v1`), so they are not in the configuration;
//! what the server can take is, see `defaults.toml`. Below: how much may be under way and how often who may call
//! (`admission`, `rates`, `gcra`), and how slowly a body may come (`pace`).

mod admission;
mod gcra;
mod pace;
mod rates;

pub(crate) use admission::{Admission, Place};
pub(crate) use gcra::Quota;
pub(crate) use pace::{Pace, Slow};
pub(crate) use rates::Rates;

/// Most labels of a job.
pub(crate) const METADATA_ENTRIES_MAX: usize = 32;
/// Longest key of a label, in bytes.
pub(crate) const METADATA_KEY_BYTES_MAX: usize = 64;
/// Longest value of a label, in bytes.
pub(crate) const METADATA_VALUE_BYTES_MAX: usize = 256;
/// Longest name and media type of a file, in bytes.
pub(crate) const FILE_TEXT_BYTES_MAX: usize = 255;
/// Longest time of one attempt: 1 hour in milliseconds.
pub(crate) const ATTEMPT_TIMEOUT_MS_MAX: u64 = 60 * 60 * 1000;
/// Jobs of a page unless the request says otherwise.
pub(crate) const PAGE_SIZE_DEFAULT: usize = 50;
/// Most kinds, and most states, that a list may name.
pub(crate) const FILTER_ENTRIES_MAX: usize = 16;
/// Dead letters that one request puts back: at least, unless it says otherwise, and at most.
pub(crate) const REDRIVEN: (u32, u32, u32) = (1, 100, 1_000);
/// How many of them in a second.
pub(crate) const REDRIVEN_PER_SECOND: (u32, u32, u32) = (1, 50, 1_000);
/// Dead letters that one request forgets.
pub(crate) const FORGOTTEN: (u32, u32, u32) = (1, 1_000, 10_000);
/// Events that wait for one slow watcher before it is told that it missed some.
pub(crate) const MAILBOX_EVENTS_MAX: usize = 64;
/// Most results in one message of a stream of submits.
pub(crate) const RESULTS_PER_MESSAGE_MAX: usize = 256;
/// A message of a stream of submits takes no more results once they have so many bytes: clients take messages of 4 MiB
/// unless told otherwise, and a job that was submitted before may come with a long history of its own.
pub(crate) const RESULTS_BYTES_FULL: usize = 2 * 1024 * 1024;
/// The longest message of a call that asks for no token, in bytes: health is asked for in a few words.
pub(crate) const STRANGER_BYTES_MAX: usize = 1024;
/// When to try again after the server went away or lost its store, in milliseconds.
pub(crate) const RETRY_AFTER_MS: u64 = 1_000;
