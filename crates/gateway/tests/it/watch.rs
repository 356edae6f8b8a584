//! A job's events, whatever happens to the watcher.

use assay_api::v1 as pb;
use assay_store::StoreConfig;
use assay_test_support::wait::wait_until;
use futures::StreamExt;
use pb::watch_job_response::Message;
use tonic::{Code, Streaming};

use crate::fixture::{Fixture, fields, reason};
use crate::worker::inline;

const NOBODY: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

fn request(job_id: &str, after_event_id: &str) -> pb::WatchJobRequest {
    pb::WatchJobRequest {
        job_id: job_id.to_owned(),
        after_event_id: after_event_id.to_owned(),
    }
}

async fn watch(fixture: &Fixture, job_id: &str, after: &str) -> Streaming<pb::WatchJobResponse> {
    let watched = fixture.jobs().watch_job(request(job_id, after)).await;
    watched.unwrap().into_inner()
}

/// What a watcher has seen over all of its connections.
#[derive(Debug, Default)]
struct Seen {
    last: String,
    sequences: Vec<u64>,
    resets: usize,
    terminal: bool,
}

impl Seen {
    fn take(&mut self, message: pb::WatchJobResponse) {
        assert!(!self.terminal, "nothing comes after the terminal snapshot");
        match message.message.unwrap() {
            Message::Event(event) => {
                self.sequences.push(sequence(&event.event_id));
                self.last = event.event_id;
            }
            Message::Snapshot(snapshot) => {
                let job = snapshot.job.unwrap();
                self.terminal = job.state() == pb::JobState::Succeeded;
                assert!(snapshot.reset || self.terminal, "a snapshot has a reason");
                if snapshot.reset {
                    self.resets += 1;
                    self.sequences.push(sequence(&job.event_id));
                }
                self.last = job.event_id;
            }
        }
    }

    /// Takes at most `count` messages of a connection.
    async fn take_from(&mut self, mut stream: Streaming<pb::WatchJobResponse>, count: u64) {
        for _ in 0..count {
            let Some(message) = stream.next().await else {
                return;
            };
            self.take(message.unwrap());
        }
    }
}

fn sequence(event_id: &str) -> u64 {
    event_id.split_once('-').unwrap().1.parse().unwrap()
}

/// Random numbers that are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % bound
    }
}

#[tokio::test]
async fn a_watcher_that_reconnects_at_random_sees_every_retained_event_once() {
    for seed in 1..=8 {
        let fixture = Fixture::new().await;
        let job = fixture.submit().await;
        let worker = async {
            let work = fixture.work().await;
            work.report(120).await;
            work.succeed(inline("{}")).await;
        };
        let watcher = async {
            let (mut seen, mut dice) = (Seen::default(), Dice(seed));
            while !seen.terminal {
                let stream = watch(&fixture, &job.id, &seen.last).await;
                seen.take_from(stream, dice.below(12)).await;
            }
            seen
        };
        let ((), seen) = tokio::join!(worker, watcher);
        assert_eq!(seen.resets, 0, "all events are retained");
        let last = *seen.sequences.last().unwrap();
        assert!(last > 120);
        assert_eq!(
            seen.sequences,
            (1..=last).collect::<Vec<_>>(),
            "seed {seed}"
        );
    }
}

#[tokio::test]
async fn a_watcher_that_comes_too_late_gets_one_declared_reset() {
    let fixture = Fixture::new().await;
    let job = fixture.submit().await;
    let work = fixture.work().await;
    work.report(300).await;
    let mut stream = watch(&fixture, &job.id, "").await;
    let mut seen = Seen::default();
    seen.take(stream.next().await.unwrap().unwrap());
    assert_eq!(seen.resets, 1);
    let at = seen.sequences[0];
    let worker = async {
        work.succeed(inline("{}")).await;
    };
    let ((), ()) = tokio::join!(worker, seen.take_from(stream, u64::MAX));
    assert!(seen.terminal);
    assert_eq!(seen.resets, 1);
    let expected: Vec<_> = (at..at + seen.sequences.len() as u64).collect();
    assert_eq!(seen.sequences, expected);
}

#[tokio::test]
async fn a_job_that_ended_before_shows_its_history_and_its_end() {
    let fixture = Fixture::new().await;
    let job = fixture.submit().await;
    fixture.work().await.succeed(inline("{}")).await;
    let mut seen = Seen::default();
    seen.take_from(watch(&fixture, &job.id, "").await, u64::MAX)
        .await;
    assert!(seen.terminal && seen.resets == 0);
    assert!(seen.sequences.len() >= 3);

    // A watcher that has seen everything still gets the end.
    let mut again = Seen::default();
    again
        .take_from(watch(&fixture, &job.id, &seen.last).await, u64::MAX)
        .await;
    assert!(again.terminal && again.sequences.is_empty());

    // One that saw what this store never had is told so.
    let mut lost = Seen::default();
    lost.take_from(watch(&fixture, &job.id, "0-9999").await, u64::MAX)
        .await;
    assert!(lost.terminal && lost.resets == 1);
}

#[tokio::test]
async fn a_watcher_of_a_job_that_was_put_back_does_not_stop_at_its_earlier_end() {
    let fixture = Fixture::new().await;
    let job = fixture.submit().await;
    fixture.work().await.fail().await;
    let ended = watch(&fixture, &job.id, "").await;
    let before_the_end = {
        let mut messages: Vec<_> = ended.map(Result::unwrap).collect().await;
        let Some(Message::Event(event)) = messages.remove(0).message else {
            panic!("the first message is an event");
        };
        event.event_id
    };
    let retry = pb::RetryJobRequest {
        job_id: job.id.clone(),
    };
    fixture.jobs().retry_job(retry).await.unwrap();
    let work = fixture.work().await;
    work.report(3).await;
    let early = watch(&fixture, &job.id, "").await;
    let resumed = watch(&fixture, &job.id, &before_the_end).await;
    let (mut from_the_first, mut from_the_second) = (Seen::default(), Seen::default());
    let ((), (), ()) = tokio::join!(
        work.succeed(inline("{}")),
        from_the_first.take_from(early, u64::MAX),
        from_the_second.take_from(resumed, u64::MAX),
    );
    for (seen, first) in [(from_the_first, 1), (from_the_second, 2)] {
        assert!(seen.terminal && seen.resets == 0);
        let last = *seen.sequences.last().unwrap();
        assert_eq!(seen.sequences, (first..=last).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn the_bound_on_watchers_holds_and_a_watcher_that_leaves_makes_room() {
    let settings = [("gateway.watchers_max", "2")];
    let fixture = Fixture::with(&settings, StoreConfig::default()).await;
    let id = fixture.submit().await.id;
    let (one, _other) = (
        watch(&fixture, &id, "").await,
        watch(&fixture, &id, "").await,
    );
    let refused = fixture
        .jobs()
        .watch_job(request(&id, ""))
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::ResourceExhausted, "WATCHERS_FULL")
    );
    drop(one);
    wait_until("there is room again", async || {
        fixture.jobs().watch_job(request(&id, "")).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn an_unknown_job_and_wrong_fields_are_errors_of_the_call() {
    let fixture = Fixture::new().await;
    let refused = fixture
        .jobs()
        .watch_job(request(NOBODY, ""))
        .await
        .unwrap_err();
    assert_eq!(reason(&refused), "JOB_NOT_FOUND");
    let refused = fixture
        .jobs()
        .watch_job(request("x", "y"))
        .await
        .unwrap_err();
    assert_eq!(fields(&refused), ["job_id", "after_event_id"]);
}
