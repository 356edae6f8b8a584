//! The page about one file: whether it may be written there, what goes into it, and writing it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::Context as _;
use assay_core::clock::{Clock as _, SystemClock};
use tokio::fs::File as AsyncFile;
use tokio::io::AsyncReadExt as _;

use super::file::{Ended, File};
use super::walk::Found;
use crate::client::Client;
use crate::draft::{self, folder_of};
use crate::report::{
    MAP_BYTES_MAX, Maps, PICTURE_BYTES_MAX, Page, Picture, ResultView, Withheld, page,
};
use crate::terminal::plain;

/// Options about the page.
#[derive(Debug, clap::Args)]
pub(crate) struct ReportArgs {
    /// Also write a page for people about the one file: HTML that needs nothing else, with the picture in it
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// Leave the picture out of the report, so that it can be passed on without the file
    #[arg(long, requires = "report")]
    no_picture: bool,
    /// Replace a report that is there already
    #[arg(long, requires = "report")]
    force: bool,
}

/// Where the page goes.
#[derive(Debug)]
pub(crate) struct Target {
    path: PathBuf,
    replaces: bool,
    with_picture: bool,
}

/// Why no page is written there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// One page is about one file.
    #[error("write the report: it is about one file, and these paths mean {0}; name one file")]
    Several(usize),
    /// Reports are evidence, and not replaced in passing.
    #[error(
        "write the report: {} is there already; name another file, or replace it with --force",
        shown(.0)
    )]
    Exists(PathBuf),
    /// A folder.
    #[error("write the report: {} is a folder; name a file in it", shown(.0))]
    Folder(PathBuf),
    /// A link, a pipe, a device.
    #[error("write the report: {} is no ordinary file; name another", shown(.0))]
    NotAFile(PathBuf),
    /// What is to be verified.
    #[error(
        "write the report: {} is the file to be verified; name another",
        shown(.0)
    )]
    Media(PathBuf),
    /// Nowhere to write to.
    #[error("write the report: there is no folder {}; make it, or name another file", shown(.0))]
    NoFolder(PathBuf),
    /// It cannot be told what is there.
    #[error("write the report: look at {}", shown(path))]
    Unknown {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Target {
    /// Where the page goes, if one is wanted. Asked before any work is begun.
    ///
    /// # Errors
    /// When none can be written there.
    pub(crate) fn of(args: &ReportArgs, found: &Found) -> Result<Option<Self>, Refused> {
        let Some(path) = args.report.clone() else {
            return Ok(None);
        };
        let files = found.files.len() + found.unreadable.len();
        if files > 1 {
            return Err(Refused::Several(files));
        }
        let target = Self {
            path,
            replaces: args.force,
            with_picture: !args.no_picture,
        };
        target.check(found.files.first())?;
        Ok(Some(target))
    }

    fn check(&self, media: Option<&PathBuf>) -> Result<(), Refused> {
        let path = || self.path.clone();
        match fs::symlink_metadata(&self.path) {
            Ok(metadata) if metadata.is_dir() => Err(Refused::Folder(path())),
            Ok(_) if media.is_some_and(|media| is_same(media, &self.path)) => {
                Err(Refused::Media(path()))
            }
            Ok(metadata) if !metadata.is_file() => Err(Refused::NotAFile(path())),
            Ok(_) if !self.replaces => Err(Refused::Exists(path())),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let folder = folder_of(&self.path);
                if folder.is_dir() {
                    Ok(())
                } else {
                    Err(Refused::NoFolder(folder.to_path_buf()))
                }
            }
            Err(source) => Err(Refused::Unknown {
                path: path(),
                source,
            }),
        }
    }

    /// The path, for people.
    pub(crate) fn shown(&self) -> String {
        shown(&self.path)
    }

    /// Writes the page about a file.
    ///
    /// # Errors
    /// When there is no result to write about, or the page cannot be written.
    pub(crate) async fn write(&self, file: &File, maps: &Maps) -> anyhow::Result<()> {
        let Ended::Verified { result, .. } = &file.ended else {
            anyhow::bail!("write the report: there is no result, so there is no report");
        };
        let result = ResultView::read(result).context("write the report: read the result")?;
        let picture = self.picture(&file.path, &result).await;
        let name = file.path.file_name().unwrap_or(file.path.as_os_str());
        let text = page(&Page {
            name: &name.to_string_lossy(),
            result: &result,
            picture: &picture,
            maps,
            written_s: i64::try_from(SystemClock.now_ms() / 1_000).unwrap_or(i64::MAX),
        });
        self.save(&text)
    }

    async fn picture(&self, path: &Path, result: &ResultView) -> Picture {
        let mime = match Picture::allowed(result) {
            Ok(mime) if self.with_picture => mime,
            Ok(_) => return Picture::Withheld(Withheld::NotWanted),
            Err(why) => return Picture::Withheld(why),
        };
        match read(path).await {
            Ok(bytes) => Picture::of(result, mime, bytes),
            Err(_) => Picture::Withheld(Withheld::Unread),
        }
    }

    /// Under its name when it is complete, and over another file only if that is wanted.
    fn save(&self, text: &str) -> anyhow::Result<()> {
        match draft::save(&self.path, text, self.replaces) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(Refused::Exists(self.path.clone()).into())
            }
            saved => saved.with_context(|| format!("write the report: {}", self.shown())),
        }
    }
}

/// The maps that the result about a file names. A page without one is better than none.
pub(crate) async fn maps(file: &File, client: &Client) -> Maps {
    let Ended::Verified { result, .. } = &file.ended else {
        return Maps::default();
    };
    let Ok(result) = ResultView::read(result) else {
        return Maps::default();
    };
    let mut kept = BTreeMap::new();
    for id in Maps::named(&result) {
        if let Ok(Some(map)) = client.download(id, MAP_BYTES_MAX).await {
            kept.insert(id.to_owned(), map);
        }
    }
    Maps::fetch(&result, |id| kept.remove(id))
}

/// At most one byte more than a page takes: then it is not what was verified, whose size is known.
async fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = AsyncFile::open(path).await?;
    let mut bytes = Vec::new();
    let mut bounded = file.take(PICTURE_BYTES_MAX + 1);
    bounded.read_to_end(&mut bytes).await?;
    Ok(bytes)
}

fn is_same(one: &Path, other: &Path) -> bool {
    let (one, other) = (fs::canonicalize(one), fs::canonicalize(other));
    matches!((one, other), (Ok(one), Ok(other)) if one == other)
}

fn shown(path: &Path) -> String {
    plain(&path.display().to_string())
}

#[cfg(test)]
mod tests;
