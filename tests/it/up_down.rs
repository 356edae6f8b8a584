//! `make up` and `make down`, as their program is called by the Makefile.
//!
//! Two threads: one waits for programs, while the other lets a client close its connection.

use std::path::Path;
use std::process::{Command, Output};

use assay_api::v1;
use assay_bench::client::{self, Client};
use assay_probe::Script;
use assay_test_support::leash::{self, Signal};
use assay_test_support::local::{Record, State};
use assay_test_support::rabbit::Prefix;
use assay_test_support::redis::Database;
use assay_test_support::wait::wait_until;
use tempfile::TempDir;

/// Variables that name servers of somebody's own.
const NAMED: [&str; 7] = [
    "REDIS_HOST",
    "REDIS_PORT",
    "REDIS_DB",
    "ASSAY__REDIS__HOST",
    "RABBITMQ_URL",
    "ASSAY__RABBITMQ__URL",
    "ASSAY__RABBITMQ__URL_FILE",
];
const SERVICES: [&str; 3] = ["gateway", "scheduler", "verification-worker"];

/// A folder that holds what is up; whatever happens, nothing of it stays.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn command(&self, word: &str) -> Command {
        let mut command = Command::new(e2e::program("local").unwrap());
        command.arg(word).arg(self.0.path());
        command.env("ASSAY__GATEWAY__LISTEN", "127.0.0.1:0");
        command.env("ASSAY__GATEWAY__HTTP_LISTEN", "127.0.0.1:0");
        for variable in NAMED {
            command.env_remove(variable);
        }
        command
    }

    fn up(&self) -> Output {
        self.command("up").output().unwrap()
    }

    fn up_in(&self, mode: &str) -> Output {
        self.command("up").arg(mode).output().unwrap()
    }

    fn down(&self) -> Output {
        self.command("down").output().unwrap()
    }

    fn records(&self) -> Vec<Record> {
        State::open(self.0.path()).unwrap().records().to_vec()
    }

    fn names(&self) -> Vec<String> {
        let records = self.records().into_iter();
        records.map(|record| record.name).collect()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(self.command("down").output());
    }
}

fn said(output: &Output) -> String {
    let bytes = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8(bytes).unwrap()
}

async fn client(said: &str) -> Client {
    let (_, behind) = said.split_once("API          http://").unwrap();
    let address = behind.split(' ').next().unwrap().parse().unwrap();
    Client::connect(address).await.unwrap()
}

async fn answers(said: &str) {
    let mut client = client(said).await;
    client.upload(b"content").await.unwrap();
}

