//! Debian's packages, for programs that this machine lacks.

use std::ffi::{OsStr, OsString};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// Makes apt wait for another apt, in seconds.
const LOCK_PATIENCE: &str = "DPkg::Lock::Timeout=120";

/// The apt of this machine, and how to use it as root.
pub(crate) struct Apt {
    apt_get: PathBuf,
    sudo: Option<PathBuf>,
}

impl Apt {
    /// The one in the folders of `search`. Fails with one sentence if there is none or this process may not use it to
    /// get `server`; `by_hand` says what a person does instead.
    pub(crate) fn find(search: &OsStr, server: &str, by_hand: &str) -> anyhow::Result<Self> {
        let apt_get = find(search, "apt-get")
            .with_context(|| format!("this machine has no {server} and no apt-get: {by_hand}"))?;
        if rustix::process::geteuid().is_root() {
            let sudo = None;
            return Ok(Self { apt_get, sudo });
        }
        let sudo = find(search, "sudo");
        match sudo {
            Some(sudo) if run(Command::new(&sudo).args(["-n", "true"]))? => {
                let sudo = Some(sudo);
                Ok(Self { apt_get, sudo })
            }
            _ => bail!("this machine has no {server}, and installing it takes root: {by_hand}"),
        }
    }

    /// Reads the lists of packages again, and tells whether that succeeded.
    pub(crate) fn update(&self) -> anyhow::Result<bool> {
        run(self.as_root().arg("update"))
    }

    /// Installs packages with what they need, and tells whether that succeeded.
    pub(crate) fn install(&self, packages: &[&str]) -> anyhow::Result<bool> {
        let words = ["install", "--yes", "--no-install-recommends"];
        run(self.as_root().args(words).args(packages))
    }

    /// Downloads a package into `folder` without installing it, and tells whether that succeeded.
    pub(crate) fn download(&self, package: &str, folder: &Path) -> anyhow::Result<bool> {
        let mut command = Command::new(&self.apt_get);
        let words = ["--quiet", "download", package];
        run(command.args(words).current_dir(folder))
    }

    fn as_root(&self) -> Command {
        let mut command = match &self.sudo {
            Some(sudo) => {
                let mut command = Command::new(sudo);
                command.args(["-n", "env"]);
                command
            }
            None => Command::new("env"),
        };
        command
            .arg("DEBIAN_FRONTEND=noninteractive")
            .arg(&self.apt_get)
            .args(["--quiet", "-o", LOCK_PATIENCE]);
        command
    }
}

/// The folders in which programs are looked for.
pub(crate) fn search_path() -> OsString {
    std::env::var_os("PATH").unwrap_or_default()
}

/// The first program of this name in the folders of `search`, which is written like `PATH`.
pub(crate) fn find(search: &OsStr, name: &str) -> Option<PathBuf> {
    let mut paths = std::env::split_paths(search).map(|folder| folder.join(name));
    paths.find(|path| path.is_file())
}

/// Runs a command and tells whether it succeeded. What it says goes to where errors go: the output belongs to
/// the command that needs the server.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<bool> {
    let name = command.get_program().to_string_lossy().into_owned();
    let said = std::io::stderr().as_fd().try_clone_to_owned();
    let status = command
        .stdin(Stdio::null())
        .stdout(said.context("share the error output")?)
        .status();
    Ok(status.with_context(|| format!("run {name}"))?.success())
}
