//! Jobs that were submitted together, and what names all of them and no other.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use assay_api::v1;
use assay_probe::{Act, Script};

use crate::chaos::services::scene::{LATER, Scene};
use crate::chaos::services::until::until;
use crate::client::Client;

/// More than a script's attempts: it fails as often as it runs.
const ALWAYS: u64 = 1_000;
/// Between two groups: a filter tells them apart by the millisecond.
const APART: Duration = Duration::from_millis(3);
/// Dead letters of one page: all of them.
const PAGE_SIZE: i32 = 1_000;
/// A millisecond, in nanoseconds.
const MILLISECOND_NS: i32 = 1_000_000;
/// A second, in nanoseconds.
const SECOND_NS: i32 = 1_000_000_000;

/// What makes a job a dead letter whenever it runs.
pub(super) fn mortal() -> Script {
    Script(vec![Act::Fail(ALWAYS)])
}

/// The same, after it has reported something.
pub(super) fn mortal_otherwise() -> Script {
    Script(vec![Act::Progress, Act::Fail(ALWAYS)])
}

/// Requests that all do the same, and are not as usual otherwise.
pub(super) fn requests(
    scene: &mut Scene,
    size: usize,
    script: &Script,
    change: impl Fn(&mut v1::SubmitJobRequest),
) -> Vec<v1::SubmitJobRequest> {
    let mut requests = scene.requests(size, &script.0);
    for request in &mut requests {
        change(request);
        scene.ledger.sent(request);
    }
    requests
}

/// Dead letters.
pub(super) struct Group {
    /// Their ids, in the order of `requests`.
    pub(super) jobs: Vec<String>,
    pub(super) requests: Vec<v1::SubmitJobRequest>,
    /// What they all match, and no other dead letter does.
    pub(super) filter: v1::DeadLetterFilter,
}

impl Group {
    /// Submits so many jobs that fail once and for all, and waits until they are dead letters.
    pub(super) async fn die(scene: &mut Scene, size: usize) -> anyhow::Result<Self> {
        tokio::time::sleep(APART).await;
        let requests = requests(scene, size, &mortal(), |request| request.attempts_max = 1);
        scene.accept(requests.clone()).await?;
        let job_of = |request: &v1::SubmitJobRequest| {
            let job_id = scene.ledger.job_of(&request.request_id);
            job_id.map(str::to_owned)
        };
        let jobs: Vec<String> = requests.iter().filter_map(job_of).collect();
        let letters = dead(scene, &jobs).await?;
        Ok(Self {
            filter: filter(letters.values())?,
            jobs,
            requests,
        })
    }

    /// Every job with its request.
    pub(super) fn each(&self) -> impl Iterator<Item = (&String, &v1::SubmitJobRequest)> {
        self.jobs.iter().zip(&self.requests)
    }
}

/// Waits until all of these are dead letters.
pub(super) async fn dead(
    scene: &Scene,
    jobs: &[String],
) -> anyhow::Result<BTreeMap<String, v1::Job>> {
    let mut client = Client::connect(scene.gateway).await?;
    let request = v1::ListJobsRequest {
        page_size: PAGE_SIZE,
        states: vec![v1::JobState::DeadLettered.into()],
        ..v1::ListJobsRequest::default()
    };
    let look = async || {
        let page = client.jobs.list_jobs(request.clone()).await?.into_inner();
        let letters = page.jobs.into_iter().map(|job| (job.id.clone(), job));
        let mut letters: BTreeMap<String, v1::Job> = letters.collect();
        letters.retain(|job_id, _| jobs.contains(job_id));
        Ok((letters.len() == jobs.len()).then_some(letters))
    };
    let what = format!("{} jobs are dead letters", jobs.len());
    until(&what, LATER, look).await
}

/// Names dead letters by when they were submitted.
fn filter<'a>(jobs: impl Iterator<Item = &'a v1::Job>) -> anyhow::Result<v1::DeadLetterFilter> {
    let mut times: Vec<_> = jobs.filter_map(|job| job.create_time).collect();
    times.sort_by_key(|time| (time.seconds, time.nanos));
    let first = times.first().context("find when a group was submitted")?;
    let mut before = *times.last().unwrap_or(first);
    before.nanos += MILLISECOND_NS;
    if before.nanos >= SECOND_NS {
        before.nanos -= SECOND_NS;
        before.seconds += 1;
    }
    Ok(v1::DeadLetterFilter {
        created_from: Some(*first),
        created_before: Some(before),
        ..v1::DeadLetterFilter::default()
    })
}
