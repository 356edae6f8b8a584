//! What `/metrics` promises: names, labels, types, and counts that agree with what a client did.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use assay_api::v1;
use assay_bench::client::{self, Client};
use assay_bench::server::Server;
use assay_probe::{Act, Script};
use assay_queue::metric_definitions as broker;
use assay_service::Readiness;
use assay_service::prometheus::{Instruments, Metrics, named};
use assay_store::metric_definitions::redis;
use assay_test_support::admin;
use assay_test_support::fleet::{Plan, Role};
use assay_test_support::rabbit::Prefix;
use e2e::Sandbox;
use exposition::{Exposition, Family};
use tokio::process::Command;

mod exposition;

/// The metrics that operators build on: they keep their names. What is not here may change.
const PROMISED: [&str; 23] = [
    "assay_build_info",
    "assay_config_hash",
    "assay_dedup_hits_total",
    "assay_dependency_up",
    "assay_grpc_server_handled_total",
    "assay_grpc_server_handling_seconds",
    "assay_job_attempts_total",
    "assay_job_completed_total",
    "assay_job_end_to_end_seconds",
    "assay_job_in_flight",
    "assay_job_queue_depth",
    "assay_job_queue_oldest_age_seconds",
    "assay_job_retries_total",
    "assay_job_run_seconds",
    "assay_job_submitted_total",
    "assay_job_wait_seconds",
    "assay_lease_lost_total",
    "assay_process_cpu_seconds",
    "assay_process_resident_memory_bytes",
    "assay_runtime_busy_ratio",
    "assay_stale_completion_rejected_total",
    "assay_worker_slots_total",
    "assay_worker_slots_used",
];
/// The only labels there are. None of them ever holds what a client made up.
const LABELS: [&str; 6] = ["service", "kind", "lane", "outcome", "reason", "dependency"];
/// The one metric with a label of its own, as everybody has it.
const BUILD_INFO: (&str, &str) = ("assay_build_info", "version");
/// Most series that one process shows.
const SERIES_MAX: usize = 2_000;
/// Units that are not the base ones.
const OTHER_UNITS: [&str; 6] = ["_ms", "_us", "_minutes", "_kb", "_kib", "_percent"];
/// How long counts may take to be what they will be.
const AGREE_WITHIN: Duration = Duration::from_secs(30);
const AGREE_POLL: Duration = Duration::from_millis(50);
/// How often the scheduler looks here: more often than by default.
const MEASURE_PERIOD: (&str, &str) = ("scheduler.measure_depth_period_ms", "100");
/// The table that people read.
const TABLE: &str = "crates/service/metrics.md";

fn scrape(admin: SocketAddr) -> Exposition {
    Exposition::parse(&admin::get(admin, "/metrics").unwrap())
}

/// What a process over Redis shows beside what every process shows, and one over RabbitMQ, too.
const SHARED: [Instruments; 2] = [
    Instruments {
        describe: redis::describe,
        buckets: &named(redis::BUCKETS),
    },
    Instruments {
        describe: broker::describe,
        buckets: &named(broker::BUCKETS),
    },
];

fn over_redis() -> Exposition {
    let metrics = Metrics::new("redis", "0", &SHARED).unwrap();
    Exposition::parse(&metrics.render(&Readiness::new()))
}

/// What a process shows that has a detector to ask.
fn with_a_detector() -> Exposition {
    let metrics = Metrics::new("detectors", "0", &[assay_detectors::INSTRUMENTS]).unwrap();
    assay_detectors::Meters::of(&metrics).begin("acme");
    Exposition::parse(&metrics.render(&Readiness::new()))
}

/// Has a picture verified, and a file that is none; answers how many files.
async fn verify_some(sandbox: &Sandbox, server: &Server) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let material = assay_demo::material::make(folder.path(), 5).unwrap();
    let text = folder.path().join("a.txt");
    fs::write(&text, "no picture").unwrap();
    let files = [&material.files[0].path, &text];
    let mut command = Command::new(e2e::program("assay").unwrap());
    command
        .args(["verify", "--json", "--quiet", "--server"])
        .arg(format!("http://{}", server.gateway))
        .args(files);
    let output = command.output().await.unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let log = sandbox.log().unwrap();
    assert_eq!(told.lines().count(), files.len(), "{told}\n{log}");
    files.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_series_is_there_from_the_start_and_none_comes_with_work() {
    let sandbox = Sandbox::assay().unwrap();
    let server = sandbox.start().await.unwrap();
    let before = scrape(server.admin);
    let files = verify_some(&sandbox, &server).await;
    let after = scrape(server.admin);
    assert_eq!(before.all_series(), after.all_series());
    assert!(after.samples <= SERIES_MAX, "{} series", after.samples);
    assert!(after.sum("assay_verification_stages_total", &[("outcome", "ok")]) > 0.0);
    let verdicts = after.sum("assay_verification_verdicts_total", &[]);
    assert_eq!(verdicts, files as f64);

    for name in PROMISED {
        assert!(after.families.contains_key(name), "{name} is not shown");
    }
    let elsewhere = [over_redis(), with_a_detector()];
    let families = elsewhere.iter().flat_map(|shown| &shown.families);
    for (name, family) in after.families.iter().chain(families) {
        check_family(name, family);
    }
}

