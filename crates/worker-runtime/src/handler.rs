//! What a worker does with one job of its kind: payload in, output out.

use assay_core::kind::JobKind;
use assay_core::progress::StepPlan;
use assay_core::worker::BreakerSeen;

use crate::context::JobContext;
use crate::job_error::JobError;

/// The work of one kind of job. A handler never sees a delivery, a lease or a queue.
///
/// Contract: an attempt may be repeated at any point, also after it succeeded; what it does outside must
/// bear that. It should end soon after [`JobContext::cancelled`]; one that does not is dropped at its
/// next await. It must not block its thread: long computing goes to `spawn_blocking` or a child process.
pub trait JobHandler: Send + Sync + 'static {
    /// The kind that this handler serves.
    const KIND: JobKind;
    /// The kind's protobuf message.
    type Payload: prost::Message + Default;
    /// What a successful attempt gives; recorded as JSON.
    type Output: serde::Serialize + Send;

    /// The weighted steps of an attempt at `payload`, against which it reports its progress.
    fn plan(&self, payload: &Self::Payload) -> StepPlan;

    /// The circuit breakers before what the handler needs from outside, for people to see. Asked for with every beat.
    fn breakers(&self) -> Vec<BreakerSeen> {
        Vec::new()
    }

    /// Does the work.
    fn handle(
        &self,
        context: &JobContext,
        payload: Self::Payload,
    ) -> impl Future<Output = Result<Self::Output, JobError>> + Send;
}
