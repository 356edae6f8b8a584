//! An installation of its own: a Redis, processes, a client with its ledger.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use assay_api::v1;
use assay_failpoint::Step;
use assay_probe::journal::now_us;
use assay_probe::{Act, Entry, Journal, Mark, Script};
use assay_test_support::fleet::{Member, Role, Start};
use assay_test_support::port;
use assay_test_support::redis::{RedisOptions, RedisServer};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::load::{self, Load, Pace, Told};
use super::until::until;
use super::{Scale, Setup};
use crate::chaos::CONTENT;
use crate::client::{self, Client};
use crate::ledger::Ledger;

/// How long a state may take that does not wait for a lease.
pub(super) const SOON: Duration = Duration::from_secs(30);
/// How long a state may take that waits for leases, backlogs and second attempts.
pub(super) const LATER: Duration = Duration::from_secs(120);
/// Jobs that a worker runs at once.
const CONCURRENCY: usize = 32;

/// States of a job that has not ended.
const UNFINISHED: [v1::JobState; 7] = {
    use v1::JobState::{Accepted, Cancelling, Queued, Retrying, Running, Scheduled, Waiting};
    [
        Accepted, Scheduled, Queued, Running, Retrying, Waiting, Cancelling,
    ]
};

/// What is not as usual about a process.
#[derive(Clone, Debug, Default)]
pub(super) struct How {
    /// The way to Redis; directly, unless said otherwise.
    pub(super) redis: Option<SocketAddr>,
    /// Failpoints.
    pub(super) armed: Vec<String>,
    /// Settings, as `section.key`.
    pub(super) settings: Vec<(&'static str, String)>,
}

/// One installation and what its client knows.
pub(super) struct Scene {
    pub(super) redis: RedisServer,
    pub(super) gateway: SocketAddr,
    pub(super) ledger: Ledger,
    pub(super) chance: StdRng,
    /// When faults were made, in microseconds since the epoch.
    pub(super) faults_us: Vec<u64>,
    setup: Setup,
    started: Cell<usize>,
    requested: usize,
    content_id: String,
}

impl Scene {
    /// Starts a Redis, and nothing that uses it.
    pub(super) async fn open(setup: &Setup, options: RedisOptions) -> anyhow::Result<Self> {
        Ok(Self {
            redis: RedisServer::start(options).await?,
            gateway: (Ipv4Addr::LOCALHOST, port::free()?).into(),
            ledger: Ledger::default(),
            chance: StdRng::seed_from_u64(setup.seed),
            faults_us: Vec::new(),
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
        match role {
            Role::Gateway => settings.push(("gateway.listen", self.gateway.to_string())),
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

    /// Waits until so many of `jobs` have a mark in the journal.
    pub(super) async fn marked(
        &self,
        mark: Mark,
        jobs: &BTreeSet<String>,
        count: usize,
        within: Duration,
    ) -> anyhow::Result<()> {
        let what = format!("{count} jobs have {mark:?}");
        let look = async || {
            let entries = self.entries()?;
            let of_mark = entries.iter().filter(|entry| entry.mark == mark);
            let marked: BTreeSet<&String> = of_mark.map(|entry| &entry.job_id).collect();
            let marked = marked.into_iter().filter(|id| jobs.contains(*id)).count();
            Ok((marked >= count).then_some(()))
        };
        until(&what, within, look).await
    }

    /// Waits until every job has ended.
    pub(super) async fn calm(&self) -> anyhow::Result<()> {
        let mut client = Client::connect(self.gateway).await?;
        let request = v1::ListJobsRequest {
            page_size: 1,
            states: UNFINISHED.map(i32::from).to_vec(),
            ..v1::ListJobsRequest::default()
        };
        let look = async || {
            let page = client.jobs.list_jobs(request.clone()).await?.into_inner();
            Ok(page.jobs.is_empty().then_some(()))
        };
        until("every job has ended", LATER, look).await
    }

    /// How many quick jobs a second go from submit to their end, with nothing before them.
    pub(super) async fn throughput(&mut self) -> anyhow::Result<f64> {
        // What does not end is the audit's to tell.
        drop(self.calm().await);
        let jobs = self.setup.scale.pick(1_500, 150);
        let requests = self.requests(jobs, &[Act::Progress]);
        let start_us = now_us();
        let jobs = self.accept(requests).await?;
        self.marked(Mark::Finished, &jobs, jobs.len(), LATER)
            .await?;
        let took = Duration::from_micros(now_us().saturating_sub(start_us));
        let jobs = u32::try_from(jobs.len()).unwrap_or(u32::MAX);
        Ok(f64::from(jobs) / took.as_secs_f64())
    }
}

/// How often a process came by an armed step.
pub(super) fn passages(member: &Member, step: Step) -> anyhow::Result<usize> {
    let said = std::fs::read_to_string(member.log()).context("read the log of a process")?;
    Ok(said.matches(&assay_failpoint::reached(step)).count())
}
