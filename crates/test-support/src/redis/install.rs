//! Gets the server program onto a Debian that lacks it.

use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use super::program::{Program, search_path};

/// Packages that hold the server, the preferred first. Debian 12 has the first; later ones have at least one.
const PACKAGES: [&str; 2] = ["redis-tools", "valkey-tools"];

/// Makes apt wait for another apt, in seconds.
const LOCK_PATIENCE: &str = "DPkg::Lock::Timeout=120";

/// The server program of this machine, installed first if it lacks one.
///
/// # Errors
/// One sentence that says what to do by hand.
pub fn ensure_program() -> anyhow::Result<Program> {
    let search = search_path();
    let program = match Program::find(&search) {
        Some(program) => program,
        None => {
            install(&search)?;
            Program::find(&search).context("find the Redis that was just installed")?
        }
    };
    program.check()?;
    Ok(program)
}

fn install(search: &OsStr) -> anyhow::Result<()> {
    let has = |name: &str| std::env::split_paths(search).any(|folder| folder.join(name).is_file());
    if !has("apt-get") {
        bail!("this machine has no Redis and no apt-get: install Redis 7 or newer, or Valkey");
    }
    let become_root: &[&str] = if rustix::process::geteuid().is_root() {
        &[]
    } else if has("sudo") && run(&["sudo", "-n", "true"])? {
        &["sudo", "-n"]
    } else {
        bail!(
            "this machine has no Redis, and installing it takes root: run `apt-get install redis-tools` as root once"
        );
    };
    // Lists may be missing or old; what counts is whether a package can be had.
    let updated = run(&apt(become_root, &["update"]))?;
    for package in PACKAGES {
        let words = ["install", "--yes", "--no-install-recommends", package];
        if run(&apt(become_root, &words))? {
            return Ok(());
        }
    }
    let update = if updated {
        ""
    } else {
        " and apt-get update failed"
    };
    bail!(
        "apt-get has neither {}{update}: install Redis 7 or newer by hand",
        PACKAGES.join(" nor ")
    )
}

fn apt<'a>(become_root: &[&'a str], words: &[&'a str]) -> Vec<&'a str> {
    let before = [
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "--quiet",
        "-o",
        LOCK_PATIENCE,
    ];
    [become_root, &before, words].concat()
}

/// Runs a command and tells whether it succeeded. What it says goes to where errors go: the output belongs to
/// the command that needs the server.
fn run(words: &[&str]) -> anyhow::Result<bool> {
    let (name, arguments) = words.split_first().context("run an empty command")?;
    let said = std::io::stderr().as_fd().try_clone_to_owned();
    let status = Command::new(name)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(said.context("share the error output")?)
        .status();
    Ok(status.with_context(|| format!("run {name}"))?.success())
}
