//! The breaker before a way.

use std::sync::Arc;

use assay_core::breaker::{Breaker, CallResult, Permit, State, Transition};
use assay_core::clock::Clock;
use assay_core::port::QueueError;
use parking_lot::Mutex;

use crate::metric_definitions::breaker_changed;

/// Lets calls by while what is behind it works.
pub(super) struct Gate {
    /// What is behind it.
    dependency: &'static str,
    breaker: Mutex<Breaker>,
    clock: Arc<dyn Clock>,
}

/// A call that was let by. One that is dropped says nothing of what is behind the gate.
pub(super) struct Passage<'a> {
    gate: &'a Gate,
    permit: Option<Permit>,
}

impl Gate {
    pub(super) fn new(dependency: &'static str, clock: Arc<dyn Clock>) -> Self {
        Self {
            dependency,
            breaker: Mutex::new(Breaker::infrastructure()),
            clock,
        }
    }

    /// Lets a call by, or not now.
    pub(super) fn enter(&self) -> Option<Passage<'_>> {
        let admission = self.breaker.lock().acquire(self.clock.now_ms());
        self.tell(admission.transition);
        let permit = admission.permit.ok()?;
        Some(Passage {
            gate: self,
            permit: Some(permit),
        })
    }

    /// Whether a call would be let by.
    pub(super) fn is_open(&self) -> bool {
        self.retry_after_ms() == 0
    }

    /// What a call is told that is not let by.
    pub(super) fn refusal(&self) -> QueueError {
        let (dependency, after_ms) = (self.dependency, self.retry_after_ms());
        QueueError::Unavailable {
            why: format!("{dependency} has failed, and is tried again in {after_ms} ms"),
        }
    }

    fn retry_after_ms(&self) -> u64 {
        self.breaker.lock().retry_after_ms(self.clock.now_ms())
    }

    fn tell(&self, transition: Option<Transition>) {
        let Some(Transition { to, cause, .. }) = transition else {
            return;
        };
        let dependency = self.dependency;
        breaker_changed(dependency, to);
        match to {
            State::Open => {
                tracing::warn!(
                    dependency,
                    ?cause,
                    "envelopes go another way than {dependency}"
                );
            }
            State::HalfOpen => tracing::debug!(dependency, "{dependency} is tried again"),
            State::Closed => {
                tracing::info!(dependency, "envelopes go over {dependency} again");
            }
        }
    }
}

impl Passage<'_> {
    /// The call has ended so.
    pub(super) fn ended(mut self, result: CallResult) {
        if let Some(permit) = self.permit.take() {
            let now_ms = self.gate.clock.now_ms();
            let mut breaker = self.gate.breaker.lock();
            let transition = breaker.record(permit, result, now_ms, rand::random());
            drop(breaker);
            self.gate.tell(transition);
        }
    }
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take() {
            self.gate.breaker.lock().release(permit);
        }
    }
}
