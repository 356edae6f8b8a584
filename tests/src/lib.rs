//! End-to-end tests of Assay: real processes, real files, real gRPC clients.
//!
//! The kit: where the built programs are, a server in a folder of its own, collectors that listen to it.
//!
//! Not here: what one crate can prove alone; that stands beside its code.

use std::path::{Path, PathBuf};

use anyhow::Context;
use assay_bench::server::{Plan, Server};
use tempfile::TempDir;

/// The top folder of the project.
///
/// # Errors
/// When the tests were moved away from it.
pub fn top() -> anyhow::Result<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .context("find the project's folder")
}

/// The folder of the programs that were built with this test.
///
/// # Errors
/// When the test was moved away from it.
pub fn programs() -> anyhow::Result<PathBuf> {
    let test = std::env::current_exe().context("find the test program")?;
    // target/debug/deps/it-<hash> stands two folders below the programs.
    let folder = test.parent().and_then(Path::parent);
    folder
        .map(Path::to_owned)
        .context("find the folder of programs")
}

/// A program that this workspace builds.
///
/// # Errors
/// When it was not built: `make test` does that before it runs the tests.
pub fn program(name: &str) -> anyhow::Result<PathBuf> {
    let program = programs()?.join(name);
    anyhow::ensure!(
        program.is_file(),
        "{} is not built: run `cargo build --workspace --bins`",
        program.display()
    );
    Ok(program)
}

/// A server over a data folder that goes when this is dropped.
#[derive(Debug)]
pub struct Sandbox {
    folder: TempDir,
    plan: Plan,
}

impl Sandbox {
    /// A folder for `assay dev` whose worker is the probe.
    ///
    /// # Errors
    /// When the program or the folder can't be had.
    pub fn probe() -> anyhow::Result<Self> {
        let sandbox = Self::of("probe-dev", &[])?;
        let words = vec![
            "--journal".to_owned(),
            sandbox.journal().display().to_string(),
        ];
        Ok(Self {
            plan: Plan {
                words,
                ..sandbox.plan.clone()
            },
            ..sandbox
        })
    }

    /// A folder for `assay dev`.
    ///
    /// # Errors
    /// When the program or the folder can't be had.
    pub fn assay() -> anyhow::Result<Self> {
        Self::of("assay", &["dev"])
    }

    fn of(name: &str, words: &[&str]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("make a folder for the server")?;
        let plan = Plan {
            program: program(name)?,
            words: words.iter().map(ToString::to_string).collect(),
            data_dir: folder.path().join("data"),
            settings: Vec::new(),
            log: folder.path().join("server.log"),
        };
        Ok(Self { folder, plan })
    }

    /// Sets `section.key` for servers started from now on.
    #[must_use]
    pub fn set(mut self, key: &str, value: &str) -> Self {
        let variable = format!("ASSAY__{}", key.to_uppercase().replace('.', "__"));
        self.plan.settings.push((variable, value.to_owned()));
        self
    }

    /// Starts a server here and waits until it is ready.
    ///
    /// # Errors
    /// When it is not ready in time.
    pub async fn start(&self) -> anyhow::Result<Server> {
        Server::start(&self.plan).await
    }

    /// What the probe noted.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.folder.path().join("journal")
    }

    /// What the servers logged.
    ///
    /// # Errors
    /// When nothing was logged yet.
    pub fn log(&self) -> anyhow::Result<String> {
        std::fs::read_to_string(&self.plan.log).context("read the server's log")
    }
}
