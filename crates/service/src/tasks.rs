//! Tasks have owners and names. The only place that spawns.
//!
//! A [`TaskGroup`] knows every task that it started, says by name when one fails or panics, does what
//! the task's policy says, and waits for all of them at the end. [`TaskScope`] bounds how many attempts
//! at work run at once.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::FutureExt;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::Instant;

mod joined;
mod restart;
mod scope;

pub use joined::{Joined, TaskError};
pub use restart::Restart;
pub use scope::{Slot, TaskScope};

use crate::context::BoxError;
use crate::metric_definitions::{self, Failure};
use crate::shutdown::{Reason, Shutdown};

/// What the end of a supervised task means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnEnd {
    /// The process cannot go on without it: any end before the shutdown, good or bad, begins one.
    Shutdown,
    /// It may end. A failure is logged.
    Log,
}

/// Starts, names, supervises and joins tasks. Cloning gives another handle to the same group.
#[derive(Clone, Debug)]
pub struct TaskGroup {
    shutdown: Shutdown,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    next_id: AtomicU64,
    tasks: Mutex<BTreeMap<u64, Task>>,
    running: watch::Sender<usize>,
}

#[derive(Debug)]
struct Task {
    name: Arc<str>,
    abort: Option<AbortHandle>,
}

impl TaskGroup {
    /// An empty group. Its critical tasks begin `shutdown` when they end.
    #[must_use]
    pub fn new(shutdown: Shutdown) -> Self {
        let inner = Inner {
            next_id: AtomicU64::new(0),
            tasks: Mutex::default(),
            running: watch::Sender::new(0),
        };
        Self {
            shutdown,
            inner: Arc::new(inner),
        }
    }

    /// Starts a task that is supervised until it ends.
    pub fn spawn<F, E>(&self, name: &str, on_end: OnEnd, task: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError> + Send + 'static,
    {
        let (group, label) = (self.clone(), Arc::<str>::from(name));
        drop(self.start(name, async move {
            let ended = Ended::of(task).await;
            ended.report(&label, group.shutdown.reason().is_some());
            if on_end == OnEnd::Shutdown {
                group.shutdown_over(&label, &ended);
            }
        }));
    }

    /// Starts a task that is started again when it fails, after a growing delay, and no more once the
    /// shutdown began. Too many failures in a row begin the shutdown. A good end is an end.
    pub fn spawn_restarting<M, F, E>(&self, name: &str, restart: Restart, mut make: M)
    where
        M: FnMut() -> F + Send + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError> + Send + 'static,
    {
        let (group, label) = (self.clone(), Arc::<str>::from(name));
        drop(self.start(name, async move {
            let mut failures = 0;
            loop {
                let started = Instant::now();
                let ended = Ended::of(make()).await;
                ended.report(&label, group.shutdown.reason().is_some());
                if matches!(ended, Ended::Well) || group.shutdown.reason().is_some() {
                    return;
                }
                failures = restart.count(failures, started.elapsed());
                let Some(delay) = restart.delay(failures) else {
                    return group.shutdown_over(&label, &ended);
                };
                tokio::select! {
                    () = tokio::time::sleep(delay) => {}
                    () = group.shutdown.begun() => return,
                }
            }
        }));
    }

    /// Starts a task whose result the caller wants.
    pub fn spawn_joined<T, F>(&self, name: &str, task: F) -> Joined<T>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let label = Arc::<str>::from(name);
        let handle = self.start(name, async move {
            let caught = AssertUnwindSafe(task).catch_unwind().await;
            caught.map_err(|panic| {
                let message = message_of(panic.as_ref());
                Ended::Panicked(message.clone()).report(&label, false);
                TaskError::Panicked {
                    name: label,
                    message,
                }
            })
        });
        Joined::new(name, handle)
    }

    /// How many tasks run.
    #[must_use]
    pub fn running(&self) -> usize {
        *self.inner.running.borrow()
    }

