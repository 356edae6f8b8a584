//! The queues, for operators: what waits in them, and whether it is held back.

use assay_api::v1 as pb;
use assay_core::kind::JobKind;
use assay_core::port::LaneDepth;
use assay_core::route;

use crate::convert;
use crate::edge::Edge;
use crate::status::Refusal;

mod purge;

impl Edge {
    pub(crate) async fn list_queues(&self) -> Result<pb::ListQueuesResponse, Refusal> {
        let now_ms = self.clock.now_ms();
        let paused = self.control.paused().await;
        let paused = paused.map_err(|error| Refusal::of_read(&error))?;
        let mut queues = Vec::new();
        for kind in self.settings.kinds.iter().copied() {
            let lanes = self.queue.depth(kind).await;
            let lanes = lanes.map_err(|error| Refusal::StoreUnavailable {
                why: error.to_string(),
            })?;
            let is_paused = paused.contains(&kind);
            queues.extend(lanes.map(|depth| pb::Queue {
                name: route::queue(kind, depth.lane).to_owned(),
                kind: kind.as_str().to_owned(),
                lane: convert::lane(depth.lane).into(),
                depth: depth.ready,
                oldest_age: oldest_age_ms(&depth, now_ms).map(convert::duration),
                paused: is_paused,
            }));
        }
        Ok(pb::ListQueuesResponse { queues })
    }

    pub(crate) async fn pause_queue(
        &self,
        request: &pb::PauseQueueRequest,
    ) -> Result<pb::PauseQueueResponse, Refusal> {
        let kind = self.served(&request.kind)?;
        let paused = self.control.pause(kind).await;
        paused.map_err(|error| Refusal::of_control(error, kind))?;
        tracing::info!(job.kind = %kind, "{kind} jobs are paused");
        Ok(pb::PauseQueueResponse {})
    }

    pub(crate) async fn resume_queue(
        &self,
        request: &pb::ResumeQueueRequest,
    ) -> Result<pb::ResumeQueueResponse, Refusal> {
        let kind = self.served(&request.kind)?;
        let resumed = self.control.resume(kind).await;
        resumed.map_err(|error| Refusal::of_control(error, kind))?;
        tracing::info!(job.kind = %kind, "{kind} jobs are resumed");
        Ok(pb::ResumeQueueResponse {})
    }

    /// Reads the name of a kind that this server takes jobs of.
    fn served(&self, name: &str) -> Result<JobKind, Refusal> {
        let kind = convert::kind(name)?;
        if self.settings.kinds.contains(&kind) {
            Ok(kind)
        } else {
            Err(Refusal::KindNotServed(kind))
        }
    }
}

fn oldest_age_ms(depth: &LaneDepth, now_ms: u64) -> Option<u64> {
    let published_at_ms = depth.oldest_published_at_ms?;
    Some(now_ms.saturating_sub(published_at_ms))
}
