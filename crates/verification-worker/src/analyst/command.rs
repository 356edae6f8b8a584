//! How a child is started.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::{Child, Command};

use super::protocol::Request;

/// The first argument that makes a binary of ours an analyst. It is in no help text: people never give it.
pub const ANALYST_WORD: &str = "analyst";

/// The kernel's name for the binary that runs. It holds even after an update put another file in its place.
const THIS_BINARY: &str = "/proc/self/exe";

/// The program that becomes the child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChildCommand {
    program: PathBuf,
}

impl ChildCommand {
    /// The binary that runs now. Its `main` must begin as `child_main` says.
    #[must_use]
    pub fn this_binary() -> Self {
        Self::program(THIS_BINARY)
    }

    /// Another binary whose `main` begins as `child_main` says.
    #[must_use]
    pub fn program(path: impl Into<PathBuf>) -> Self {
        Self {
            program: path.into(),
        }
    }

    /// Starts a child in a process group of its own, without environment, with `input` as standard input.
    ///
    /// # Errors
    /// The system could not start it.
    pub(crate) fn start(&self, request: &Request, input: File) -> io::Result<Child> {
        let request = serde_json::to_string(request)?;
        Command::new(&self.program)
            .arg0(OsString::from("assay-analyst"))
            .args([ANALYST_WORD, &request])
            .env_clear()
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::from(input))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
    }
}
