//! The child's side: confine, read, run the stages, say what came out.
//!
//! A binary that starts analysts begins its `main` with
//! `if std::env::args().nth(1).as_deref() == Some(ANALYST_WORD) { return child_main(); }`, before anything else: no
//! runtime, no configuration, no log. What goes wrong here is told by how the process ends.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::confine::ConfineError;
use super::protocol::{Line, Request, Work};
use crate::{render, stages};

/// How often a child looks whether its parent still lives.
const PARENT_LOOK_MS: u64 = 250;

/// Exit status of a child that could not begin (`EX_SOFTWARE`).
const CANNOT_BEGIN: u8 = 70;

/// One stage: a name, and what runs under it.
#[derive(Debug, Clone, Copy)]
pub struct Stage {
    /// The name, as in requests and results.
    pub name: &'static str,
    /// The work, on the bytes of the file.
    pub run: fn(&Work, &[u8]) -> Value,
}

/// Runs this process as an analyst to its end.
#[must_use]
pub fn child_main() -> ExitCode {
    child_main_with(&[])
}

/// As [`child_main`], with stages of the caller's own beside ours, or in place of those of the same name. Tests bring
/// stages that misbehave.
#[must_use]
pub fn child_main_with(own: &[Stage]) -> ExitCode {
    let ours = stages::ALL.iter().chain([&render::STAGE]);
    let stages: Vec<Stage> = own.iter().chain(ours).copied().collect();
    match serve(&stages) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The parent keeps the beginning of what is said here for its log. Nobody is left to hear a failure.
            drop(writeln!(io::stderr(), "{error}"));
            ExitCode::from(CANNOT_BEGIN)
        }
    }
}

/// Why a child cannot do what it was started for.
#[derive(Debug, thiserror::Error)]
enum ChildError {
    #[error("start an analyst with a request as its second argument")]
    NoRequest,
    #[error("read the request of the analyst process: {0}")]
    BadRequest(serde_json::Error),
    #[error("{0}")]
    Confine(ConfineError),
    #[error("read the input of the analyst process: {0}")]
    Input(io::Error),
    #[error("write the output of the analyst process: {0}")]
    Output(io::Error),
    #[error("run stage {0:?}: there is no such stage")]
    UnknownStage(String),
}

fn serve(stages: &[Stage]) -> Result<(), ChildError> {
    let request = std::env::args().nth(2).ok_or(ChildError::NoRequest)?;
    let request: Request = serde_json::from_str(&request).map_err(ChildError::BadRequest)?;
    end_with(request.parent);
    request.confinement.apply().map_err(ChildError::Confine)?;
    let bytes = read_input().map_err(ChildError::Input)?;
    for name in &request.stages {
        let stage = stages.iter().find(|stage| stage.name == name);
        let stage = stage.ok_or_else(|| ChildError::UnknownStage(name.clone()))?;
        say(&Line::Started {
            stage: name.clone(),
        })?;
        let output = (stage.run)(&request.work, &bytes);
        say(&Line::Finished {
            stage: name.clone(),
            output,
        })?;
    }
    Ok(())
}

/// A parent that is killed cannot kill its children, so they look themselves. The kernel's own signal for this is no
/// use: it comes when the thread that started the child ends, and threads of a runtime end while the process lives.
fn end_with(parent: u32) {
    thread::spawn(move || {
        while std::os::unix::process::parent_id() == parent {
            thread::sleep(Duration::from_millis(PARENT_LOOK_MS));
        }
        std::process::abort();
    });
}

/// Reads by position: children on the same file share the one that it stands at, and several may read at once.
fn read_input() -> io::Result<Vec<u8>> {
    let input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let size_bytes = usize::try_from(input.metadata()?.len()).unwrap_or(usize::MAX);
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(size_bytes)?;
    bytes.resize(size_bytes, 0);
    input.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

fn say(line: &Line) -> Result<(), ChildError> {
    let mut text = serde_json::to_vec(line).map_err(|error| ChildError::Output(error.into()))?;
    text.push(b'\n');
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(&text)
        .and_then(|()| stdout.flush())
        .map_err(ChildError::Output)
}
