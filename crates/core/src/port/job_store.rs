//! The records of jobs, and every step of their life.

use std::sync::Arc;

use async_trait::async_trait;

use super::by_hand::{
    CancelAnswer, ClearAnswer, EditAnswer, EditWish, ForgetAnswer, RedriveAnswer,
};
use super::query::{Counts, EventStream, History, Interest, ListRequest, Page};
use super::store_error::StoreError;
use crate::claim::Verdict;
use crate::envelope::Envelope;
use crate::event::EventId;
use crate::id::{JobId, Tenant, WorkerId};
use crate::job::{Job, JobSpec, ResultRef};
use crate::progress::Progress;
use crate::retry::Decision;
use crate::state::JobState;

/// Keeps the records of jobs. Every method is one atomic step.
///
/// Contract, whatever is killed when:
/// - What was answered is durable as [`JobStore::durability`] says; replies, events and hand-outs come
///   after the commit that holds them.
/// - A job is in one state at a time; a terminal one is left by a redrive alone.
/// - At most one lease per job is live. Tokens rise with each lease. A worker's write under any but
///   the latest token changes nothing and is answered as fenced.
/// - A generation is raised together with the envelope that carries it; until a job has ended, its
///   envelope is kept, and that of a dead letter until it is forgotten.
/// - A transition into a terminal state submits the job's follow-ups in the same step.
/// - Events of a job have no gaps in their sequence, and progress does not go back within an attempt.
/// - Every method may be repeated after [`StoreError::Unknown`].
#[async_trait]
pub trait JobStore: Send + Sync {
    // --- clients ---

    /// Records a job under `id` (see [`JobSpec::id`]). A repeat of a request whose job is still
    /// [accepted](crate::state::JobState::Accepted) is answered as the first was: whoever recorded it may
    /// have died before it published.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when nothing was written, [`StoreError::Unknown`] when it may have been.
    async fn submit(&self, id: JobId, spec: JobSpec) -> Result<Submitted, StoreError>;

    /// Notes that the envelope of `generation` was published: a job that was accepted is queued, and
    /// [`JobStore::sweep_outbox`] offers that envelope no more. Touches nothing when a later decision has been
    /// made since, or when a worker was quicker.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], [`StoreError::Unavailable`].
    async fn promote(&self, id: JobId, generation: u64) -> Result<(), StoreError>;

    /// Forgets a job whose envelope the queue proved to have refused, so that nothing is left of it: one that
    /// was submitted under `generation` and that nobody has queued, claimed or cancelled since (see
    /// [`withdrawable`](crate::transition::withdrawable)). Any other stays as it is. Answers whether nothing
    /// is left; `false` means that the job lives, because somebody else had its envelope published. A store
    /// that is its own queue refuses before it records, and keeps what it has.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], [`StoreError::Unavailable`].
    async fn withdraw(&self, id: JobId, generation: u64) -> Result<bool, StoreError>;

    /// The record of a job; `None` for an id of nobody or of another tenant.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn get(&self, tenant: &Tenant, id: JobId) -> Result<Option<Job>, StoreError>;

