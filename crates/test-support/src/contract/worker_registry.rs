//! What every [`WorkerRegistry`] must do. An adapter's test file names a way to make a [`Subject`]:
//!
//! ```text
//! assay_test_support::worker_registry_contract! { #[tokio::test] make_subject }
//! ```
//!
//! Each case gets a registry of its own, empty, and a clock that it moves.

use std::any::Any;
use std::sync::Arc;

use assay_core::breaker::State;
use assay_core::clock::{Clock, ManualClock};
use assay_core::id::{JobId, WorkerId};
use assay_core::kind::JobKind;
use assay_core::port::{Registered, WorkerRegistry};
use assay_core::worker::{
    BEAT_JOBS_MAX, BEAT_PERIOD_MS, Beat, BreakerSeen, Presence, WORKER_DEAD_AFTER_MS,
    WORKER_FORGOTTEN_AFTER_MS,
};

use crate::wait::within;

/// A registry under test.
pub struct Subject {
    /// The registry, empty.
    pub registry: Arc<dyn WorkerRegistry>,
    /// The time that it reads.
    pub clock: Arc<ManualClock>,
    /// What must live as long as the registry: its server.
    pub keep: Box<dyn Any + Send + Sync>,
}

impl Subject {
    async fn beat(&self, beat: &Beat) {
        let noted = within("a beat is noted", self.registry.beat(beat)).await;
        expect("note a beat", noted);
    }

    async fn leave(&self, name: &str) {
        let left = within("a worker left", self.registry.leave(&worker(name))).await;
        expect("let a worker go", left);
    }

    async fn presence<const N: usize>(&self, names: [&str; N]) -> Vec<Presence> {
        let workers = names.map(worker);
        let told = within("presence is told", self.registry.presence(&workers)).await;
        expect("tell who lives", told)
    }

    async fn list(&self) -> Vec<Registered> {
        let listed = within("workers are listed", self.registry.list()).await;
        expect("list workers", listed)
    }
}

fn worker(name: &str) -> WorkerId {
    expect("name a worker", WorkerId::new(name))
}

/// What a worker that runs nothing says.
fn beat(name: &str, started_at_ms: u64) -> Beat {
    Beat {
        worker: worker(name),
        service: "verification-worker".to_owned(),
        host: "a host".to_owned(),
        pid: 4_711,
        version: "1.2.3".to_owned(),
        started_at_ms,
        concurrency: 8,
        kinds: vec![JobKind::ContentVerification, JobKind::RuvProfile],
        running: 0,
        jobs: Vec::new(),
        breakers: Vec::new(),
    }
}

/// The breaker before a detector that is misconfigured.
fn open_breaker(now_ms: u64) -> BreakerSeen {
    BreakerSeen {
        downstream: "detector.acme".to_owned(),
        state: State::Open,
        since_ms: now_ms,
        calls: 0,
        failures: 0,
        opens_in_a_row: 1,
        retry_at_ms: now_ms + 30_000,
        held: Some("it wants a token".to_owned()),
    }
}

/// All that a worker says comes back, and what it said before does not.
pub async fn the_latest_beat_is_what_is_known(subject: Subject) {
    assert_eq!(subject.list().await, []);
    let now_ms = subject.clock.now_ms();
    subject.beat(&beat("one", now_ms)).await;
    subject.clock.advance(BEAT_PERIOD_MS);
    let jobs: Vec<JobId> = (0..BEAT_JOBS_MAX)
        .map(|number| JobId::from_bytes([u8::try_from(number).unwrap_or(u8::MAX); 16]))
        .collect();
    let busy = Beat {
        running: 4_096,
        jobs,
        breakers: vec![open_breaker(now_ms)],
        ..beat("one", now_ms)
    };
    subject.beat(&busy).await;
    subject.clock.advance(3);
    let known = Registered {
        beat: busy,
        silent_ms: 3,
    };
    assert_eq!(subject.list().await, [known]);
}

