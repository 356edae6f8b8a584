//! Somebody deletes keys by hand under load: the records are the truth, and all else is made again from them.

use std::collections::BTreeSet;
use std::time::Duration;

use assay_probe::journal::now_us;
use assay_probe::{Act, Mark};
use assay_test_support::fleet::Role;
use assay_test_support::redis::{Appendfsync, RedisOptions};

use super::{Mode, Row, Scenario, Setup};
use crate::chaos::services::audit;
use crate::chaos::services::load::Pace;
use crate::chaos::services::scene::{How, LATER, Scene};

pub(super) const LEASES: Scenario = Scenario {
    name: "leases-deleted",
    fault: "the key of all leases deleted by hand, then kill -9 of the worker",
    failpoints: false,
    modes: &Mode::BOTH,
    run: |setup| Box::pin(run(setup, &Deleted::LEASES)),
};

pub(super) const STREAMS: Scenario = Scenario {
    name: "streams-deleted",
    fault: "the keys of all streams deleted by hand under load",
    failpoints: false,
    modes: &[Mode::Redis],
    run: |setup| Box::pin(run(setup, &Deleted::STREAMS)),
};

/// What is deleted.
struct Deleted {
    fault: &'static str,
    /// What the names of its keys hold.
    name: &'static str,
    /// Whether the worker dies too: a lease that lives is written again by its next renewal.
    kill_worker: bool,
}

impl Deleted {
    const LEASES: Self = Self {
        fault: LEASES.fault,
        name: ":leases",
        kill_worker: true,
    };
    const STREAMS: Self = Self {
        fault: STREAMS.fault,
        name: ":s:",
        kill_worker: false,
    };
}

/// Requests of a round.
const REQUESTS: usize = 200;
/// How long a job works, in milliseconds.
const WORK_MS: u64 = 150;
/// The deletion comes after so many answers.
const ANSWERS_BEFORE: usize = 100;
/// Fast enough for a backlog.
const PACE: Pace = Pace {
    batch: 50,
    every: Duration::from_millis(50),
};

async fn run(setup: &Setup, deleted: &Deleted) -> anyhow::Result<Row> {
    let mut scene = Scene::open(setup, RedisOptions::new(Appendfsync::Always)).await?;
    let _gateway = scene.open_gateway(&How::default()).await?;
    let _scheduler = scene.usual(Role::Scheduler).await?;
    let mut worker = scene.usual(Role::Worker).await?;
    let before = scene.throughput().await?;
    let (mut keys, mut ended_after) = (0, Vec::new());
    for _ in 0..setup.scale.pick(2, 1) {
        let requests = scene.requests(REQUESTS, &[Act::Sleep(WORK_MS), Act::Progress]);
        let mut load = scene.load(requests, PACE);
        load.reaches(ANSWERS_BEFORE).await;
        scene.fault();
        if deleted.kill_worker {
            worker.kill().await?;
            keys += delete(&scene, deleted.name)?;
            worker = scene.usual(Role::Worker).await?;
        } else {
            keys += delete(&scene, deleted.name)?;
        }
        scene.join(load).await?;
        ended_after.push(ends(&scene).await?);
    }
    let after = scene.throughput().await?;
    let mut row = Row::new(deleted.fault);
    row.throughput = Some([before, after]);
    audit::close(&mut scene, &mut row, &[]).await?;
    row.note(format!(
        "{keys} keys were deleted; every job had ended after {ended_after:.1?}"
    ));
    row.expect(keys > 0, || "there was no key to delete".to_owned());
    Ok(row)
}

/// Waits until every accepted job has ended; how long after the fault that was.
async fn ends(scene: &Scene) -> anyhow::Result<Duration> {
    let jobs: BTreeSet<String> = scene.ledger.accepted().map(str::to_owned).collect();
    scene
        .marked(Mark::Finished, &jobs, jobs.len(), LATER)
        .await?;
    let fault_us = scene.faults_us.last().copied().unwrap_or_default();
    Ok(Duration::from_micros(now_us().saturating_sub(fault_us)))
}

/// Deletes every key whose name holds `name`; how many there were.
fn delete(scene: &Scene, name: &str) -> anyhow::Result<usize> {
    let mut client = scene.redis.client()?;
    let mut deleted = 0;
    for key in audit::keys(&mut client)? {
        if key.contains(name) {
            client.run(&["DEL", &key])?;
            deleted += 1;
        }
    }
    Ok(deleted)
}
