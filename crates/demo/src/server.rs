//! `assay dev` as a child process: started, found ready, stopped in order.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// For the services to come up.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// For work in hand to end, with a margin over the server's own bound.
const STOPPED_WITHIN: Duration = Duration::from_secs(45);

/// Any free port of this machine, reachable from nowhere else.
const ANY_PORT: &str = "127.0.0.1:0";

const TRUST_FOLDER_VARIABLE: &str = "ASSAY__VERIFICATION__TRUST_FOLDER";

/// A running server. Dropped without [`Server::stop`], it is killed.
pub(crate) struct Server {
    child: Child,
    /// Open as long as the server lives: a closed pipe would be a fault to it.
    _banner: Lines<BufReader<ChildStdout>>,
    url: String,
}

impl Server {
    /// Starts the server and waits until it says that it is ready.
    pub(crate) async fn start(
        assay: &Path,
        data_folder: &Path,
        trust_folder: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(assay);
        command
            .args([
                "dev",
                "--listen",
                ANY_PORT,
                "--admin",
                ANY_PORT,
                "--data-dir",
            ])
            .arg(data_folder);
        if let Some(trust_folder) = trust_folder {
            command.env(TRUST_FOLDER_VARIABLE, trust_folder);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let started = command.spawn();
        let mut child = started.with_context(|| {
            format!(
                "start {}: build it with `cargo build -p assay-cli` or name it with --assay",
                assay.display()
            )
        })?;
        let stdout = child.stdout.take().context("read what the server says")?;
        let mut banner = BufReader::new(stdout).lines();
        let ready = timeout(READY_WITHIN, address_in(&mut banner)).await;
        let url = match ready {
            Ok(Ok(Some(url))) => url,
            Ok(Ok(None)) => {
                let status = child.wait().await.context("wait for the server")?;
                bail!("start the server: it ended at once ({status}); the lines above say why");
            }
            Ok(Err(error)) => return Err(error).context("read what the server says"),
            Err(_) => bail!(
                "start the server: it was not ready within {} s",
                READY_WITHIN.as_secs()
            ),
        };
        Ok(Self {
            child,
            _banner: banner,
            url,
        })
    }

    /// Where it listens, as an URL.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Asks the server to stop and waits for its end.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        let Some(id) = self.child.id() else {
            bail!("stop the server: it had ended before")
        };
        // The shell's own kill: Rust's library knows no gentle signal.
        let mut kill = Command::new("sh");
        kill.args(["-c", "kill -TERM \"$1\"", "sh"])
            .arg(id.to_string());
        let sent = kill
            .status()
            .await
            .context("send SIGTERM to the server: is there a shell `sh`?")?;
        if !sent.success() {
            bail!("send SIGTERM to the server: kill answered {sent}");
        }
        let ended = timeout(STOPPED_WITHIN, self.child.wait()).await;
        let status = ended
            .context("stop the server: it did not end in time")?
            .context("wait for the server")?;
        if status.success() {
            return Ok(());
        }
        bail!("stop the server: it ended with {status} instead of in order")
    }
}

/// The address in the banner, which comes when everything is up. `None` if the output ends before.
async fn address_in(banner: &mut Lines<BufReader<ChildStdout>>) -> std::io::Result<Option<String>> {
    while let Some(line) = banner.next_line().await? {
        if let Some(url) = address_of(&line) {
            return Ok(Some(url));
        }
    }
    Ok(None)
}

/// The address in a line such as `API  http://127.0.0.1:7400 (gRPC)`.
fn address_of(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    let url = words.by_ref().skip_while(|word| *word != "API").nth(1)?;
    url.starts_with("http://").then(|| url.to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A program that stands in for `assay`.
    fn program(folder: &Path, script: &str) -> std::path::PathBuf {
        let path = folder.join("assay");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    async fn refusal(script: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let assay = program(folder.path(), script);
        let started = Server::start(&assay, folder.path(), None).await;
        format!("{:#}", started.err().unwrap())
    }

    #[test]
    fn only_the_line_of_the_api_holds_the_address() {
        assert_eq!(
            address_of("  API          http://127.0.0.1:7400 (gRPC)"),
            Some("http://127.0.0.1:7400".into())
        );
        assert_eq!(address_of("  admin port   http://127.0.0.1:9090"), None);
        assert_eq!(address_of("  API"), None);
        assert_eq!(address_of(""), None);
    }

    #[tokio::test]
    async fn a_server_is_told_its_folders_and_stopped_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let script = "echo \"$@ $ASSAY__VERIFICATION__TRUST_FOLDER\" > \"$0.said\"\n\
                      trap 'echo stopped >> \"$0.said\"; exit 0' TERM\n\
                      echo ' API http://127.0.0.1:1 (gRPC)'\n\
                      while :; do sleep 0.05; done";
        let assay = program(folder.path(), script);
        let server = Server::start(&assay, Path::new("/data"), Some(Path::new("/trust")))
            .await
            .unwrap();
        assert_eq!(server.url(), "http://127.0.0.1:1");
        server.stop().await.unwrap();
        let said = fs::read_to_string(folder.path().join("assay.said")).unwrap();
        assert_eq!(
            said,
            "dev --listen 127.0.0.1:0 --admin 127.0.0.1:0 --data-dir /data /trust\nstopped\n"
        );
    }

    #[tokio::test]
    async fn a_server_that_does_not_start_is_told_in_a_sentence() {
        let missing = Server::start(Path::new("/nowhere/assay"), Path::new("/"), None).await;
        let missing = format!("{:#}", missing.err().unwrap());
        assert!(
            missing.starts_with("start /nowhere/assay: build it with"),
            "{missing}"
        );
        let ended = refusal("exit 3").await;
        assert!(
            ended.contains("it ended at once (exit status: 3)"),
            "{ended}"
        );
    }

    #[tokio::test]
    async fn a_server_that_ends_badly_is_a_failure() {
        let folder = tempfile::tempdir().unwrap();
        let script =
            "trap 'exit 9' TERM\necho ' API http://127.0.0.1:1'\nwhile :; do sleep 0.05; done";
        let server = Server::start(&program(folder.path(), script), folder.path(), None)
            .await
            .unwrap();
        let error = server.stop().await.unwrap_err().to_string();
        assert!(error.contains("exit status: 9"), "{error}");
    }
}
