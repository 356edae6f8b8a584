//! What people do to jobs by hand, and what a store answers.

use crate::envelope::Envelope;
use crate::event::EventId;
use crate::job::Job;

/// The answer to a cancel.
#[derive(Clone, Debug, PartialEq)]
pub enum CancelAnswer {
    /// It is cancelled.
    Cancelled(Job),
    /// Its worker was told; it is cancelled when the worker confirms.
    Cancelling(Job),
    /// It had ended before; nothing changed.
    Ended(Job),
    /// No such job; should an envelope of it turn up, it will not run.
    Unknown,
}

/// The answer to a redrive.
#[expect(
    clippy::large_enum_variant,
    reason = "one per request, moved once; a box would cost more than it saves"
)]
#[derive(Clone, Debug, PartialEq)]
pub enum RedriveAnswer {
    /// It is queued again. Publish the envelope, if there is one.
    Queued(Job, Option<Envelope>),
    /// Only failed and dead-lettered jobs can be put back, and none that is too old (see
    /// [`redriven_until_ms`](crate::transition::redriven_until_ms)); nothing changed.
    NotRedrivable(Job),
    /// No such job.
    Unknown,
}

/// The answer to a clear.
#[derive(Clone, Debug, PartialEq)]
pub enum ClearAnswer {
    /// It is cancelled, or will be when its worker confirms.
    Cleared(Job),
    /// It is in another state; nothing changed.
    Left(Job),
    /// No such job.
    Unknown,
}

/// Another payload for a dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditWish {
    /// The kind's protobuf message, encoded; as good as one that is submitted.
    pub payload: Vec<u8>,
    /// Who wants it; empty if nobody knows.
    pub by: String,
    /// Only while this is the latest event of the job.
    pub seen: Option<EventId>,
}

/// The answer to an edit.
#[derive(Clone, Debug, PartialEq)]
pub enum EditAnswer {
    /// It has that payload now, or had it before.
    Edited(Job),
    /// Something has happened to it since; nothing changed.
    Changed(Job),
    /// It is no dead letter; nothing changed.
    NotDead(Job),
    /// No such job.
    Unknown,
}

/// The answer to a forget.
#[derive(Clone, Debug, PartialEq)]
pub enum ForgetAnswer {
    /// Nothing is left of it.
    Forgotten,
    /// Something has happened to it since; nothing changed.
    Changed(Job),
    /// It is no dead letter; nothing changed.
    NotDead(Job),
    /// No such job, or no more.
    Unknown,
}
