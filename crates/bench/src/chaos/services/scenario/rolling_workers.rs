//! A deploy: every worker is asked to end at full load, one after the other. It costs no job an attempt.

use std::time::Duration;

use assay_api::v1;
use assay_probe::{Act, Mark};
use assay_test_support::fleet::{Member, Role};
use assay_test_support::redis::{Appendfsync, RedisOptions};

use super::{Mode, Row, Scenario, Setup};
use crate::chaos::services::audit;
use crate::chaos::services::load::Pace;
use crate::chaos::services::scene::{How, LATER, Scene};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "rolling-workers",
    fault: "SIGTERM of all workers at full load, one after the other",
    failpoints: false,
    modes: &Mode::BOTH,
    run: |setup| Box::pin(run(setup)),
};

/// Workers.
const WORKERS: usize = 3;
/// Jobs that a worker runs at once.
const CONCURRENCY: usize = 8;
/// How long a job works, in milliseconds.
const WORK_MS: u64 = 400;
/// How long the first of them do, one for each slot: longer than a worker waits for them, so that it hands them back.
const LONG_WORK_MS: u64 = 6_000;
/// How long a worker waits, in milliseconds.
const DRAIN_MS: u64 = 1_500;
/// All at once: there is a backlog throughout.
const PACE: Pace = Pace {
    batch: 200,
    every: Duration::ZERO,
};

async fn run(setup: &Setup) -> anyhow::Result<Row> {
    let mut scene = Scene::open(setup, RedisOptions::new(Appendfsync::Always)).await?;
    let _gateway = scene.open_gateway(&How::default()).await?;
    let _scheduler = scene.usual(Role::Scheduler).await?;
    let how = How {
        settings: vec![
            ("worker.concurrency", CONCURRENCY.to_string()),
            ("shutdown.drain_ms", DRAIN_MS.to_string()),
        ],
        ..How::default()
    };
    let mut workers = Vec::new();
    for _ in 0..WORKERS {
        workers.push(scene.start(Role::Worker, &how).await?);
    }
    let before = scene.throughput().await?;
    let long = scene.requests(WORKERS * CONCURRENCY, &[Act::Sleep(LONG_WORK_MS)]);
    let long = scene.accept(long).await?;
    let backlog = setup.scale.pick(500, 120);
    let backlog = scene.requests(backlog, &[Act::Sleep(WORK_MS), Act::Progress]);
    let load = scene.load(backlog, PACE);
    scene
        .marked(Mark::Started, &long, long.len(), LATER)
        .await?;
    let codes = roll(&mut scene, &mut workers, &how).await?;
    scene.join(load).await?;
    let after = scene.throughput().await?;
    let mut row = Row::new(SCENARIO.fault);
    row.throughput = Some([before, after]);
    let findings = audit::close(&mut scene, &mut row, &[]).await?;
    row.expect(codes.iter().all(|code| *code == Some(0)), || {
        format!("the workers ended with {codes:?}")
    });
    judge(&mut row, findings.jobs.values());
    Ok(row)
}

/// Ends every worker and starts another one in its place.
async fn roll(
    scene: &mut Scene,
    workers: &mut Vec<Member>,
    how: &How,
) -> anyhow::Result<Vec<Option<i32>>> {
    let mut codes = Vec::new();
    for _ in 0..WORKERS {
        let mut worker = workers.remove(0);
        scene.fault();
        codes.push(worker.terminate().await?);
        workers.push(scene.start(Role::Worker, how).await?);
    }
    Ok(codes)
}

fn judge<'a>(row: &mut Row, jobs: impl Iterator<Item = &'a v1::Job>) {
    let (mut spent, mut not_succeeded, mut handed_back) = (0, 0, 0);
    for job in jobs {
        let counters = job.counters.unwrap_or_default();
        spent += counters.errors + counters.crashes;
        not_succeeded += u32::from(job.state() != v1::JobState::Succeeded);
        handed_back += u32::from(counters.interruptions > 0);
    }
    row.expect(spent == 0, || format!("{spent} attempts were spent"));
    row.expect(not_succeeded == 0, || {
        format!("{not_succeeded} jobs did not succeed")
    });
    row.expect(handed_back > 0, || {
        "no job was handed back: the load was not full".to_owned()
    });
    row.note(format!("{handed_back} jobs were handed back"));
}
