//! A job's events to a watcher: first what is retained, then what happens, the terminal snapshot last.
//!
//! The mailbox is opened before the history is read, so nothing falls between the two; what comes twice is
//! told by its sequence. Whenever something was missed, the history is read again, and only what is no
//! longer retained is replaced by a declared reset.

use std::collections::VecDeque;
use std::sync::Arc;

use assay_api::v1 as pb;
use assay_core::id::{JobId, Tenant};
use assay_core::job::Job;
use futures::{Stream, stream};
use tonic::Status;

use crate::access::{Caller, Lapse};
use crate::convert;
use crate::edge::Edge;
use crate::metric_definitions;
use crate::status::Refusal;

mod hub;
mod mailbox;
mod merge;

pub(crate) use hub::Hub;

use hub::Seat;
use mailbox::Heard;
use merge::{Merge, Offer};

/// How often the history is read until it holds what the record says, before it is given up on.
const CATCH_UP_ROUNDS_MAX: usize = 3;

/// Starts to watch a job. The watcher's place is free again when the stream is dropped.
pub(crate) async fn watch(
    edge: Arc<Edge>,
    request: &pb::WatchJobRequest,
    caller: Caller,
) -> Result<impl Stream<Item = Result<pb::WatchJobResponse, Status>> + Send + 'static, Refusal> {
    edge.admit()?;
    let (id, after) = convert::watch(request)?;
    let mut watch = Watch {
        seat: edge.hub.sit(id)?,
        lapse: edge.access.lapse(&caller),
        edge,
        tenant: caller.tenant,
        id,
        merge: Merge::behind(after),
        pending: VecDeque::new(),
        ended: false,
    };
    // Before the stream begins, so that an unknown job is an error of the call.
    watch.catch_up().await?;
    watch.seat.handed();
    Ok(stream::unfold(watch, |mut watch| async move {
        let message = watch.next().await?;
        Some((message.map_err(Status::from), watch))
    }))
}

struct Watch {
    edge: Arc<Edge>,
    seat: Seat,
    lapse: Lapse,
    tenant: Tenant,
    id: JobId,
    merge: Merge,
    // Ready to be sent.
    pending: VecDeque<pb::WatchJobResponse>,
    // Nothing comes after what is pending.
    ended: bool,
}

impl Watch {
    /// The next message; from the time that it is handed out, the watcher must take it.
    async fn next(&mut self) -> Option<Result<pb::WatchJobResponse, Refusal>> {
        self.seat.asked();
        let message = self.find_next().await;
        self.seat.handed();
        message
    }

    async fn find_next(&mut self) -> Option<Result<pb::WatchJobResponse, Refusal>> {
        loop {
            if let Some(message) = self.pending.pop_front() {
                return Some(Ok(message));
            }
            if self.ended {
                return None;
            }
            if let Err(refusal) = self.listen().await {
                self.ended = true;
                return Some(Err(refusal));
            }
        }
    }

    /// Waits for the next thing that is heard.
    async fn listen(&mut self) -> Result<(), Refusal> {
        let heard = tokio::select! {
            biased;
            () = self.edge.shutdown.intake_stopped() => return Err(Refusal::ShuttingDown),
            refusal = &mut self.lapse => return Err(refusal),
            heard = self.seat.next() => heard,
        };
        let event = match heard {
            Heard::Event(event) => event,
            Heard::Missed => {
                metric_definitions::watcher_missed();
                return self.catch_up().await;
            }
            Heard::Cut => {
                let limit_ms = self.seat.idle_ms_max();
                return Err(Refusal::WatcherTooSlow { limit_ms });
            }
        };
        match self.merge.offer(event.id) {
            Offer::Old => Ok(()),
            Offer::Gap => self.catch_up().await,
            Offer::Next => {
                self.pending
                    .push_back(event_message(convert::event(&event)));
                if event.state.is_terminal() {
                    return self.catch_up().await;
                }
                Ok(())
            }
        }
    }

    /// Reads what is retained behind what was seen, and ends the watch if the job has ended.
    async fn catch_up(&mut self) -> Result<(), Refusal> {
        for _ in 0..CATCH_UP_ROUNDS_MAX {
            let complete = self.read_history().await?;
            let job = self.edge.find(&self.tenant, self.id).await?;
            if !complete {
                self.snapshot(job, true);
                return Ok(());
            }
            if !job.state.is_terminal() {
                return Ok(());
            }
            // Otherwise the job ended after its history was read.
            if self.merge.has_seen(job.event_id) {
                self.snapshot(job, false);
                return Ok(());
            }
        }
        let job = self.edge.find(&self.tenant, self.id).await?;
        self.snapshot(job, true);
        Ok(())
    }

    /// Whether everything behind what was seen was there.
    async fn read_history(&mut self) -> Result<bool, Refusal> {
        let seen = self.merge.seen();
        let history = self.edge.store.history(&self.tenant, self.id, seen).await;
        let history = history.map_err(|error| Refusal::of_read(&error))?;
        let history = history.ok_or(Refusal::JobNotFound(self.id))?;
        if !history.complete {
            return Ok(false);
        }
        for event in &history.events {
            match self.merge.offer(event.id) {
                Offer::Next => self.pending.push_back(event_message(convert::event(event))),
                Offer::Old => {}
                Offer::Gap => return Ok(false),
            }
        }
        Ok(true)
    }

    fn snapshot(&mut self, job: Job, reset: bool) {
        self.ended = job.state.is_terminal();
        self.merge = Merge::behind(Some(job.event_id));
        let snapshot = pb::JobSnapshot {
            job: Some(convert::job(job)),
            reset,
        };
        let message = pb::watch_job_response::Message::Snapshot(snapshot);
        self.pending.push_back(pb::WatchJobResponse {
            message: Some(message),
        });
    }
}

fn event_message(event: pb::JobEvent) -> pb::WatchJobResponse {
    pb::WatchJobResponse {
        message: Some(pb::watch_job_response::Message::Event(event)),
    }
}
