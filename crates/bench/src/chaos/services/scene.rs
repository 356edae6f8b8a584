//! An installation of its own: a Redis, in full mode a RabbitMQ, processes, a client with its ledger.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use assay_api::v1;
use assay_probe::journal::now_us;
use assay_probe::{Act, Entry, Journal, Script};
use assay_test_support::fleet::{Member, Role, Start};
use assay_test_support::port;
use assay_test_support::redis::{RedisOptions, RedisServer};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::load::{self, Load, Pace, Told};
use super::{Mode, Scale, Setup};
use crate::chaos::CONTENT;
use crate::client::{self, Client};
use crate::ledger::Ledger;

mod alarm;
mod broker;
mod copies;
mod health;
mod waits;

pub(super) use alarm::Alarm;
pub(super) use broker::{Broker, left};
pub(super) use health::{all_run, turns};
pub(super) use waits::passages;

/// How long a state may take that does not wait for a lease.
pub(super) const SOON: Duration = Duration::from_secs(30);
/// How long a state may take that waits for leases, backlogs and second attempts.
pub(super) const LATER: Duration = Duration::from_secs(120);
/// Jobs that a worker runs at once.
const CONCURRENCY: usize = 32;

/// What is not as usual about a process.
#[derive(Clone, Debug, Default)]
pub(super) struct How {
    /// The way to Redis; directly, unless said otherwise.
    pub(super) redis: Option<SocketAddr>,
    /// The way to RabbitMQ; directly, unless said otherwise.
    pub(super) rabbit: Option<SocketAddr>,
    /// Failpoints.
    pub(super) armed: Vec<String>,
    /// Settings, as `section.key`.
    pub(super) settings: Vec<(&'static str, String)>,
}

/// One installation and what its client knows.
pub(super) struct Scene {
    pub(super) redis: RedisServer,
    /// In full mode.
    pub(super) broker: Option<Broker>,
    pub(super) gateway: SocketAddr,
    pub(super) ledger: Ledger,
    pub(super) chance: StdRng,
    /// When faults were made, in microseconds since the epoch.
    pub(super) faults_us: Vec<u64>,
    /// How many messages the row has had put away for people.
    pub(super) dead_letters: u64,
    /// Jobs that the row has had forgotten by hand, or may have.
    pub(super) forgotten: BTreeSet<String>,
    setup: Setup,
    started: Cell<usize>,
    requested: usize,
    content_id: String,
}

impl Scene {
    /// Starts the servers, and nothing that uses them.
    pub(super) async fn open(setup: &Setup, options: RedisOptions) -> anyhow::Result<Self> {
        let broker = match setup.mode {
            Mode::Redis => None,
            Mode::Full => Some(Broker::start().await?),
        };
        Ok(Self {
            redis: RedisServer::start(options).await?,
            broker,
            gateway: (Ipv4Addr::LOCALHOST, port::free()?).into(),
            ledger: Ledger::default(),
            chance: StdRng::seed_from_u64(setup.seed),
            faults_us: Vec::new(),
            dead_letters: 0,
            forgotten: BTreeSet::new(),
            setup: setup.clone(),
            started: Cell::new(0),
            requested: 0,
            content_id: String::new(),
        })
    }

    /// Starts a process and waits until it is ready.
    pub(super) async fn start(&self, role: Role, how: &How) -> anyhow::Result<Member> {
        let number = self.started.get();
        self.started.set(number + 1);
        let (name, program) = match role {
            Role::Gateway => ("gateway", &self.setup.programs.gateway),
            Role::Scheduler => ("scheduler", &self.setup.programs.scheduler),
            Role::Worker => ("worker", &self.setup.programs.worker),
        };
        let mut member = Member::new(Start {
            program: program.clone(),
            settings: self.settings(role, how),
            admin: (Ipv4Addr::LOCALHOST, port::free()?).into(),
            log: self.setup.folder.join(format!("{number:02}-{name}.log")),
        });
        member.launch()?;
        member.ready().await?;
        Ok(member)
    }

    /// Starts a process as usual and waits until it is ready.
    pub(super) async fn usual(&self, role: Role) -> anyhow::Result<Member> {
        self.start(role, &How::default()).await
    }

    /// Starts a gateway, and stores the content that every job names.
    pub(super) async fn open_gateway(&mut self, how: &How) -> anyhow::Result<Member> {
        let gateway = self.start(Role::Gateway, how).await?;
        let mut client = Client::connect(self.gateway).await?;
        self.content_id = client.upload(CONTENT).await?;
        Ok(gateway)
    }

