//! A folder of blobs that goes with the test.

use std::path::{Path, PathBuf};

use assay_blob::Blobs;
use assay_core::id::Tenant;
use tempfile::TempDir;

/// A folder of blobs that goes with the test.
pub(crate) struct Fixture {
    pub(crate) blobs: Blobs,
    pub(crate) folder: TempDir,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path().join("blobs")).await.unwrap();
        Self { blobs, folder }
    }

    /// Every file below the folder.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        files_below(self.folder.path())
    }

    /// Waits until `count` files are there: dropped uploads remove theirs on another thread.
    pub(crate) async fn until_files(&self, count: usize) {
        for _ in 0..1_000 {
            if self.files().len() == count {
                return;
            }
            tokio::task::spawn_blocking(std::thread::yield_now)
                .await
                .unwrap();
        }
        panic!("want {count} files, have {:?}", self.files());
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files
}

pub(crate) fn other_tenant() -> Tenant {
    Tenant::new("other").unwrap()
}
