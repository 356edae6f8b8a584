//! Requests in, over connections that may break, at a pace.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use assay_api::v1;
use assay_probe::journal::now_us;
use assay_probe::{Act, Script};
use rand::RngExt;
use rand::rngs::StdRng;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::client::{Answer, Client};
use crate::ledger::Ledger;

/// Requests of one stream without an answer at a time.
const WINDOW: usize = 64;
/// How long the answers to one batch may take; then the rest is of unknown outcome.
const ANSWERS_WITHIN: Duration = Duration::from_secs(20);
/// How long a gateway may be away; then what was not sent is of unknown outcome too.
const CONNECT_WITHIN: Duration = Duration::from_secs(60);
/// Between two tries to connect.
const RECONNECT: Duration = Duration::from_millis(100);
/// Results that are read after each batch.
const READS: usize = 8;

/// What a client was told.
#[derive(Debug, Default)]
pub(super) struct Told {
    answers: Vec<(String, Answer, u64)>,
    results: Vec<(String, Vec<u8>, u64)>,
}

impl Told {
    /// The latest answer.
    pub(super) fn last(&self) -> Option<&Answer> {
        self.answers.last().map(|(_, answer, _)| answer)
    }

    /// Writes it all down.
    pub(super) fn enter(self, ledger: &mut Ledger) -> anyhow::Result<()> {
        for (request_id, answer, at_us) in self.answers {
            ledger
                .answered(&request_id, answer, at_us)
                .map_err(anyhow::Error::msg)?;
        }
        for (job_id, result, at_us) in self.results {
            ledger.saw_result(&job_id, result, at_us);
        }
        Ok(())
    }
}

/// How fast requests go out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Requests at a time.
    pub(super) batch: usize,
    /// Between the beginnings of two batches, unless the answers take longer.
    pub(super) every: Duration,
}

/// A client at work. It stops when this is dropped.
#[derive(Debug)]
pub(super) struct Load {
    client: JoinSet<Told>,
    answered: watch::Receiver<usize>,
}

impl Load {
    /// Sends `requests` at a pace; between them it reads results of jobs that were accepted before.
    pub(super) fn start(
        gateway: SocketAddr,
        requests: Vec<v1::SubmitJobRequest>,
        pace: Pace,
    ) -> Self {
        let (count, answered) = watch::channel(0);
        let mut client = JoinSet::new();
        client.spawn(async move {
            let mut told = Told::default();
            let mut next = Instant::now();
            for batch in requests.chunks(pace.batch) {
                tokio::time::sleep_until(next).await;
                next += pace.every;
                submit(gateway, batch, &mut told).await;
                count.send_replace(told.answers.len());
                read_results(gateway, &mut told).await;
            }
            told
        });
        Self { client, answered }
    }

    /// Waits until so many requests were answered, one way or another.
    pub(super) async fn reaches(&mut self, answers: usize) {
        // A client that is done answers no more; what it came to is told by `told`.
        drop(
            self.answered
                .wait_for(|answered| *answered >= answers)
                .await,
        );
    }

    /// Waits for the end.
    pub(super) async fn told(mut self) -> anyhow::Result<Told> {
        let ended = self.client.join_next().await;
        Ok(ended.transpose()?.unwrap_or_default())
    }
}

/// Sends a batch over a connection of its own.
pub(super) async fn submit(gateway: SocketAddr, batch: &[v1::SubmitJobRequest], told: &mut Told) {
    submit_within(ANSWERS_WITHIN, gateway, batch, told).await;
}

/// The same, where what is not answered for so long is of unknown outcome.
pub(super) async fn submit_within(
    within: Duration,
    gateway: SocketAddr,
    batch: &[v1::SubmitJobRequest],
    told: &mut Told,
) {
    let mut answers = BTreeMap::new();
    if let Some(mut client) = connect(gateway).await {
        let heard = |place, answer| drop(answers.insert(place, (answer, now_us())));
        let submitted = client.submit_all(batch.to_vec(), WINDOW, heard);
        // What was not answered in time stays unknown.
        drop(tokio::time::timeout(within, submitted).await);
    }
    for (place, request) in batch.iter().enumerate() {
        let (answer, at_us) = answers
            .remove(&place)
            .unwrap_or_else(|| (Answer::Unknown, now_us()));
        told.answers
            .push((request.request_id.clone(), answer, at_us));
    }
}

async fn connect(gateway: SocketAddr) -> Option<Client> {
    let until = Instant::now() + CONNECT_WITHIN;
    while Instant::now() < until {
        if let Ok(client) = Client::connect(gateway).await {
            return Some(client);
        }
        tokio::time::sleep(RECONNECT).await;
    }
    None
}

/// What was told once may not be told otherwise later, so some of it is read at once.
async fn read_results(gateway: SocketAddr, told: &mut Told) {
    let Ok(mut client) = Client::connect(gateway).await else {
        return;
    };
    let accepted = told
        .answers
        .iter()
        .rev()
        .filter_map(|(_, answer, _)| match answer {
            Answer::Accepted(job_id) => Some(job_id.clone()),
            Answer::Refused(_) | Answer::Unknown => None,
        });
    for job_id in accepted.take(READS).collect::<Vec<_>>() {
        let request = v1::GetJobResultRequest {
            job_id: job_id.clone(),
        };
        let read = tokio::time::timeout(ANSWERS_WITHIN, client.jobs.get_job_result(request));
        if let Ok(Ok(answer)) = read.await {
            let result = answer.into_inner().json.to_vec();
            told.results.push((job_id, result, now_us()));
        }
    }
}

/// What a job does: most end at once, some work, some fail first, some have a large result.
pub(super) fn mixed(chance: &mut StdRng) -> Script {
    Script(match chance.random_range(0..10) {
        0..4 => vec![Act::Progress],
        4..8 => vec![Act::Sleep(chance.random_range(1..60)), Act::Progress],
        8 => vec![Act::Fail(1)],
        _ => vec![Act::Checkpoint, Act::Sleep(5), Act::Result(70_000)],
    })
}
