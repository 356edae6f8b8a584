//! Which files a command line means.
//!
//! What is named is taken, whatever it is called; a link that is named is followed. In folders, hidden
//! files and folders and links are passed over: nobody meant them, and links may lead in circles.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Bounds on a search.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Most files.
    pub(crate) files_max: usize,
    /// Most folders inside each other.
    pub(crate) depth_max: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            files_max: 100_000,
            depth_max: 64,
        }
    }
}

/// What a search found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Files, in the order of the command line, then of their names.
    pub(crate) files: Vec<PathBuf>,
    /// What could not be looked at.
    pub(crate) unreadable: Vec<Unreadable>,
}

/// A file or folder that cannot be looked at.
#[derive(Debug)]
pub(crate) struct Unreadable {
    /// Which.
    pub(crate) path: PathBuf,
    /// Why.
    pub(crate) why: String,
}

/// There are more files than one run takes.
#[derive(Debug, thiserror::Error)]
#[error("find files: there are more than {files_max}; name smaller folders")]
pub(crate) struct TooMany {
    files_max: usize,
}

/// Finds the files that `paths` mean.
///
/// # Errors
/// When there are too many.
pub(crate) fn collect(paths: &[PathBuf], bounds: Bounds) -> Result<Found, TooMany> {
    let mut search = Search {
        bounds,
        found: Found::default(),
    };
    for path in paths {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => search.folder(path)?,
            Ok(metadata) if metadata.is_file() => search.file(path.clone())?,
            Ok(_) => search.unreadable(path, "it is neither a file nor a folder".to_owned()),
            Err(error) => search.unreadable(path, error.to_string()),
        }
    }
    Ok(search.found)
}

struct Search {
    bounds: Bounds,
    found: Found,
}

impl Search {
    /// Looks through a folder and those in it, without recursion: a deep tree must not end the program.
    fn folder(&mut self, root: &Path) -> Result<(), TooMany> {
        let mut folders = vec![(root.to_path_buf(), 1)];
        while let Some((folder, depth)) = folders.pop() {
            if depth > self.bounds.depth_max {
                let why = format!("it lies more than {} folders deep", self.bounds.depth_max);
                self.unreadable(&folder, why);
                continue;
            }
            match entries(&folder) {
                Ok(entries) => {
                    let inner = self.take(entries)?;
                    // The last one in is looked at first.
                    folders.extend(inner.into_iter().rev().map(|inner| (inner, depth + 1)));
                }
                Err(error) => self.unreadable(&folder, error.to_string()),
            }
        }
        Ok(())
    }

    /// Takes the files of a folder; answers its folders.
    fn take(&mut self, entries: Vec<Entry>) -> Result<Vec<PathBuf>, TooMany> {
        let mut folders = Vec::new();
        for entry in entries {
            match entry.kind {
                Ok(kind) if kind.is_dir() => folders.push(entry.path),
                Ok(kind) if kind.is_file() => self.file(entry.path)?,
                // Links, sockets, pipes.
                Ok(_) => {}
                Err(error) => self.unreadable(&entry.path, error.to_string()),
            }
        }
        Ok(folders)
    }

    fn file(&mut self, path: PathBuf) -> Result<(), TooMany> {
        if self.found.files.len() >= self.bounds.files_max {
            return Err(TooMany {
                files_max: self.bounds.files_max,
            });
        }
        self.found.files.push(path);
        Ok(())
    }

    fn unreadable(&mut self, path: &Path, why: String) {
        self.found.unreadable.push(Unreadable {
            path: path.to_path_buf(),
            why,
        });
    }
}

struct Entry {
    path: PathBuf,
    kind: io::Result<fs::FileType>,
}

/// What is in a folder and not hidden, by name.
fn entries(folder: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().first() != Some(&b'.') {
            let (path, kind) = (entry.path(), entry.file_type());
            entries.push(Entry { path, kind });
        }
    }
    entries.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let file = |name: &str| {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        };
        for name in ["b.jpg", "a/c.png", "a/deep/d.txt", ".hidden", ".git/config"] {
            file(name);
        }
        std::os::unix::fs::symlink(root.path(), root.path().join("a/circle")).unwrap();
        root
    }

    fn names(found: &Found, root: &Path) -> Vec<String> {
        let name = |path: &PathBuf| path.strip_prefix(root).unwrap().display().to_string();
        found.files.iter().map(name).collect()
    }

    #[test]
    fn folders_are_searched_without_what_is_hidden_or_linked() {
        let root = folder();
        let found = collect(&[root.path().to_path_buf()], Bounds::default()).unwrap();
        assert_eq!(
            names(&found, root.path()),
            ["b.jpg", "a/c.png", "a/deep/d.txt"]
        );
        assert!(found.unreadable.is_empty());
    }

    #[test]
    fn what_is_named_is_taken_and_what_is_missing_is_told() {
        let root = folder();
        let named = [
            root.path().join(".hidden"),
            root.path().join("a/circle"),
            root.path().join("none"),
        ];
        let found = collect(&named, Bounds::default()).unwrap();
        assert_eq!(found.files.len(), 1 + 3);
        assert_eq!(found.unreadable.len(), 1);
        assert!(found.unreadable[0].path.ends_with("none"));
    }

    #[test]
    fn files_and_depth_are_bounded() {
        let root = folder();
        let search = |files_max, depth_max| {
            collect(
                &[root.path().to_path_buf()],
                Bounds {
                    files_max,
                    depth_max,
                },
            )
        };
        assert!(search(3, 3).unwrap().unreadable.is_empty());
        let said = search(2, 3).unwrap_err().to_string();
        assert!(said.contains("more than 2; name smaller folders"), "{said}");
        let shallow = search(3, 2).unwrap();
        assert_eq!(shallow.files.len(), 2);
        assert!(
            shallow.unreadable[0]
                .why
                .contains("more than 2 folders deep")
        );
    }
}
