//! A watcher that loses its stream at random sees every event once, or is told to start over.

use assay_api::v1;
use assay_api::v1::watch_job_response::Message;
use assay_bench::client::{self, Client};
use assay_probe::{Act, Script};
use e2e::Sandbox;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio_stream::StreamExt;

/// What one watcher saw over all of its streams.
#[derive(Default)]
struct Seen {
    last_event_id: String,
    sequences: Vec<u64>,
    resets: usize,
    terminal: Option<v1::JobState>,
}

fn sequence_of(event_id: &str) -> u64 {
    event_id.split_once('-').unwrap().1.parse().unwrap()
}

impl Seen {
    fn take(&mut self, message: Message) {
        match message {
            Message::Event(event) => {
                self.sequences.push(sequence_of(&event.event_id));
                self.last_event_id = event.event_id;
            }
            Message::Snapshot(snapshot) => {
                let job = snapshot.job.unwrap();
                self.resets += usize::from(snapshot.reset);
                let state = job.state();
                self.terminal = is_terminal(state).then_some(state);
                self.last_event_id = job.event_id;
            }
        }
    }
}

fn is_terminal(state: v1::JobState) -> bool {
    use v1::JobState::{Cancelled, DeadLettered, Failed, Succeeded};
    matches!(state, Succeeded | Failed | Cancelled | DeadLettered)
}

/// Watches to the end, letting go of the stream after a random number of messages each time.
async fn watch_with_breaks(mut client: Client, job_id: &str, seed: u64) -> Seen {
    let mut chance = StdRng::seed_from_u64(seed);
    let mut seen = Seen::default();
    while seen.terminal.is_none() {
        let request = v1::WatchJobRequest {
            job_id: job_id.to_owned(),
            after_event_id: seen.last_event_id.clone(),
        };
        let mut stream = client.jobs.watch_job(request).await.unwrap().into_inner();
        for _ in 0..chance.random_range(1..6) {
            let Some(message) = stream.next().await else {
                break;
            };
            seen.take(message.unwrap().message.unwrap());
        }
    }
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reconnecting_watchers_see_every_event_once_and_the_end() {
    let sandbox = Sandbox::probe().unwrap();
    let server = sandbox.start().await.unwrap();
    let mut client = Client::connect(server.gateway).await.unwrap();
    let content_id = client.upload(b"watched").await.unwrap();
    for seed in 0..12 {
        let script = Script(vec![
            Act::Sleep(seed * 20),
            Act::Fail(1),
            Act::Progress,
            Act::Sleep(20),
        ]);
        let submitted = client
            .jobs
            .submit_job(client::request(&content_id, "", &script))
            .await
            .unwrap();
        let job_id = submitted.into_inner().job.unwrap().id;
        let seen = watch_with_breaks(client.clone(), &job_id, seed).await;
        assert_eq!(seen.terminal, Some(v1::JobState::Succeeded));
        assert_eq!(seen.resets, 0, "so few events are all retained");
        let last = seen.sequences.len() as u64;
        assert_eq!(
            seen.sequences,
            (1..=last).collect::<Vec<_>>(),
            "each event once, in order"
        );
        assert_eq!(
            sequence_of(&seen.last_event_id),
            last,
            "the last event is the one of the snapshot"
        );
    }
}
