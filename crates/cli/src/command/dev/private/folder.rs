//! A folder for as long as this process lives. One that was killed leaves its folder behind; the next clears it.

use std::fs::{DirEntry, File, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use tempfile::TempDir;

/// What the folders are called; the rest of a name is chance.
const PREFIX: &str = "assay-verify-";
/// Media of one user are nobody else's business.
const MODE: u32 = 0o700;
/// Locked by the folder's owner from the moment it has this name, until the owner is dead.
const LOCK_FILE: &str = "owner.lock";
/// The name of the lock file until it is locked.
const UNLOCKED_FILE: &str = "owner.new";

/// A folder that nobody else sees, removed when this is dropped, whatever happened.
#[derive(Debug)]
pub(super) struct OwnFolder {
    // Removed before the lock is given up.
    folder: TempDir,
    _lock: File,
}

impl OwnFolder {
    /// Makes one in `root`, and clears those of dead processes there.
    pub(super) fn make(root: &Path) -> io::Result<Self> {
        let only_ours = std::fs::Permissions::from_mode(MODE);
        let mut builder = tempfile::Builder::new();
        let folder = builder
            .prefix(PREFIX)
            .permissions(only_ours)
            .tempdir_in(root)?;
        let unlocked = folder.path().join(UNLOCKED_FILE);
        let lock = File::create_new(&unlocked)?;
        lock.try_lock()?;
        std::fs::rename(unlocked, folder.path().join(LOCK_FILE))?;
        let own = Self {
            folder,
            _lock: lock,
        };
        own.clear_stale(root);
        Ok(own)
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Removes it. One that cannot be removed is left to the next process.
    pub(super) fn close(self) {
        drop(self.folder.close());
    }

    /// Removes the folders of dead processes of this user. What is not proven to be one stays, also what cannot be
    /// read: this is tidying up, no reason to fail.
    fn clear_stale(&self, root: &Path) {
        let (Ok(entries), Ok(ours)) = (std::fs::read_dir(root), self.path().metadata()) else {
            return;
        };
        for entry in entries.flatten() {
            if is_like(&entry, &ours)
                && let Some(_lock) = lock_of_the_dead(&entry.path())
            {
                drop(std::fs::remove_dir_all(entry.path()));
            }
        }
    }
}

/// Whether it is a folder of this user that was made here: a link, or a folder that others may write to, may be a
/// trap that was set for whoever deletes it.
fn is_like(entry: &DirEntry, ours: &Metadata) -> bool {
    let named = entry
        .file_name()
        .as_encoded_bytes()
        .starts_with(PREFIX.as_bytes());
    // Of the entry itself, not of what a link leads to.
    named
        && entry.metadata().is_ok_and(|found| {
            found.is_dir() && found.uid() == ours.uid() && found.mode() & 0o777 == MODE
        })
}

/// The lock of a folder whose owner is dead, held: whoever else clears it at this moment leaves it alone. A folder
/// without a lock file is in the making.
fn lock_of_the_dead(folder: &Path) -> Option<File> {
    let lock = File::open(folder.join(LOCK_FILE)).ok()?;
    lock.try_lock().ok()?;
    Some(lock)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// What a process that was killed leaves.
    fn left_behind(root: &Path) -> PathBuf {
        let OwnFolder { folder, _lock } = OwnFolder::make(root).unwrap();
        std::fs::create_dir(folder.path().join("data")).unwrap();
        std::fs::write(folder.path().join("data/content"), b"media").unwrap();
        folder.keep()
    }

    fn folder_with_mode(path: PathBuf, mode: u32) -> PathBuf {
        std::fs::create_dir(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn the_dead_are_cleared_and_the_living_are_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let living = OwnFolder::make(root.path()).unwrap();
        let dead = left_behind(root.path());
        let other = OwnFolder::make(root.path()).unwrap();
        assert!(!dead.exists());
        assert!(living.path().join(LOCK_FILE).exists());
        let dead = left_behind(root.path());
        other.close();
        drop(OwnFolder::make(root.path()).unwrap());
        assert!(!dead.exists());
        living.close();
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_is_not_proven_to_be_a_dead_process_s_stays() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        let in_the_making = folder_with_mode(at("assay-verify-new"), MODE);
        let open_to_others = folder_with_mode(at("assay-verify-open"), 0o755);
        let of_another_name = folder_with_mode(at("assay-other"), MODE);
        let linked = folder_with_mode(at("important"), MODE);
        for folder in [&open_to_others, &of_another_name, &linked] {
            std::fs::write(folder.join(LOCK_FILE), b"").unwrap();
        }
        std::os::unix::fs::symlink(&linked, at("assay-verify-link")).unwrap();
        std::fs::write(at("assay-verify-file"), b"").unwrap();
        drop(OwnFolder::make(root.path()).unwrap());
        for folder in [in_the_making, open_to_others, of_another_name, linked] {
            assert!(folder.exists(), "{}", folder.display());
        }
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 6);
    }

    #[test]
    fn whoever_clears_holds_the_lock() {
        let root = tempfile::tempdir().unwrap();
        let dead = left_behind(root.path());
        let clearing = lock_of_the_dead(&dead).unwrap();
        assert!(lock_of_the_dead(&dead).is_none());
        drop(OwnFolder::make(root.path()).unwrap());
        assert!(dead.exists(), "somebody else is at it");
        drop(clearing);
        drop(OwnFolder::make(root.path()).unwrap());
        assert!(!dead.exists());
    }
}
