//! Files that are there complete or not at all.

use std::fs::Permissions;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// What drafts are called, so that one that a killed program left can be told.
const PREFIX: &str = ".assay-";

/// Who may read it is the owner's choice, by the umask: it is a document like any other.
const MODE: u32 = 0o666;

/// Writes a text: under its name when it is complete, and over another file only if that is wanted.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] when another file is there and stays, or what the system said.
pub(crate) fn save(path: &Path, text: &str, replaces: bool) -> io::Result<()> {
    let mut draft = tempfile::Builder::new();
    draft
        .prefix(PREFIX)
        .permissions(Permissions::from_mode(MODE));
    let mut draft = draft.tempfile_in(folder_of(path))?;
    draft.write_all(text.as_bytes())?;
    let saved = if replaces {
        draft.persist(path)
    } else {
        draft.persist_noclobber(path)
    };
    saved.map(drop).map_err(|error| error.error)
}

/// The folder that a file is in or comes into.
pub(crate) fn folder_of(path: &Path) -> &Path {
    let folder = path.parent();
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or_else(|| Path::new("."))
}