    /// The record of a job with the envelope of its latest generation, both as of one moment; `None` as
    /// [`JobStore::get`] says.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn get_with_envelope(
        &self,
        tenant: &Tenant,
        id: JobId,
    ) -> Result<Option<(Job, Envelope)>, StoreError>;

    /// The result that is kept with the record; `None` unless it is inline.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn inline_result(
        &self,
        tenant: &Tenant,
        id: JobId,
    ) -> Result<Option<Vec<u8>>, StoreError>;

    /// A page of jobs, newest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn list(&self, request: &ListRequest) -> Result<Page, StoreError>;

    /// How many jobs there are.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn counts(&self) -> Result<Counts, StoreError>;

    /// Wants a job stopped. Cancels an unknown id too: an envelope of it may still be on its way.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], [`StoreError::Unavailable`].
    async fn cancel(&self, tenant: &Tenant, id: JobId) -> Result<CancelAnswer, StoreError>;

    /// Cancels a job as [`JobStore::cancel`] does if it is in one of `states` at that moment. Any other stays as it
    /// is, and an unknown id leaves no trace.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], [`StoreError::Unavailable`].
    async fn clear(
        &self,
        tenant: &Tenant,
        id: JobId,
        states: &[JobState],
    ) -> Result<ClearAnswer, StoreError>;

    /// Puts a failed or dead-lettered job back by hand: new generation, counters at zero, history
    /// kept, and as much time to run as at first.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], [`StoreError::Unavailable`].
    async fn redrive(&self, tenant: &Tenant, id: JobId) -> Result<RedriveAnswer, StoreError>;

    /// Gives a dead letter another payload, which it has when it is put back. It stays a dead letter, and the request
    /// that it was submitted for stays the first one: a repeat of that finds it as before. A wish that has come true
    /// already changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when there is no room, [`StoreError::Unknown`], [`StoreError::Unavailable`].
    async fn edit(
        &self,
        tenant: &Tenant,
        id: JobId,
        wish: EditWish,
    ) -> Result<EditAnswer, StoreError>;

    /// Forgets a dead letter: record, envelope, events. If `seen` is given, only while that is its latest event. Of a
    /// redrive and this at the same time, one comes first and the other finds that out. Envelopes of it that are still
    /// on their way do not run, for as long as a record is retained.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], [`StoreError::Unavailable`].
    async fn forget(
        &self,
        tenant: &Tenant,
        id: JobId,
        seen: Option<EventId>,
    ) -> Result<ForgetAnswer, StoreError>;

    /// The retained events of a job behind `after`; `None` for an id of nobody or of another tenant.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn history(
        &self,
        tenant: &Tenant,
        id: JobId,
        after: Option<EventId>,
    ) -> Result<Option<History>, StoreError>;

    /// Events from now on.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn events(&self, interest: Interest) -> Result<Box<dyn EventStream>, StoreError>;

    // --- workers ---

    /// Judges a delivery and, if it may run, gives its lease to the worker.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], [`StoreError::Unavailable`]: keep the delivery, ask again.
    async fn claim(&self, request: ClaimRequest) -> Result<Claim, StoreError>;

    /// Extends a lease by `lease_ms` from now.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], [`StoreError::Unavailable`].
    async fn renew(&self, lease: &Lease, lease_ms: u64) -> Result<Renewal, StoreError>;

    /// Records how far the attempt is.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], [`StoreError::Unavailable`].
    async fn report(&self, lease: &Lease, progress: Progress) -> Result<Written, StoreError>;

    /// Records what the next attempt should know, at most
    /// [`CHECKPOINT_BYTES_MAX`](crate::job::CHECKPOINT_BYTES_MAX) bytes.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], [`StoreError::Unavailable`].
    async fn checkpoint(&self, lease: &Lease, checkpoint: Vec<u8>) -> Result<Written, StoreError>;

    /// Ends an attempt: makes the decision true.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], [`StoreError::Unavailable`]: settle again, never acknowledge first.
    async fn settle(&self, lease: &Lease, settlement: Settlement) -> Result<Settled, StoreError>;

    // --- clockwork: idempotent, bounded by `limit`; answers what must be published ---

    /// Queues what is due: scheduled, retrying and parked jobs.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], [`StoreError::Unavailable`].
    async fn promote_due(&self, limit: usize) -> Result<Swept, StoreError>;

    /// Takes jobs from workers whose leases lapsed, and ends jobs whose deadline passed.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], [`StoreError::Unavailable`].
    async fn reap(&self, limit: usize) -> Result<Swept, StoreError>;

    /// Jobs that were recorded and are not known to be in a queue. What is answered to be published is not
    /// answered again for longer than a publish may take, unless it was promoted.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], [`StoreError::Unavailable`].
    async fn sweep_outbox(&self, limit: usize) -> Result<Swept, StoreError>;

    /// Forgets jobs that ended longer ago than their retention, which for dead letters is one of its own: envelope,
    /// events and request key are kept as long as the record. Dead letters that are forgotten so are counted in a metric
    /// and told in the log.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], [`StoreError::Unavailable`].
    async fn expire(&self, limit: usize) -> Result<Swept, StoreError>;

    /// What an acknowledged write survives.
    fn durability(&self) -> Durability;
}

/// The answer to a submit.
#[expect(
    clippy::large_enum_variant,
    reason = "one per request, moved once; a box would cost more than it saves"
)]
#[derive(Clone, Debug, PartialEq)]
pub enum Submitted {
    /// Recorded and queued (or scheduled): store and queue are one.
    Queued(Job),
    /// Recorded, now or by an equal request before: publish this, then [`JobStore::promote`].
    Publish(Job, Envelope),
    /// The same request was recorded before.
    Exists(Job),
    /// Another request was recorded under the same key; nothing was written.
    Conflict(Job),
}