    /// The names of the tasks that run, in the order they were started.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.inner
            .tasks
            .lock()
            .values()
            .map(|task| task.name.to_string())
            .collect()
    }

    /// Waits until no task runs. Tasks may start others meanwhile; those are waited for too.
    pub async fn joined(&self) {
        let mut running = self.inner.running.subscribe();
        // The sender lives as long as this group, so waiting cannot fail.
        drop(running.wait_for(|running| *running == 0).await);
    }

    /// Waits until no task runs, until `deadline` at most.
    ///
    /// # Errors
    /// The names of the tasks that still run.
    pub async fn join(&self, deadline: Instant) -> Result<(), Vec<String>> {
        match tokio::time::timeout_at(deadline, self.joined()).await {
            Ok(()) => Ok(()),
            Err(_) => Err(self.names()),
        }
    }

    /// Cuts off every task at its next await, and says which they were.
    pub fn abort_all(&self) -> Vec<String> {
        let tasks = self.inner.tasks.lock();
        for task in tasks.values() {
            if let Some(abort) = &task.abort {
                abort.abort();
            }
        }
        tasks.values().map(|task| task.name.to_string()).collect()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is where tasks get names and owners"
    )]
    fn start<F>(&self, name: &str, task: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let member = self.enrol(name);
        let id = member.id;
        let handle = tokio::spawn(async move {
            let _member = member;
            task.await
        });
        if let Some(task) = self.inner.tasks.lock().get_mut(&id) {
            task.abort = Some(handle.abort_handle());
        }
        handle
    }

    fn enrol(&self, name: &str) -> Member {
        let id = self.inner.next_id.fetch_add(1, Ordering::Relaxed);
        self.inner.tasks.lock().insert(
            id,
            Task {
                name: name.into(),
                abort: None,
            },
        );
        self.inner.running.send_modify(|running| *running += 1);
        Member {
            id,
            inner: Arc::clone(&self.inner),
        }
    }

    fn shutdown_over(&self, name: &str, ended: &Ended) {
        if self.shutdown.reason().is_some() && matches!(ended, Ended::Well) {
            return;
        }
        let why = match ended {
            Ended::Well => "it ended although nobody asked it to".to_owned(),
            Ended::Failed(chain) => chain.clone(),
            Ended::Panicked(message) => format!("it panicked: {message}"),
        };
        self.shutdown
            .begin(Reason::Failed(format!("task {name}: {why}")));
    }
}

/// A running task's place in its group; leaves it however the task ends.
#[derive(Debug)]
struct Member {
    id: u64,
    inner: Arc<Inner>,
}

impl Drop for Member {
    fn drop(&mut self) {
        self.inner.tasks.lock().remove(&self.id);
        self.inner.running.send_modify(|running| *running -= 1);
    }
}

/// How a task ended.
#[derive(Debug)]
enum Ended {
    Well,
    Failed(String),
    Panicked(String),
}

impl Ended {
    async fn of<F, E>(task: F) -> Self
    where
        F: Future<Output = Result<(), E>>,
        E: Into<BoxError>,
    {
        match AssertUnwindSafe(task).catch_unwind().await {
            Ok(Ok(())) => Self::Well,
            Ok(Err(error)) => Self::Failed(chain(error.into().as_ref())),
            Err(panic) => Self::Panicked(message_of(panic.as_ref())),
        }
    }

    fn report(&self, task: &str, stopping: bool) {
        match self {
            Self::Well => tracing::debug!(task, stopping, "task {task} ended"),
            Self::Failed(error) => {
                metric_definitions::task_failed(Failure::Error);
                tracing::error!(task, stopping, error, "task {task} failed: {error}");
            }
            Self::Panicked(message) => {
                metric_definitions::task_failed(Failure::Panic);
                tracing::error!(
                    task,
                    stopping,
                    panic = message,
                    "task {task} panicked: {message}"
                );
            }
        }
    }
}

/// An error and its causes, in one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

fn message_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "a panic without a message".to_owned())
}
