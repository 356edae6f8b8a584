//! The service processes of one installation, to be started, killed and started again by name.
//!
//! Addresses stay the same over restarts. Everything lies in a folder that goes with the fleet, and every process
//! is stopped by its id when the fleet is dropped or the test is killed.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::Context;
use tempfile::TempDir;

use crate::port;
use crate::rabbit::RabbitServer;
use crate::redis::RedisServer;

mod member;
mod plan;
mod servers;

pub use member::{Member, PATIENCE, Start};
pub use plan::{Broker, Plan, Role};
use servers::Servers;

/// A running installation.
#[derive(Debug)]
pub struct Fleet {
    // In this order: processes end before their servers, and all of them before their files go.
    members: BTreeMap<String, Member>,
    servers: Servers,
    gateway: SocketAddr,
    folder: TempDir,
}

impl Fleet {
    async fn start(plan: Plan) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("assay-fleet-").tempdir();
        let folder = folder.context("make a folder for the fleet")?;
        let (servers, settings) = Servers::start(&plan).await?;
        let mut fleet = Self {
            members: BTreeMap::new(),
            servers,
            gateway: free_address()?,
            folder,
        };
        for (name, role) in plan.roles() {
            let member = fleet.member(&plan, &name, role, &settings)?;
            fleet.members.insert(name, member);
        }
        fleet.start_all().await?;
        Ok(fleet)
    }

    fn member(
        &self,
        plan: &Plan,
        name: &str,
        role: Role,
        servers: &[(String, String)],
    ) -> anyhow::Result<Member> {
        let mut settings = servers.to_vec();
        let blobs = self.folder.path().join("blobs");
        settings.push(("blob.folder".to_owned(), blobs.display().to_string()));
        if role == Role::Gateway {
            settings.push(("gateway.listen".to_owned(), self.gateway.to_string()));
            settings.push(("gateway.http_listen".to_owned(), String::new()));
        }
        settings.extend(plan.settings(role));
        Ok(Member::new(Start {
            program: plan.program(role)?,
            settings,
            admin: free_address()?,
            log: self.folder.path().join(format!("{name}.log")),
        }))
    }

    /// Starts every process that does not run, and waits until all are ready.
    ///
    /// # Errors
    /// When one of them does not become ready.
    pub async fn start_all(&mut self) -> anyhow::Result<()> {
        for member in self.members.values_mut() {
            if !member.runs()? {
                member.launch()?;
            }
        }
        self.ready().await
    }

    /// Waits until all processes are ready and lack nothing: a gateway without its broker is ready too, and refuses
    /// jobs.
    ///
    /// # Errors
    /// When one of them does not run, or does not become ready.
    pub async fn ready(&mut self) -> anyhow::Result<()> {
        for member in self.members.values_mut() {
            member.whole().await?;
        }
        Ok(())
    }

    /// Starts a process again and waits until it is ready and lacks nothing.
    ///
    /// # Errors
    /// When it runs, or does not become ready.
    pub async fn restart(&mut self, name: &str) -> anyhow::Result<()> {
        let member = self.by_name(name)?;
        member.launch()?;
        member.whole().await
    }

    /// A process: `gateway`, `scheduler-1`, `worker-1` and so on.
    ///
    /// # Errors
    /// When the fleet has none of this name.
    pub fn by_name(&mut self, name: &str) -> anyhow::Result<&mut Member> {
        let known: Vec<&str> = self.members.keys().map(String::as_str).collect();
        let unknown = format!("the fleet has no {name}, but {}", known.join(", "));
        self.members.get_mut(name).context(unknown)
    }

    /// Asks every process to end, the gateway first and the schedulers last, and answers their exit codes.
    ///
    /// # Errors
    /// When one of them does not end.
    pub async fn terminate(&mut self) -> anyhow::Result<BTreeMap<String, Option<i32>>> {
        let mut codes = BTreeMap::new();
        for first in ["gateway", "worker-", "scheduler-"] {
            let named = self
                .members
                .iter_mut()
                .filter(|(name, _)| name.starts_with(first));
            for (name, member) in named {
                if member.runs()? {
                    codes.insert(name.clone(), member.terminate().await?);
                }
            }
        }
        Ok(codes)
    }

    /// The fleet's own Redis, if it has one.
    #[must_use]
    pub fn redis(&mut self) -> Option<&mut RedisServer> {
        self.servers.redis.as_mut()
    }

    /// The fleet's own RabbitMQ, if it has one.
    #[must_use]
    pub fn rabbit(&mut self) -> Option<&mut RabbitServer> {
        self.servers.rabbit.as_mut()
    }

    /// Where the gateway listens.
    #[must_use]
    pub fn gateway(&self) -> SocketAddr {
        self.gateway
    }

    /// The folder of logs and blobs.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file that this fleet may write, gone with it.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// An address that stays free for a server of ours.
fn free_address() -> anyhow::Result<SocketAddr> {
    Ok((Ipv4Addr::LOCALHOST, port::free()?).into())
}
