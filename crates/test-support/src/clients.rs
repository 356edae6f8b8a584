//! What tests of other people's clients need: curl, and a Python of their own that speaks gRPC.
//!
//! They are got like the servers are: Debian's packages where this machine has none. Python's packages, those of
//! `tests/clients/requirements.txt`, go into an environment below the build's folder.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::apt::{self, Apt, search_path};

/// Where the environment is; README.md shows it under this name.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/clients");
/// The Python in it.
const PYTHON: &str = "bin/python";
/// The list that was installed; it is written last.
const MARK: &str = "installed.txt";
/// The list of packages that the clients need.
const REQUIREMENTS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/clients/requirements.txt"
);

/// Asks a Python whether it is new enough and can make environments, which Debian's own can't by itself.
const FIT: &str = "import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 10))";

/// What a person does where this can't.
const PYTHON_BY_HAND: &str =
    "install Python 3.10 or newer with venv (on Debian: `apt-get install python3-venv`)";
const CURL_BY_HAND: &str = "install curl 7.82 or newer (on Debian: `apt-get install curl`)";

/// The Python of the environment.
///
/// # Errors
/// One sentence that says how to get it.
pub fn python() -> anyhow::Result<PathBuf> {
    python_in(Path::new(FOLDER))
}

fn python_in(folder: &Path) -> anyhow::Result<PathBuf> {
    let python = folder.join(PYTHON);
    anyhow::ensure!(
        python.is_file(),
        "{} is not there: run `make test`, which installs it with Debian's python3-venv and pip",
        python.display()
    );
    Ok(python)
}

/// The curl of this machine.
///
/// # Errors
/// One sentence that says how to get it.
pub fn curl() -> anyhow::Result<PathBuf> {
    let curl = apt::find(&search_path(), "curl");
    curl.with_context(|| format!("this machine has no curl: {CURL_BY_HAND}"))
}

/// Installs what is lacking. Without all of it other tests can still run.
///
/// # Errors
/// One sentence that says what to do by hand.
pub fn ensure() -> anyhow::Result<()> {
    let search = search_path();
    if apt::find(&search, "curl").is_none() {
        let apt = Apt::find(&search, "curl", CURL_BY_HAND)?;
        install(&apt, "curl", CURL_BY_HAND)?;
    }
    environment(&search, Path::new(FOLDER), Path::new(REQUIREMENTS))
}

/// An environment in `folder` that holds what the file of requirements lists.
fn environment(search: &OsStr, folder: &Path, requirements: &Path) -> anyhow::Result<()> {
    let wanted = fs::read_to_string(requirements).context("read what the clients need")?;
    let mark = folder.join(MARK);
    if fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let python = match fit(search)? {
        Some(python) => python,
        None => {
            let apt = Apt::find(search, "Python with venv", PYTHON_BY_HAND)?;
            install(&apt, "python3-venv", PYTHON_BY_HAND)?;
            fit(search)?.context("find the Python that was just installed")?
        }
    };
    let mut make = Command::new(python);
    make.args(["-m", "venv"]).arg(folder);
    anyhow::ensure!(
        apt::run(&mut make)?,
        "python3 can't make an environment in {}",
        folder.display()
    );
    let mut pip = Command::new(folder.join(PYTHON));
    // Nothing that a package brings runs at install.
    pip.args(["-m", "pip", "install", "--quiet", "--only-binary", ":all:"]);
    pip.arg("--requirement").arg(requirements);
    anyhow::ensure!(
        apt::run(&mut pip)?,
        "pip can't install what {} lists",
        requirements.display()
    );
    fs::write(mark, wanted).context("note what was installed")
}

/// The first Python in the folders of `search` that will do.
fn fit(search: &OsStr) -> anyhow::Result<Option<PathBuf>> {
    for folder in std::env::split_paths(search) {
        let python = folder.join("python3");
        if python.is_file() && apt::run(Command::new(&python).args(["-c", FIT]))? {
            return Ok(Some(python));
        }
    }
    Ok(None)
}

