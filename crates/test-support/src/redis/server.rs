//! A Redis of a test's own.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tempfile::TempDir;

use super::aof;
use super::client::{Client, Reply};
use super::options::RedisOptions;
use super::program::Program;
use crate::apt::search_path;
use crate::leash::Signal;
use crate::port;
use crate::restartable::{Patience, Restartable};

const PATIENCE: Patience = Patience {
    ready_within: Duration::from_secs(60),
    look_period: Duration::from_millis(2),
    end_within: Duration::from_secs(30),
};
/// Ports that are tried: another process may take one between the choice and the start.
const PORT_TRIES: u32 = 8;

/// What Redis logs when its port is taken.
const PORT_TAKEN: &str = "Address already in use";

/// A private Redis with its own data folder. Killed by process id when dropped, and when the test is killed.
#[derive(Debug)]
pub struct RedisServer {
    // Before the folder: what runs ends before its files go.
    process: Restartable,
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
            let folder = folder.context("make a folder for Redis")?;
            let log = folder.path().join("redis.log");
            let mut server = Self {
                process: Restartable::new("Redis", log, PATIENCE),
                folder,
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
        let mut command = self.program.command();
        command.arg(&file).current_dir("/");
        let start = Instant::now();
        self.process.launch(&mut command, self.folder.path())?;
        while !self.answers() {
            self.process.look_later(start).await?;
        }
        Ok(())
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
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

    /// Kills it as the kernel would: kill -9. What it wrote before is in the system's cache and comes back.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.process.end(Signal::KILL).await
    }

    /// Stops it in order: kill -TERM, after which everything is on disk.
    ///
    /// # Errors
    /// When it does not run, or does not stop.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        self.process.end(Signal::TERM).await
    }

    /// Halts it without closing a connection: clients see a server that does not answer.
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
        self.process.log()
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
