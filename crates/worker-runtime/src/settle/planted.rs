//! A bug on purpose: the acknowledgement before the record. Chaos must report it.

use assay_core::port::{Delivery, Settlement};
use assay_failpoint::Step;

use super::{Record, Settler};
use crate::attempt::Attempt;
use crate::refuse::acknowledge;

impl Settler {
    /// Settles in the wrong order: a process that dies in between has said of a job that it is done with, and no
    /// record says so.
    pub(super) async fn acknowledge_first(
        &self,
        delivery: Delivery,
        attempt: &Attempt,
        settlement: &Settlement,
    ) {
        acknowledge(delivery).await;
        assay_failpoint::pass(Step::SettleBetween).await;
        if let Record::Made { job, publish } = self.record(attempt, settlement).await {
            self.publish(&publish).await;
            self.account(&job, &settlement.decision, attempt.lease.token);
        }
        assay_failpoint::pass(Step::SettleDone).await;
    }
}