fn check_family(name: &str, family: &Family) {
    assert!(name.starts_with("assay_"), "{name}");
    assert!(!family.help.is_empty(), "{name} has no help");
    assert!(
        ["counter", "gauge", "histogram"].contains(&family.sort.as_str()),
        "{name} is a {}",
        family.sort
    );
    // The contract calls the number of slots a total, too.
    let total = name.ends_with("_total") && name != "assay_worker_slots_total";
    assert_eq!(
        total,
        family.sort == "counter",
        "{name} is a {}",
        family.sort
    );
    for unit in OTHER_UNITS {
        assert!(!name.trim_end_matches("_total").ends_with(unit), "{name}");
    }
    let known = |label: &&str| LABELS.contains(label) || (name, *label) == BUILD_INFO;
    let unknown: Vec<_> = family
        .labels()
        .into_iter()
        .filter(|label| !known(label))
        .collect();
    assert!(unknown.is_empty(), "{name} has labels {unknown:?}");
}

/// The table, as it should be.
fn table(shown: &[Exposition]) -> String {
    let rows: BTreeSet<String> = shown
        .iter()
        .flat_map(|shown| &shown.families)
        .map(|(name, family)| {
            let labels: Vec<_> = family.labels().into_iter().collect();
            let (sort, help) = (&family.sort, &family.help);
            format!("| `{name}` | {sort} | {} | {help} |\n", labels.join(", "))
        })
        .collect();
    rows.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_table_of_metrics_is_what_is_shown() {
    let server = Sandbox::assay().unwrap();
    let running = server.start().await.unwrap();
    let wanted = table(&[scrape(running.admin), over_redis(), with_a_detector()]);
    let page = fs::read_to_string(e2e::top().unwrap().join(TABLE)).unwrap();
    let rows = |text: &str| -> Vec<String> {
        let rows = text.lines().filter(|line| line.starts_with("| `"));
        rows.map(str::to_owned).collect()
    };
    assert_eq!(
        rows(&page),
        rows(&wanted),
        "put these rows into {TABLE}:\n{wanted}"
    );
}

/// What counts must come to: a metric, labels, the sum over the series that have them.
type Count = (&'static str, &'static [(&'static str, &'static str)], f64);

/// What [`live_through`] did, as the server must tell it.
const LIVED: [Count; 19] = [
    ("assay_job_submitted_total", &[("outcome", "recorded")], 7.0),
    ("assay_job_submitted_total", &[("outcome", "existed")], 1.0),
    (
        "assay_dedup_hits_total",
        &[("kind", "content-verification")],
        1.0,
    ),
    (
        "assay_job_completed_total",
        &[("outcome", "succeeded")],
        4.0,
    ),
    ("assay_job_completed_total", &[("outcome", "failed")], 1.0),
    (
        "assay_job_completed_total",
        &[("outcome", "dead_lettered")],
        1.0,
    ),
    (
        "assay_job_completed_total",
        &[("outcome", "cancelled")],
        1.0,
    ),
    (
        "assay_job_completed_total",
        &[("outcome", "interrupted")],
        1.0,
    ),
    ("assay_job_attempts_total", &[("lane", "normal")], 9.0),
    ("assay_job_attempts_total", &[], 9.0),
    ("assay_job_retries_total", &[("reason", "transient")], 2.0),
    (
        "assay_job_retries_total",
        &[("reason", "breaker_open")],
        1.0,
    ),
    ("assay_job_wait_seconds", &[], 6.0),
    ("assay_job_end_to_end_seconds", &[], 7.0),
    ("assay_job_in_flight", &[], 0.0),
    ("assay_jobs", &[("reason", "succeeded")], 4.0),
    (
        "assay_gateway_calls_refused_total",
        &[("reason", "JOB_NOT_FOUND")],
        1.0,
    ),
    (
        "assay_grpc_server_handled_total",
        &[
            ("reason", "assay.v1.JobService/SubmitJob"),
            ("outcome", "OK"),
        ],
        8.0,
    ),
    (
        "assay_grpc_server_handled_total",
        &[
            ("reason", "assay.v1.JobService/GetJob"),
            ("outcome", "NOT_FOUND"),
        ],
        1.0,
    ),
];

/// Lives through every fate of a job: seven of them, one submitted twice, and a question for one of nobody.
async fn live_through(client: &mut Client) {
    let content_id = client.upload(b"content").await.unwrap();
    let job = |acts: &[Act]| client::request(&content_id, "", &Script(acts.to_vec()));
    let once = client::request(&content_id, "once", &Script::default());
    let dead = v1::SubmitJobRequest {
        attempts_max: 2,
        ..job(&[Act::Fail(9)])
    };
    let in_an_hour =
        Duration::from_micros(assay_probe::journal::now_us()) + Duration::from_secs(3_600);
    let later = v1::SubmitJobRequest {
        due_time: Some((std::time::SystemTime::UNIX_EPOCH + in_an_hour).into()),
        ..job(&[])
    };
    let acts = [Act::Progress, Act::Fail(1), Act::Park(1), Act::FailForGood];
    let mut requests = vec![once.clone(), once, dead, later.clone()];
    requests.extend(acts.map(|act| job(&[act])));
    for request in requests {
        let is_later = request.due_time.is_some();
        let answer = client.jobs.submit_job(request).await.unwrap().into_inner();
        let job_id = answer.job.unwrap().id;
        if is_later {
            let cancel = v1::CancelJobRequest { job_id };
            client.jobs.cancel_job(cancel).await.unwrap();
        }
    }
    let nobody = v1::GetJobRequest {
        job_id: "00000000-0000-4000-8000-000000000000".to_owned(),
    };
    client.jobs.get_job(nobody).await.unwrap_err();
}

/// The counts that are not what they must come to over all these processes.
fn disagreements(admins: &[SocketAddr]) -> Vec<String> {
    let shown: Vec<Exposition> = admins.iter().map(|admin| scrape(*admin)).collect();
    let differs = |(name, labels, wanted): &Count| {
        let found: f64 = shown.iter().map(|shown| shown.sum(name, labels)).sum();
        (found != *wanted).then(|| format!("{name}{labels:?} is {found}, not {wanted}"))
    };
    LIVED.iter().filter_map(differs).collect()
}

async fn agree(admins: &[SocketAddr]) {
    let mut wrong = disagreements(admins);
    let agreeing = async {
        while !wrong.is_empty() {
            tokio::time::sleep(AGREE_POLL).await;
            wrong = disagreements(admins);
        }
    };
    let agreed = tokio::time::timeout(AGREE_WITHIN, agreeing).await;
    assert!(agreed.is_ok(), "{wrong:#?}");
    // What has come to rest stays there.
    assert_eq!(disagreements(admins), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_agree_with_what_a_client_did() {
    let sandbox = Sandbox::probe().unwrap();
    let sandbox = sandbox.set(MEASURE_PERIOD.0, MEASURE_PERIOD.1);
    let server = sandbox.start().await.unwrap();
    let mut client = Client::connect(server.gateway).await.unwrap();
    live_through(&mut client).await;
    agree(&[server.admin]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_of_several_processes_add_up_and_each_keeps_the_contract() {
    add_up(
        Plan::new(&e2e::programs().unwrap()),
        "assay_queue_redeliveries_total",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_of_several_processes_add_up_over_rabbitmq() {
    let plan = Plan::new(&e2e::programs().unwrap()).full(Prefix::take());
    add_up(plan, "assay_publishes_total").await;
}

/// `of_queue` is a metric that only what carries the envelopes has.
async fn add_up(plan: Plan, of_queue: &str) {
    let plan = plan.workers("probe-worker", 2);
    let plan = plan.set(Role::Scheduler, MEASURE_PERIOD.0, MEASURE_PERIOD.1);
    let mut fleet = plan.start().await.unwrap();
    let names = ["gateway", "scheduler-1", "worker-1", "worker-2"];
    let admins = names.map(|name| fleet.by_name(name).unwrap().admin());
    let before = admins.map(scrape);
    let mut client = Client::connect(fleet.gateway()).await.unwrap();
    live_through(&mut client).await;
    agree(&admins).await;
    for (before, admin) in before.iter().zip(admins) {
        let after = scrape(admin);
        assert_eq!(before.all_series(), after.all_series());
        assert!(after.samples <= SERIES_MAX, "{} series", after.samples);
        for name in ["assay_store_calls_total", of_queue] {
            assert!(after.families.contains_key(name), "{name} is not shown");
        }
        for (name, family) in &after.families {
            check_family(name, family);
        }
    }
}
