//! Debian's packages, for servers that this machine lacks.

use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context;

/// Makes apt wait for another apt, in seconds.
const LOCK_PATIENCE: &str = "DPkg::Lock::Timeout=120";

/// The apt of this machine, and how to use it as root.
pub(crate) struct Apt {
    become_root: &'static [&'static str],
}

impl Apt {
    /// Fails with one sentence unless there is an apt in the folders of `search` and this process may use it, for
    /// `server`; `by_hand` says what a person does instead.
    pub(crate) fn find(search: &OsStr, server: &str, by_hand: &str) -> anyhow::Result<Self> {
        anyhow::ensure!(
            has(search, "apt-get"),
            "this machine has no {server} and no apt-get: {by_hand}"
        );
        if rustix::process::geteuid().is_root() {
            return Ok(Self { become_root: &[] });
        }
        anyhow::ensure!(
            has(search, "sudo") && run(Command::new("sudo").args(["-n", "true"]))?,
            "this machine has no {server}, and installing it takes root: {by_hand}"
        );
        let become_root = &["sudo", "-n"];
        Ok(Self { become_root })
    }

    /// Reads the lists of packages again, and tells whether that succeeded.
    pub(crate) fn update(&self) -> anyhow::Result<bool> {
        self.as_root(&["update"])
    }

    /// Installs packages with what they need, and tells whether that succeeded.
    pub(crate) fn install(&self, packages: &[&str]) -> anyhow::Result<bool> {
        let words = ["install", "--yes", "--no-install-recommends"];
        self.as_root(&[&words, packages].concat())
    }

    /// Downloads a package into `folder` without installing it, and tells whether that succeeded.
    #[expect(clippy::unused_self, reason = "whoever has no apt can't call this")]
    pub(crate) fn download(&self, package: &str, folder: &Path) -> anyhow::Result<bool> {
        let words = ["--quiet", "download", package];
        run(Command::new("apt-get").args(words).current_dir(folder))
    }

    fn as_root(&self, words: &[&str]) -> anyhow::Result<bool> {
        let before = [
            "env",
            "DEBIAN_FRONTEND=noninteractive",
            "apt-get",
            "--quiet",
            "-o",
            LOCK_PATIENCE,
        ];
        let line = [self.become_root, &before, words].concat();
        let (name, arguments) = line.split_first().context("run an empty command")?;
        run(Command::new(name).args(arguments))
    }
}

/// Whether one of the folders of `search` has a program of this name.
pub(crate) fn has(search: &OsStr, name: &str) -> bool {
    std::env::split_paths(search).any(|folder| folder.join(name).is_file())
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
