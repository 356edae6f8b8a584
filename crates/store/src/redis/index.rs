//! Where jobs are found without their ids: lists, counts, times that matter.

use assay_core::job::Job;
use assay_core::retention::Retention;
use assay_core::state::JobState;
use assay_core::transition::expires_at_ms;

use super::keys::{self, GroupKeys};
use super::write::Part;

/// When a job is looked at, each in milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    due: Option<u64>,
    lease: Option<u64>,
    deadline: Option<u64>,
    expiry: Option<u64>,
}

impl Times {
    /// Never.
    pub(super) const NONE: Self = Self::same(None);
    /// Perhaps at any time: what is not to be there is taken out, whatever is.
    pub(super) const ANY: Self = Self::same(Some(u64::MAX));

    /// What is under the id is forgotten at that time, and nothing else happens to it.
    pub(super) const fn expiring(at_ms: u64) -> Self {
        Self {
            expiry: Some(at_ms),
            ..Self::NONE
        }
    }

    const fn same(at_ms: Option<u64>) -> Self {
        Self {
            due: at_ms,
            lease: at_ms,
            deadline: at_ms,
            expiry: at_ms,
        }
    }

    pub(super) fn of(job: &Job, retention: Retention) -> Self {
        let waits = matches!(
            job.state,
            JobState::Scheduled | JobState::Retrying | JobState::Waiting
        );
        let holder = job.holder.as_ref();
        Self {
            due: job.times.due_at_ms.filter(|_| waits),
            lease: holder.map(|holder| holder.expires_at_ms),
            deadline: (!job.state.is_terminal()).then_some(job.times.deadline_at_ms),
            expiry: expires_at_ms(job, retention),
        }
    }
}

/// Moves a job from some times to others.
pub(super) fn times(part: &mut Part, group: &GroupKeys, old: Times, new: Times) {
    let moves = [
        (&group.due, old.due, new.due),
        (&group.leases, old.lease, new.lease),
        (&group.deadlines, old.deadline, new.deadline),
        (&group.expiry, old.expiry, new.expiry),
    ];
    for (set, old, new) in moves {
        match (old, new) {
            (old, new) if old == new => {}
            (_, Some(at_ms)) => part.put(set, at_ms),
            (_, None) => part.take(set),
        }
    }
}

/// Counts and lists a job that is new.
pub(super) fn enter(part: &mut Part, group: &GroupKeys, job: &Job) {
    part.count(&keys::count(job.kind, job.state));
    let list = group.list(&job.tenant, job.kind, job.state);
    part.put(&list, job.times.created_at_ms);
}

/// Counts and lists a job where it is now.
pub(super) fn follow(part: &mut Part, group: &GroupKeys, old: &Job, new: &Job) {
    if old.state == new.state {
        return;
    }
    leave(part, group, old);
    enter(part, group, new);
    match (old.state.is_terminal(), new.state.is_terminal()) {
        (false, true) => part.discount(&keys::live(new.kind)),
        (true, false) => part.count(&keys::live(new.kind)),
        _ => {}
    }
}

/// Counts and lists a job no more where it was.
pub(super) fn leave(part: &mut Part, group: &GroupKeys, job: &Job) {
    part.discount(&keys::count(job.kind, job.state));
    part.take(&group.list(&job.tenant, job.kind, job.state));
}
