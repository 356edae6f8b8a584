//! The seams: what the services ask of the outside, and what whoever answers must promise.
//!
//! Each trait has one contract suite that every adapter passes unchanged.

mod by_hand;
mod content_store;
mod dead_letters;
mod fingerprint_log;
mod job_queue;
mod job_store;
mod markers;
mod query;
mod queue_control;
mod store_error;
mod worker_registry;

pub use by_hand::{CancelAnswer, ClearAnswer, EditAnswer, EditWish, ForgetAnswer, RedriveAnswer};
pub use content_store::{ContentError, ContentStore};
pub use dead_letters::{DeadLetter, DeadLetterReader, DeadLetters};
pub use fingerprint_log::{
    Appended, CONTENT_HASH_BYTES, ContentFingerprint, FINGERPRINT_BYTES, FingerprintLog,
    LOG_PAGE_MAX, LogPage, Logged,
};
pub use job_queue::{Delivery, HandOut, JobQueue, LaneDepth, QueueError, Settle, Subscription};
pub use job_store::{
    Claim, ClaimRequest, Claimed, Durability, JobStore, Lease, Renewal, ResultBody, Settled,
    Settlement, Submitted, Swept, Written,
};
pub use markers::{MarkerQueue, Markers, SentJobs};
pub use query::{
    Counts, Cursor, EventItem, EventStream, HISTORY_PAGE_MAX, History, Interest, ListRequest,
    PAGE_SIZE_MAX, Page,
};
pub use queue_control::QueueControl;
pub use store_error::{RefusalReason, StoreError};
pub use worker_registry::{Registered, RegistryError, WorkerRegistry};
