//! The client side of a measurement: real gRPC, one connection.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use anyhow::Context;
use assay_api::v1::admin_service_client::AdminServiceClient;
use assay_api::v1::content_service_client::ContentServiceClient;
use assay_api::v1::job_service_client::JobServiceClient;
use assay_api::v1::submit_jobs_result::Outcome;
use assay_api::{CHUNK_BYTES_MAX, v1};
use assay_probe::{SCRIPT_OPTION, Script};
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};

/// Encoded size that a measured payload is filled up to, in bytes.
pub const PAYLOAD_BYTES: usize = 400;

/// A connected client.
#[derive(Clone, Debug)]
pub struct Client {
    /// Calls about jobs.
    pub jobs: JobServiceClient<Channel>,
    /// Calls of operators.
    pub admin: AdminServiceClient<Channel>,
    contents: ContentServiceClient<Channel>,
}

/// What became of one submit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Recorded under this id.
    Accepted(String),
    /// Nothing was written.
    Refused(String),
    /// Nobody knows.
    Unknown,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens there.
    pub async fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let endpoint = Endpoint::from_shared(format!("http://{address}"))?.tcp_nodelay(true);
        let channel = endpoint.connect().await.context("connect to the gateway")?;
        Ok(Self {
            jobs: JobServiceClient::new(channel.clone()),
            admin: AdminServiceClient::new(channel.clone()),
            contents: ContentServiceClient::new(channel),
        })
    }

    /// Stores content, such as all probe jobs name.
    ///
    /// # Errors
    /// As the server answers.
    pub async fn upload(&mut self, bytes: &[u8]) -> anyhow::Result<String> {
        use v1::upload_content_request::Part;
        let metadata = v1::ContentMetadata::default();
        let chunks = bytes.chunks(CHUNK_BYTES_MAX);
        let chunks = chunks.map(|chunk| Part::Chunk(chunk.to_vec().into()));
        let parts = std::iter::once(Part::Metadata(metadata)).chain(chunks);
        let messages = parts.map(|part| v1::UploadContentRequest { part: Some(part) });
        let messages: Vec<_> = messages.collect();
        let answer = self
            .contents
            .upload_content(tokio_stream::iter(messages))
            .await?;
        Ok(answer.into_inner().content_id)
    }

    /// Submits jobs over one stream, at most `window` without an answer at a time, and tells each answer to `heard`
    /// with the request's place. Requests that a broken stream left without an answer are unknown.
    pub async fn submit_all(
        &mut self,
        requests: Vec<v1::SubmitJobRequest>,
        window: usize,
        mut heard: impl FnMut(usize, Answer),
    ) {
        let mut open = BTreeSet::new();
        let mut waiting = requests.into_iter().enumerate();
        // As wide as the window, so that sending never waits.
        let (sender, receiver) = mpsc::channel(window);
        let answers = self.jobs.submit_jobs(ReceiverStream::new(receiver)).await;
        let mut answers = answers.ok().map(tonic::Response::into_inner);
        while let Some(stream) = &mut answers {
            for (place, request) in waiting.by_ref().take(window - open.len()) {
                open.insert(place);
                let message = v1::SubmitJobsRequest {
                    sequence: place as u64,
                    request: Some(request),
                };
                // A stream that is gone shows on the other side.
                drop(sender.send(message).await);
            }
            if open.is_empty() {
                return;
            }
            let Some(Ok(message)) = stream.next().await else {
                break;
            };
            for result in message.results {
                let place = usize::try_from(result.sequence).unwrap_or(usize::MAX);
                open.remove(&place);
                heard(place, answer_of(result.outcome));
            }
        }
        open.into_iter()
            .chain(waiting.map(|(place, _)| place))
            .for_each(|place| heard(place, Answer::Unknown));
    }
}

fn answer_of(outcome: Option<Outcome>) -> Answer {
    match outcome {
        Some(Outcome::Submitted(submitted)) => {
            Answer::Accepted(submitted.job.unwrap_or_default().id)
        }
        Some(Outcome::Error(error)) if error.reason == "OUTCOME_UNKNOWN" => Answer::Unknown,
        Some(Outcome::Error(error)) => {
            Answer::Refused(format!("{}: {}", error.reason, error.message))
        }
        None => Answer::Unknown,
    }
}

/// A probe job.
#[must_use]
pub fn request(content_id: &str, request_id: &str, script: &Script) -> v1::SubmitJobRequest {
    let payload = v1::ContentVerification {
        content_id: content_id.to_owned(),
        options: BTreeMap::from([(SCRIPT_OPTION.to_owned(), script.to_string())]),
        ..v1::ContentVerification::default()
    };
    v1::SubmitJobRequest {
        request_id: request_id.to_owned(),
        payload: Some(v1::submit_job_request::Payload::ContentVerification(
            payload,
        )),
        ..v1::SubmitJobRequest::default()
    }
}

/// Fills a job's options up, so that the payload has [`PAYLOAD_BYTES`] or a little more.
#[must_use]
pub fn filled(mut request: v1::SubmitJobRequest) -> v1::SubmitJobRequest {
    if let Some(v1::submit_job_request::Payload::ContentVerification(payload)) =
        &mut request.payload
    {
        let filling = "x".repeat(PAYLOAD_BYTES / 2 - 70);
        payload
            .options
            .insert("filling.1".to_owned(), filling.clone());
        payload.options.insert("filling.2".to_owned(), filling);
    }
    request
}
