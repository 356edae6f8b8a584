//! A running process: the pieces that every service has, around one program.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Settings;
use super::exit::{Error, Exit};
use crate::admin::Admin;
use crate::config::Config;
use crate::context::{BoxError, Context, Service};
use crate::prometheus::Metrics;
use crate::readiness::{Latch, Readiness};
use crate::shutdown::{Drained, Pace, Reason, Shutdown};
use crate::signals::Signals;
use crate::tasks::{Joined, OnEnd, TaskError, TaskGroup, chain};
use crate::telemetry::Telemetry;

/// Target of the log line that says why a process failed: a program that tells it in another way can
/// filter it out.
pub const END_TARGET: &str = "assay_service::end";

/// For the admin port and other background tasks to end once the work is over.
const BACKGROUND_STOP: Duration = Duration::from_secs(1);

/// Whether a process takes over the globals of its operating system process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Globals {
    /// Log subscriber, metrics recorder and panic hook. Works once.
    Install,
    /// None: several of them run side by side, as in a test.
    Leave,
}

/// A started process that waits for its program.
#[derive(Debug)]
pub struct Process {
    context: Context,
    /// Held until the program has begun.
    begun: Latch,
    background: TaskGroup,
    telemetry: Telemetry,
    pace: Pace,
}

impl Process {
    /// Starts telemetry, metrics and the admin port.
    ///
    /// # Errors
    /// When the configuration is wrong, or something of it cannot be had.
    pub async fn start(service: &Service, config: Config, globals: Globals) -> Result<Self, Error> {
        let settings = Settings::read(&config)?;
        let telemetry = Telemetry::new(service.name, service.version, &settings.telemetry)?;
        let metrics = Metrics::new(service.name, service.version, service.instruments)?;
        metrics.show_config(&config);
        if globals == Globals::Install {
            telemetry.install()?;
            metrics.install()?;
            log_panics();
            #[cfg(feature = "failpoints")]
            assay_failpoint::arm(crate::failpoints::read(&config)?);
        }
        let shutdown = Shutdown::new();
        let readiness = Readiness::new();
        // Before anybody can ask: a program that has not begun has named none of what it waits for.
        let begun = readiness.latch("boot");
        let background = TaskGroup::new(shutdown.clone());
        let admin = Admin::bind(&settings.admin, readiness.clone(), metrics.clone()).await?;
        let admin_address = admin.as_ref().map(Admin::address);
        start_background(&background, &shutdown, admin, &metrics);
        let tasks = TaskGroup::new(shutdown.clone());
        let context = Context {
            config: Arc::new(config),
            tasks,
            shutdown,
            readiness,
            metrics,
            admin_address,
        };
        log_start(service, admin_address);
        Ok(Self {
            context,
            begun,
            background,
            telemetry,
            pace: settings.pace,
        })
    }

    /// What the program will get; a test looks at the process through it.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Where the admin port listens, with the port that was really taken.
    #[must_use]
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.context.admin_address
    }

    /// The telemetry, for a process that left the globals alone.
    #[must_use]
    pub fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    /// Runs the program until it and all of its tasks ended, or until a signal or a failure begins the
    /// shutdown; then goes down in order. A second signal ends this at once, whatever still runs.
    pub async fn run<R, F, E>(self, mut signals: Signals, run: R) -> Exit
    where
        R: FnOnce(Context) -> F + Send + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError> + Send + 'static,
    {
        let shutdown = self.context.shutdown.clone();
        let second = async {
            let first = signals.next().await;
            tracing::info!(signal = first.name(), "got {}, shutting down", first.name());
            shutdown.begin(Reason::Signal(first));
            signals.next().await
        };
        tokio::select! {
            exit = self.run_in_order(run) => exit,
            signal = second => {
                tracing::warn!(signal = signal.name(), "got {} again, exiting now", signal.name());
                Exit::Forced(signal)
            }
        }
    }

    async fn run_in_order<R, F, E>(self, run: R) -> Exit
    where
        R: FnOnce(Context) -> F + Send + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError> + Send + 'static,
    {
        let Self {
            context,
            begun,
            background,
            telemetry,
            pace,
        } = self;
        let Context {
            shutdown,
            tasks,
            readiness,
            ..
        } = context.clone();
        // A task of its own: a program that blocks its thread must not hide the second signal.
        let program = async move { release_once_begun(begun, run(context)).await };
        let program = tasks.spawn_joined("program", program);
        let work = finish(program, tasks.clone(), shutdown.clone());
        tokio::pin!(work);
        let ended = tokio::select! {
            () = &mut work => true,
            () = shutdown.begun() => false,
        };
        log_reason(&shutdown);
        let rest = async {
            if !ended {
                work.await
            }
        };
        let drained = shutdown.drain(pace, &readiness, rest).await;
        cut_off(drained, &tasks, &shutdown);
        stop_background(&background).await;
        let exit = shutdown.failure().map_or(Exit::Orderly, Exit::Failed);
        tracing::info!(code = exit.code(), "stopped");
        if !telemetry.shutdown().await {
            tracing::warn!("the last spans were not sent");
        }
        exit
    }
}