/// Each is told by its own silence; of a stranger nothing is known.
pub async fn silence_is_counted_for_each_worker(subject: Subject) {
    subject.beat(&beat("one", 1)).await;
    subject.clock.advance(WORKER_DEAD_AFTER_MS - 1);
    subject.beat(&beat("two", 2)).await;
    subject.clock.advance(1);
    let presence = subject.presence(["two", "nobody", "one", "two"]).await;
    let silent = |silent_ms| Presence::Beating { silent_ms };
    let two = silent(1);
    assert_eq!(
        presence,
        [two, Presence::Unknown, silent(WORKER_DEAD_AFTER_MS), two]
    );
    assert_eq!(subject.presence([]).await, []);
    subject.beat(&beat("one", 1)).await;
    assert_eq!(
        subject.presence(["one"]).await,
        [silent(0)],
        "a beat brings it back"
    );
}

/// A worker that ended in order is nobody's suspect. Another start is another worker.
pub async fn a_worker_that_left_is_not_known(subject: Subject) {
    subject.beat(&beat("one", 1)).await;
    subject.beat(&beat("two", 2)).await;
    subject.leave("one").await;
    subject.leave("one").await;
    subject.leave("nobody").await;
    let silent = Presence::Beating { silent_ms: 0 };
    assert_eq!(
        subject.presence(["one", "two"]).await,
        [Presence::Unknown, silent]
    );
    let names = |known: Vec<Registered>| -> Vec<WorkerId> {
        known.into_iter().map(|known| known.beat.worker).collect()
    };
    assert_eq!(names(subject.list().await), [worker("two")]);
    subject.beat(&beat("one-again", 3)).await;
    assert_eq!(
        names(subject.list().await),
        [worker("two"), worker("one-again")],
        "the longest-running first"
    );
}

/// The dead are kept for people to see, but not for ever.
pub async fn the_dead_are_forgotten(subject: Subject) {
    subject.beat(&beat("dead", 1)).await;
    subject.clock.advance(WORKER_FORGOTTEN_AFTER_MS - 1);
    subject.beat(&beat("alive", 2)).await;
    assert_eq!(subject.list().await.len(), 2);
    subject.clock.advance(1);
    subject.beat(&beat("alive", 2)).await;
    assert_eq!(subject.list().await.len(), 1);
    assert_eq!(subject.presence(["dead"]).await, [Presence::Unknown]);
}

/// A clock that was set back makes nobody's silence long.
pub async fn a_clock_set_back_kills_nobody(subject: Subject) {
    subject.beat(&beat("one", 1)).await;
    subject.clock.set_back(WORKER_FORGOTTEN_AFTER_MS);
    let silent = Presence::Beating { silent_ms: 0 };
    assert_eq!(subject.presence(["one"]).await, [silent]);
    subject.beat(&beat("one", 1)).await;
    assert_eq!(subject.presence(["one"]).await, [silent]);
}

/// What an adapter answered where it must not fail.
fn expect<T, E: std::fmt::Debug>(what: &str, answer: Result<T, E>) -> T {
    match answer {
        Ok(value) => value,
        Err(error) => fail(&format!("the registry failed to {what}: {error:?}")),
    }
}

#[expect(clippy::panic, reason = "this is how a case fails")]
fn fail(why: &str) -> ! {
    panic!("{why}")
}

/// Makes a test of each case. Takes the attribute of the tests and a function that makes a [`Subject`].
#[macro_export]
macro_rules! worker_registry_contract {
    (#[$test:meta] $subject:path) => {
        $crate::worker_registry_contract! { @each #[$test] $subject:
            the_latest_beat_is_what_is_known,
            silence_is_counted_for_each_worker,
            a_worker_that_left_is_not_known,
            the_dead_are_forgotten,
            a_clock_set_back_kills_nobody,
        }
    };
    (@each #[$test:meta] $subject:path: $($case:ident,)+) => {
        $(
            #[$test]
            async fn $case() {
                $crate::contract::worker_registry::$case($subject().await).await;
            }
        )+
    };
}
