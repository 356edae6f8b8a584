//! A data folder from outside: looked at, not opened.

use std::fs::{OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use assay_embedded::LOCK_FILE;

/// What a data folder looks like.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Folder {
    /// It is not there and can be made.
    Missing,
    /// It can be used.
    Free,
    /// A process uses it.
    InUse,
    /// It can't be used or made, and why.
    Unusable(String),
}

/// Looks at a data folder without changing it.
pub(crate) fn look_at(folder: &Path) -> Folder {
    let there = existing(folder);
    if folder.exists() && !folder.is_dir() {
        return Folder::Unusable("it is not a folder".to_owned());
    }
    // A file without a name: nothing is left, and nobody sees it.
    if let Err(error) = tempfile::tempfile_in(&there) {
        return Folder::Unusable(format!("write in {}: {error}", there.display()));
    }
    if folder.is_dir() {
        lock(folder)
    } else {
        Folder::Missing
    }
}

/// Whether a process holds the folder's lock. Taking it for a moment is the only way to know.
fn lock(folder: &Path) -> Folder {
    match OpenOptions::new().write(true).open(folder.join(LOCK_FILE)) {
        Ok(file) => match file.try_lock() {
            Ok(()) => Folder::Free,
            Err(TryLockError::WouldBlock) => Folder::InUse,
            Err(TryLockError::Error(error)) => Folder::Unusable(error.to_string()),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Folder::Free,
        Err(error) => Folder::Unusable(error.to_string()),
    }
}

/// The folder, or the nearest above it that is there.
pub(crate) fn existing(folder: &Path) -> PathBuf {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf());
    let found = absolute.ancestors().find(|ancestor| ancestor.is_dir());
    found.map_or_else(|| PathBuf::from("/"), Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_is_judged_by_the_one_above() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("a/b/c");
        assert_eq!(existing(&inner), root.path());
        assert_eq!(look_at(&inner), Folder::Missing);
        assert_eq!(look_at(root.path()), Folder::Free);
    }

    #[test]
    fn a_file_in_its_place_and_a_held_lock_are_seen() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(matches!(look_at(&file), Folder::Unusable(_)));
        let held = std::fs::File::create(root.path().join(LOCK_FILE)).unwrap();
        held.lock().unwrap();
        assert_eq!(look_at(root.path()), Folder::InUse);
        drop(held);
        assert_eq!(look_at(root.path()), Folder::Free);
    }
}
