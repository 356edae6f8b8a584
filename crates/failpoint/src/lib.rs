//! Places in a process where chaos may stop it, or make it forget a rule.
//!
//! - A [`Step`] lies between two writes. Armed, it ends the process or holds whoever comes by for ever.
//! - A [`Guard`] is a rule that keeps a promise. Armed, the rule is skipped: a planted bug, which chaos must report.
//!
//! Contract: crates take this one as an optional dependency behind a feature `failpoints` that is in nobody's
//! defaults, and every use stands behind that feature. So no released binary holds any of it, and one that is told of
//! failpoints refuses to start, as it does for any key that it does not have. What is armed is decided once, at boot.
//!
//! Not here: who arms what (`service` reads the section `[failpoints]`), what it is good for (`bench`).

mod place;
mod plan;

use std::sync::OnceLock;

pub use place::{Guard, Step};
pub use plan::{Plan, Unusable, reached};

/// What this process was told at boot.
static ARMED: OnceLock<Plan> = OnceLock::new();

/// Arms a plan for the rest of the process's life. Only the first call counts: a process boots once.
pub fn arm(plan: Plan) {
    drop(ARMED.set(plan));
}

/// Comes by a step: goes on at once unless it is armed.
pub async fn pass(step: Step) {
    if let Some(plan) = ARMED.get() {
        plan.pass(step).await;
    }
}

/// Whether the process is to forget a rule.
#[must_use]
pub fn skips(guard: Guard) -> bool {
    ARMED.get().is_some_and(|plan| plan.skips(guard))
}
