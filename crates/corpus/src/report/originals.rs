//! Where originals come from: two cameras, and a folder of photographs.

use std::fmt;
use std::path::{Path, PathBuf};

use super::args::Args;
use crate::camera::{Camera, FIRST, SECOND};
use crate::error::Error;
use crate::original::Original;

const EXTENSIONS: [&str; 3] = ["jpg", "jpeg", "png"];

/// One original before it is made.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Source {
    /// To be taken by a camera, from a seed.
    Simulated(Camera, u64),
    /// To be read; chance that belongs to it.
    Given(PathBuf, u64),
}

/// All originals that were asked for: given ones in the order of their names.
pub(super) fn sources(args: &Args) -> Result<Vec<Source>, Error> {
    let height = args.width / 4 * 3;
    let seeds = 1..=args.seeds;
    let mut sources: Vec<Source> = seeds
        .flat_map(|seed| [FIRST, SECOND].map(|camera| (camera, seed)))
        .map(|(camera, seed)| Source::Simulated(camera.sized(args.width, height), seed))
        .collect();
    if let Some(folder) = &args.photos {
        let paths = photographs(folder)?;
        sources.extend(
            paths
                .into_iter()
                .zip(1..)
                .map(|(path, seed)| Source::Given(path, seed)),
        );
    }
    Ok(sources)
}

fn photographs(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let read = |source| Error::Read {
        path: folder.to_owned(),
        source,
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(read)? {
        let path = entry.map_err(read)?.path();
        let extension = path.extension().and_then(|it| it.to_str());
        let is_photograph = extension
            .is_some_and(|extension| EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str()));
        if is_photograph && path.is_file() {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        let path = folder.to_owned();
        return Err(Error::NoPhotos { path });
    }
    paths.sort();
    Ok(paths)
}

impl Source {
    /// Takes or reads it.
    pub(super) fn take(&self) -> Result<Original, Error> {
        match self {
            Self::Simulated(camera, seed) => Original::taken(camera, *seed),
            Self::Given(path, seed) => Original::read(path, *seed),
        }
    }

    /// Whether its past is not ours to know.
    pub(super) fn is_given(&self) -> bool {
        matches!(self, Self::Given(..))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Simulated(camera, seed) => write!(f, "{}, seed {seed}", camera.model),
            Self::Given(path, _) => write!(f, "{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn args(photos: Option<&Path>) -> Args {
        Args {
            seeds: 2,
            photos: photos.map(Path::to_owned),
            width: 100,
            only: None,
            small: true,
        }
    }

    #[test]
    fn each_camera_takes_each_scene() {
        let sources = sources(&args(None)).unwrap();
        assert_eq!(sources.len(), 4);
        assert!(sources.contains(&Source::Simulated(SECOND.sized(100, 75), 2)));
    }

    #[test]
    fn photographs_are_taken_in_order_and_other_files_left() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.JPG", "a.png", "c.txt", "jpg"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        fs::create_dir(folder.path().join("d.jpg")).unwrap();
        let sources = sources(&args(Some(folder.path()))).unwrap();
        let given: Vec<_> = sources
            .iter()
            .filter(|source| source.is_given())
            .map(|source| source.to_string().rsplit('/').next().unwrap().to_owned())
            .collect();
        assert_eq!(given, ["a.png", "b.JPG"]);
    }

    #[test]
    fn a_folder_without_photographs_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let told = sources(&args(Some(folder.path())));
        assert!(matches!(told, Err(Error::NoPhotos { .. })));
        let told = sources(&args(Some(&folder.path().join("none"))));
        assert!(matches!(told, Err(Error::Read { .. })));
    }
}
