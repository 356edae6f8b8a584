//! The short forms of `make chaos`: a fault under load, then the ledger. The long ones have more rounds and the
//! default leases; what stops a process at a failpoint is in the long ones alone, which build it with them.

use std::path::PathBuf;

use assay_bench::chaos::embedded::{self, Settings};
use assay_bench::chaos::services::{self, Mode, Programs, Row, Scale, Scenario, Setup};

const ROUNDS: u32 = 4;
const JOBS_PER_ROUND: usize = 120;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_killed_no_accepted_job_is_lost_or_has_two_results() {
    let program = e2e::program("probe-dev").unwrap();
    let settings = Settings {
        program,
        rounds: ROUNDS,
        jobs_per_round: JOBS_PER_ROUND,
        seed: 7,
    };
    let report = embedded::run(&settings).await.unwrap();
    assert!(report.is_clean(), "{report}");
    assert!(
        report.accepted > 0,
        "a run without jobs proves nothing: {report}"
    );
    assert_eq!(report.kills, 4);
}

/// A row of redis mode.
async fn row(name: &str) -> Row {
    row_of(Mode::Redis, name).await
}

/// A row of the table, done to the programs as they are released.
async fn row_of(mode: Mode, name: &str) -> Row {
    let worker = e2e::program("probe-worker").unwrap();
    let folder = worker.parent().unwrap();
    let setup = Setup {
        programs: Programs::released(folder),
        mode,
        scale: Scale::Short,
        seed: 7,
        planted: Vec::new(),
        folder: PathBuf::new(),
    };
    let row = services::run(Scenario::named(name).unwrap(), &setup).await;
    let row = row.unwrap();
    assert!(row.is_clean(), "{:#?}", row.broken());
    assert!(row.accepted > 0, "a row without jobs proves nothing");
    row
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_worker_costs_no_job() {
    let row = row("worker-killed").await;
    assert!(!row.recovery_us.is_empty(), "nothing was interrupted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_redis_that_syncs_always_costs_no_job() {
    assert_eq!(row("redis-killed").await.lost, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_of_a_redis_that_syncs_each_second_costs_that_second_at_most() {
    let row = row("redis-cut").await;
    assert!(row.lost_in_window.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deploy_of_all_workers_costs_no_attempt() {
    row("rolling-workers").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_loses_connections_costs_no_job() {
    row("bad-network").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watcher_over_http_sees_no_gap_that_is_not_declared() {
    row("watchers-cut").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_do_by_hand_is_done_once_whoever_dies() {
    row("hands-on").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_do_by_hand_is_done_once_in_full_mode_too() {
    row_of(Mode::Full, "hands-on").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_worker_costs_no_job_in_full_mode() {
    let row = row_of(Mode::Full, "worker-killed").await;
    assert!(!row.recovery_us.is_empty(), "nothing was interrupted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_rabbitmq_costs_no_job() {
    assert_eq!(row_of(Mode::Full, "rabbit-killed").await.lost, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_finished_outlives_all_of_redis_in_full_mode() {
    let row = row_of(Mode::Full, "redis-empty").await;
    assert!(row.lost_in_window.is_some());
}
