//! How values look where they are kept: `MessagePack` with fields by position, so a later version may add
//! fields at the end. Every adapter of this crate writes the same form.

use std::borrow::Cow;

use assay_core::event::EventId;
use assay_core::id::WorkerId;
use assay_core::job::{Edited, Holder, Job, ResultRef, Times};
use assay_core::progress::Progress;
use assay_core::retry::{Counters, DeadLetterReason, Failure};
use assay_core::state::JobState;
use serde::{Deserialize, Serialize};

/// Stored bytes that this code can't read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("read record: {0}")]
pub(crate) struct Malformed(pub(crate) &'static str);

/// What steps change in a job; the rest is written once.
#[derive(Serialize, Deserialize)]
pub(crate) struct Changed<'a> {
    state: JobState,
    generation: u64,
    token: u64,
    event_id: EventId,
    attempt: u32,
    counters: Counters,
    holder: Cow<'a, Option<Holder>>,
    progress: Cow<'a, Option<Box<Progress>>>,
    failure: Cow<'a, Option<Box<Failure>>>,
    dead_letter: Option<DeadLetterReason>,
    result: Cow<'a, Option<ResultRef>>,
    times: Cow<'a, Times>,
    #[serde(default)]
    resumed: bool,
    #[serde(default)]
    edited: Cow<'a, Option<Box<Edited>>>,
    #[serde(default)]
    worker: Cow<'a, Option<WorkerId>>,
}

impl<'a> Changed<'a> {
    pub(crate) fn of(job: &'a Job) -> Self {
        Self {
            state: job.state,
            generation: job.generation,
            token: job.token,
            event_id: job.event_id,
            attempt: job.attempt,
            counters: job.counters,
            holder: Cow::Borrowed(&job.holder),
            progress: Cow::Borrowed(&job.progress),
            failure: Cow::Borrowed(&job.failure),
            dead_letter: job.dead_letter,
            result: Cow::Borrowed(&job.result),
            times: Cow::Borrowed(&job.times),
            resumed: job.resumed,
            edited: Cow::Borrowed(&job.edited),
            worker: Cow::Borrowed(&job.worker),
        }
    }

    pub(crate) fn apply(self, job: &mut Job) {
        job.state = self.state;
        job.generation = self.generation;
        job.token = self.token;
        job.event_id = self.event_id;
        job.attempt = self.attempt;
        job.counters = self.counters;
        job.holder = self.holder.into_owned();
        job.progress = self.progress.into_owned();
        job.failure = self.failure.into_owned();
        job.dead_letter = self.dead_letter;
        job.result = self.result.into_owned();
        job.times = self.times.into_owned();
        job.resumed = self.resumed;
        job.edited = self.edited.into_owned();
        job.worker = self.worker.into_owned();
    }
}

/// `MessagePack` behind what `out` holds. The values of this crate always have a form in it.
pub(crate) fn encode_into(out: &mut Vec<u8>, value: &impl Serialize) {
    let start = out.len();
    if rmp_serde::encode::write(out, value).is_err() {
        // Read back as malformed, not as something else.
        out.truncate(start);
    }
}

pub(crate) fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Malformed> {
    rmp_serde::from_slice(bytes).map_err(|_| Malformed("a part has another form than expected"))
}
