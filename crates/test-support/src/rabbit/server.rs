//! A RabbitMQ of a test's own.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use anyhow::Context;
use tempfile::TempDir;

use super::control;
use super::mapper::Mapper;
use super::node::Node;
use super::options::RabbitOptions;
use super::program::{Program, search_path};
use crate::leash::Signal;
use crate::port;
use crate::restartable::{Patience, Restartable};

const PATIENCE: Patience = Patience {
    ready_within: Duration::from_secs(120),
    look_period: Duration::from_millis(20),
    end_within: Duration::from_secs(60),
};
/// Ports that are tried: another process may take one between the choice and the start.
const PORT_TRIES: u32 = 8;

/// What Erlang logs when a port is taken.
const PORT_TAKEN: &str = "eaddrinuse";

/// A private broker with its own data folder. Killed by process id when dropped, and when the test is killed.
#[derive(Debug)]
pub struct RabbitServer {
    // In this order: the broker needs its mapper, and both end before their files go.
    process: Restartable,
    mapper: Mapper,
    folder: TempDir,
    program: Program,
    node: Node,
}

impl RabbitServer {
    /// Starts a broker and waits until it greets.
    ///
    /// # Errors
    /// When there is no RabbitMQ on this machine, or it does not start.
    pub async fn start(options: RabbitOptions) -> anyhow::Result<Self> {
        let program = Program::find(&search_path())
            .context("find RabbitMQ on this machine: `make test` installs it")?;
        Self::start_with(program, options).await
    }

    pub(crate) async fn start_with(
        program: Program,
        options: RabbitOptions,
    ) -> anyhow::Result<Self> {
        let mut tries = 0;
        loop {
            tries += 1;
            let mut server = Self::prepare(program.clone(), &options).await?;
            let Err(error) = server.restart().await else {
                return Ok(server);
            };
            if !server.lost_a_port() || options.wanted_port().is_some() || tries == PORT_TRIES {
                return Err(error);
            }
        }
    }

    /// Whether something else was faster on one of its ports.
    fn lost_a_port(&mut self) -> bool {
        let refused = self.log().is_ok_and(|log| log.contains(PORT_TAKEN));
        refused || !self.mapper.runs()
    }

    async fn prepare(program: Program, options: &RabbitOptions) -> anyhow::Result<Self> {
        let port = options.wanted_port().map_or_else(port::free, Ok)?;
        let folder = tempfile::Builder::new().prefix("assay-rabbitmq-").tempdir();
        let folder = folder.context("make a folder for RabbitMQ")?;
        let name = format!("assay-{}-{port}", std::process::id());
        let node = Node::prepare(folder.path(), name, options, port)?;
        let mapper = Mapper::start(&program, &folder.path().join("epmd.log")).await?;
        Ok(Self {
            process: Restartable::new("RabbitMQ", folder.path().join("rabbitmq.log"), PATIENCE),
            mapper,
            folder,
            program,
            node,
        })
    }

    /// Starts it again, on the same ports and data, after it was stopped or killed.
    ///
    /// # Errors
    /// When it still runs, or does not start.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        anyhow::ensure!(
            !self.is_running()?,
            "RabbitMQ still runs on {}",
            self.address()
        );
        let mut command = self.node.server(&self.program, self.mapper.port);
        let start = Instant::now();
        self.process.launch(&mut command, self.folder.path())?;
        // This broker, and not another that was faster on the port.
        while !self.node.greets() {
            self.process.look_later(start).await?;
        }
        anyhow::ensure!(self.mapper.runs(), "the port mapper of RabbitMQ has ended");
        Ok(())
    }

    /// Runs `rabbitmqctl` against it and returns what that printed, without headers.
    ///
    /// # Errors
    /// When the broker does not run, or refuses, in the words of `rabbitmqctl`.
    pub async fn control(&self, words: &[&str]) -> anyhow::Result<String> {
        let command = self.node.control(&self.program, self.mapper.port);
        control::run(command, words).await
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.node.address()
    }

    /// How clients reach it, with user and password.
    #[must_use]
    pub fn url(&self) -> String {
        self.node.url()
    }

    /// The process id, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.pid()
    }

    /// Its data folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Whether it runs.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn is_running(&mut self) -> anyhow::Result<bool> {
        self.process.is_running()
    }

    /// How it ended, if it did so without being told to.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn ended_with(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        self.process.ended_with()
    }

    /// Has it write down now which data belong to which quorum queue. By itself it does so half a second or more after
    /// a declaration, and a queue that it had not written down when it was killed comes back without its messages
    /// and without a leader, and does not answer until it is deleted.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn keep_queues(&self) -> anyhow::Result<()> {
        let sync = "dets:sync(ra_directory_reverse).";
        self.control(&["eval", sync]).await.map(drop)
    }

    /// Kills it as the kernel would: kill -9. What it wrote before is in the system's cache and comes back; of queues
    /// that are young see [`RabbitServer::keep_queues`].
    ///
    /// # Errors
    /// When it does not run.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.process.end(Signal::KILL).await
    }

    /// Stops it in order: kill -TERM.
    ///
    /// # Errors
    /// When it does not run, or does not stop.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        self.process.end(Signal::TERM).await
    }

    /// Halts it without closing a connection: clients see a broker that does not answer.
    ///
    /// # Errors
    /// When it does not run.
    pub fn pause(&mut self) -> anyhow::Result<()> {
        self.process.signal(Signal::STOP)
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When it does not run.
    pub fn resume(&mut self) -> anyhow::Result<()> {
        self.process.signal(Signal::CONT)
    }

    /// The memory that it holds, in bytes.
    ///
    /// # Errors
    /// When it does not run.
    pub fn memory_bytes(&self) -> anyhow::Result<u64> {
        let pid = self.pid().context("RabbitMQ does not run")?;
        let status = fs::read_to_string(format!("/proc/{pid}/status"));
        let status = status.context("look at the process of RabbitMQ")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kib: u64 = kib.context("find the memory of RabbitMQ")?.parse()?;
        Ok(kib * 1024)
    }

    /// What it logged.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn log(&self) -> anyhow::Result<String> {
        self.process.log()
    }
}
