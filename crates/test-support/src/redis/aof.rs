//! The append-only file of a stopped server: how long it is, and cutting its end off, as a power cut does.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use anyhow::Context;

/// Where Redis 7 keeps the parts of the append-only file.
const FOLDER: &str = "appendonlydir";
/// The list of the parts.
const MANIFEST: &str = "appendonly.aof.manifest";

/// The part that is written to now.
pub(super) fn tail(data: &Path) -> anyhow::Result<PathBuf> {
    let folder = data.join(FOLDER);
    let manifest = folder.join(MANIFEST);
    let text = std::fs::read_to_string(&manifest)
        .with_context(|| format!("read {}", manifest.display()))?;
    let name = last_increment(&text)
        .with_context(|| format!("find the last increment in {}", manifest.display()))?;
    Ok(folder.join(name))
}

/// The length of that part, in bytes.
pub(super) fn len(data: &Path) -> anyhow::Result<u64> {
    let path = tail(data)?;
    let about = path.metadata();
    Ok(about
        .with_context(|| format!("look at {}", path.display()))?
        .len())
}

/// Cuts that part down to `len` bytes.
pub(super) fn truncate(data: &Path, len: u64) -> anyhow::Result<()> {
    let path = tail(data)?;
    let file: File = OpenOptions::new()
        .write(true)
        .open(&path)
        .with_context(|| format!("open {}", path.display()))?;
    let before = file
        .metadata()
        .context("look at the append-only file")?
        .len();
    anyhow::ensure!(
        len <= before,
        "{} has {before} bytes, which can't be cut down to {len}",
        path.display()
    );
    file.set_len(len)
        .with_context(|| format!("cut {}", path.display()))
}

/// The file name of the last line such as `file appendonly.aof.3.incr.aof seq 3 type i`.
fn last_increment(manifest: &str) -> Option<&str> {
    let mut increments = manifest.lines().filter(|line| line.contains(" type i"));
    increments.next_back()?.split_whitespace().nth(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_increment_is_the_tail() {
        let manifest = "file appendonly.aof.1.base.rdb seq 1 type b\n\
                        file appendonly.aof.1.incr.aof seq 1 type i\n\
                        file appendonly.aof.2.incr.aof seq 2 type i\n";
        assert_eq!(last_increment(manifest), Some("appendonly.aof.2.incr.aof"));
        assert_eq!(last_increment("file a.base.rdb seq 1 type b\n"), None);
    }
}