/// A worker's wish to run a delivery.
#[derive(Clone, Debug)]
pub struct ClaimRequest {
    /// What was delivered.
    pub envelope: Arc<Envelope>,
    /// Who asks.
    pub worker: WorkerId,
    /// How long the lease lasts unless renewed, in milliseconds.
    pub lease_ms: u64,
}

/// The answer to a claim.
#[derive(Clone, Debug, PartialEq)]
pub enum Claim {
    /// Run it.
    Run(Box<Claimed>),
    /// Do not run it; any verdict but [`Verdict::Run`].
    Not(Verdict),
    /// Its record is gone and it may have ended long ago: dead-letter the delivery.
    Orphan,
}

/// A job in a worker's hands.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimed {
    /// The record, as the claim left it.
    pub job: Job,
    /// The right to write.
    pub lease: Lease,
    /// What the attempt before left behind.
    pub checkpoint: Option<Vec<u8>>,
}

/// The right to write to a job: good while its token is the latest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Which job.
    pub job_id: JobId,
    /// Whose job.
    pub tenant: Tenant,
    /// The fencing token.
    pub token: u64,
    /// Who holds it.
    pub worker: WorkerId,
}

/// The answer to a renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// Still yours.
    Held,
    /// Still yours, and somebody wants it stopped.
    Cancelling,
    /// Somebody else's, or ended: stop, write nothing more.
    Fenced,
    /// The record is gone: claim again with the envelope.
    Missing,
}

/// The answer to a worker's write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// Recorded.
    Recorded,
    /// Refused: the lease is not the latest, or the job has ended.
    Fenced,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Settlement {
    /// What follows.
    pub decision: Decision,
    /// The result, with [`Decision::Succeed`].
    pub result: Option<ResultBody>,
    /// The last progress, recorded in the same step.
    pub progress: Option<Progress>,
}

/// A result, where it shall be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResultBody {
    /// With the record, at most
    /// [`RESULT_INLINE_BYTES_MAX`](crate::job::RESULT_INLINE_BYTES_MAX) bytes.
    Inline(Vec<u8>),
    /// In the blob store, already there.
    Blob {
        /// The blob's name.
        content_id: String,
        /// Its size.
        bytes: u64,
    },
}

impl ResultBody {
    /// What the record says of it.
    #[must_use]
    pub fn reference(&self) -> ResultRef {
        match self {
            Self::Inline(body) => ResultRef::Inline {
                bytes: body.len() as u64,
            },
            Self::Blob { content_id, bytes } => ResultRef::Blob {
                content_id: content_id.clone(),
                bytes: *bytes,
            },
        }
    }
}

/// The answer to a settlement.
#[derive(Clone, Debug, PartialEq)]
pub enum Settled {
    /// Recorded; the record as it is now. Publish these, then acknowledge.
    Recorded {
        /// The record after the settlement.
        job: Box<Job>,
        /// What the transition sends out: the next generation, follow-ups. Empty where the store
        /// hands them out itself.
        publish: Vec<Envelope>,
    },
    /// The lease is not the latest: nothing was written, the result is not this one. Acknowledge only if the
    /// record shows why (see [`is_superseded`](crate::claim::is_superseded)); a store that lost its latest
    /// writes has forgotten the lease, and needs the envelope again.
    Fenced,
    /// The record is gone: claim again with the envelope, settle under the new token.
    Missing,
}

/// What a sweep did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Swept {
    /// How many jobs it changed. As many as the limit means that there may be more.
    pub jobs: usize,
    /// What must be published.
    pub publish: Vec<Envelope>,
}

/// What an acknowledged write survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The loss of the store, and of what the queue keeps: each has what it takes to go on without the other. Not
    /// what ended in the store's last second, unless that syncs before it answers.
    Confirmed,
    /// A power cut: it is synced to disk before the answer.
    PowerCut,
    /// The death of the process; a power cut may take the last second.
    ProcessDeath,
    /// The death of our processes, not that of the server that keeps it: that goes back to its latest
    /// snapshot.
    Snapshot,
}

impl Durability {
    /// The promise as a sentence for people.
    #[must_use]
    pub fn promise(self) -> &'static str {
        match self {
            Self::Confirmed => {
                "recorded, and confirmed by the broker: what has not ended survives the loss of either"
            }
            Self::PowerCut => "synced to disk before the answer: survives a power cut",
            Self::ProcessDeath => {
                "survives the death of any process; a power cut may take the last second"
            }
            Self::Snapshot => {
                "survives the death of our processes; if the store's server dies, what came after its latest snapshot is lost"
            }
        }
    }
}
