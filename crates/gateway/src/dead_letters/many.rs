//! What people do to all dead letters that match, within bounds.

use std::time::Duration;

use assay_api::v1 as pb;
use assay_core::event::EventId;
use assay_core::id::{JobId, Tenant};
use futures::StreamExt;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use crate::convert::{self, Chosen};
use crate::edge::Edge;
use crate::status::Refusal;

/// How long one request may work. What is left is there for the next.
const WORK_TIME_MAX: Duration = Duration::from_secs(20);
/// How many dead letters are looked at, at a time.
const PAGE_SIZE: usize = 200;
/// How many are being forgotten at a time.
const FORGETS_MAX: usize = 32;

/// What becomes of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Redrive,
    Forget,
}

/// A dead letter that matches, as it was listed.
#[derive(Clone, Copy)]
struct Listed {
    id: JobId,
    seen: EventId,
}

/// What came of it so far.
struct Work<'a> {
    edge: &'a Edge,
    tenant: &'a Tenant,
    chosen: Chosen,
    deed: Deed,
    began: Instant,
    pace: Option<Interval>,
    matched: u32,
    done: u32,
    refused: Vec<pb::DeadLetterRefusal>,
    more: bool,
    stopped: Option<Refusal>,
}

impl Edge {
    pub(crate) async fn redrive_dead_letters(
        &self,
        request: &pb::RedriveDeadLettersRequest,
        tenant: &Tenant,
    ) -> Result<pb::RedriveDeadLettersResponse, Refusal> {
        let chosen = convert::redrive(request, tenant)?;
        let work = Work::begin(self, tenant, chosen, Deed::Redrive)
            .run()
            .await?;
        if work.done > 0 {
            tracing::info!(jobs = work.done, "{} dead letters were put back", work.done);
        }
        Ok(pb::RedriveDeadLettersResponse {
            matched: work.matched,
            redriven: work.done,
            stopped: work.stopped(),
            refused: work.refused,
            more: work.more,
        })
    }

    pub(crate) async fn purge_dead_letters(
        &self,
        request: &pb::PurgeDeadLettersRequest,
        tenant: &Tenant,
    ) -> Result<pb::PurgeDeadLettersResponse, Refusal> {
        let chosen = convert::purge(request, tenant)?;
        let work = Work::begin(self, tenant, chosen, Deed::Forget)
            .run()
            .await?;
        if work.done > 0 {
            tracing::info!(
                jobs = work.done,
                "{} dead letters were forgotten",
                work.done
            );
        }
        Ok(pb::PurgeDeadLettersResponse {
            matched: work.matched,
            purged: work.done,
            stopped: work.stopped(),
            refused: work.refused,
            more: work.more,
        })
    }
}

impl<'a> Work<'a> {
    fn begin(edge: &'a Edge, tenant: &'a Tenant, chosen: Chosen, deed: Deed) -> Self {
        let pace = chosen.per_second.map(|per_second| {
            let mut pace = interval(Duration::from_secs(1) / per_second.max(1));
            pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
            pace
        });
        Self {
            edge,
            tenant,
            chosen,
            deed,
            began: Instant::now(),
            pace,
            matched: 0,
            done: 0,
            refused: Vec::new(),
            more: false,
            stopped: None,
        }
    }

    /// Goes through all pages. An error is one only if nothing was done before it.
    async fn run(mut self) -> Result<Self, Refusal> {
        let mut list = self.chosen.filter.list.clone();
        list.page_size = PAGE_SIZE;
        while !self.more && !self.is_late() {
            let page = match self.edge.store.list(&list).await {
                Ok(page) => page,
                Err(error) => return self.stop(Refusal::of_read(&error)),
            };
            let matching = page
                .jobs
                .iter()
                .filter(|job| self.chosen.filter.matches(job));
            let listed: Vec<_> = matching
                .map(|job| Listed {
                    id: job.id,
                    seen: job.event_id,
                })
                .collect();
            if let Err(refusal) = self.take(listed).await {
                return self.stop(refusal);
            }
            list.cursor = page.next;
            if list.cursor.is_none() {
                break;
            }
        }
        Ok(self)
    }

    fn stop(mut self, refusal: Refusal) -> Result<Self, Refusal> {
        if self.done == 0 {
            return Err(refusal);
        }
        refusal.record();
        self.more = true;
        self.stopped = Some(refusal);
        Ok(self)
    }

    /// Does it to what matches of a page, as far as limit and time go.
    async fn take(&mut self, listed: Vec<Listed>) -> Result<(), Refusal> {
        let left = usize::try_from(self.chosen.limit.saturating_sub(self.matched));
        let left = left.unwrap_or(usize::MAX);
        let some = listed.get(..left).unwrap_or(&listed);
        self.more |= some.len() < listed.len();
        if self.chosen.dry_run {
            self.matched += count(some.len());
            return Ok(());
        }
        match self.deed {
            Deed::Redrive => self.redrive(some).await,
            Deed::Forget => self.forget(some).await,
        }
    }

    async fn redrive(&mut self, listed: &[Listed]) -> Result<(), Refusal> {
        for one in listed {
            if self.is_late() {
                return Ok(());
            }
            if let Some(pace) = &mut self.pace {
                pace.tick().await;
            }
            let job_id = one.id.to_string();
            let request = pb::RetryJobRequest { job_id };
            let redriven = self.edge.retry_job(&request, self.tenant).await;
            self.note(one.id, redriven.map(drop))?;
        }
        Ok(())
    }

    async fn forget(&mut self, listed: &[Listed]) -> Result<(), Refusal> {
        for some in listed.chunks(FORGETS_MAX) {
            if self.is_late() {
                return Ok(());
            }
            let (edge, tenant) = (self.edge, self.tenant);
            // Only as it was listed: it may have died of something else since.
            let forget = |one: Listed| async move {
                let forgotten = edge.forget_dead_letter(tenant, one.id, Some(one.seen));
                (one.id, forgotten.await)
            };
            let forgotten: Vec<_> = futures::stream::iter(some.iter().copied().map(forget))
                .buffer_unordered(FORGETS_MAX)
                .collect()
                .await;
            // Each is noted before the first error ends it: they were all under way.
            let noted: Vec<_> = forgotten
                .into_iter()
                .map(|(id, forgotten)| self.note(id, forgotten))
                .collect();
            noted.into_iter().collect::<Result<(), _>>()?;
        }
        Ok(())
    }

    /// Notes what became of one. An error is one that ends it all.
    fn note(&mut self, id: JobId, outcome: Result<(), Refusal>) -> Result<(), Refusal> {
        match outcome {
            Ok(()) => self.done += 1,
            Err(refusal) if refusal.is_of_one() => self.refused.push(pb::DeadLetterRefusal {
                job_id: id.to_string(),
                reason: refusal.reason().to_owned(),
            }),
            Err(refusal) => return Err(refusal),
        }
        self.matched += 1;
        Ok(())
    }

    /// Whether it has worked for long enough: then there may be more.
    fn is_late(&mut self) -> bool {
        let is_late = self.began.elapsed() >= WORK_TIME_MAX;
        self.more |= is_late;
        is_late
    }

    fn stopped(&self) -> String {
        let reason = self.stopped.as_ref().map(Refusal::reason);
        reason.unwrap_or_default().to_owned()
    }
}

fn count(some: usize) -> u32 {
    u32::try_from(some).unwrap_or(u32::MAX)
}
