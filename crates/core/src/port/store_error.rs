//! Why a store did not do as asked.

/// Why the store did not do as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Nothing was written, by admission: try again later.
    #[error("refused: {reason}")]
    Refused {
        /// Why.
        reason: RefusalReason,
        /// When to try again, in milliseconds.
        retry_after_ms: u64,
    },
    /// The answer was lost after the write began: it may be recorded. Repeating is safe.
    #[error("outcome unknown: {why}")]
    Unknown {
        /// What went wrong.
        why: String,
    },
    /// The store can't be reached or read; nothing was written.
    #[error("reach the store: {why}")]
    Unavailable {
        /// What went wrong.
        why: String,
    },
}

/// Why a submit was refused before anything was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefusalReason {
    /// The bound on unfinished jobs of this kind.
    #[error("{limit} unfinished jobs of this kind are the limit (store.queued_jobs_max)")]
    QueueFull {
        /// The bound.
        limit: u64,
    },
    /// The bound on jobs that are recorded and not yet published.
    #[error("{limit} jobs that no queue has taken yet are the limit (store.outbox_max)")]
    OutboxFull {
        /// The bound.
        limit: u64,
    },
    /// No room to write.
    #[error("the disk that holds the data folder is full")]
    DiskFull,
    /// The server that holds the records has no memory left for new ones. What is in it goes on.
    #[error("the store's server is out of memory: raise its maxmemory or wait until jobs end")]
    StoreFull,
    /// The store is closing.
    #[error("the service is shutting down")]
    ShuttingDown,
}
