//! A task whose result somebody waits for.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::task::{AbortHandle, JoinHandle};

/// Waits for a task's result. Dropping it lets the task run on, unless
/// [`Joined::abort_on_drop`] was asked for.
#[derive(Debug)]
#[must_use]
pub struct Joined<T> {
    name: Arc<str>,
    handle: JoinHandle<Result<T, TaskError>>,
    abort_on_drop: bool,
}

/// Why a task has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    /// It panicked.
    #[error("task {name} panicked: {message}")]
    Panicked {
        /// Which task.
        name: Arc<str>,
        /// What the panic said.
        message: String,
    },
    /// It was cut off.
    #[error("task {name} was aborted")]
    Aborted {
        /// Which task.
        name: Arc<str>,
    },
}

impl<T> Joined<T> {
    pub(super) fn new(name: &str, handle: JoinHandle<Result<T, TaskError>>) -> Self {
        Self {
            name: name.into(),
            handle,
            abort_on_drop: false,
        }
    }

    /// Ties the task to this value: dropping it cuts the task off.
    pub fn abort_on_drop(mut self) -> Self {
        self.abort_on_drop = true;
        self
    }

    /// The task's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Cuts the task off at its next await.
    pub fn abort(&self) {
        self.handle.abort();
    }

    /// Cuts the task off from elsewhere.
    #[must_use]
    pub fn abort_handle(&self) -> AbortHandle {
        self.handle.abort_handle()
    }

    /// Whether the task ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }
}

impl<T> Future for Joined<T> {
    type Output = Result<T, TaskError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let ended = std::task::ready!(Pin::new(&mut self.handle).poll(context));
        // Panics are caught inside the task, so only an abort comes out here.
        Poll::Ready(ended.unwrap_or_else(|_| {
            Err(TaskError::Aborted {
                name: Arc::clone(&self.name),
            })
        }))
    }
}

impl<T> Drop for Joined<T> {
    fn drop(&mut self) {
        if self.abort_on_drop {
            self.handle.abort();
        }
    }
}
