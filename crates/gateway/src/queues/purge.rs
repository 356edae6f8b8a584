//! Cancels what waits in a queue, within bounds.
//!
//! Records first, and nothing but records: what carries the jobs is let go by their claims. The queue itself is not
//! purged, because jobs of other tenants, and jobs that were submitted meanwhile, are in it, too.

use std::time::Duration;

use assay_api::v1 as pb;
use assay_core::id::{JobId, Tenant};
use assay_core::port::{ClearAnswer, StoreError};
use futures::StreamExt;
use tokio::time::Instant;

use crate::convert::{self, Purge};
use crate::edge::Edge;
use crate::status::Refusal;

/// How long one request may work. What is left is there for the next.
const WORK_TIME_MAX: Duration = Duration::from_secs(20);
/// How many jobs are being cancelled at a time.
const CLEARS_MAX: usize = 64;

impl Edge {
    pub(crate) async fn purge_queue(
        &self,
        request: &pb::PurgeQueueRequest,
        tenant: &Tenant,
    ) -> Result<pb::PurgeQueueResponse, Refusal> {
        let purge = convert::purge_queue(request, tenant, self.clock.now_ms())?;
        let kind = self.served(purge.kind.as_str())?;
        let mut answer = pb::PurgeQueueResponse {
            created_before: Some(convert::timestamp(purge.created_before_ms)),
            ..pb::PurgeQueueResponse::default()
        };
        if let Err(refusal) = self.purge(purge, tenant, &mut answer).await {
            if answer.cancelled == 0 {
                return Err(refusal);
            }
            refusal.record();
            answer.more = true;
            answer.stopped = refusal.reason().to_owned();
        }
        let jobs = answer.cancelled;
        if jobs > 0 {
            tracing::info!(job.kind = %kind, jobs, "{jobs} {kind} jobs that waited were cancelled");
        }
        Ok(answer)
    }

    /// Goes through all pages, until it is time to stop.
    async fn purge(
        &self,
        mut purge: Purge,
        tenant: &Tenant,
        answer: &mut pb::PurgeQueueResponse,
    ) -> Result<(), Refusal> {
        let began = Instant::now();
        loop {
            let page = self.store.list(&purge.list).await;
            let page = page.map_err(|error| Refusal::of_read(&error))?;
            let in_lane = |lane| purge.lanes.is_empty() || purge.lanes.contains(&lane);
            let meant = page.jobs.iter().filter(|job| in_lane(job.lane));
            let meant: Vec<_> = meant.map(|job| job.id).collect();
            if purge.dry_run {
                answer.matched += meant.len() as u64;
            } else {
                self.clear(&meant, &purge, tenant, answer).await?;
            }
            purge.list.cursor = page.next;
            if purge.list.cursor.is_none() {
                return Ok(());
            }
            if began.elapsed() >= WORK_TIME_MAX {
                answer.more = true;
                return Ok(());
            }
        }
    }

    /// Cancels the jobs of a page. What is under way when one fails is told, too; nothing more is begun.
    async fn clear(
        &self,
        ids: &[JobId],
        purge: &Purge,
        tenant: &Tenant,
        answer: &mut pb::PurgeQueueResponse,
    ) -> Result<(), Refusal> {
        let states = &purge.list.states;
        let clear = |id: JobId| async move { (id, self.store.clear(tenant, id, states).await) };
        for some in ids.chunks(CLEARS_MAX) {
            let cleared: Vec<_> = futures::stream::iter(some.iter().copied().map(clear))
                .buffer_unordered(CLEARS_MAX)
                .collect()
                .await;
            let mut noted = Ok(());
            for (id, outcome) in cleared {
                if let Err(error) = note(outcome, answer) {
                    noted = Err(Refusal::of_write(error, id));
                }
            }
            noted?;
        }
        Ok(())
    }
}

/// Counts what became of one.
fn note(
    outcome: Result<ClearAnswer, StoreError>,
    answer: &mut pb::PurgeQueueResponse,
) -> Result<(), StoreError> {
    match outcome? {
        ClearAnswer::Cleared(_) => answer.cancelled += 1,
        ClearAnswer::Left(_) | ClearAnswer::Unknown => answer.skipped += 1,
    }
    answer.matched += 1;
    Ok(())
}
