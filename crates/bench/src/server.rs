//! A server process under test.

use std::fs::OpenOptions;
use std::io::{Read, Seek, SeekFrom};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::Instant;

use crate::process;

/// How long a server may take to be ready.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// Between two looks at whether it is.
const READY_POLL: Duration = Duration::from_millis(5);

/// Takes any free port on loopback.
const ANY_PORT: &str = "127.0.0.1:0";

/// How to start a server.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The program.
    pub program: PathBuf,
    /// Words before the flags that every server here has.
    pub words: Vec<String>,
    /// Where it keeps its jobs.
    pub data_dir: PathBuf,
    /// Settings, as `ASSAY__SECTION__KEY` and value.
    pub settings: Vec<(String, String)>,
    /// Where its log goes.
    pub log: PathBuf,
}

/// A running server. Killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where its gateway listens.
    pub gateway: SocketAddr,
    /// Where its admin port listens.
    pub admin: SocketAddr,
}

impl Server {
    /// Starts a server and waits until it is ready.
    ///
    /// # Errors
    /// When it does not start, ends, or is not ready in time.
    pub async fn start(plan: &Plan) -> anyhow::Result<Self> {
        let mut log = OpenOptions::new()
            .create(true)
            .append(true)
            .read(true)
            .open(&plan.log)
            .context("open server log")?;
        let logged_before = log.seek(SeekFrom::End(0))?;
        let mut command = Command::new(&plan.program);
        command
            .args(&plan.words)
            .arg("--data-dir")
            .arg(&plan.data_dir);
        // Any free ports: the server's own words say which it took.
        command.args(["--listen", ANY_PORT, "--admin", ANY_PORT]);
        command.envs(
            plan.settings
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_str())),
        );
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log.try_clone()?)
            .kill_on_drop(true);
        let mut child = command
            .spawn()
            .with_context(|| format!("start {}", plan.program.display()))?;
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            if let Some(status) = child.try_wait()? {
                bail!(
                    "the server ended with {status} before it was ready; see {}",
                    plan.log.display()
                );
            }
            let mut said = String::new();
            log.seek(SeekFrom::Start(logged_before))?;
            log.read_to_string(&mut said)?;
            if let (Some(gateway), Some(admin)) = (
                address_before(&said, " (gRPC)"),
                address_before(&said, " (/live"),
            ) {
                return Ok(Self {
                    child,
                    gateway,
                    admin,
                });
            }
            anyhow::ensure!(
                Instant::now() < deadline,
                "the server is not ready after {READY_WITHIN:?}: {said}"
            );
            tokio::time::sleep(READY_POLL).await;
        }
    }

    /// Kills it as the kernel would: no signal handler runs.
    ///
    /// # Errors
    /// When it can't be waited for.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("kill the server")
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn is_running(&mut self) -> anyhow::Result<bool> {
        Ok(self
            .child
            .try_wait()
            .context("look at the server")?
            .is_none())
    }

    /// Waits until it has ended by itself.
    ///
    /// # Errors
    /// When it goes on.
    pub async fn ended(&mut self) -> anyhow::Result<()> {
        let ended = tokio::time::timeout(READY_WITHIN, self.child.wait()).await;
        ended
            .context("wait for the server to end")?
            .context("wait for the server")?;
        Ok(())
    }

    /// Asks it to end and waits until it has: its exit code, or none if a signal ended it.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn terminate(mut self) -> anyhow::Result<Option<i32>> {
        let asked = Command::new("kill")
            .arg("-TERM")
            .arg(self.pid().to_string())
            .status()
            .await;
        anyhow::ensure!(
            asked.context("run kill")?.success(),
            "kill did not find the server"
        );
        let ended = tokio::time::timeout(READY_WITHIN, self.child.wait()).await;
        Ok(ended
            .context("wait for the server to end")?
            .context("wait for the server")?
            .code())
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id().unwrap_or(0)
    }

    /// Resident memory in bytes.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn resident_bytes(&self) -> anyhow::Result<u64> {
        process::resident_bytes(self.pid())
    }

    /// CPU seconds that it has used.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn cpu_seconds(&self) -> anyhow::Result<f64> {
        process::cpu_seconds(self.pid())
    }

    /// The sum over all series of a metric whose line holds `label`.
    ///
    /// # Errors
    /// When the admin port does not answer.
    pub async fn metric(&self, name: &str, label: &str) -> anyhow::Result<f64> {
        let page = get(self.admin, "/metrics").await?;
        Ok(sum_of(&page, name, label))
    }
}

/// The sum over all series of a metric, on a page of them, whose line holds `label`.
pub(crate) fn sum_of(page: &str, name: &str, label: &str) -> f64 {
    let of_metric = |line: &&str| {
        line.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(['{', ' ']))
    };
    let lines = page
        .lines()
        .filter(of_metric)
        .filter(|line| line.contains(label));
    lines
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}

/// The address in the banner that stands before `words`.
fn address_before(said: &str, words: &str) -> Option<SocketAddr> {
    let (before, _) = said.split_once(words)?;
    before.rsplit("http://").next()?.parse().ok()
}

/// One HTTP GET, answer and all.
pub(crate) async fn get(address: SocketAddr, path: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
