//! The broker's programs, as this machine has them.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use super::install::unpacked;
use crate::apt;

/// Where Debian keeps the scripts themselves. Those of the same names in `/usr/sbin` change to the user of the
/// system's broker first, and are no use here.
const SYSTEM: &str = "/usr/lib/rabbitmq/bin";
/// Starts a broker.
const SERVER: &str = "rabbitmq-server";
/// Asks and tells a running one.
const CONTROL: &str = "rabbitmqctl";
/// What both read, from the folder in which they stand.
const SHARED: &str = "rabbitmq-env";
/// Erlang, which all of it runs on.
pub(super) const ERLANG: &str = "erl";
/// The port mapper of Erlang's nodes.
const MAPPER: &str = "epmd";

/// The lowest version whose quorum queues know a time to live and dead letters that are not lost.
const VERSION_MIN: (u32, u32) = (3, 10);

/// The programs of a broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    scripts: PathBuf,
    mapper: PathBuf,
}

impl Program {
    /// The first one in the folders of `search`, which is written like `PATH`; Erlang must be in one of them too.
    #[must_use]
    pub fn find(search: &OsStr) -> Option<Self> {
        let whole = |folder: &PathBuf| {
            let files = [SERVER, CONTROL, SHARED];
            files.iter().all(|file| folder.join(file).is_file())
        };
        let scripts = std::env::split_paths(search).find(whole)?;
        let mapper = apt::find(search, ERLANG)?.with_file_name(MAPPER);
        mapper.is_file().then_some(Self { scripts, mapper })
    }

    /// Where its scripts are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.scripts
    }

    /// Begins the command line of a broker, which becomes the broker's own process.
    pub(super) fn server(&self) -> Command {
        let mut command = self.begin(&self.scripts.join(SERVER));
        // Else the script stays as the parent of the broker, and it would be the one that is killed.
        command.env("detached", "yes");
        command
    }

    /// Begins the command line of `rabbitmqctl`.
    pub(super) fn control(&self) -> Command {
        self.begin(&self.scripts.join(CONTROL))
    }

    /// Begins the command line of a port mapper.
    pub(super) fn mapper(&self) -> Command {
        self.begin(&self.mapper)
    }

    /// Fails unless it is new enough.
    ///
    /// # Errors
    /// Names the folder, the version, and the one that is needed.
    pub fn check(&self) -> anyhow::Result<()> {
        let folder = self.scripts.display();
        let (major, minor) = self.version()?;
        let (major_min, minor_min) = VERSION_MIN;
        anyhow::ensure!(
            (major, minor) >= VERSION_MIN,
            "the RabbitMQ in {folder} is version {major}.{minor}: install {major_min}.{minor_min} or newer"
        );
        Ok(())
    }

    /// Nothing of the caller's environment counts but where programs are: it may speak of another broker.
    fn begin(&self, path: &Path) -> Command {
        let mut command = Command::new(path);
        let mut search = vec![self.mapper.with_file_name("")];
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        search.extend(std::env::split_paths(&inherited));
        command
            .env_clear()
            .env("PATH", std::env::join_paths(search).unwrap_or(inherited))
            .env("LANG", "C.UTF-8")
            .current_dir("/");
        command
    }

    /// Major and minor, from the name of the folder in which the broker's own code stands.
    fn version(&self) -> anyhow::Result<(u32, u32)> {
        let script = self.scripts.join(SERVER);
        let script = script.canonicalize().context("find rabbitmq-server")?;
        let home = script.parent().and_then(Path::parent);
        let plugins = home.context("find RabbitMQ's home")?.join("plugins");
        let entries = std::fs::read_dir(&plugins);
        let entries = entries.with_context(|| format!("look into {}", plugins.display()))?;
        let names = entries.filter_map(|entry| Some(entry.ok()?.file_name()));
        let mut versions = names.filter_map(|name| version(name.to_str()?));
        let found = versions.next();
        found.with_context(|| format!("{} tells no version", plugins.display()))
    }
}

/// The folders in which programs are looked for.
pub(super) fn search_path() -> OsString {
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&inherited);
    let more = [Path::new(SYSTEM).to_owned(), unpacked()];
    std::env::join_paths(folders.chain(more)).unwrap_or(inherited)
}

/// The version of RabbitMQ whose code stands in a folder of this name, such as `rabbit-3.10.8`.
fn version(folder: &str) -> Option<(u32, u32)> {
    let mut parts = folder.strip_prefix("rabbit-")?.split('.');
    let mut part = || parts.next()?.parse().ok();
    Some((part()?, part()?))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_a_folder_with_the_scripts_themselves_counts() {
        let machine = tempfile::tempdir().unwrap();
        let [wrappers, scripts, erlang] =
            ["wrappers", "scripts", "erlang"].map(|name| machine.path().join(name));
        let touch = |folder: &Path, names: &[&str]| {
            fs::create_dir_all(folder).unwrap();
            for name in names {
                fs::write(folder.join(name), "").unwrap();
            }
        };
        touch(&wrappers, &[SERVER, CONTROL]);
        touch(&scripts, &[SERVER, CONTROL]);
        touch(&erlang, &[ERLANG]);
        let search = std::env::join_paths([&wrappers, &scripts, &erlang]).unwrap();
        assert_eq!(Program::find(&search), None);
        touch(&scripts, &[SHARED]);
        assert_eq!(Program::find(&search), None);
        touch(&erlang, &[MAPPER]);
        let found = Program::find(&search).unwrap();
        assert_eq!(found.folder(), scripts);
        assert_eq!(found.mapper, erlang.join(MAPPER));
    }

    #[test]
    fn versions_are_read_from_the_names_of_folders() {
        assert_eq!(version("rabbit-3.10.8"), Some((3, 10)));
        assert_eq!(version("rabbit-4.0.5"), Some((4, 0)));
        assert_eq!(version("rabbit_common-3.10.8"), None);
        assert_eq!(version("rabbit-next"), None);
    }
}
