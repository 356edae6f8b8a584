//! The life of a process that shares.

use std::time::Duration;

use assay_service::readiness::Need;
use assay_service::{BoxError, Context, OnEnd, TaskGroup};

use crate::check::Settings;
use crate::open::{Backend, Error};
use crate::watch::{RABBITMQ_DEPENDENCY, REDIS_DEPENDENCY, watch, watch_broker};

/// How long a process that is ready but for the broker waits for it: whoever sends jobs to a process that has just
/// become ready should not be refused. One that is away for longer keeps nobody from asking questions.
const BROKER_PATIENCE: Duration = Duration::from_secs(3);

/// Opens what is shared, lets `start` begin the process's own tasks on the context that it is given, and waits
/// until a shutdown ended them all; the connection is closed last.
///
/// # Errors
/// When something cannot be opened or started. Nothing runs then.
pub async fn run<F, S>(context: Context, start: S) -> Result<(), Error>
where
    S: FnOnce(Context, Backend) -> F + Send,
    F: Future<Output = Result<(), BoxError>> + Send,
{
    let latch = context.readiness.latch("start");
    let redis_up = context
        .readiness
        .dependency(REDIS_DEPENDENCY, Need::Required);
    let settings = Settings::read(&context.config)?;
    // The parts' own context: their tasks are joined before the connection is closed.
    let context = Context {
        tasks: TaskGroup::new(context.shutdown.clone()),
        ..context
    };
    let Some(backend) = Backend::open(settings, &redis_up, &context.shutdown).await? else {
        return Ok(());
    };
    let watching = watch(backend.store(), redis_up, context.shutdown.clone());
    context
        .tasks
        .spawn("redis-watch", OnEnd::Shutdown, watching);
    if let Some(broker) = backend.broker() {
        let rabbit_up = context
            .readiness
            .dependency(RABBITMQ_DEPENDENCY, Need::Optional);
        let watching = watch_broker(broker, rabbit_up, context.shutdown.clone());
        context
            .tasks
            .spawn("rabbitmq-watch", OnEnd::Shutdown, watching);
    }
    let started = start(context.clone(), backend.clone()).await;
    if started.is_ok() {
        tokio::select! {
            () = backend.connected(BROKER_PATIENCE) => {}
            () = context.shutdown.begun() => {}
        }
        latch.release();
        context.tasks.joined().await;
    } else {
        context.tasks.abort_all();
    }
    backend.close().await;
    started.map_err(Error::Part)
}
