//! What waiting costs: memory, and the time of a listing page.

use assay_api::v1;
use assay_probe::Script;
use tokio::time::Instant;

use crate::client::{self, Answer, Client};
use crate::server::Server;
use crate::statistics::quantile;

/// Requests without an answer at a time.
const WINDOW: usize = 2_048;
/// Pages that are asked for to find the usual cost of one.
const PAGES: usize = 200;
/// Jobs of a page.
const PAGE_SIZE: i32 = 50;

/// What was measured with a number of jobs in the queue.
#[derive(Clone, Copy, Debug)]
pub struct Footprint {
    /// Jobs in the queue.
    pub queued: usize,
    /// Resident memory in bytes.
    pub resident_bytes: u64,
    /// Half of the pages take no longer, in microseconds.
    pub page_p50_us: u64,
}

/// Fills the queue of a server without workers up to `queued` jobs and measures.
///
/// # Errors
/// When a job is not accepted, or the server does not answer.
pub async fn measure(server: &Server, already: usize, queued: usize) -> anyhow::Result<Footprint> {
    let mut client = Client::connect(server.gateway).await?;
    let content_id = client.upload(b"footprint").await?;
    let request = client::filled(client::request(&content_id, "", &Script::default()));
    let mut accepted = 0;
    let count = |_, answer| accepted += usize::from(matches!(answer, Answer::Accepted(_)));
    client
        .submit_all(vec![request; queued - already], WINDOW, count)
        .await;
    anyhow::ensure!(
        accepted == queued - already,
        "{accepted} of {} jobs were accepted",
        queued - already
    );
    let mut pages_us = Vec::with_capacity(PAGES);
    for _ in 0..PAGES {
        let request = v1::ListJobsRequest {
            page_size: PAGE_SIZE,
            ..v1::ListJobsRequest::default()
        };
        let started = Instant::now();
        client.jobs.list_jobs(request).await?;
        pages_us.push(u64::try_from(started.elapsed().as_micros())?);
    }
    let page_p50_us = quantile(&mut pages_us, 0.5);
    Ok(Footprint {
        queued,
        resident_bytes: server.resident_bytes()?,
        page_p50_us,
    })
}