/// A job comes to an end: all services and what is between them work together.
async fn works(said: &str) {
    let mut client = client(said).await;
    let content_id = client.upload(b"content").await.unwrap();
    let request = client::request(&content_id, "", &Script::default());
    let submitted = client.jobs.submit_job(request).await.unwrap();
    let job_id = submitted.into_inner().job.unwrap().id;
    wait_until("the job has ended", || {
        let (mut jobs, job_id) = (client.jobs.clone(), job_id.clone());
        async move {
            let job = jobs.get_job(v1::GetJobRequest { job_id }).await.unwrap();
            let state = job.into_inner().state();
            [v1::JobState::Succeeded, v1::JobState::Failed].contains(&state)
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_up_is_used_found_again_and_stopped() {
    let place = Place::new();
    let up = place.up();
    assert!(up.status.success(), "{}", said(&up));
    answers(&said(&up)).await;
    let records = place.records();
    assert_eq!(
        place.names(),
        ["redis", "gateway", "scheduler", "verification-worker"]
    );
    let redis = Path::new("redis").join("redis.conf");
    let config = std::fs::read_to_string(place.0.path().join(redis)).unwrap();
    assert!(config.contains("\nappendfsync always\n"), "{config}");

    let again = place.up();
    assert!(again.status.success(), "{}", said(&again));
    assert!(
        said(&again).starts_with("Assay is up already: redis (process"),
        "{}",
        said(&again)
    );
    assert_eq!(place.records(), records);

    let down = place.down();
    assert!(down.status.success(), "{}", said(&down));
    for record in &records {
        assert!(!record.runs(), "{} still runs", record.name);
        assert!(said(&down).contains(&format!("stopped {} (process {})", record.name, record.pid)));
    }
    assert_eq!(said(&place.down()), "Nothing is up.\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_crash_the_rest_is_told_and_stopped() {
    let place = Place::new();
    assert!(place.up().status.success());
    let records = place.records();
    let gateway = records
        .iter()
        .find(|record| record.name == "gateway")
        .unwrap();
    leash::send(gateway.pid, Signal::KILL).unwrap();
    wait_until("the gateway is gone", || async { !gateway.runs() }).await;
    let up = place.up();
    assert!(!up.status.success());
    assert!(
        said(&up).contains("runs without gateway: run `make down`"),
        "{}",
        said(&up)
    );
    let down = place.down();
    assert!(!said(&down).contains("gateway"), "{}", said(&down));
    assert!(records.iter().all(|record| !record.runs()));
    let up = place.up();
    assert!(up.status.success(), "{}", said(&up));
    answers(&said(&up)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_given_redis_is_used_and_left_alone() {
    let place = Place::new();
    let database = Database::take();
    let mut up = place.command("up");
    up.env("REDIS_HOST", database.address.ip().to_string())
        .env("REDIS_PORT", database.address.port().to_string())
        .env("REDIS_DB", database.number.to_string());
    let up = up.output().unwrap();
    assert!(up.status.success(), "{}", said(&up));
    answers(&said(&up)).await;
    assert_eq!(place.names(), SERVICES);
    assert!(place.down().status.success());
    assert!(
        database
            .client()
            .unwrap()
            .run(&["DBSIZE"])
            .unwrap()
            .integer()
            > Some(0)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_start_is_told_and_leaves_nothing() {
    let place = Place::new();
    let mut up = place.command("up");
    let up = up
        .env("ASSAY__GATEWAY__LISTEN", "nowhere")
        .output()
        .unwrap();
    assert!(!up.status.success());
    assert!(
        said(&up).starts_with("gateway ended with exit status: 78: "),
        "{}",
        said(&up)
    );
    assert!(
        said(&up).contains("`gateway.listen` must be an address"),
        "{}",
        said(&up)
    );
    assert_eq!(place.records(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_mode_has_a_rabbitmq_of_its_own_whose_data_stay() {
    let place = Place::new();
    let up = place.up_in("full");
    assert!(up.status.success(), "{}", said(&up));
    assert!(said(&up).starts_with("Assay is up, in full mode:"));
    works(&said(&up)).await;
    let records = place.records();
    let servers = ["redis", "epmd", "rabbitmq"];
    assert_eq!(place.names(), [servers, SERVICES].concat());
    let address = &records[2].address;
    let line = format!("RabbitMQ     {address}, its data stays in ");
    assert!(said(&up).contains(&line), "{}", said(&up));

    let down = place.down();
    assert!(down.status.success(), "{}", said(&down));
    let down = said(&down);
    let stopped = |name: &str| down.find(&format!("stopped {name} ")).unwrap();
    for record in &records {
        assert!(!record.runs(), "{} still runs", record.name);
    }
    for service in SERVICES {
        assert!(stopped(service) < stopped("rabbitmq"), "{down}");
    }
    assert!(stopped("rabbitmq") < stopped("epmd"), "{down}");

    let began_empty = || {
        let log = std::fs::read_to_string(place.0.path().join("rabbitmq.log")).unwrap();
        log.contains("is empty. Assuming we need to join an existing cluster")
    };
    assert!(began_empty());
    let up = place.up_in("full");
    assert!(up.status.success(), "{}", said(&up));
    assert!(!began_empty());
    works(&said(&up)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_given_rabbitmq_makes_full_mode() {
    let place = Place::new();
    let (database, prefix) = (Database::take(), Prefix::take());
    let mut up = place.command("up");
    up.env("REDIS_HOST", database.address.ip().to_string())
        .env("REDIS_PORT", database.address.port().to_string())
        .env("REDIS_DB", database.number.to_string())
        .env("RABBITMQ_URL", &prefix.url)
        .env("ASSAY__RABBITMQ__PREFIX", &prefix.name);
    let up = up.output().unwrap();
    assert!(up.status.success(), "{}", said(&up));
    let (login, host) = prefix.url.rsplit_once('@').unwrap();
    let line = format!("RabbitMQ     {host} (yours)");
    assert!(said(&up).contains(&line), "{}", said(&up));
    assert!(!said(&up).contains(login), "{}", said(&up));
    assert!(said(&up).starts_with("Assay is up, in full mode:"));
    assert_eq!(place.names(), SERVICES);
    works(&said(&up)).await;
}
