//! A Redis of a test's own.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tempfile::TempDir;

use super::aof;
use super::client::{Client, Reply};
use super::options::RedisOptions;
use super::program::Program;
use crate::apt::search_path;
use crate::leash::{Leash, Signal};
use crate::log::{append, last_words};
use crate::port;

/// How long a server may take to load its data and be ready.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How long it may take to end when asked.
const END_WITHIN: Duration = Duration::from_secs(30);
/// Between two looks at it.
const LOOK_PERIOD: Duration = Duration::from_millis(2);
/// Ports that are tried: another process may take one between the choice and the start.
const PORT_TRIES: u32 = 8;

/// What Redis logs when its port is taken.
const PORT_TAKEN: &str = "Address already in use";

/// A private Redis with its own data folder. Killed by process id when dropped, and when the test is killed.
#[derive(Debug)]
pub struct RedisServer {
    // Before the folder: what runs ends before its files go.
    process: Option<Leash>,
    folder: TempDir,
    program: Program,
    options: RedisOptions,
    port: u16,
}

impl RedisServer {
    /// Starts a server and waits until it answers.
    ///
    /// # Errors
    /// When there is no Redis on this machine, or it does not start.
    pub async fn start(options: RedisOptions) -> anyhow::Result<Self> {
        let program = Program::find(&search_path())
            .context("find Redis on this machine: `make test` installs it")?;
        Self::start_with(program, options).await
    }

    pub(crate) async fn start_with(
        program: Program,
        options: RedisOptions,
    ) -> anyhow::Result<Self> {
        let mut tries = 0;
        loop {
            tries += 1;
            let port = options.wanted_port().map_or_else(port::free, Ok)?;
            let folder = tempfile::Builder::new().prefix("assay-redis-").tempdir();
            let mut server = Self {
                process: None,
                folder: folder.context("make a folder for Redis")?,
                program: program.clone(),
                options: options.clone(),
                port,
            };
            let Err(error) = server.restart().await else {
                return Ok(server);
            };
            let taken = server.log().is_ok_and(|log| log.contains(PORT_TAKEN));
            if !taken || options.wanted_port().is_some() || tries == PORT_TRIES {
                return Err(error);
            }
        }
    }

    /// Starts it again, on the same port and data, after it was stopped or killed.
    ///
    /// # Errors
    /// When it still runs, or does not start.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        anyhow::ensure!(
            !self.is_running()?,
            "Redis still runs on {}",
            self.address()
        );
        let file = self.folder.path().join("redis.conf");
        let text = self.options.file(self.folder.path(), self.port);
        fs::write(&file, text).context("write redis.conf")?;
        let log = append(&self.log_file())?;
        let mut command = self.program.command();
        command
            .arg(&file)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("share the log of Redis")?)
            .stderr(log);
        self.process = Some(Leash::start(&mut command, Some(self.folder.path()))?);
        self.wait_until_ready().await
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
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

    /// Kills it as the kernel would: kill -9. What it wrote before is in the system's cache and comes back.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.end(Signal::KILL).await
    }

    /// Stops it in order: kill -TERM, after which everything is on disk.
    ///
    /// # Errors
    /// When it does not run, or does not stop.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        self.end(Signal::TERM).await
    }

    /// Halts it without closing a connection: clients see a server that does not answer.
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

    /// The length of the append-only file since it was last rewritten, in bytes.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn aof_bytes(&self) -> anyhow::Result<u64> {
        aof::len(self.folder.path())
    }

    /// Takes the last `bytes` of the append-only file away, as a power cut takes what was not synced.
    ///
    /// # Errors
    /// When the server runs, or the file is shorter.
    pub fn cut_aof(&mut self, bytes: u64) -> anyhow::Result<()> {
        let now = self.aof_bytes()?;
        let left = now.checked_sub(bytes);
        let left = left.with_context(|| format!("the append-only file has only {now} bytes"))?;
        self.truncate_aof(left)
    }

    /// Takes away what the append-only file holds behind `bytes`.
    ///
    /// # Errors
    /// When the server runs, or the file is shorter.
    pub fn truncate_aof(&mut self, bytes: u64) -> anyhow::Result<()> {
        anyhow::ensure!(!self.is_running()?, "stop Redis before its file is cut");
        aof::truncate(self.folder.path(), bytes)
    }

    /// A connection.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn client(&self) -> anyhow::Result<Client> {
        let mut client = Client::connect(self.address())?;
        if let Some(password) = self.options.wanted_password() {
            client.run(&["AUTH", password])?;
        }
        Ok(client)
    }

    /// The value of a directive as it counts now.
    ///
    /// # Errors
    /// When there is no such directive.
    pub fn config_get(&self, directive: &str) -> anyhow::Result<String> {
        let reply = self.client()?.run(&["CONFIG", "GET", directive])?;
        let Reply::List(pair) = reply else {
            bail!("read the answer to CONFIG GET {directive}");
        };
        let value = pair.get(1).and_then(Reply::text);
        value
            .map(str::to_owned)
            .with_context(|| format!("Redis has no directive {directive}"))
    }

    /// Changes a directive until the next start.
    ///
    /// # Errors
    /// When the server refuses it.
    pub fn config_set(&self, directive: &str, value: &str) -> anyhow::Result<()> {
        let mut client = self.client()?;
        client.run(&["CONFIG", "SET", directive, value]).map(drop)
    }

    /// What it logged.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn log(&self) -> anyhow::Result<String> {
        fs::read_to_string(self.log_file()).context("read the log of Redis")
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("redis.log")
    }

    fn running(&mut self) -> anyhow::Result<&mut Leash> {
        self.process.as_mut().context("Redis does not run")
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
                    "Redis ended with {status} before it was ready: {}",
                    last_words(&self.log_file())
                );
            }
            if self.answers() {
                return Ok(());
            }
            anyhow::ensure!(
                start.elapsed() < READY_WITHIN,
                "Redis is not ready after {READY_WITHIN:?}: {}",
                last_words(&self.log_file())
            );
            tokio::time::sleep(LOOK_PERIOD).await;
        }
    }

    /// Whether this server, and not another that was faster on the port, has loaded its data.
    fn answers(&self) -> bool {
        let told = self.client().and_then(|mut client| {
            client.run(&["PING"])?;
            client.info("process_id")
        });
        told.ok() == self.pid().map(|pid| pid.to_string())
    }
}
