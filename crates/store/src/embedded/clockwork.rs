//! What the clock will ask for: due times, leases, deadlines, retention, envelopes nobody claimed.

use std::collections::BTreeSet;

use assay_core::id::JobId;
use assay_core::kind::{JobKind, Lane};
use assay_core::retention::Retention;
use assay_core::state::JobState;
use assay_core::transition::expires_at_ms;

use super::entry::Entry;

/// An envelope is offered again when it was passed over for this long, in milliseconds: one of its lane
/// that was handed out so much later has been claimed already.
pub(super) const PASSED_OVER_MS: u64 = 15_000;

/// Jobs by the times that matter, each time in milliseconds since the epoch. Only the writer knows it.
pub(super) struct Clockwork {
    pub(super) due: Times,
    pub(super) leases: Times,
    pub(super) deadlines: Times,
    /// Ended jobs that are still in memory.
    pub(super) expiry: Times,
    offers: [[Offers; Lane::ALL.len()]; JobKind::ALL.len()],
    retention: Retention,
    /// When leases were last looked at: after a gap they are extended, not reaped.
    pub(super) reaped_at_ms: u64,
}

/// Jobs in the order of a time.
#[derive(Default)]
pub(super) struct Times(BTreeSet<(u64, JobId)>);

#[derive(Default)]
struct Offers {
    waiting: Times,
    /// When the envelope that was claimed last had been handed out.
    claimed_ms: u64,
}

impl Times {
    /// At most `limit` jobs whose time has come, earliest first.
    pub(super) fn until(&self, now_ms: u64, limit: usize) -> Vec<JobId> {
        let end = (now_ms, JobId::from_bytes([u8::MAX; 16]));
        let come = self.0.range(..=end).take(limit);
        come.map(|(_, id)| *id).collect()
    }

    fn change(&mut self, id: JobId, old: Option<u64>, new: Option<u64>) {
        if old == new {
            return;
        }
        if let Some(time) = old {
            self.0.remove(&(time, id));
        }
        if let Some(time) = new {
            self.0.insert((time, id));
        }
    }
}

impl Clockwork {
    pub(super) fn new(retention: Retention, now_ms: u64) -> Self {
        Self {
            due: Times::default(),
            leases: Times::default(),
            deadlines: Times::default(),
            expiry: Times::default(),
            offers: Default::default(),
            retention,
            reaped_at_ms: now_ms,
        }
    }

    /// Follows a job from its old form to its new one; `None` where memory did not or does not hold it.
    pub(super) fn follow(&mut self, old: Option<&Entry>, new: Option<&Entry>) {
        let Some(job) = new.or(old).map(|entry| &entry.job) else {
            return;
        };
        let id = job.id;
        let change = |times: &mut Times, time: fn(&Entry) -> Option<u64>| {
            times.change(id, old.and_then(time), new.and_then(time));
        };
        change(&mut self.due, due_at);
        change(&mut self.leases, lapses_at);
        change(&mut self.deadlines, deadline_at);
        let retention = self.retention;
        let expires = |entry: &Entry| expires_at_ms(&entry.job, retention);
        self.expiry
            .change(id, old.and_then(expires), new.and_then(expires));
        let offers = &mut self.offers[job.kind as usize][job.lane as usize];
        let (before, after) = (old.and_then(offered_at), new.and_then(offered_at));
        // A resumed job goes before others that were handed out earlier, so it tells nothing of them.
        let in_turn = |entry: &Entry| entry.job.state == JobState::Running && !entry.job.resumed;
        if let (Some(offered_ms), true) = (before, new.is_some_and(in_turn)) {
            offers.claimed_ms = offered_ms;
        }
        offers.waiting.change(id, before, after);
    }

    /// At most `limit` queued jobs that were passed over. After the clock was set back, times do not tell
    /// the order of a lane until an envelope of the new time was claimed.
    pub(super) fn passed_over(&self, now_ms: u64, limit: usize) -> Vec<JobId> {
        let lanes = self.offers.iter().flatten();
        let ordered = lanes.filter(|offers| offers.claimed_ms <= now_ms);
        let passed = ordered.flat_map(|offers| {
            let before = offers.claimed_ms.saturating_sub(PASSED_OVER_MS);
            offers.waiting.until(before, limit)
        });
        passed.take(limit).collect()
    }
}

fn due_at(entry: &Entry) -> Option<u64> {
    let waits = matches!(
        entry.job.state,
        JobState::Scheduled | JobState::Retrying | JobState::Waiting
    );
    entry.job.times.due_at_ms.filter(|_| waits)
}

fn lapses_at(entry: &Entry) -> Option<u64> {
    entry.job.holder.as_ref().map(|holder| holder.expires_at_ms)
}

fn deadline_at(entry: &Entry) -> Option<u64> {
    (!entry.job.state.is_terminal()).then_some(entry.job.times.deadline_at_ms)
}

fn offered_at(entry: &Entry) -> Option<u64> {
    (entry.job.state == JobState::Queued).then_some(entry.offered_at_ms)
}
