//! A RabbitMQ of a test's own.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tempfile::TempDir;

use super::control;
use super::mapper::Mapper;
use super::node::Node;
use super::options::RabbitOptions;
use super::program::{Program, search_path};
use crate::leash::{Leash, Signal};
use crate::log::{append, last_words};
use crate::port;

/// How long a broker may take to load its data and be ready.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// How long it may take to end when asked.
const END_WITHIN: Duration = Duration::from_secs(60);
/// Between two looks at it.
const LOOK_PERIOD: Duration = Duration::from_millis(20);
/// Ports that are tried: another process may take one between the choice and the start.
const PORT_TRIES: u32 = 8;

/// What Erlang logs when a port is taken.
const PORT_TAKEN: &str = "eaddrinuse";

/// A private broker with its own data folder. Killed by process id when dropped, and when the test is killed.
#[derive(Debug)]
pub struct RabbitServer {
    // In this order: the broker needs its mapper, and both end before their files go.
    process: Option<Leash>,
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
            process: None,
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
        let log = append(&self.log_file())?;
        let mut command = self.node.server(&self.program, self.mapper.port);
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("share the log of RabbitMQ")?)
            .stderr(log);
        self.process = Some(Leash::start(&mut command, Some(self.folder.path()))?);
        self.wait_until_ready().await
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
        self.process.as_ref().map(Leash::pid)
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
        self.ended_with()
            .map(|status| status.is_none() && self.process.is_some())
    }

    /// How it ended, if it did so without being told to.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn ended_with(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        self.process.as_mut().map_or(Ok(None), Leash::ended)
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
        self.end(Signal::KILL).await
    }

    /// Stops it in order: kill -TERM.
    ///
    /// # Errors
    /// When it does not run, or does not stop.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        self.end(Signal::TERM).await
    }

    /// Halts it without closing a connection: clients see a broker that does not answer.
    ///
    /// # Errors
    /// When it does not run.
    pub fn pause(&mut self) -> anyhow::Result<()> {
        self.running()?.signal(Signal::STOP)
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When it does not run.
    pub fn resume(&mut self) -> anyhow::Result<()> {
        self.running()?.signal(Signal::CONT)
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
        fs::read_to_string(self.log_file()).context("read the log of RabbitMQ")
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("rabbitmq.log")
    }

    fn running(&mut self) -> anyhow::Result<&mut Leash> {
        self.process.as_mut().context("RabbitMQ does not run")
    }

    async fn end(&mut self, signal: Signal) -> anyhow::Result<()> {
        self.running()?.signal(signal)?;
        self.running()?.wait(END_WITHIN).await?;
        self.process = None;
        Ok(())
    }

    async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.ended_with()? {
                bail!(
                    "RabbitMQ ended with {status} before it was ready: {}",
                    last_words(&self.log_file())
                );
            }
            // This broker, and not another that was faster on the port.
            if self.node.greets() {
                anyhow::ensure!(self.mapper.runs(), "the port mapper of RabbitMQ has ended");
                return Ok(());
            }
            anyhow::ensure!(
                start.elapsed() < READY_WITHIN,
                "RabbitMQ is not ready after {READY_WITHIN:?}: {}",
                last_words(&self.log_file())
            );
            tokio::time::sleep(LOOK_PERIOD).await;
        }
    }
}
