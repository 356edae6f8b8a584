//! The short form of `make chaos-embedded`: kill -9 under load, then the ledger.

use assay_bench::chaos::{self, Settings};

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
    let report = chaos::run(&settings).await.unwrap();
    assert!(report.is_clean(), "{report}");
    assert!(
        report.accepted > 0,
        "a run without jobs proves nothing: {report}"
    );
    assert_eq!(report.kills, 4);
}
