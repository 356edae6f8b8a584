//! The log file of a child process.

use std::fs::{File, OpenOptions};
use std::path::Path;

use anyhow::Context;

/// Lines of a log that go into an error.
const LINES_MAX: usize = 6;

/// Opens it to be written on.
///
/// # Errors
/// When the file can't be opened.
pub(crate) fn append(path: &Path) -> anyhow::Result<File> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.with_context(|| format!("open the log {}", path.display()))
}

/// The last lines, in one.
pub(crate) fn last_words(path: &Path) -> String {
    let log = std::fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    let from = lines.len().saturating_sub(LINES_MAX);
    lines.get(from..).unwrap_or_default().join(" / ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        assert_eq!(last_words(&path), "");
        std::fs::write(&path, "1\n2\n3\n4\n5\n6\n").unwrap();
        assert_eq!(last_words(&path), "1 / 2 / 3 / 4 / 5 / 6");
        std::fs::write(&path, "1\n2\n3\n4\n5\n6\n7\n").unwrap();
        assert_eq!(last_words(&path), "2 / 3 / 4 / 5 / 6 / 7");
    }
}