/// The program, which has begun when it was polled once: by then it holds latches of its own.
async fn release_once_begun<F: Future>(begun: Latch, program: F) -> F::Output {
    let mut program = pin!(program);
    let mut begun = Some(begun);
    poll_fn(|context| {
        let polled = program.as_mut().poll(context);
        if let Some(latch) = begun.take() {
            latch.release();
        }
        polled
    })
    .await
}

/// Ends when the program and every task of its group ended; then the process has nothing left to do.
async fn finish<E: Into<BoxError>>(
    program: Joined<Result<(), E>>,
    tasks: TaskGroup,
    shutdown: Shutdown,
) {
    match program.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            let error: BoxError = error.into();
            shutdown.begin(Reason::Failed(chain(error.as_ref())));
        }
        Err(error @ TaskError::Panicked { .. }) => {
            shutdown.begin(Reason::Failed(error.to_string()))
        }
        Err(TaskError::Aborted { .. }) => {}
    }
    tasks.joined().await;
    shutdown.begin(Reason::Finished);
}

fn start_background(
    background: &TaskGroup,
    shutdown: &Shutdown,
    admin: Option<Admin>,
    metrics: &Metrics,
) {
    if let Some(admin) = admin {
        let drained = shutdown.clone();
        let serve = admin.serve(async move { drained.drained().await });
        background.spawn("admin", OnEnd::Shutdown, serve);
    }
    let (upkeep, drained) = (metrics.clone().upkeep(), shutdown.clone());
    background.spawn("metrics-upkeep", OnEnd::Log, async move {
        tokio::select! {
            () = upkeep => {}
            () = drained.drained() => {}
        }
        Ok::<(), BoxError>(())
    });
}

/// Idle keep-alive connections may keep the admin port open; they are not waited for.
async fn stop_background(background: &TaskGroup) {
    if let Err(names) = background.join(Instant::now() + BACKGROUND_STOP).await {
        tracing::debug!(?names, "cut off background tasks");
        background.abort_all();
    }
}

fn cut_off(drained: Drained, tasks: &TaskGroup, shutdown: &Shutdown) {
    if drained == Drained::Unfinished {
        let names = tasks.abort_all().join(", ");
        tracing::error!(tasks = names, "cut off tasks that did not end: {names}");
        shutdown.begin(Reason::Failed(format!("tasks did not end: {names}")));
    }
}

fn log_start(service: &Service, admin: Option<SocketAddr>) {
    let (name, version) = (service.name, service.version);
    match admin {
        Some(address) => {
            tracing::info!(version, %address, "{name} starts, admin port at http://{address} (/live, /ready, /metrics)");
        }
        None => tracing::info!(version, "{name} starts, without an admin port"),
    }
}

fn log_reason(shutdown: &Shutdown) {
    match shutdown.reason() {
        Some(Reason::Failed(why)) => tracing::error!(target: END_TARGET, "shutting down: {why}"),
        Some(Reason::Asked(why)) => tracing::info!("shutting down: {why}"),
        Some(Reason::Finished) => tracing::info!("shutting down: the work is done"),
        Some(Reason::Signal(_)) | None => {}
    }
}

/// A panic is a log line like any other, with where it happened.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        let message = panic
            .payload_as_str()
            .unwrap_or("a panic without a message");
        tracing::error!(panic = message, place, "panic at {place}: {message}");
    }));
}
