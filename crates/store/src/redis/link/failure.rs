//! What can go wrong on the way, sorted by what it means for whoever asked.

use std::error::Error;

use assay_core::port::{RefusalReason, StoreError};
use assay_tls::Refusal;
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// When a client that was refused for want of memory should ask again, in milliseconds.
pub(crate) const STORE_FULL_RETRY_MS: u64 = 10_000;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LinkError {
    /// Nothing was done: it never reached a Redis that would do it.
    #[error("{0}")]
    Unsent(String),
    /// It was sent; nobody knows whether it was done.
    #[error("{0}")]
    Lost(String),
    /// Nothing was done, for want of memory.
    #[error("it has no memory left (maxmemory)")]
    Full,
    /// Nothing was done: Redis does not know the script.
    #[error("it does not know the script")]
    NoScript,
    /// The command was refused.
    #[error("{0}")]
    Refused(String),
}

impl LinkError {
    /// What an error of the client library means, and whether the connection is of no more use.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "of what is not known, it is not known whether it was done"
    )]
    pub(super) fn of(error: &RedisError) -> (Self, bool) {
        let why = error.to_string();
        let code = error.code().unwrap_or_default();
        match error.kind() {
            ErrorKind::Server(
                ServerErrorKind::BusyLoading
                | ServerErrorKind::MasterDown
                | ServerErrorKind::ReadOnly
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::TryAgain,
            ) => (Self::Unsent(why), true),
            ErrorKind::Server(ServerErrorKind::NoScript) => (Self::NoScript, false),
            _ if code == "OOM" => (Self::Full, false),
            _ if ["MISCONF", "NOREPLICAS", "BUSY", "NOAUTH", "NOPERM"].contains(&code) => {
                (Self::Unsent(why), false)
            }
            ErrorKind::Server(_) | ErrorKind::Extension => (Self::Refused(why), false),
            _ => (Self::Lost(why), true),
        }
    }

    /// The same of something that is not what was asked for, but had to come before.
    pub(super) fn unsent(self) -> Self {
        match self {
            Self::Full => Self::Full,
            Self::Unsent(_) | Self::Lost(_) | Self::NoScript | Self::Refused(_) => {
                Self::Unsent(self.to_string())
            }
        }
    }

    /// What it means for a question: nothing was written.
    pub(crate) fn of_read(self) -> StoreError {
        StoreError::Unavailable {
            why: self.to_string(),
        }
    }

    /// What it means for a step.
    pub(crate) fn of_write(self) -> StoreError {
        match self {
            Self::Lost(why) => StoreError::Unknown { why },
            Self::Full => store_full(),
            Self::Unsent(_) | Self::NoScript | Self::Refused(_) => self.of_read(),
        }
    }
}

/// Why there is no connection, for people. `encrypted` says how Redis was spoken to.
pub(crate) fn unconnected(error: &RedisError, encrypted: bool) -> String {
    match Refusal::of(error) {
        Some(refusal) => refusal.to_string(),
        None if !encrypted && error.is_connection_dropped() && !error.is_connection_refusal() => {
            format!("{error}; if TLS is spoken there, set redis.tls to true")
        }
        None if error.is_timeout() => unanswered(error, encrypted),
        None => error.to_string(),
    }
}

/// The same where nobody answered in time.
pub(crate) fn unanswered(error: &dyn Error, encrypted: bool) -> String {
    if encrypted {
        format!("{error}; a port where no TLS is spoken may be silent like this")
    } else {
        error.to_string()
    }
}

/// A submit is refused: there is no room.
pub(crate) fn store_full() -> StoreError {
    StoreError::Refused {
        reason: RefusalReason::StoreFull,
        retry_after_ms: STORE_FULL_RETRY_MS,
    }
}
