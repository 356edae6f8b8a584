//! How the server is, for operators.

use std::fmt::Display;
use std::time::Duration;

use assay_api::v1 as pb;
use assay_blob::ContentId;
use assay_core::id::Tenant;
use assay_core::port::QueueError;
use assay_service::shutdown::Stage;

use crate::access::Caller;
use crate::convert;
use crate::edge::Edge;
use crate::status::Refusal;

/// What is said of a part that is well.
const ANSWERS: &str = "answers";

impl Edge {
    /// How the parts are. Each has `gateway.health_ms` to say so; they are asked at the same time.
    async fn health(&self) -> pb::GetHealthResponse {
        let patience = self.settings.health_patience();
        let nobody = Tenant::default();
        let nothing = ContentId::of(b"");
        let promise = self.store.durability().promise();
        let kept = format!("answers; a job, once answered: {promise}");
        let (store, queue, content) = tokio::join!(
            probe("store", patience, &kept, self.store.counts()),
            probe("queue", patience, ANSWERS, self.probe_queue()),
            probe(
                "content",
                patience,
                ANSWERS,
                self.blobs.size(&nobody, &nothing)
            ),
        );
        let components = vec![self.own_health(), store, queue, content];
        let worst = components.iter().map(|part| part.status).max();
        pb::GetHealthResponse {
            status: worst.unwrap_or_default(),
            components,
        }
    }

    /// The same for one who asks: strangers are not told of the parts.
    pub(crate) async fn health_for(&self, caller: &Caller) -> pb::GetHealthResponse {
        let mut health = self.health().await;
        if caller.is_stranger() {
            health.components.clear();
        }
        health
    }

    fn own_health(&self) -> pb::ComponentHealth {
        let (status, message) = if self.shutdown.stage() == Stage::Running {
            (pb::HealthStatus::Healthy, "takes calls")
        } else {
            (pb::HealthStatus::Degraded, "is shutting down")
        };
        component("gateway", status, message.to_owned())
    }

    async fn probe_queue(&self) -> Result<(), QueueError> {
        for kind in &self.settings.kinds {
            self.queue.depth(*kind).await?;
        }
        Ok(())
    }

    pub(crate) async fn list_workers(&self) -> Result<pb::ListWorkersResponse, Refusal> {
        let known = self.registry.list().await;
        let known = known.map_err(|error| Refusal::StoreUnavailable {
            why: error.to_string(),
        })?;
        Ok(pb::ListWorkersResponse {
            workers: known.into_iter().map(convert::worker).collect(),
        })
    }

    pub(crate) fn server_info(&self) -> pb::ServerInfo {
        let kinds = self.settings.kinds.iter();
        pb::ServerInfo {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            mode: self.mode.into(),
            durability: self.store.durability().promise().to_owned(),
            kinds: kinds.map(|kind| kind.as_str().to_owned()).collect(),
            start_time: Some(convert::timestamp(self.started_at_ms)),
        }
    }
}

async fn probe<T, E: Display>(
    name: &str,
    patience: Duration,
    well: &str,
    answer: impl Future<Output = Result<T, E>>,
) -> pb::ComponentHealth {
    match tokio::time::timeout(patience, answer).await {
        Ok(Ok(_)) => component(name, pb::HealthStatus::Healthy, well.to_owned()),
        Ok(Err(error)) => component(name, pb::HealthStatus::Unhealthy, error.to_string()),
        Err(_) => {
            let message = format!("did not answer within {} ms", patience.as_millis());
            component(name, pb::HealthStatus::Unhealthy, message)
        }
    }
}

fn component(name: &str, status: pb::HealthStatus, message: String) -> pb::ComponentHealth {
    pb::ComponentHealth {
        name: name.to_owned(),
        status: status.into(),
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_part_that_hangs_is_unhealthy_after_its_time() {
        let begun = tokio::time::Instant::now();
        let hangs = std::future::pending::<Result<(), QueueError>>();
        let part = probe("queue", Duration::from_secs(1), ANSWERS, hangs).await;
        assert_eq!(begun.elapsed(), Duration::from_secs(1));
        assert_eq!(part.status(), pb::HealthStatus::Unhealthy);
        assert_eq!(part.message, "did not answer within 1000 ms");
    }

    #[tokio::test]
    async fn a_part_says_what_is_wrong() {
        let broken = async { Err::<(), _>(QueueError::Unknown) };
        let part = probe("queue", Duration::from_secs(1), ANSWERS, broken).await;
        assert_eq!(part.status(), pb::HealthStatus::Unhealthy);
        assert!(part.message.contains("no answer from the queue"));
    }
}
