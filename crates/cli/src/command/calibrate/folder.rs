//! Which files a folder labels, and as what: those below `authentic`, `manipulated` and `synthetic` in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use assay_forensics::calibration::Class;

use crate::command::verify::walk::{self, Bounds, TooMany, Unreadable};
use crate::terminal::plain;

/// Files with what somebody says about them.
#[derive(Debug, Default)]
pub(super) struct Labelled {
    /// In the order of classes, then of names.
    pub(super) files: Vec<(Class, PathBuf)>,
    /// What could not be looked at.
    pub(super) unreadable: Vec<Unreadable>,
}

/// Why nothing can be counted in a folder. Each sentence says what to do.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    /// No such folder.
    #[error(
        "calibrate: there is no folder {}; make it, with a folder `authentic` in it and `manipulated` or `synthetic` \
         beside that",
        shown(.0)
    )]
    NoFolder(PathBuf),
    /// False alarms cannot be counted.
    #[error(
        "calibrate: {} has no folder `authentic`; make it, and put photographs there that nobody changed",
        shown(.0)
    )]
    NoAuthentic(PathBuf),
    /// A class without files.
    #[error("calibrate: {} has no files; put some there, or remove it", shown(.0))]
    Empty(PathBuf),
    /// The same file with two labels.
    #[error(
        "calibrate: {} and {} are the same, byte for byte; they cannot be both, so remove one",
        shown(one),
        shown(other)
    )]
    Contradiction {
        /// In one class.
        one: PathBuf,
        /// In another.
        other: PathBuf,
    },
    /// More files than one run takes.
    #[error(transparent)]
    TooMany(#[from] TooMany),
}

/// Finds the files of all classes that there are.
///
/// # Errors
/// [`Refused`], before anything is looked at.
pub(super) fn find(folder: &Path, bounds: Bounds) -> Result<Labelled, Refused> {
    if !folder.is_dir() {
        return Err(Refused::NoFolder(folder.to_owned()));
    }
    let mut all = Labelled::default();
    for class in Class::ALL {
        let of_class = folder.join(class.name());
        if !of_class.is_dir() {
            if class == Class::Authentic {
                return Err(Refused::NoAuthentic(folder.to_owned()));
            }
            continue;
        }
        let bounds = Bounds {
            files_max: bounds.files_max.saturating_sub(all.files.len()),
            ..bounds
        };
        let found = walk::collect(std::slice::from_ref(&of_class), bounds)?;
        if found.files.is_empty() && found.unreadable.is_empty() {
            return Err(Refused::Empty(of_class));
        }
        all.files
            .extend(found.files.into_iter().map(|path| (class, path)));
        all.unreadable.extend(found.unreadable);
    }
    Ok(all)
}

/// The contents that were seen: each counts once.
#[derive(Debug, Default)]
pub(super) struct Seen(BTreeMap<String, (Class, PathBuf)>);

impl Seen {
    /// Takes a file in; answers one of the same class that has the same bytes, if there was one.
    ///
    /// # Errors
    /// [`Refused::Contradiction`].
    pub(super) fn add(
        &mut self,
        sha256: &str,
        class: Class,
        path: &Path,
    ) -> Result<Option<PathBuf>, Refused> {
        match self.0.get(sha256) {
            Some((seen, one)) if *seen == class => Ok(Some(one.clone())),
            Some((_, one)) => Err(Refused::Contradiction {
                one: one.clone(),
                other: path.to_owned(),
            }),
            None => {
                self.0.insert(sha256.to_owned(), (class, path.to_owned()));
                Ok(None)
            }
        }
    }
}

fn shown(path: &Path) -> String {
    plain(&path.display().to_string())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for name in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        root
    }

    #[test]
    fn files_are_labelled_by_the_folder_that_they_lie_below() {
        let root = folder(&[
            "synthetic/a.png",
            "authentic/deep/er/b.jpg",
            "authentic/a.jpg",
            "authentic/.hidden.jpg",
            "notes.txt",
            "other/c.jpg",
        ]);
        let found = find(root.path(), Bounds::default()).unwrap();
        let of = |(class, path): &(Class, PathBuf)| {
            let path = path.strip_prefix(root.path()).unwrap();
            format!("{class} {}", path.display())
        };
        let found: Vec<String> = found.files.iter().map(of).collect();
        assert_eq!(
            found,
            [
                "authentic authentic/a.jpg",
                "authentic authentic/deep/er/b.jpg",
                "synthetic synthetic/a.png"
            ]
        );
    }

    #[test]
    fn what_cannot_be_counted_is_one_sentence() {
        let error = |root: &Path, files_max| {
            let bounds = Bounds {
                files_max,
                ..Bounds::default()
            };
            find(root, bounds).unwrap_err().to_string()
        };
        let missing = error(Path::new("/nowhere/at all"), 9);
        assert!(missing.starts_with("calibrate: there is no folder /nowhere/at all; make it"));
        let fakes = folder(&["manipulated/a.jpg"]);
        assert!(error(fakes.path(), 9).contains("has no folder `authentic`; make it"));
        let empty = folder(&["authentic/a.jpg", "manipulated/.hidden"]);
        let empty = error(empty.path(), 9);
        assert!(empty.contains("/manipulated has no files; put some there, or remove it"));
        let three = folder(&["authentic/a.jpg", "authentic/b.jpg", "manipulated/c.jpg"]);
        let bounds = |files_max| Bounds {
            files_max,
            ..Bounds::default()
        };
        assert!(find(three.path(), bounds(3)).is_ok());
        assert!(find(three.path(), bounds(2)).is_err());
    }

    #[test]
    fn a_content_counts_once_and_never_in_two_classes() {
        let mut seen = Seen::default();
        let (a, b) = (Path::new("a"), Path::new("b"));
        assert_eq!(seen.add("00", Class::Authentic, a).unwrap(), None);
        let same = seen.add("00", Class::Authentic, b).unwrap();
        assert_eq!(same.as_deref(), Some(a));
        assert_eq!(seen.add("11", Class::Synthetic, b).unwrap(), None);
        let error = seen.add("00", Class::Manipulated, b).unwrap_err();
        assert_eq!(
            error.to_string(),
            "calibrate: a and b are the same, byte for byte; they cannot be both, so remove one"
        );
    }
}
