//! How many jobs a second go from submit to recorded result.

use anyhow::Context;
use assay_probe::{Act, Script};
use tokio::time::Instant;

use crate::client::{self, Answer, Client};
use crate::process;
use crate::server::Server;

/// Requests without an answer at a time.
const WINDOW: usize = 2_048;
/// Between two looks at how many have ended. Each costs the server a page of metrics.
const POLL: std::time::Duration = std::time::Duration::from_millis(20);
/// Counts jobs that have ended.
const COMPLETED_TOTAL: &str = "assay_job_completed_total";
const SUCCEEDED: &str = "outcome=\"succeeded\"";

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub struct Speed {
    /// Jobs.
    pub jobs: usize,
    /// From the first submit to the last answer, in seconds.
    pub submitted_seconds: f64,
    /// From the first submit to the last recorded result, in seconds.
    pub seconds: f64,
    /// CPU seconds of the server.
    pub server_cpu_seconds: f64,
    /// CPU seconds of this client.
    pub client_cpu_seconds: f64,
}

/// Runs `jobs` probe jobs, each with a 400-byte payload and one progress write.
///
/// # Errors
/// When a job is not accepted, or the server does not answer.
pub async fn measure(server: &Server, jobs: usize) -> anyhow::Result<Speed> {
    let mut client = Client::connect(server.gateway).await?;
    let content_id = client.upload(b"speed").await?;
    let script = Script(vec![Act::Progress]);
    let request = client::filled(client::request(&content_id, "", &script));
    let requests = vec![request; jobs];
    let ended_before = server.metric(COMPLETED_TOTAL, SUCCEEDED).await?;
    let client_cpu_seconds = || process::cpu_seconds(std::process::id());
    let (server_cpu, client_cpu) = (server.cpu_seconds()?, client_cpu_seconds()?);
    let started = Instant::now();
    let mut not_accepted = None;
    client
        .submit_all(requests, WINDOW, |_, answer| {
            if !matches!(answer, Answer::Accepted(_)) {
                not_accepted = Some(answer);
            }
        })
        .await;
    if let Some(answer) = not_accepted {
        anyhow::bail!("a job was not accepted: {answer:?}");
    }
    let submitted_seconds = started.elapsed().as_secs_f64();
    while ended(server).await? - ended_before < count(jobs) {
        tokio::time::sleep(POLL).await;
    }
    Ok(Speed {
        jobs,
        submitted_seconds,
        seconds: started.elapsed().as_secs_f64(),
        server_cpu_seconds: server.cpu_seconds()? - server_cpu,
        client_cpu_seconds: client_cpu_seconds()? - client_cpu,
    })
}

async fn ended(server: &Server) -> anyhow::Result<f64> {
    server
        .metric(COMPLETED_TOTAL, SUCCEEDED)
        .await
        .context("count ended jobs")
}

impl Speed {
    /// Jobs a second, end to end.
    #[must_use]
    pub fn jobs_per_second(&self) -> f64 {
        count(self.jobs) / self.seconds
    }

    /// Jobs a second that were accepted.
    #[must_use]
    pub fn submits_per_second(&self) -> f64 {
        count(self.jobs) / self.submitted_seconds
    }
}

#[expect(clippy::cast_precision_loss, reason = "fewer than 2^52 jobs")]
fn count(jobs: usize) -> f64 {
    jobs as f64
}
