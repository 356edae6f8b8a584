//! Whether Redis answers and RabbitMQ takes envelopes, for readiness.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use assay_core::port::{JobQueue, JobStore, StoreError};
use assay_service::Shutdown;
use assay_service::readiness::Dependency;

/// The name under which readiness knows Redis.
pub const REDIS_DEPENDENCY: &str = "redis";
/// The name under which readiness knows RabbitMQ.
pub const RABBITMQ_DEPENDENCY: &str = "rabbitmq";

/// Between two questions.
const PERIOD: Duration = Duration::from_secs(1);
/// How long an answer may take.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(3);

/// Asks Redis over and over until no new work may be taken.
pub(crate) async fn watch(
    store: Arc<dyn JobStore>,
    redis_up: Dependency,
    shutdown: Shutdown,
) -> Result<(), Infallible> {
    let mut down = false;
    loop {
        tokio::select! {
            () = tokio::time::sleep(PERIOD) => {}
            () = shutdown.intake_stopped() => return Ok(()),
        }
        match ask(&*store).await {
            Ok(()) => {
                redis_up.up();
                if down {
                    tracing::info!("Redis answers again");
                }
                down = false;
            }
            Err(why) => {
                redis_up.down(why.as_str());
                if !down {
                    tracing::warn!("Redis does not answer: {why}");
                }
                down = true;
            }
        }
    }
}

/// Any question will do; this one reads a handful of numbers.
async fn ask(store: &dyn JobStore) -> Result<(), String> {
    match tokio::time::timeout(ANSWER_TIME_MAX, store.counts()).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(StoreError::Unavailable { why } | StoreError::Unknown { why })) => Err(why),
        Ok(Err(refused @ StoreError::Refused { .. })) => Err(refused.to_string()),
        Err(_) => Err(format!("no answer within {} s", ANSWER_TIME_MAX.as_secs())),
    }
}

/// Looks over and over whether RabbitMQ takes envelopes, until no new work may be taken. The queue itself logs it.
pub(crate) async fn watch_broker(
    queue: Arc<dyn JobQueue>,
    rabbit_up: Dependency,
    shutdown: Shutdown,
) -> Result<(), Infallible> {
    loop {
        match queue.accepts() {
            Ok(()) => rabbit_up.up(),
            Err(error) => rabbit_up.down(error.to_string()),
        }
        tokio::select! {
            () = tokio::time::sleep(PERIOD) => {}
            () = shutdown.intake_stopped() => return Ok(()),
        }
    }
}
