//! One file: from its path to what became of it.

use std::path::{Path, PathBuf};

use assay_api::v1;

use super::walk::Unreadable;
use crate::client::{Client, Fault, Media};
use crate::command::submit::{request_id, submit};
use crate::view::progress::{JobProgress, Progress};
use crate::view::report::Report;

/// A file and what became of it.
#[derive(Debug)]
pub(crate) struct File {
    /// Which.
    pub(crate) path: PathBuf,
    /// What became of it.
    pub(crate) ended: Ended,
}

/// What became of a file.
#[derive(Debug)]
pub(crate) enum Ended {
    /// It was verified.
    Verified {
        /// The job that did it.
        job_id: String,
        /// The result as the server gave it.
        result: serde_json::Value,
        /// The same, as it is shown.
        report: Box<Report>,
    },
    /// Its job ended without a result.
    Failed(Box<v1::Job>),
    /// It never came so far.
    Trouble {
        /// Why, and what to do.
        sentence: String,
        /// Whether there is no server any more.
        server_is_gone: bool,
    },
}

/// Verifies one file. Trouble with it is an answer: the other files go on.
pub(crate) async fn verify(client: &Client, path: PathBuf, progress: &Progress) -> File {
    let mut shown = progress.job(&path.display().to_string());
    let ended = match run(client, &path, &mut shown).await {
        Ok(ended) => ended,
        Err(error) => Ended::Trouble {
            server_is_gone: is_gone(&error),
            sentence: format!("{error:#}"),
        },
    };
    File { path, ended }
}

async fn run(client: &Client, path: &Path, shown: &mut JobProgress) -> anyhow::Result<Ended> {
    shown.note("upload");
    let media = Media::open(path).await?;
    let request = v1::SubmitJobRequest {
        request_id: request_id(),
        ..v1::SubmitJobRequest::default()
    };
    let submitted = submit(client, &media, request).await?;
    let job_id = submitted.job.unwrap_or_default().id;
    let job = client.watch(&job_id, |seen| shown.see(&seen)).await?;
    if job.state != i32::from(v1::JobState::Succeeded) {
        return Ok(Ended::Failed(Box::new(job)));
    }
    let json = client.result(&job_id).await?;
    Ok(Ended::Verified {
        job_id,
        result: serde_json::from_slice(&json)?,
        report: Box::new(Report::read(&json)?),
    })
}

fn is_gone(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref::<Fault>(),
        Some(Fault::Unreachable { .. } | Fault::Lost { .. })
    )
}

impl File {
    /// A file or folder that the search could not look at.
    pub(crate) fn unreadable(unreadable: Unreadable) -> Self {
        Self {
            path: unreadable.path,
            ended: Ended::Trouble {
                sentence: format!("look at it: {}", unreadable.why),
                server_is_gone: false,
            },
        }
    }

    /// Whether it makes no sense to go on with other files.
    pub(crate) fn server_is_gone(&self) -> bool {
        matches!(
            self.ended,
            Ended::Trouble {
                server_is_gone: true,
                ..
            }
        )
    }
}
