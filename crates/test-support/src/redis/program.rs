//! The server program: Redis or Valkey, as this machine has it.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

/// Programs that serve, the preferred first. Debian's `redis-tools` and `valkey-tools` hold the server under the
/// name of its check tool: it is the same program, which goes by the name it is called with. They come without a
/// system service, so nothing is started or enabled by installing them.
const NAMES: [&str; 4] = [
    "redis-server",
    "valkey-server",
    "redis-check-rdb",
    "valkey-check-rdb",
];

/// The name it is called with.
const SERVER_NAME: &str = "redis-server";

/// The lowest major version whose scripts can say what they need of the server.
const MAJOR_MIN: u32 = 7;

/// A server program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    path: PathBuf,
}

impl Program {
    /// The first one in the folders of `search`, which is written like `PATH`.
    #[must_use]
    pub fn find(search: &OsStr) -> Option<Self> {
        let folders: Vec<PathBuf> = std::env::split_paths(search).collect();
        let paths = NAMES
            .iter()
            .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
        let mut there = paths.filter(|path| path.is_file());
        there.next().map(|path| Self { path })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Begins a command line.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.arg0(SERVER_NAME);
        command
    }

    /// Fails unless it is new enough.
    ///
    /// # Errors
    /// Names the program, its version, and the one that is needed.
    pub fn check(&self) -> anyhow::Result<()> {
        let path = self.path.display();
        let output = self.command().arg("--version").output();
        let output = output.with_context(|| format!("run {path} --version"))?;
        let said = String::from_utf8_lossy(&output.stdout);
        let major = major(&said).with_context(|| format!("{path} tells no version: {said:?}"))?;
        anyhow::ensure!(
            major >= MAJOR_MIN,
            "{path} is version {major}: install Redis {MAJOR_MIN} or newer, or Valkey"
        );
        Ok(())
    }
}

/// The major version in what `--version` says, such as `Redis server v=7.0.15 sha=...`.
fn major(said: &str) -> Option<u32> {
    let (_, version) = said.split_once("v=")?;
    version.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_preferred_name_is_found_wherever_it_stands() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = ["one", "other"].map(|name| folder.path().join(name));
        fs::create_dir(&one).unwrap();
        fs::create_dir(&other).unwrap();
        let search = std::env::join_paths([&one, &other]).unwrap();
        assert_eq!(Program::find(&search), None);
        fs::write(one.join("redis-check-rdb"), "").unwrap();
        let found = Program::find(&search).unwrap();
        assert_eq!(found.path(), one.join("redis-check-rdb"));
        fs::write(other.join("valkey-server"), "").unwrap();
        let found = Program::find(&search).unwrap();
        assert_eq!(found.path(), other.join("valkey-server"));
    }

    #[test]
    fn versions_are_read_from_what_servers_say() {
        assert_eq!(
            major("Redis server v=7.0.15 sha=00000000:0 bits=64"),
            Some(7)
        );
        assert_eq!(major("Valkey server v=8.1.1 sha=00000000:0"), Some(8));
        assert_eq!(major("Redis server v=6.0.16 sha=0"), Some(6));
        assert_eq!(major("no server"), None);
    }
}
