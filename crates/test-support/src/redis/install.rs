//! Gets the server program onto a Debian that lacks it.

use std::ffi::OsStr;

use anyhow::{Context, bail};

use super::program::Program;
use crate::apt::{Apt, search_path};

/// Packages that hold the server, the preferred first. Debian 12 has the first; later ones have at least one.
const PACKAGES: [&str; 2] = ["redis-tools", "valkey-tools"];

/// What a person does where this can't.
const BY_HAND: &str =
    "install Redis 7 or newer, or Valkey (on Debian: `apt-get install redis-tools`)";

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
    let apt = Apt::find(search, "Redis", BY_HAND)?;
    // Lists may be missing or old; what counts is whether a package can be had.
    let updated = apt.update()?;
    for package in PACKAGES {
        if apt.install(&[package])? {
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
