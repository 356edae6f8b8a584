//! One round: load, and a kill in the middle of it.

use std::time::Duration;

use anyhow::Context;
use assay_api::v1;
use assay_probe::journal::now_us;
use assay_probe::{Act, Script};
use rand::RngExt;
use rand::rngs::StdRng;
use tokio::sync::watch;

use crate::chaos::CONTENT;
use crate::client::{self, Answer, Client};
use crate::ledger::Ledger;
use crate::server::Server;

/// Requests without an answer at a time.
const WINDOW: usize = 64;
/// The server lives between these after the load begins.
const LIFE_MS: std::ops::Range<u64> = 5..700;

/// Runs one round and answers when the server was killed, in microseconds since the epoch.
pub(super) async fn run(
    server: Server,
    number: u32,
    jobs: usize,
    ledger: &mut Ledger,
    chance: &mut StdRng,
) -> anyhow::Result<u64> {
    let mut client = Client::connect(server.gateway).await?;
    let content_id = client.upload(CONTENT).await?;
    let name = |index| format!("round-{number}-{index}");
    let mut request = |index| client::request(&content_id, &name(index), &script(chance));
    let requests: Vec<_> = (0..jobs).map(&mut request).collect();
    requests.iter().for_each(|request| ledger.sent(request));

    let life = Duration::from_millis(chance.random_range(LIFE_MS));
    let (latest, accepted) = watch::channel(None);
    let reader = Reader {
        client: client.clone(),
        accepted,
    };
    let mut loader = client.clone();
    // Owns the sender: when the load is over, the reader has nothing more to hear.
    let load = async move {
        let mut answers = Vec::new();
        loader
            .submit_all(requests, WINDOW, |place, answer| {
                if let Answer::Accepted(job_id) = &answer {
                    latest.send_replace(Some(job_id.clone()));
                }
                answers.push((place, answer));
            })
            .await;
        answers
    };
    let kill = async {
        tokio::time::sleep(life).await;
        server.kill().await.map(|()| now_us())
    };
    let (answers, results, killed) = tokio::join!(load, reader.read(), kill);
    let killed_us = killed.context("end the round")?;
    for (job_id, result) in results {
        ledger.saw_result(&job_id, result, killed_us);
    }
    for (place, answer) in answers {
        ledger
            .answered(&name(place), answer, killed_us)
            .map_err(anyhow::Error::msg)?;
    }
    Ok(killed_us)
}

/// What a job does: most end at once, some work, some fail first.
fn script(chance: &mut StdRng) -> Script {
    Script(match chance.random_range(0..10) {
        0..4 => vec![Act::Progress],
        4..8 => vec![Act::Sleep(chance.random_range(1..40)), Act::Progress],
        8 => vec![Act::Fail(1)],
        _ => vec![Act::Checkpoint, Act::Sleep(5), Act::Result(70_000)],
    })
}

/// Reads results while the server lives: what it told once it may not tell otherwise later.
struct Reader {
    client: Client,
    accepted: watch::Receiver<Option<String>>,
}

impl Reader {
    async fn read(mut self) -> Vec<(String, Vec<u8>)> {
        let mut results = Vec::new();
        while self.accepted.changed().await.is_ok() {
            let Some(job_id) = self.accepted.borrow_and_update().clone() else {
                continue;
            };
            let request = v1::GetJobResultRequest {
                job_id: job_id.clone(),
            };
            match self.client.jobs.get_job_result(request).await {
                Ok(answer) => results.push((job_id, answer.into_inner().json.to_vec())),
                Err(status) if status.code() == tonic::Code::FailedPrecondition => {}
                Err(_) => break,
            }
        }
        results
    }
}
