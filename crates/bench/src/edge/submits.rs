//! How many submits a second the edge takes over gRPC, one call each, and over HTTP.
//!
//! Two pairs are measured, the rounds of a pair in turns. In the first both ways name content that is stored and carry
//! the same payload. In the second each job brings a small file of its own: over gRPC it is uploaded first, over HTTP it
//! comes inside the request. No worker runs: jobs wait.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context;
use assay_api::v1::submit_job_request::Payload;
use assay_probe::Script;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::site::{Room, Site};
use super::{Aim, Sizes};
use crate::client::{self, Client, PAYLOAD_BYTES};
use crate::http::{self, Connection};

/// Callers at a time, the same for both ways: over HTTP each has a connection that stays, over gRPC all share one.
const CALLERS: usize = 64;
/// Connections to a port of the gateway.
const CONNECTIONS_MAX: usize = 2 * CALLERS;
/// Size of a file that comes with its job, in bytes.
const FILE_BYTES: usize = 1_024;
/// Submits before the first round, over each way.
const WARM_UP: usize = 200;
/// What HTTP is to reach of gRPC.
const RATIO_MIN: f64 = 0.5;
const VERIFY: &str = "/api/async/verify";
const ACCEPTED: u16 = 202;

/// How jobs come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Grpc,
    Http,
}

/// What is submitted.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    /// Content of this id.
    Stored(String),
    /// A file of each job's own.
    Own,
}

impl Content {
    fn word(&self) -> &'static str {
        match self {
            Self::Stored(_) => "stored",
            Self::Own => "own",
        }
    }
}

/// What a round came to.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Round {
    per_second: f64,
    /// Of the gateway.
    cpu_us_per_submit: f64,
}

/// Measures and prints.
pub(super) async fn print(programs: &Path, sizes: &Sizes) -> anyhow::Result<()> {
    let room = Room {
        connections: CONNECTIONS_MAX,
        watchers: 1,
        workers: 0,
        concurrency: 1,
    };
    let mut site = Site::start(programs, room).await?;
    let stored = Client::connect(site.grpc).await?.upload(b"edge").await?;
    println!("{CALLERS} callers at once, no worker, {PAYLOAD_BYTES}-byte payload");
    let target = Some(RATIO_MIN);
    pair(&mut site, sizes, &Content::Stored(stored), target).await?;
    println!(
        "the same with a file of {FILE_BYTES} bytes for each job: over gRPC uploaded first, over HTTP in the request"
    );
    pair(&mut site, sizes, &Content::Own, None).await
}

async fn pair(
    site: &mut Site,
    sizes: &Sizes,
    content: &Content,
    ratio_min: Option<f64>,
) -> anyhow::Result<()> {
    let (mut over_grpc, mut over_http) = (Vec::new(), Vec::new());
    for way in [Way::Grpc, Way::Http] {
        round(site, way, content, WARM_UP, "warm-up").await?;
    }
    for number in 0..sizes.rounds {
        let name = format!("round-{number}");
        over_grpc.push(round(site, Way::Grpc, content, sizes.submits, &name).await?);
        over_http.push(round(site, Way::Http, content, sizes.submits, &name).await?);
    }
    let grpc = median(over_grpc).context("measure at least one round")?;
    let http = median(over_http).context("measure at least one round")?;
    for (name, round) in [("gRPC", grpc), ("HTTP", http)] {
        println!(
            "submit over {name}            {:.0} jobs/s, CPU of the gateway {:.0} us per job",
            round.per_second, round.cpu_us_per_submit
        );
    }
    let ratio = http.per_second / grpc.per_second;
    let aim = ratio_min.map(|least| Aim {
        target: ">= 0.5",
        reached: ratio >= least,
    });
    let aim = aim.map_or_else(String::new, |aim| format!(" ({aim})"));
    println!("HTTP / gRPC                 {ratio:.2}{aim}");
    Ok(())
}

/// The round whose speed is in the middle.
fn median(mut rounds: Vec<Round>) -> Option<Round> {
    rounds.sort_by(|one, other| one.per_second.total_cmp(&other.per_second));
    let middle = rounds.len().checked_sub(1)? / 2;
    rounds.get(middle).copied()
}

