//! A worker: takes jobs of one kind and brings each attempt to its end.

use std::collections::VecDeque;
use std::sync::Arc;

use assay_core::kind::JobKind;
use assay_core::port::Subscription;
use assay_service::readiness::{Dependency, Need};
use assay_service::shutdown::Shutdown;
use assay_service::tasks::{Joined, TaskError};
use assay_service::{Context, TaskGroup};

use crate::attendance::{Attendance, Present};
use crate::config::Settings;
use crate::drain::drain;
use crate::execute::Executor;
use crate::handler::JobHandler;
use crate::intake::Intake;
use crate::jitter::Backoff;
use crate::lease::Leases;
use crate::metric_definitions::Meters;
use crate::pause::{Lookout, pause};
use crate::ports::Ports;
use crate::refuse::Refusal;
use crate::run::Runner;
use crate::settle::Settler;
use crate::slots::Slots;

/// The name under which readiness knows the queue of a kind: each worker of a process has its own.
#[must_use]
pub fn queue_dependency(kind: JobKind) -> String {
    format!("queue-{kind}")
}

/// Runs jobs of its handler's kind.
pub struct Worker<H> {
    ports: Ports,
    handler: Arc<H>,
    settings: Settings,
    attendance: Option<Arc<Attendance>>,
}

/// Why a worker stopped although nobody asked it to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// One of its loops ended.
    #[error("keep the leases of a worker")]
    Leases(#[from] TaskError),
    /// The one that asks whether jobs are to be taken ended.
    #[error("ask whether jobs are paused")]
    Pause(#[source] TaskError),
}

impl<H: JobHandler> Worker<H> {
    /// A worker that has not begun.
    #[must_use]
    pub fn new(ports: Ports, handler: H, settings: Settings) -> Self {
        Self {
            ports,
            handler: Arc::new(handler),
            settings,
            attendance: None,
        }
    }

    /// Has the registry of workers know of it: it takes no job before that.
    #[must_use]
    pub fn attending(self, attendance: &Arc<Attendance>) -> Self {
        Self {
            attendance: Some(Arc::clone(attendance)),
            ..self
        }
    }

    /// Works until the intake is stopped or the queue closed, then until its attempts have ended or were
    /// handed back. Its series, and what readiness needs of it, are there when this returns: nobody may look at a
    /// process whose worker has not begun and find it ready.
    ///
    /// # Errors
    /// When one of its loops ended: leases can no longer be kept, or a pause no longer be heard of.
    pub fn run(self, context: Context) -> impl Future<Output = Result<(), Error>> + Send {
        let meters = context
            .metrics
            .record(|| Arc::new(Meters::new(H::KIND, &Refusal::REASONS)));
        meters.slots(self.settings.concurrency);
        let queue = queue_dependency(H::KIND);
        let queue_up = context.readiness.dependency(&queue, Need::Required);
        self.work(context, meters, queue_up)
    }

    async fn work(
        self,
        context: Context,
        meters: Arc<Meters>,
        queue_up: Dependency,
    ) -> Result<(), Error> {
        let Context {
            tasks, shutdown, ..
        } = context;
        let slots = Slots::new(self.settings.concurrency);
        let leases = Leases::new(&self.ports, &self.settings, &meters);
        let present = self.join(&slots, &leases);
        if !known(present.as_ref(), &shutdown).await {
            return Ok(());
        }
        let (lookout, pause) = pause(&self.ports.control, H::KIND);
        let loops = Loops::start(&tasks, &leases, lookout);
        if let Some(subscription) = self.subscribe(&queue_up, &shutdown).await {
            let intake = Intake {
                backoff: Backoff::new(&self.ports.jitter),
                executor: self.executor(&leases, &meters, &shutdown),
                subscription,
                slots: Arc::clone(&slots),
                tasks,
                shutdown: shutdown.clone(),
                pause,
                queue_up,
                up_at: None,
                buffer: VecDeque::new(),
            };
            let work = async {
                intake.run().await;
                drain(&slots, &leases, &shutdown).await;
            };
            return loops.guard(work).await;
        }
        Ok(())
    }

    fn join(&self, slots: &Slots, leases: &Arc<Leases>) -> Option<Present> {
        let attendance = self.attendance.as_ref()?;
        let handler = Arc::clone(&self.handler);
        let breakers = Box::new(move || handler.breakers());
        Some(attendance.join(H::KIND, slots.count(), leases, breakers))
    }

    /// Asks until the queue answers; `None` when the shutdown came first.
    async fn subscribe(
        &self,
        queue_up: &Dependency,
        shutdown: &Shutdown,
    ) -> Option<Box<dyn Subscription>> {
        let mut backoff = Backoff::new(&self.ports.jitter);
        loop {
            let subscribed = self
                .ports
                .queue
                .subscribe(H::KIND, self.settings.concurrency);
            match subscribed.await {
                Ok(subscription) => {
                    queue_up.up();
                    tracing::info!(job.kind = %H::KIND, concurrency = self.settings.concurrency, "ready for {} jobs", H::KIND);
                    return Some(subscription);
                }
                Err(error) => {
                    queue_up.down(error.to_string());
                    tracing::warn!(%error, "could not subscribe: {error}");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(backoff.next()) => {}
                () = shutdown.intake_stopped() => return None,
            }
        }
    }

    fn executor(
        self,
        leases: &Arc<Leases>,
        meters: &Arc<Meters>,
        shutdown: &Shutdown,
    ) -> Arc<Executor<H>> {
        let settler = Settler {
            ports: self.ports.clone(),
            settings: self.settings,
            meters: Arc::clone(meters),
            shutdown: shutdown.clone(),
        };
        Arc::new(Executor {
            runner: Runner {
                handler: self.handler,
                ports: self.ports,
                settings: self.settings,
            },
            leases: Arc::clone(leases),
            meters: Arc::clone(meters),
            settler,
            shutdown: shutdown.clone(),
        })
    }
}

/// Waits until the registry knows this worker; false when the shutdown came first.
async fn known(present: Option<&Present>, shutdown: &Shutdown) -> bool {
    let Some(present) = present else {
        return true;
    };
    tokio::select! {
        () = present.noted() => true,
        () = shutdown.intake_stopped() => false,
    }
}

/// The loops beside the work; they end with it.
struct Loops {
    keeping: Joined<()>,
    listening: Joined<()>,
    looking: Joined<()>,
}

impl Loops {
    fn start(tasks: &TaskGroup, leases: &Arc<Leases>, lookout: Lookout) -> Self {
        let (keeper, listener) = (Arc::clone(leases), Arc::clone(leases));
        let keeping = tasks.spawn_joined("lease-renewal", async move { keeper.keep().await });
        let listening = tasks.spawn_joined("cancellations", async move { listener.listen().await });
        let looking = tasks.spawn_joined("pause", async move { lookout.keep().await });
        Self {
            keeping: keeping.abort_on_drop(),
            listening: listening.abort_on_drop(),
            looking: looking.abort_on_drop(),
        }
    }

    /// Works as long as the loops do.
    async fn guard(mut self, work: impl Future<Output = ()>) -> Result<(), Error> {
        tokio::select! {
            () = work => Ok(()),
            ended = &mut self.keeping => Ok(ended?),
            ended = &mut self.listening => Ok(ended?),
            ended = &mut self.looking => ended.map_err(Error::Pause),
        }
    }
}
