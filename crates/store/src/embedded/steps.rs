//! The operations of the store, each on a batch: find the job, let `assay_core::transition` decide, record
//! what it answers.

mod client;
mod sweep;
mod worker;

pub(super) use client::{
    DISK_FULL_RETRY_MS, cancel, clear, disk_full, edit, forget, redrive, submit,
};
pub(super) use sweep::{expire, lose_workers, promote_due, reap, sweep_outbox};
pub(super) use worker::{checkpoint, claim, renew, report, settle};
