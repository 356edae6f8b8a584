//! Children of the tests: how to start them, and what became of them.

use std::fs::File;
use std::io::{Seek, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use assay_service::prometheus::Metrics;
use assay_verification_worker::analyst::{
    Analyst, Bounds, ChildCommand, Confinement, StageReport, Time, Watch, Work,
};
use assay_verification_worker::{INSTRUMENTS, Meters};
use async_trait::async_trait;
use tokio::sync::{Mutex, MutexGuard};

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Address space for children that need none: enough for a binary with debug information.
pub(crate) const MEMORY_BYTES: u64 = 512 * 1024 * 1024;

pub(crate) fn command() -> ChildCommand {
    ChildCommand::program(program())
}

/// The example `analyst`, which Cargo builds beside the tests.
pub(crate) fn program() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let program = tests
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples/analyst");
    assert!(
        program.exists(),
        "build {} first: cargo build -p assay-verification-worker --examples",
        program.display()
    );
    program
}

pub(crate) fn bounds() -> Bounds {
    let confinement = Confinement {
        memory_bytes_max: MEMORY_BYTES,
        cpu_s_max: 20,
        ..Confinement::default()
    };
    Bounds {
        children_max: 2,
        confinement,
        output_bytes_max: 256 * 1024,
    }
}

/// A file in hand with these bytes, its position at the end.
pub(crate) fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    assert_eq!(file.stream_position().unwrap(), bytes.len() as u64);
    file
}

pub(crate) fn meters() -> Arc<Meters> {
    Meters::of(&Metrics::new("test", "0", &[INSTRUMENTS]).unwrap())
}

pub(crate) fn analyst(bounds: Bounds) -> Analyst {
    Analyst::new(command(), bounds, meters())
}

pub(crate) fn time(wall: Duration) -> Time {
    Time {
        wall,
        all: wall + PATIENCE,
    }
}

pub(crate) async fn analyse(bounds: Bounds, stages: &[&str], wall: Duration) -> Vec<StageReport> {
    analyst(bounds)
        .analyse(
            &file(b"bomb"),
            stages,
            &Work::default(),
            time(wall),
            &mut Deaf,
        )
        .await
        .unwrap()
}

/// Hears nothing.
pub(crate) struct Deaf;

#[async_trait]
impl Watch for Deaf {
    async fn started(&mut self, _: &str) {}
    async fn ended(&mut self, _: &StageReport) {}
}

/// Tells the test when a stage begins, then stands still until the test goes on.
pub(crate) struct Bell(pub(crate) tokio::sync::mpsc::Sender<String>);

#[async_trait]
impl Watch for Bell {
    async fn started(&mut self, stage: &str) {
        self.0.send(stage.to_owned()).await.unwrap();
    }

    async fn ended(&mut self, _: &StageReport) {}
}

/// The processes whose parent is this one, zombies included, as `id (name`.
pub(crate) fn living() -> Vec<String> {
    let me = std::process::id();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let folder: PathBuf = entry.path();
        let Ok(stat) = std::fs::read_to_string(folder.join("stat")) else {
            continue;
        };
        let Some((head, rest)) = stat.rsplit_once(") ") else {
            continue;
        };
        let parent: u32 = rest
            .split_whitespace()
            .nth(1)
            .and_then(|id| id.parse().ok())
            .unwrap_or_default();
        if parent == me {
            found.push(head.to_owned());
        }
    }
    found
}

/// Waits until no child is left.
pub(crate) async fn none_left() {
    until("no child is left", || living().is_empty()).await;
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, is_so: impl Fn() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    assert!(
        waited.await.is_ok(),
        "still not so: {what}; children: {:?}",
        living()
    );
}

/// Holds back all other tests that start children: some count them.
pub(crate) async fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::const_new(());
    ALONE.lock().await
}
