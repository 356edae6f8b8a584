//! What the workers of this process tell the registry, over and over.

use std::sync::Arc;
use std::time::Duration;

use assay_core::clock::Clock;
use assay_core::id::WorkerId;
use assay_core::kind::JobKind;
use assay_core::port::{RegistryError, WorkerRegistry};
use assay_core::worker::{BEAT_BREAKERS_MAX, BEAT_JOBS_MAX, BEAT_PERIOD_MS, Beat, BreakerSeen};
use assay_service::Shutdown;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::lease::Leases;

/// How long the registry may take over one call: a beat that hangs must not keep the next one back.
const CALL_TIME_MAX: Duration = Duration::from_millis(BEAT_PERIOD_MS);

/// What a process is called among workers.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// Its name, such as `verification-worker`.
    pub name: &'static str,
    /// Its version, usually `env!("CARGO_PKG_VERSION")`.
    pub version: &'static str,
}

/// One process in the registry of workers, for as long as any of its workers works.
///
/// No job is taken before the first beat is noted: whoever dies with a job in its hands was known to live.
pub struct Attendance {
    registry: Arc<dyn WorkerRegistry>,
    about: Beat,
    workers: Mutex<Vec<Attending>>,
    working: watch::Sender<usize>,
    /// How many workers the latest beat told of.
    noted: watch::Sender<usize>,
}

/// One worker of the process.
struct Attending {
    kind: JobKind,
    concurrency: u64,
    leases: Arc<Leases>,
    breakers: Breakers,
}

/// Tells how the breakers of a worker stand.
type Breakers = Box<dyn Fn() -> Vec<BreakerSeen> + Send + Sync>;

impl Attendance {
    /// The attendance of `worker`, which started just now. Nothing is said before [`Attendance::keep`] runs.
    #[must_use]
    pub fn new(
        program: Program,
        worker: WorkerId,
        registry: Arc<dyn WorkerRegistry>,
        clock: &dyn Clock,
    ) -> Arc<Self> {
        let about = Beat {
            worker,
            service: program.name.to_owned(),
            host: host(),
            pid: std::process::id(),
            version: program.version.to_owned(),
            started_at_ms: clock.now_ms(),
            concurrency: 0,
            kinds: Vec::new(),
            running: 0,
            jobs: Vec::new(),
            breakers: Vec::new(),
        };
        Arc::new(Self {
            registry,
            about,
            workers: Mutex::default(),
            working: watch::Sender::new(0),
            noted: watch::Sender::new(0),
        })
    }

    /// Beats until no new work may be taken and every worker of the process has ended, then leaves.
    pub async fn keep(self: Arc<Self>, shutdown: Shutdown) {
        let mut ticks = tokio::time::interval(Duration::from_millis(BEAT_PERIOD_MS));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let ended = self.ended(&shutdown);
        tokio::pin!(ended);
        let mut working = self.working.subscribe();
        let mut failures = 0_u32;
        loop {
            tokio::select! {
                biased;
                () = &mut ended => break,
                // Who joins waits for a beat that tells of it.
                Ok(()) = working.changed() => {}
                _ = ticks.tick() => {}
            }
            let noted = tokio::select! {
                biased;
                noted = self.beat() => noted,
                () = &mut ended => break,
            };
            failures = self.note(noted, failures);
        }
        if let Err(error) = bounded(self.registry.leave(&self.about.worker)).await {
            tracing::warn!(%error, "could not leave the registry of workers: {error}");
        }
    }

    /// Takes a worker in; it attends until the answer is dropped.
    pub(crate) fn join(
        self: &Arc<Self>,
        kind: JobKind,
        slots: usize,
        leases: &Arc<Leases>,
        breakers: Breakers,
    ) -> Present {
        let place = {
            let mut workers = self.workers.lock();
            workers.push(Attending {
                kind,
                concurrency: u64::try_from(slots).unwrap_or(u64::MAX),
                leases: Arc::clone(leases),
                breakers,
            });
            workers.len()
        };
        self.working.send_modify(|working| *working += 1);
        Present {
            attendance: Arc::clone(self),
            place,
        }
    }

    async fn ended(&self, shutdown: &Shutdown) {
        shutdown.intake_stopped().await;
        let mut working = self.working.subscribe();
        // The sender lives as long as this value, so waiting cannot fail.
        drop(working.wait_for(|working| *working == 0).await);
    }

    /// Answers how many workers the beat told of.
    async fn beat(&self) -> Result<usize, RegistryError> {
        let beat = self.now();
        bounded(self.registry.beat(&beat)).await?;
        Ok(beat.kinds.len())
    }

    /// Tells people what changed; answers the failures in a row.
    fn note(&self, noted: Result<usize, RegistryError>, failures: u32) -> u32 {
        match noted {
            Ok(workers) => {
                if failures > 0 {
                    tracing::info!(failures, "the registry of workers is there again");
                }
                self.noted.send_replace(workers);
                0
            }
            Err(error) => {
                if failures == 0 {
                    tracing::warn!(%error, "could not say that this worker lives: {error}");
                }
                failures.saturating_add(1)
            }
        }
    }

    /// What there is to say now.
    fn now(&self) -> Beat {
        let mut beat = self.about.clone();
        for worker in self.workers.lock().iter() {
            let running = worker.leases.running();
            beat.kinds.push(worker.kind);
            beat.concurrency = beat.concurrency.saturating_add(worker.concurrency);
            beat.running += u64::try_from(running.len()).unwrap_or(u64::MAX);
            let room = BEAT_JOBS_MAX.saturating_sub(beat.jobs.len());
            beat.jobs.extend(running.into_iter().take(room));
            let room = BEAT_BREAKERS_MAX.saturating_sub(beat.breakers.len());
            let breakers = (worker.breakers)();
            beat.breakers.extend(breakers.into_iter().take(room));
        }
        beat
    }
}

/// A worker that attends.
pub(crate) struct Present {
    attendance: Arc<Attendance>,
    /// Which of the workers, from 1.
    place: usize,
}

impl Present {
    /// Waits until the registry knows this worker.
    pub(crate) async fn noted(&self) {
        let mut noted = self.attendance.noted.subscribe();
        // The sender lives as long as this value, so waiting cannot fail.
        drop(noted.wait_for(|told| *told >= self.place).await);
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.attendance.working.send_modify(|working| *working -= 1);
    }
}

async fn bounded(
    call: impl Future<Output = Result<(), RegistryError>>,
) -> Result<(), RegistryError> {
    let answered = tokio::time::timeout(CALL_TIME_MAX, call).await;
    answered.unwrap_or_else(|_| {
        Err(RegistryError {
            why: format!("no answer within {} ms", CALL_TIME_MAX.as_millis()),
        })
    })
}

/// The name of this machine, for people.
fn host() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}
