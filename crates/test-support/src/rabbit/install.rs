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
/// Where those packages put it.
const DEBIAN_ERLANG: &str = "/usr/bin/erl";
/// The package that is unpacked.
const PACKAGE: &str = "rabbitmq-server";

/// Where it is unpacked: no other program looks there, and cleaning the build takes it away.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/rabbitmq");
/// Where its scripts are then, below [`FOLDER`].
const SCRIPTS: &str = "usr/lib/rabbitmq/bin";

/// What a person does where this can't.
const BY_HAND: &str =
    "install RabbitMQ 3.10 or newer (on Debian: `apt-get install rabbitmq-server`)";

/// The broker's programs on this machine, installed first if it lacks them.
///
/// # Errors
/// One sentence that says what to do by hand.
pub fn ensure_program() -> anyhow::Result<Program> {
    ensure(&search_path(), Path::new(FOLDER))
}

/// The folder of the scripts that [`ensure_program`] unpacks.
pub(super) fn unpacked() -> PathBuf {
    Path::new(FOLDER).join(SCRIPTS)
}

/// Looks in the folders of `search`, of which [`SCRIPTS`] in `folder` is one.
fn ensure(search: &OsStr, folder: &Path) -> anyhow::Result<Program> {
    if Program::find(search).is_none() {
        install(search, folder)?;
    }
    let program = Program::find(search).context("find the RabbitMQ that was just installed")?;
    program.check()?;
    Ok(program)
}

fn install(search: &OsStr, folder: &Path) -> anyhow::Result<()> {
    let apt = Apt::find(search, "RabbitMQ", BY_HAND)?;
    let erlang = apt::find(search, ERLANG);
    // Debian's own may be there in part.
    if erlang.is_none_or(|path| path == Path::new(DEBIAN_ERLANG)) {
        // Lists may be missing or old; what counts is whether the packages can be had.
        let updated = apt.update()?;
        if !apt.install(&ERLANG_PACKAGES)? {
            bail!("apt-get has no Erlang{}: {BY_HAND}", failed(updated));
        }
    }
    if Program::find(search).is_none() {
        unpack(search, &apt, folder)?;
    }
    Ok(())
}

fn unpack(search: &OsStr, apt: &Apt, folder: &Path) -> anyhow::Result<()> {
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
    let dpkg = apt::find(search, "dpkg").context("find dpkg")?;
    let mut command = Command::new(dpkg);
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use tempfile::TempDir;

    use super::*;

    /// A machine played by a folder of programs, which is all that is looked at.
    struct Machine {
        folder: TempDir,
        search: std::ffi::OsString,
    }

    impl Machine {
        fn bare() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let programs = folder.path().join("programs");
            fs::create_dir(&programs).unwrap();
            let unpacked = folder.path().join("build/rabbitmq").join(SCRIPTS);
            let search = std::env::join_paths([programs, unpacked]).unwrap();
            Self { folder, search }
        }

        fn with(self, name: &str, script: &str) -> Self {
            let path = self.folder.path().join("programs").join(name);
            fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            self
        }

        /// An `apt-get` that notes what it is asked, and packages of RabbitMQ in `version`.
        fn with_packages(self, version: &str) -> Self {
            let here = self.folder.path().display().to_string();
            let apt = format!(
                "echo \"$*\" >>{here}/asked\n\
                 case \"$*\" in\n\
                 *' install '*) touch {here}/programs/erl {here}/programs/epmd ;;\n\
                 *download*) touch rabbitmq-server.deb ;;\n\
                 esac"
            );
            let dpkg = format!(
                "lib=$3/usr/lib/rabbitmq\n\
                 mkdir -p $lib/bin $lib/plugins/rabbit_common-9.9.9 $lib/plugins/rabbit-{version}\n\
                 cd $lib/bin && touch rabbitmq-server rabbitmqctl rabbitmq-env"
            );
            self.with("apt-get", &apt)
                .with("dpkg", &dpkg)
                .with("sudo", "[ \"$1\" = -n ] || exit 1\nshift\nexec \"$@\"")
        }

        fn ensure(&self) -> anyhow::Result<Program> {
            ensure(&self.search, &self.folder.path().join("build/rabbitmq"))
        }

        fn refusal(&self) -> String {
            format!("{:#}", self.ensure().unwrap_err())
        }

        fn asked(&self) -> Vec<String> {
            let asked = fs::read_to_string(self.folder.path().join("asked"));
            let asked = asked.unwrap_or_default();
            asked.lines().map(str::to_owned).collect()
        }
    }

    #[test]
    fn a_missing_broker_is_unpacked_and_not_installed() {
        let machine = Machine::bare().with_packages("3.10.8");
        let program = machine.ensure().unwrap();
        let unpacked = machine.folder.path().join("build/rabbitmq").join(SCRIPTS);
        assert_eq!(program.folder(), unpacked);
        let asked = machine.asked();
        let last = |line: &String| line.split(' ').next_back().unwrap().to_owned();
        let last: Vec<String> = asked.iter().map(last).collect();
        assert_eq!(last, ["update", "erlang-xmerl", "rabbitmq-server"]);
        assert!(asked[2].contains("download"), "{asked:?}");
        // Nothing but the package itself is left beside it.
        let build = machine.folder.path().join("build");
        assert_eq!(fs::read_dir(build).unwrap().count(), 1);
        // The second run finds it and asks for nothing.
        assert_eq!(machine.ensure().unwrap(), program);
        assert_eq!(machine.asked(), asked);
    }

    #[test]
    fn where_erlang_is_not_debians_apt_installs_nothing() {
        let machine = Machine::bare().with_packages("4.0.5");
        let machine = machine.with("erl", "").with("epmd", "");
        machine.ensure().unwrap();
        assert_eq!(machine.asked(), ["--quiet download rabbitmq-server"]);
    }

    #[test]
    fn what_cannot_be_had_is_told_in_one_sentence() {
        assert_eq!(
            Machine::bare().refusal(),
            "this machine has no RabbitMQ and no apt-get: install RabbitMQ 3.10 or newer (on Debian: `apt-get install rabbitmq-server`)"
        );
        let empty = Machine::bare()
            .with_packages("3.10.8")
            .with("apt-get", "exit 100");
        assert_eq!(
            empty.refusal(),
            "apt-get has no Erlang and apt-get update failed: install RabbitMQ 3.10 or newer (on Debian: `apt-get install rabbitmq-server`)"
        );
        let empty = empty.with("erl", "").with("epmd", "");
        assert_eq!(
            empty.refusal(),
            "apt-get has no rabbitmq-server and apt-get update failed: install RabbitMQ 3.10 or newer (on Debian: `apt-get install rabbitmq-server`)"
        );
    }

    #[test]
    fn a_broker_that_is_too_old_is_refused() {
        let refusal = Machine::bare().with_packages("3.9.29").refusal();
        assert!(
            refusal.ends_with("is version 3.9: install 3.10 or newer"),
            "{refusal}"
        );
        for version in ["3.10.0", "3.11.1", "4.0.5"] {
            Machine::bare().with_packages(version).ensure().unwrap();
        }
    }
}
