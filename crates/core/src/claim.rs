//! May this delivery run? One table: state × generation × lease × due time. The first line that fits answers.
//!
//! | the record | the answer |
//! |---|---|
//! | is missing | a tombstone: cancelled; young, or older than the store: rebuilt; else an orphan |
//! | is of another submit than the delivery | [`Verdict::Stale`]: that job was forgotten, and its id taken since; [`is_of_its_submit`] |
//! | has a live lease, whatever the generation | [`Verdict::Busy`] |
//! | was cancelled, or is to be | [`Verdict::Cancelled`] |
//! | succeeded | [`Verdict::Done`] |
//! | failed or is a dead letter, of an older generation | [`Verdict::Run`]: the store lost its redrive |
//! | is a dead letter of a crash loop | [`Verdict::Quarantined`] |
//! | failed, or is another dead letter | [`Verdict::Done`] |
//! | has a later generation, or waits for its children | [`Verdict::Stale`] |
//! | is due later | [`Verdict::Early`] |
//! | anything else, a lapsed lease included | [`Verdict::Run`] |
//!
//! Not here: an envelope that the worker is too old to read. It has no claim to judge; the worker puts it
//! back for a newer one.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::envelope::Envelope;
use crate::job::Job;
use crate::retry::DeadLetterReason;
use crate::state::JobState;

/// What a worker does with a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Verdict {
    /// Run it under a new fencing token.
    Run,
    /// It has ended: acknowledge.
    Done,
    /// A later decision superseded it, or its job waits for something else: acknowledge.
    Stale,
    /// Somebody holds its lease: ask again later.
    Busy {
        /// When the lease lapses unless renewed, in milliseconds from now.
        for_ms: u64,
    },
    /// It is not due yet: ask again later.
    Early {
        /// When it is due, in milliseconds from now.
        for_ms: u64,
    },
    /// It was cancelled: acknowledge.
    Cancelled,
    /// It killed its workers and is kept for people: acknowledge.
    Quarantined,
}

/// Whether a delivery is of the submit that made the record. Otherwise its job was forgotten, and its id taken since: by
/// another request, or by the same one again. A late copy of what somebody had edited and put back is then of a later
/// generation than the record, and would bring that edit into a job that nobody has edited.
#[must_use]
pub fn is_of_its_submit(job: &Job, delivery: &Envelope) -> bool {
    delivery.fingerprint == job.fingerprint && delivery.submitted_at_ms == job.times.created_at_ms
}

/// Judges a delivery of `generation` against the record of its submit, at `now_ms` by the store's clock.
#[must_use]
pub fn judge(job: &Job, generation: u64, now_ms: u64) -> Verdict {
    // A message of a later generation than the record proves that the store lost a decision; the
    // message carries it, so it counts as the current one.
    let superseded = generation < job.generation;
    if let Some(for_ms) = lease_left_ms(job, now_ms) {
        return Verdict::Busy { for_ms };
    }
    match job.state {
        JobState::Cancelled | JobState::Cancelling => Verdict::Cancelled,
        JobState::Succeeded => Verdict::Done,
        // A redrive that the store lost still reaches its worker.
        JobState::Failed | JobState::DeadLettered if generation > job.generation => Verdict::Run,
        JobState::DeadLettered if job.dead_letter == Some(DeadLetterReason::CrashLoop) => {
            Verdict::Quarantined
        }
        JobState::Failed | JobState::DeadLettered => Verdict::Done,
        _ if superseded => Verdict::Stale,
        JobState::Accepted | JobState::Queued | JobState::Running => due(job, now_ms),
        JobState::Scheduled | JobState::Retrying => due(job, now_ms),
        // Parked jobs have a due time; a parent that waits for its children has none and is woken
        // under a new generation.
        JobState::Waiting if job.times.due_at_ms.is_none() && generation == job.generation => {
            Verdict::Stale
        }
        JobState::Waiting => due(job, now_ms),
    }
}

/// Whether a delivery of `generation` is of no more use to a worker whose lease, of `token`, is not the latest: its
/// job has ended, goes on by a later envelope, or was claimed since by somebody who has a delivery of his own. If
/// not, the store has forgotten the lease, and this delivery may be the only one that the job has left.
#[must_use]
pub fn is_superseded(job: &Job, generation: u64, token: u64) -> bool {
    match generation.cmp(&job.generation) {
        Ordering::Less => true,
        Ordering::Equal => job.state.is_terminal() || job.token > token,
        Ordering::Greater => false,
    }
}

/// What to do with a delivery whose record is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Make the record again from the envelope and run it.
    Rebuild,
    /// The record may have ended and expired: keep the envelope for people, do not run it.
    Orphan,
    /// The job was cancelled while its record was missing.
    Cancelled,
}

/// Judges a delivery without a record.
///
/// Records live at least `retention_min_ms` after their job ends, so a younger envelope's record was
/// lost, not expired; so was one that was published before the store began (`epoch_started_at_ms`).
#[must_use]
pub fn judge_missing(
    envelope: &Envelope,
    tombstone: bool,
    epoch_started_at_ms: u64,
    retention_min_ms: u64,
    now_ms: u64,
) -> Missing {
    if tombstone {
        return Missing::Cancelled;
    }
    let before_epoch = envelope.published_at_ms < epoch_started_at_ms;
    let young = now_ms.saturating_sub(envelope.published_at_ms) < retention_min_ms;
    if before_epoch || young {
        Missing::Rebuild
    } else {
        Missing::Orphan
    }
}

/// The token of a new lease: it rises even when the store forgot its latest one, because the clock did.
#[must_use]
pub fn next_token(token: u64, now_ms: u64) -> u64 {
    #[cfg(feature = "failpoints")]
    if assay_failpoint::skips(assay_failpoint::Guard::TokenFromClock) {
        return token.saturating_add(1);
    }
    token.saturating_add(1).max(now_ms)
}

/// How long the lease on `job` still lasts; `None` without a live one.
fn lease_left_ms(job: &Job, now_ms: u64) -> Option<u64> {
    let left = job.holder.as_ref()?.expires_at_ms.saturating_sub(now_ms);
    (left > 0 && !job.state.is_terminal()).then_some(left)
}

fn due(job: &Job, now_ms: u64) -> Verdict {
    match job.times.due_at_ms {
        Some(due_at_ms) if due_at_ms > now_ms => Verdict::Early {
            for_ms: due_at_ms - now_ms,
        },
        _ => Verdict::Run,
    }
}
