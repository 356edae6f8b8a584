//! Verifies one file over gRPC: upload, submit, watch, result.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use assay_api::CHUNK_BYTES_MAX;
use assay_api::v1;
use assay_api::v1::content_service_client::ContentServiceClient;
use assay_api::v1::job_service_client::JobServiceClient;
use assay_api::v1::upload_content_request::Part;
use assay_api::v1::watch_job_response::Message;
use tokio::time::timeout;
use tonic::transport::Channel;

use crate::outcome::Outcome;
use crate::progress::FileProgress;

/// For one file to be verified, however busy the machine is.
const VERIFIED_WITHIN: Duration = Duration::from_secs(180);

/// A connection to the server. Cloning shares it.
#[derive(Clone)]
pub(crate) struct Client {
    content: ContentServiceClient<Channel>,
    jobs: JobServiceClient<Channel>,
}

impl Client {
    pub(crate) async fn connect(url: &str) -> anyhow::Result<Self> {
        let endpoint = tonic::transport::Endpoint::from_shared(url.to_owned())
            .context("read the server's address")?;
        let channel = endpoint
            .connect()
            .await
            .with_context(|| format!("connect to {url}"))?;
        Ok(Self {
            content: ContentServiceClient::new(channel.clone()),
            jobs: JobServiceClient::new(channel),
        })
    }

    /// Verifies a file from upload to result.
    pub(crate) async fn verify(
        &self,
        path: &Path,
        progress: FileProgress,
    ) -> anyhow::Result<Outcome> {
        let verified = timeout(VERIFIED_WITHIN, self.run_job(path, progress)).await;
        let verified =
            verified.with_context(|| format!("not within {} s", VERIFIED_WITHIN.as_secs()));
        verified
            .and_then(|outcome| outcome)
            .with_context(|| format!("verify {}", path.display()))
    }

    async fn run_job(&self, path: &Path, mut progress: FileProgress) -> anyhow::Result<Outcome> {
        progress.show(0.0, "uploading");
        let payload = v1::ContentVerification {
            content_id: self.upload(path).await.context("upload the file")?,
            file_name: name_of(path),
            declared_mime: declared_mime(path).to_owned(),
            ..v1::ContentVerification::default()
        };
        let request = v1::SubmitJobRequest {
            payload: Some(v1::submit_job_request::Payload::ContentVerification(
                payload,
            )),
            ..v1::SubmitJobRequest::default()
        };
        let submitted = self
            .jobs
            .clone()
            .submit_job(request)
            .await
            .context("submit the job")?
            .into_inner();
        let job_id = submitted
            .job
            .context("read the answer to the submit: it has no job")?
            .id;
        let job = self
            .watch(&job_id, &mut progress)
            .await
            .context("watch the job")?;
        if job.state() != v1::JobState::Succeeded {
            return Ok(Outcome::of_failed(&job));
        }
        let request = v1::GetJobResultRequest { job_id };
        let result = self
            .jobs
            .clone()
            .get_job_result(request)
            .await
            .context("fetch the result")?
            .into_inner();
        Outcome::read(&result.json).context("read the result")
    }

    async fn upload(&self, path: &Path) -> anyhow::Result<String> {
        let bytes = tokio::fs::read(path).await?;
        let metadata = v1::ContentMetadata {
            file_name: name_of(path),
            declared_mime: declared_mime(path).to_owned(),
            size_bytes: u64::try_from(bytes.len()).ok(),
            ..v1::ContentMetadata::default()
        };
        let mut parts = vec![Part::Metadata(metadata)];
        parts.extend(
            bytes
                .chunks(CHUNK_BYTES_MAX)
                .map(|chunk| Part::Chunk(chunk.to_vec().into())),
        );
        let messages = parts
            .into_iter()
            .map(|part| v1::UploadContentRequest { part: Some(part) });
        let uploaded = self
            .content
            .clone()
            .upload_content(tokio_stream::iter(messages.collect::<Vec<_>>()))
            .await?;
        Ok(uploaded.into_inner().content_id)
    }

    /// Shows the job's events until it has ended.
    async fn watch(&self, job_id: &str, progress: &mut FileProgress) -> anyhow::Result<v1::Job> {
        let request = v1::WatchJobRequest {
            job_id: job_id.to_owned(),
            ..v1::WatchJobRequest::default()
        };
        let mut stream = self.jobs.clone().watch_job(request).await?.into_inner();
        while let Some(response) = stream.message().await? {
            match response.message {
                Some(Message::Event(event)) => progress.show(event.percent, &words_of(&event)),
                Some(Message::Snapshot(v1::JobSnapshot { job: Some(job), .. }))
                    if is_terminal(job.state()) =>
                {
                    return Ok(job);
                }
                Some(Message::Snapshot(_)) | None => {}
            }
        }
        bail!("the stream ended before the job did")
    }
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// What the name claims. Evidence, not truth.
fn declared_mime(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("jpg") => "image/jpeg",
        Some("png") => "image/png",
        _ => "",
    }
}

fn is_terminal(state: v1::JobState) -> bool {
    use v1::JobState::{Cancelled, DeadLettered, Failed, Succeeded};
    matches!(state, Succeeded | Failed | Cancelled | DeadLettered)
}

fn words_of(event: &v1::JobEvent) -> String {
    let state = event
        .state()
        .as_str_name()
        .trim_start_matches("JOB_STATE_")
        .to_lowercase();
    let step = event.step.replace('_', " ");
    if step.is_empty() {
        state.replace('_', " ")
    } else {
        format!("{}: {step}", state.replace('_', " "))
    }
}

#[cfg(test)]
mod tests;
