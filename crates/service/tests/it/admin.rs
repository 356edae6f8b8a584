use std::net::SocketAddr;

use assay_service::Config;
use assay_service::admin::{Admin, Settings};
use assay_service::prometheus::Metrics;
use assay_service::readiness::{Need, Readiness};
use assay_service::shutdown::Shutdown;
use assay_service::tasks::{OnEnd, TaskGroup};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) async fn get(address: SocketAddr, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

pub(crate) fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

fn settings(listen: &str, token: &str) -> Settings {
    let loader = Config::loader(&[])
        .set("admin.listen", listen)
        .set("admin.bearer_token", token);
    Settings::read(&loader.load().unwrap()).unwrap()
}

async fn serve(readiness: &Readiness, token: &str) -> (SocketAddr, TaskGroup) {
    let metrics = Metrics::new("probe", "1.2.3", &[]).unwrap();
    let settings = settings("127.0.0.1:0", token);
    let admin = Admin::bind(&settings, readiness.clone(), metrics)
        .await
        .unwrap()
        .unwrap();
    let tasks = TaskGroup::new(Shutdown::new());
    let address = admin.address();
    tasks.spawn("admin", OnEnd::Log, admin.serve(std::future::pending()));
    (address, tasks)
}

#[tokio::test]
async fn a_process_is_live_before_it_is_ready() {
    let readiness = Readiness::new();
    let latch = readiness.latch("store");
    let (address, _tasks) = serve(&readiness, "").await;
    assert_eq!(status(&get(address, "/live", "").await), 200);
    assert_eq!(status(&get(address, "/ready", "").await), 503);
    latch.release();
    assert_eq!(status(&get(address, "/ready", "").await), 200);
    readiness.not_ready();
    assert_eq!(status(&get(address, "/ready", "").await), 503);
    assert_eq!(status(&get(address, "/live", "").await), 200);
    assert!(
        get(address, "/", "")
            .await
            .contains("there are /live, /ready and /metrics")
    );
}

#[tokio::test]
async fn verbose_names_each_latch_and_dependency() {
    let readiness = Readiness::new();
    let _latch = readiness.latch("topology");
    readiness.latch("store").release();
    readiness
        .dependency("broker", Need::Required)
        .down("connection refused");
    readiness.dependency("cache", Need::Optional).down("slow");
    let (address, _tasks) = serve(&readiness, "").await;
    let answer = get(address, "/ready?verbose", "").await;
    let lines: Vec<&str> = answer.split("\r\n\r\n").nth(1).unwrap().lines().collect();
    assert_eq!(
        lines,
        [
            "[+] latch store: ok",
            "[-] latch topology: not done yet",
            "[-] dependency broker: connection refused",
            "[~] dependency cache: slow",
            "not ready",
        ]
    );
}

#[tokio::test]
async fn metrics_tell_build_readiness_and_dependencies() {
    let readiness = Readiness::new();
    readiness.dependency("broker", Need::Required).up();
    let (address, _tasks) = serve(&readiness, "").await;
    let answer = get(address, "/metrics", "").await;
    for line in [
        "content-type: text/plain; version=0.0.4",
        "assay_build_info{service=\"probe\",version=\"1.2.3\"} 1",
        "assay_process_ready{service=\"probe\"} 1",
        "assay_dependency_up{service=\"probe\",dependency=\"broker\"} 1",
        "assay_task_failures_total{service=\"probe\",reason=\"panic\"} 0",
        "assay_process_resident_memory_bytes{service=\"probe\"}",
        "assay_process_uptime_seconds{service=\"probe\"}",
        "assay_process_cpu_seconds{service=\"probe\"}",
        "assay_process_threads{service=\"probe\"}",
        "assay_process_open_fds{service=\"probe\"}",
        "assay_process_max_fds{service=\"probe\"}",
        "assay_runtime_busy_ratio{service=\"probe\"}",
        "assay_config_hash{service=\"probe\"}",
    ] {
        assert!(answer.contains(line), "{line} is not in {answer}");
    }
}

#[tokio::test]
async fn a_token_guards_all_but_the_probes() {
    let (address, _tasks) = serve(&Readiness::new(), "t0ken").await;
    let good = "Authorization: Bearer t0ken\r\n";
    assert_eq!(status(&get(address, "/live", "").await), 200);
    assert_eq!(status(&get(address, "/ready", "").await), 200);
    for path in ["/ready?verbose", "/metrics"] {
        assert_eq!(status(&get(address, path, "").await), 401);
        assert_eq!(
            status(&get(address, path, "Authorization: Bearer t0keN\r\n").await),
            401
        );
        assert_eq!(status(&get(address, path, good).await), 200);
    }
}

#[tokio::test]
async fn a_taken_port_is_told_in_one_sentence() {
    let (address, _tasks) = serve(&Readiness::new(), "").await;
    let metrics = Metrics::new("probe", "1", &[]).unwrap();
    let taken = settings(&address.to_string(), "");
    let error = Admin::bind(&taken, Readiness::new(), metrics)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "cannot listen on {address}: the address is already in use; stop what listens there or set \
             `admin.listen` (ASSAY__ADMIN__LISTEN) to another address"
        )
    );
}
