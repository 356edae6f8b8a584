//! Gets the broker's programs onto a Debian that lacks them, without a broker that starts by itself.
//!
//! Debian's package of RabbitMQ starts one for the whole machine, now and at each boot. So apt installs Erlang, which
//! it runs on, and the package itself is only unpacked, below the folder of the build.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use super::program::{ERLANG, Program, search_path};
use crate::apt::{self, Apt};

/// What Debian's RabbitMQ needs of Erlang.
const ERLANG_PACKAGES: [&str; 14] = [
    "erlang-asn1",
    "erlang-base",
    "erlang-crypto",
    "erlang-eldap",
    "erlang-inets",
    "erlang-mnesia",
    "erlang-os-mon",
    "erlang-parsetools",
    "erlang-public-key",
    "erlang-runtime-tools",
    "erlang-ssl",
    "erlang-syntax-tools",
    "erlang-tools",
    "erlang-xmerl",
];
/// The package that is unpacked.
const PACKAGE: &str = "rabbitmq-server";

/// Where it is unpacked: no other program looks there, and cleaning the build takes it away.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/rabbitmq");
/// Where its scripts are then, below [`FOLDER`].
const SCRIPTS: &str = "usr/lib/rabbitmq/bin";

/// What a person does where this can't.
const BY_HAND: &str =
    "install RabbitMQ 3.10 or newer; on Debian, run `apt-get install rabbitmq-server` as root once";

/// The broker's programs on this machine, installed first if it lacks them.
///
/// # Errors
/// One sentence that says what to do by hand.
pub fn ensure_program() -> anyhow::Result<Program> {
    let search = search_path();
    let program = match Program::find(&search) {
        Some(program) => program,
        None => {
            install(&search, Path::new(FOLDER))?;
            Program::find(&search).context("find the RabbitMQ that was just installed")?
        }
    };
    program.check()?;
    Ok(program)
}

/// The folder of the scripts that [`ensure_program`] unpacks.
pub(super) fn unpacked() -> PathBuf {
    Path::new(FOLDER).join(SCRIPTS)
}

fn install(search: &OsStr, folder: &Path) -> anyhow::Result<()> {
    let apt = Apt::find(search, "RabbitMQ", BY_HAND)?;
    if !apt::has(search, ERLANG) {
        // Lists may be missing or old; what counts is whether the packages can be had.
        let updated = apt.update()?;
        if !apt.install(&ERLANG_PACKAGES)? {
            bail!("apt-get has no Erlang{}: {BY_HAND}", failed(updated));
        }
    }
    unpack(&apt, folder)
}

fn unpack(apt: &Apt, folder: &Path) -> anyhow::Result<()> {
    let beside = folder.parent().context("find the folder of the build")?;
    std::fs::create_dir_all(beside).context("make the folder of the build")?;
    let scratch = tempfile::Builder::new()
        .prefix("rabbitmq-")
        .tempdir_in(beside);
    let scratch = scratch.context("make a folder for RabbitMQ's package")?;
    if !apt.download(PACKAGE, scratch.path())? {
        let updated = apt.update()?;
        if !apt.download(PACKAGE, scratch.path())? {
            bail!("apt-get has no {PACKAGE}{}: {BY_HAND}", failed(updated));
        }
    }
    let package = only_file(scratch.path())?;
    let content = scratch.path().join("content");
    let mut command = Command::new("dpkg");
    command.arg("--extract").arg(&package).arg(&content);
    anyhow::ensure!(apt::run(&mut command)?, "dpkg can't unpack {PACKAGE}");
    // In one step, so that nobody finds half of it; another run may have been faster.
    let moved = std::fs::rename(&content, folder);
    if !folder.join(SCRIPTS).is_dir() {
        moved.with_context(|| format!("move {PACKAGE} to {}", folder.display()))?;
    }
    Ok(())
}

fn only_file(folder: &Path) -> anyhow::Result<PathBuf> {
    let mut entries = std::fs::read_dir(folder).context("look for the package")?;
    let entry = entries.next().context("find the package")?;
    Ok(entry.context("look at the package")?.path())
}

fn failed(updated: bool) -> &'static str {
    if updated {
        ""
    } else {
        " and apt-get update failed"
    }
}
