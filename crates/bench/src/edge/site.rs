//! The processes of one measurement, and what its gateway costs.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::Context;
use assay_probe::Script;
use assay_test_support::fleet::{Fleet, Plan, Role};
use assay_test_support::port;

use crate::client::{self, Client};
use crate::process;

/// The name of the one worker.
const WORKER: &str = "worker-1";

/// How much a site takes.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Connections to each port of the gateway.
    pub connections: usize,
    /// Watchers of the gateway.
    pub watchers: usize,
    /// Workers, none or one.
    pub workers: usize,
    /// Jobs that the worker runs at once.
    pub concurrency: usize,
}

/// An installation with nobody else's jobs in it.
#[derive(Debug)]
pub struct Site {
    fleet: Fleet,
    /// Where the gateway serves gRPC.
    pub grpc: SocketAddr,
    /// Where it serves HTTP.
    pub http: SocketAddr,
}

impl Site {
    /// Starts a gateway, a scheduler, and a worker if there is room for one.
    ///
    /// # Errors
    /// When one of them is not ready in time.
    pub async fn start(programs: &Path, room: Room) -> anyhow::Result<Self> {
        let http = SocketAddr::from((Ipv4Addr::LOCALHOST, port::free()?));
        let mut plan = Plan::new(programs).workers("probe-worker", room.workers);
        for (role, key, value) in [
            (Role::Gateway, "gateway.http_listen", http.to_string()),
            (
                Role::Gateway,
                "gateway.connections_max",
                room.connections.to_string(),
            ),
            (
                Role::Gateway,
                "gateway.watchers_max",
                room.watchers.to_string(),
            ),
            (
                Role::Worker,
                "worker.concurrency",
                room.concurrency.to_string(),
            ),
        ] {
            plan = plan.set(role, key, &value);
        }
        let fleet = plan.start().await?;
        Ok(Self {
            grpc: fleet.gateway(),
            http,
            fleet,
        })
    }

    /// Ends the worker: jobs wait until it is back.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn send_worker_away(&mut self) -> anyhow::Result<()> {
        self.fleet.by_name(WORKER)?.terminate().await.map(drop)
    }

    /// Starts the worker again.
    ///
    /// # Errors
    /// When it is not ready in time.
    pub async fn bring_worker_back(&mut self) -> anyhow::Result<()> {
        self.fleet.restart(WORKER).await
    }

    /// Submits a job for each script; their ids.
    ///
    /// # Errors
    /// When one is not accepted.
    pub async fn submit(&self, scripts: &[Script]) -> anyhow::Result<Vec<String>> {
        let mut client = Client::connect(self.grpc).await?;
        let content_id = client.upload(b"edge").await?;
        let mut jobs = Vec::with_capacity(scripts.len());
        for script in scripts {
            let request = client::request(&content_id, "", script);
            let submitted = client.jobs.submit_job(request).await?.into_inner();
            jobs.push(submitted.job.unwrap_or_default().id);
        }
        Ok(jobs)
    }

    /// Resident memory of the gateway in bytes.
    ///
    /// # Errors
    /// When it has ended.
    pub fn resident_bytes(&mut self) -> anyhow::Result<u64> {
        process::resident_bytes(self.gateway_pid()?)
    }

    /// CPU seconds that the gateway has used.
    ///
    /// # Errors
    /// When it has ended.
    pub fn cpu_seconds(&mut self) -> anyhow::Result<f64> {
        process::cpu_seconds(self.gateway_pid()?)
    }

    fn gateway_pid(&mut self) -> anyhow::Result<u32> {
        let gateway = self.fleet.by_name("gateway")?;
        gateway.pid().context("find the process of the gateway")
    }
}
