//! Where the calibration goes.

use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::Context as _;

use crate::draft::{self, folder_of};
use crate::terminal::plain;

/// A place that can be written to.
#[derive(Debug)]
pub(super) struct Target {
    path: PathBuf,
    replaces: bool,
}

/// Why it cannot.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    /// A calibration may be in force.
    #[error(
        "write the calibration: {} is there already; name another file with --output, or replace it with --force",
        shown(.0)
    )]
    Exists(PathBuf),
    /// A folder, a pipe, a device.
    #[error("write the calibration: {} is no ordinary file; name another with --output", shown(.0))]
    NotAFile(PathBuf),
    /// Nowhere to write to.
    #[error(
        "write the calibration: there is no folder {}; make it, or name another file with --output",
        shown(.0)
    )]
    NoFolder(PathBuf),
}

impl Target {
    /// The place, looked at before any work is begun.
    ///
    /// # Errors
    /// When it cannot be written to.
    pub(super) fn of(path: &Path, replaces: bool) -> Result<Self, Refused> {
        let target = Self {
            path: path.to_owned(),
            replaces,
        };
        match fs::symlink_metadata(path) {
            Ok(metadata) if !metadata.is_file() => Err(Refused::NotAFile(target.path)),
            Ok(_) if !replaces => Err(Refused::Exists(target.path)),
            Ok(_) => Ok(target),
            Err(_) if !folder_of(path).is_dir() => {
                Err(Refused::NoFolder(folder_of(path).to_owned()))
            }
            Err(_) => Ok(target),
        }
    }

    /// The path, for people.
    pub(super) fn shown(&self) -> String {
        shown(&self.path)
    }

    /// Writes: under its name when it is complete, and over another file only if that is wanted.
    ///
    /// # Errors
    /// When it cannot be written after all.
    pub(super) fn save(&self, document: &str) -> anyhow::Result<()> {
        match draft::save(&self.path, document, self.replaces) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(Refused::Exists(self.path.clone()).into())
            }
            saved => saved.with_context(|| format!("write the calibration to {}", self.shown())),
        }
    }
}

fn shown(path: &Path) -> String {
    plain(&path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_there_is_replaced_only_if_that_is_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.json");
        Target::of(&path, false).unwrap().save("one").unwrap();
        let error = Target::of(&path, false).unwrap_err().to_string();
        assert!(error.ends_with("or replace it with --force"), "{error}");
        let early = Target {
            path: path.clone(),
            replaces: false,
        };
        assert!(early.save("two").is_err(), "it came up meanwhile");
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        Target::of(&path, true).unwrap().save("two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 1, "no draft is left");
    }

    #[test]
    fn a_place_that_takes_no_file_is_told_before_the_work() {
        let folder = tempfile::tempdir().unwrap();
        let error = |path: &Path| Target::of(path, true).unwrap_err().to_string();
        assert!(error(folder.path()).contains("is no ordinary file"));
        assert!(error(&folder.path().join("none/c.json")).contains("there is no folder"));
    }
}