fn install(apt: &Apt, package: &str, by_hand: &str) -> anyhow::Result<()> {
    // Lists may be missing or old; what counts is whether the package can be had.
    let updated = apt.update()?;
    if apt.install(&[package])? {
        return Ok(());
    }
    let failed = if updated {
        ""
    } else {
        " and apt-get update failed"
    };
    bail!("apt-get has no {package}{failed}: {by_hand}")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use tempfile::TempDir;

    use super::*;

    /// A machine played by a folder of programs, which is all that is looked at.
    struct Machine(TempDir);

    impl Machine {
        fn bare() -> Self {
            let machine = Self(tempfile::tempdir().unwrap());
            fs::create_dir(machine.path("programs")).unwrap();
            fs::write(machine.path("wanted.txt"), "grpcio==1\n").unwrap();
            machine
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn with(self, name: &str, script: &str) -> Self {
            let path = self.path("programs").join(name);
            fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            self
        }

        /// A Python that notes what it is asked, and whose pip answers `code`.
        fn with_python(self, code: u8) -> Self {
            let here = self.0.path().display().to_string();
            let script = format!(
                "echo \"$*\" >>{here}/asked\n\
                 case \"$*\" in\n\
                 '-m venv '*) mkdir -p $3/bin && cp {here}/programs/python3 $3/bin/python ;;\n\
                 '-m pip '*) exit {code} ;;\n\
                 esac"
            );
            self.with("python3", &script)
        }

        fn environment(&self) -> anyhow::Result<()> {
            let (folder, wanted) = (self.path("env"), self.path("wanted.txt"));
            environment(self.path("programs").as_os_str(), &folder, &wanted)
        }

        /// What Python was asked, without the long question whether it will do.
        fn asked(&self) -> Vec<String> {
            let asked = fs::read_to_string(self.path("asked")).unwrap_or_default();
            let asked = asked.lines().filter(|line| !line.starts_with("-c "));
            asked.map(str::to_owned).collect()
        }
    }

    #[test]
    fn an_environment_is_made_once_and_again_when_the_list_has_changed() {
        let machine = Machine::bare().with_python(0);
        let missing = python_in(&machine.path("env")).unwrap_err().to_string();
        assert!(missing.contains("python3-venv"), "{missing}");
        machine.environment().unwrap();
        assert!(python_in(&machine.path("env")).is_ok());
        let asked = machine.asked();
        assert_eq!(asked.len(), 2);
        assert!(asked[1].starts_with("-m pip install --quiet --only-binary :all: --requirement"));
        machine.environment().unwrap();
        assert_eq!(machine.asked(), asked);
        fs::write(machine.path("wanted.txt"), "grpcio==2\n").unwrap();
        machine.environment().unwrap();
        assert_eq!(machine.asked().len(), 4);
    }

    #[test]
    fn half_an_environment_is_not_taken_for_a_whole_one() {
        let machine = Machine::bare().with_python(1);
        for _ in 0..2 {
            let failed = machine.environment().unwrap_err().to_string();
            assert!(failed.starts_with("pip can't install what"), "{failed}");
        }
    }

    #[test]
    fn a_python_that_will_not_do_is_passed_over() {
        let machine = Machine::bare().with("python3", "exit 1");
        assert_eq!(
            machine.environment().unwrap_err().to_string(),
            "this machine has no Python with venv and no apt-get: install Python 3.10 or newer with venv (on Debian: `apt-get install python3-venv`)"
        );
        let machine = machine
            .with("apt-get", "exit 100")
            .with("sudo", "[ \"$1\" = -n ] || exit 1\nshift\nexec \"$@\"");
        assert_eq!(
            machine.environment().unwrap_err().to_string(),
            "apt-get has no python3-venv and apt-get update failed: install Python 3.10 or newer with venv (on Debian: `apt-get install python3-venv`)"
        );
    }
}