/// Submits so many jobs from all callers; their names are unlike those of other ways, contents and rounds.
async fn round(
    site: &mut Site,
    way: Way,
    content: &Content,
    submits: usize,
    name: &str,
) -> anyhow::Result<Round> {
    let each = submits.div_ceil(CALLERS);
    let client = Client::connect(site.grpc).await?;
    let (cpu_before, begun) = (site.cpu_seconds()?, Instant::now());
    let mut callers = JoinSet::new();
    for number in 0..CALLERS {
        let caller = Caller {
            name: format!("{way:?}-{}-{name}-{number}", content.word()),
            content: content.clone(),
            jobs: each,
        };
        let (client, address) = (client.clone(), site.http);
        callers.spawn(async move {
            match way {
                Way::Grpc => caller.over_grpc(client).await,
                Way::Http => caller.over_http(address).await,
            }
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller.context("wait for a caller")??;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let cpu_seconds = site.cpu_seconds()? - cpu_before;
    let submits = count(each * CALLERS);
    Ok(Round {
        per_second: submits / seconds,
        cpu_us_per_submit: cpu_seconds * 1e6 / submits,
    })
}

/// Submits one job after the other, each under a name of its own.
#[derive(Debug)]
struct Caller {
    name: String,
    content: Content,
    jobs: usize,
}

impl Caller {
    async fn over_grpc(&self, mut client: Client) -> anyhow::Result<()> {
        for number in 0..self.jobs {
            let key = self.key(number);
            let content_id = match &self.content {
                Content::Stored(content_id) => content_id.clone(),
                Content::Own => client.upload(file(&key).as_bytes()).await?,
            };
            let request = client::request(&content_id, &key, &Script::default());
            let submitted = client.jobs.submit_job(client::filled(request)).await;
            submitted.context("submit over gRPC")?;
        }
        Ok(())
    }

    async fn over_http(&self, address: SocketAddr) -> anyhow::Result<()> {
        let options = options();
        let mut connection = Connection::open(address).await?;
        for number in 0..self.jobs {
            let key = self.key(number);
            let content = match &self.content {
                Content::Stored(content_id) => json!({"contentId": content_id}),
                Content::Own => json!({"data": BASE64_STANDARD.encode(file(&key))}),
            };
            let body = json!({"content": content, "options": options}).to_string();
            let answer = connection.ask(&http::post(VERIFY, &key, &body)).await?;
            anyhow::ensure!(
                answer.status == ACCEPTED,
                "submit over HTTP: {} {}",
                answer.status,
                String::from_utf8_lossy(&answer.body)
            );
        }
        Ok(())
    }

    fn key(&self, number: usize) -> String {
        format!("{}-{number}", self.name)
    }
}

/// A file that nobody else has.
fn file(key: &str) -> String {
    format!("{key:-<FILE_BYTES$}")
}

/// What fills the payload up, the same for both ways.
fn options() -> BTreeMap<String, String> {
    let request = client::filled(client::request("", "", &Script::default()));
    match request.payload {
        Some(Payload::ContentVerification(payload)) => payload.options,
        None => BTreeMap::new(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "fewer than 2^52 submits")]
fn count(submits: usize) -> f64 {
    submits as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_job_has_a_file_of_its_own_and_the_same_payload_over_both_ways() {
        let (one, other) = (file("a-1"), file("a-2"));
        assert_eq!((one.len(), other.len()), (FILE_BYTES, FILE_BYTES));
        assert_ne!(one, other);
        let lengths: usize = options()
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        assert!(
            (PAYLOAD_BYTES / 2..PAYLOAD_BYTES).contains(&lengths),
            "{lengths}"
        );
    }

    #[test]
    fn the_median_is_a_round_that_took_place() {
        let rounds = |speeds: &[f64]| {
            let round = |per_second: &f64| Round {
                per_second: *per_second,
                cpu_us_per_submit: 1.0,
            };
            median(speeds.iter().map(round).collect()).map(|round| round.per_second)
        };
        assert_eq!(rounds(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(rounds(&[4.0, 2.0]), Some(2.0));
        assert_eq!(rounds(&[]), None);
    }
}
