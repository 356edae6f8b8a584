//! Clients over HTTP whose streams of events end again and again see every event once, and the end.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use assay_bench::client::{self, Client};
use assay_bench::watcher::Watcher;
use assay_probe::{Act, Script};
use assay_test_support::fleet::{Fleet, Plan, Role};
use assay_test_support::port;
use assay_test_support::redis::Database;
use assay_test_support::wait::wait_until;
use tokio::task::JoinSet;

/// How long a watcher may take to its end.
const WITHIN: Duration = Duration::from_secs(60);
const JOBS: u64 = 4;
const WATCHERS_EACH: u64 = 3;

/// Submits jobs that report for about three seconds, of which the first attempts fail.
async fn submit(fleet: &Fleet) -> Vec<String> {
    let mut client = Client::connect(fleet.gateway()).await.unwrap();
    let content_id = client.upload(b"watched").await.unwrap();
    let mut jobs = Vec::new();
    for number in 0..JOBS {
        let mut script = Script::reporting(number * 20, 12, 210);
        script.0.insert(1, Act::Fail(1));
        let request = client::request(&content_id, "", &script);
        let submitted = client.jobs.submit_job(request).await.unwrap();
        jobs.push(submitted.into_inner().job.unwrap().id);
    }
    jobs
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_over_http_miss_nothing_when_the_gateway_is_killed() {
    let http = SocketAddr::from((Ipv4Addr::LOCALHOST, port::free().unwrap()));
    let plan = Plan::new(&e2e::programs().unwrap())
        .workers("probe-worker", 1)
        .database(Database::take())
        .set(Role::Gateway, "gateway.http_listen", &http.to_string());
    let mut fleet = plan.start().await.unwrap();
    let heard = Arc::<AtomicUsize>::default();
    let mut watchers = JoinSet::new();
    for job_id in submit(&fleet).await {
        for number in 0..WATCHERS_EACH {
            let watcher = Watcher {
                address: http,
                job_id: job_id.clone(),
                // One of them keeps its stream until the gateway dies.
                lets_go: (number > 0).then_some(number),
                heard: Arc::clone(&heard),
            };
            watchers.spawn(watcher.until_the_end(WITHIN));
        }
    }
    let some = 3 * watchers.len();
    wait_until("the watchers hear something", || async {
        heard.load(Ordering::Relaxed) >= some
    })
    .await;
    fleet.by_name("gateway").unwrap().kill().await.unwrap();
    fleet.restart("gateway").await.unwrap();
    while let Some(watched) = watchers.join_next().await {
        let watched = watched.unwrap();
        assert!(watched.broken().is_empty(), "{:?}", watched.broken());
        assert!(watched.has_ended() && watched.streams() > 1);
        assert_eq!(watched.resets(), 0, "so few events are all retained");
        assert_eq!(watched.seen(), watched.events() as u64);
    }
}
