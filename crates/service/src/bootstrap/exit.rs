//! How a process ends, and the exit code that says so.

use super::EXIT_CONFIG;
use crate::signals::Signal;
use crate::{config, listen, prometheus, telemetry};

/// A process cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The async runtime does not start.
    #[error("start the async runtime")]
    Runtime(#[source] std::io::Error),
    /// Signals cannot be received.
    #[error("listen for signals")]
    Signals(#[source] std::io::Error),
    /// Logs or traces cannot be set up.
    #[error(transparent)]
    Telemetry(#[from] telemetry::Error),
    /// Metrics cannot be set up.
    #[error(transparent)]
    Metrics(#[from] prometheus::Error),
    /// The admin port cannot be opened.
    #[error(transparent)]
    Listen(#[from] listen::Error),
}

impl Error {
    /// The exit code of a process that could not start.
    #[must_use]
    pub fn code(&self) -> u8 {
        if matches!(self, Self::Config(_)) {
            EXIT_CONFIG
        } else {
            1
        }
    }
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// In order.
    Orderly,
    /// Something failed, or work had to be cut off.
    Failed(String),
    /// A second signal cut the shutdown short.
    Forced(Signal),
}

impl Exit {
    /// The exit code.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::Orderly => 0,
            Self::Failed(_) => 1,
            Self::Forced(signal) => signal.exit_code(),
        }
    }
}
