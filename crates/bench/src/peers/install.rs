//! Gets the peers, for the bench alone, below the build's own folder.
//!
//! Their drivers are ours (`crates/bench/peers`); what they drive comes from the public registries, in the versions
//! that the drivers' manifests name.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Output, Stdio};

use anyhow::{Context, bail};
use tokio::process::Command;

use super::contender::{Contender, Peer, Programs};
use super::mode::Mode;

/// Where the drivers of peers stand.
const DRIVERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers");
/// The files of the driver for Node.
const NODE_FILES: [&str; 3] = ["package.json", "package-lock.json", "peer.js"];
/// The files of the driver for Celery.
const CELERY_FILES: [&str; 2] = ["requirements.txt", "peer.py"];
/// Prints the version of Celery, and of what it runs on.
const CELERY_VERSION: &str = "import platform; from importlib.metadata import version; \
     print(version('celery') + ' on Python ' + platform.python_version())";
/// The program of the driver for bullmq-official.
const RUST_PROGRAM: &str = "bullmq-rust-peer";
/// Bytes of an installer's complaints that are shown.
const COMPLAINT_BYTES: usize = 600;

/// Installs every peer of a mode; `ours` is the folder of our programs, which stands in the build's own.
///
/// # Errors
/// When that folder is not there. A peer that can't be had is no error here: its row says why.
pub async fn install(mode: Mode, ours: &Path) -> anyhow::Result<Programs> {
    let build = ours.parent().context("find the build's folder")?;
    let folder = build.join("peers");
    let mut peers = BTreeMap::new();
    for contender in mode.contenders() {
        let installed = match contender {
            Contender::BullmqNode => node(&folder.join("bullmq")).await,
            Contender::BullmqRust => rust(&folder.join("bullmq-rust")).await,
            Contender::Celery => celery(&folder.join("celery")).await,
            Contender::Assay | Contender::Bare | Contender::Ceiling => continue,
        };
        let installed = installed.map_err(|error| format!("{error:#}"));
        peers.insert(*contender, installed);
    }
    Ok(Programs {
        mode,
        ours: ours.to_owned(),
        peers,
    })
}

async fn node(folder: &Path) -> anyhow::Result<Peer> {
    copy("bullmq", &NODE_FILES, folder)?;
    let mut npm = Command::new("npm");
    npm.current_dir(folder);
    // Nothing that a package brings runs at install.
    npm.args(["install", "--ignore-scripts", "--no-audit", "--no-fund"]);
    run(npm, "install bullmq with npm").await?;
    let manifest = folder.join("node_modules/bullmq/package.json");
    let manifest = std::fs::read_to_string(manifest).context("find the installed bullmq")?;
    let manifest: serde_json::Value = serde_json::from_str(&manifest)?;
    let version = manifest.get("version").and_then(|version| version.as_str());
    let version = version.context("read the version of bullmq")?;
    Ok(Peer {
        words: vec!["node".into(), folder.join("peer.js")],
        version: format!("{version} on node {}", told_version("node").await),
    })
}

async fn rust(folder: &Path) -> anyhow::Result<Peer> {
    let driver = Path::new(DRIVERS).join("bullmq-rust");
    let mut cargo = Command::new("cargo");
    cargo
        .args([
            "build",
            "--release",
            "--locked",
            "--quiet",
            "--manifest-path",
        ])
        .arg(driver.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(folder);
    run(cargo, "build bullmq-official with cargo").await?;
    let lock = std::fs::read_to_string(driver.join("Cargo.lock")).context("read its lock file")?;
    let program = folder.join("release").join(RUST_PROGRAM);
    anyhow::ensure!(program.is_file(), "{} was not built", program.display());
    let version = locked_version(&lock, "bullmq-official");
    Ok(Peer {
        words: vec![program],
        version: version.context("find bullmq-official in its lock file")?,
    })
}

/// Celery in an environment of its own.
async fn celery(folder: &Path) -> anyhow::Result<Peer> {
    copy("celery", &CELERY_FILES, folder)?;
    let environment = folder.join("venv");
    let python = environment.join("bin/python");
    if !python.is_file() {
        let mut make = Command::new("python3");
        make.args(["-m", "venv"]).arg(&environment);
        run(make, "make an environment with python3").await?;
    }
    let mut pip = Command::new(&python);
    // Nothing that a package brings runs at install.
    pip.args(["-m", "pip", "install", "--quiet", "--only-binary", ":all:"]);
    pip.arg("--requirement")
        .arg(folder.join("requirements.txt"));
    run(pip, "install celery with pip").await?;
    let mut told = Command::new(&python);
    told.args(["-c", CELERY_VERSION]);
    Ok(Peer {
        words: vec![python, folder.join("peer.py")],
        version: run(told, "ask for the version of celery").await?,
    })
}

/// Puts the files of a driver where its peer is installed.
fn copy(driver: &str, files: &[&str], folder: &Path) -> anyhow::Result<()> {
    let made = std::fs::create_dir_all(folder);
    made.with_context(|| format!("make a folder for {driver}"))?;
    for file in files {
        let from = Path::new(DRIVERS).join(driver).join(file);
        let copied = std::fs::copy(from, folder.join(file));
        copied.with_context(|| format!("copy {file} to {}", folder.display()))?;
    }
    Ok(())
}

/// Runs a command, and answers what it printed.
async fn run(mut command: Command, what: &str) -> anyhow::Result<String> {
    let output = command.stdin(Stdio::null()).output().await;
    let output = output.with_context(|| what.to_owned())?;
    let Output {
        status,
        stdout,
        stderr,
    } = output;
    if !status.success() {
        let from = stderr.len().saturating_sub(COMPLAINT_BYTES);
        let said = String::from_utf8_lossy(stderr.get(from..).unwrap_or_default());
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        bail!("{what}: {status}: {said}");
    }
    Ok(String::from_utf8_lossy(&stdout).trim().to_owned())
}

/// The version of a package in a Cargo.lock.
fn locked_version(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    let version = lines.nth(1)?.strip_prefix("version = \"")?;
    version.strip_suffix('"').map(str::to_owned)
}

/// The version that a program tells, or why it tells none.
pub async fn told_version(program: &str) -> String {
    let output = Command::new(program).arg("--version").output().await;
    match output {
        Ok(output) => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        Err(error) => format!("not here ({error})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_a_lock_file() {
        let lock = "[[package]]\nname = \"a\"\nversion = \"1.2.3\"\n\n[[package]]\nname = \"b\"\nversion = \"4.0.0\"\n";
        assert_eq!(locked_version(lock, "b").as_deref(), Some("4.0.0"));
        assert_eq!(locked_version(lock, "c"), None);
    }

    #[test]
    fn every_file_of_a_driver_is_there() {
        let folder = tempfile::tempdir().unwrap();
        for (driver, files) in [("bullmq", &NODE_FILES[..]), ("celery", &CELERY_FILES)] {
            let folder = folder.path().join(driver);
            copy(driver, files, &folder).unwrap();
            assert!(files.iter().all(|file| folder.join(file).is_file()));
        }
    }

    #[tokio::test]
    async fn an_installer_that_fails_is_told_in_its_own_words() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo 'no  network' >&2; exit 7"]);
        let error = run(command, "install it").await.unwrap_err().to_string();
        assert_eq!(error, "install it: exit status: 7: no network");
    }
}