    fn settings(&self, role: Role, how: &How) -> Vec<(String, String)> {
        let redis = how.redis.unwrap_or_else(|| self.redis.address());
        let blobs = self.setup.folder.join("blobs");
        let mut settings = vec![
            ("blob.folder", blobs.display().to_string()),
            ("redis.host", redis.ip().to_string()),
            ("redis.port", redis.port().to_string()),
        ];
        if let Some(broker) = &self.broker {
            settings.extend(broker.settings(how.rabbit));
        }
        match role {
            Role::Gateway => {
                settings.push(("gateway.listen", self.gateway.to_string()));
                settings.push(("gateway.http_listen", String::new()));
            }
            Role::Scheduler => {}
            Role::Worker => {
                settings.push(("probe.journal", self.journal().display().to_string()));
                settings.push(("worker.concurrency", CONCURRENCY.to_string()));
                if self.setup.scale == Scale::Short {
                    settings.push(("worker.lease_ms", "1500".to_owned()));
                    settings.push(("worker.renew_ms", "400".to_owned()));
                }
            }
        }
        settings.extend(how.settings.iter().cloned());
        let armed = [self.setup.planted.as_slice(), how.armed.as_slice()].concat();
        if !armed.is_empty() {
            settings.push(("failpoints.armed", armed.join(",")));
        }
        // What is said last counts.
        let owned = |(key, value): (&str, String)| (key.to_owned(), value);
        settings.into_iter().map(owned).collect()
    }

    fn journal(&self) -> PathBuf {
        self.setup.folder.join("journal")
    }

    /// What the handlers noted so far.
    pub(super) fn entries(&self) -> anyhow::Result<Vec<Entry>> {
        let journal = self.journal();
        if !journal.exists() {
            return Ok(Vec::new());
        }
        Journal::read(&journal).context("read the journal")
    }

    /// The broker of a row that is for full mode alone.
    pub(super) fn broker(&mut self) -> anyhow::Result<&mut Broker> {
        self.broker.as_mut().context("this row is for full mode")
    }

    /// How much is done.
    pub(super) fn scale(&self) -> Scale {
        self.setup.scale
    }

    /// Where everything of the row is kept.
    pub(super) fn folder(&self) -> &Path {
        &self.setup.folder
    }

    /// A fault is made now.
    pub(super) fn fault(&mut self) {
        self.faults_us.push(now_us());
    }

    /// A request that the ledger knows of.
    pub(super) fn request(&mut self, script: &Script) -> v1::SubmitJobRequest {
        let request_id = format!("request-{}", self.requested);
        self.requested += 1;
        let request = client::request(&self.content_id, &request_id, script);
        self.ledger.sent(&request);
        request
    }

    /// Requests that all do the same.
    pub(super) fn requests(&mut self, jobs: usize, acts: &[Act]) -> Vec<v1::SubmitJobRequest> {
        let script = Script(acts.to_vec());
        (0..jobs).map(|_| self.request(&script)).collect()
    }

    /// Requests of which some fail first and some have large results.
    pub(super) fn mixed(&mut self, jobs: usize) -> Vec<v1::SubmitJobRequest> {
        let mut scripts = Vec::new();
        scripts.resize_with(jobs, || load::mixed(&mut self.chance));
        scripts.iter().map(|script| self.request(script)).collect()
    }

    /// Sends requests in the background.
    pub(super) fn load(&self, requests: Vec<v1::SubmitJobRequest>, pace: Pace) -> Load {
        Load::start(self.gateway, requests, pace)
    }

    /// Waits for a load to end and writes down what it was told.
    pub(super) async fn join(&mut self, load: Load) -> anyhow::Result<()> {
        load.told().await?.enter(&mut self.ledger)
    }

    /// Sends requests that must all be accepted; the ids of their jobs.
    pub(super) async fn accept(
        &mut self,
        requests: Vec<v1::SubmitJobRequest>,
    ) -> anyhow::Result<BTreeSet<String>> {
        let mut told = Told::default();
        load::submit(self.gateway, &requests, &mut told).await;
        told.enter(&mut self.ledger)?;
        let job_of = |request: &v1::SubmitJobRequest| {
            let job_id = self.ledger.job_of(&request.request_id);
            job_id.map(str::to_owned)
        };
        let jobs: BTreeSet<String> = requests.iter().filter_map(job_of).collect();
        anyhow::ensure!(
            jobs.len() == requests.len(),
            "of {} requests {} were accepted; refused: {:?}",
            requests.len(),
            jobs.len(),
            self.ledger.refused().next()
        );
        Ok(jobs)
    }
}
