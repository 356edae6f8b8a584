//! A detector that speaks Assay's own protocol, and what every detector at an address shares.

use std::time::Duration;

use assay_api::v1 as pb;
use assay_api::v1::analyze_chunk::Part;
use assay_api::v1::detector_client::DetectorClient;
use assay_service::trace_context;
use async_trait::async_trait;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::answer::Answer;
use crate::backend::Backend;
use crate::call::{CONNECT_MS_MAX, CallError};
use crate::caller::Turn;
use crate::chunks;
use crate::description::Description;
use crate::exam::{Body, Exam};
use crate::settings::External;

/// The largest answer that is read, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Where a detector listens, and what it is told with every call.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) channel: Channel,
    token: Option<MetadataValue<Ascii>>,
}

impl Line {
    /// A line that is connected when it is first used, and again after each loss.
    ///
    /// # Errors
    /// What is wrong with the address or the token.
    pub(crate) fn to(external: &External) -> Result<Self, String> {
        let endpoint = Endpoint::from_shared(external.endpoint.clone())
            .map_err(|error| format!("endpoint: {error}"))?
            .connect_timeout(Duration::from_millis(CONNECT_MS_MAX));
        let bearer = |token: &str| {
            let value = format!("Bearer {token}").parse::<MetadataValue<Ascii>>();
            value.map_err(|_| "token: it cannot be sent".to_owned())
        };
        let token = (!external.token.is_empty()).then_some(external.token.as_str());
        Ok(Self {
            channel: endpoint.connect_lazy(),
            token: token.map(bearer).transpose()?,
        })
    }

    /// A request that says how long there is for it, who asks, and in which trace.
    pub(crate) fn request<T>(&self, message: T, limit: Duration) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(limit);
        let metadata = request.metadata_mut();
        if let Some(token) = &self.token {
            metadata.insert("authorization", token.clone());
        }
        let trace = trace_context::current();
        let headers = [
            ("traceparent", trace.traceparent),
            ("tracestate", trace.tracestate),
        ];
        for (name, text) in headers {
            if let Ok(value) = text.parse()
                && !text.is_empty()
            {
                metadata.insert(name, value);
            }
        }
        request
    }
}

/// A detector that speaks Assay's own protocol.
#[derive(Debug)]
pub(crate) struct Remote {
    line: Line,
}

impl Remote {
    pub(crate) fn new(line: Line) -> Self {
        Self { line }
    }

    fn client(&self) -> DetectorClient<Channel> {
        let client = DetectorClient::new(self.line.channel.clone());
        client.max_decoding_message_size(MESSAGE_BYTES_MAX)
    }
}

#[async_trait]
impl Backend for Remote {
    async fn describe(&self, limit: Duration) -> Result<Description, CallError> {
        let request = self.line.request(pb::DescribeRequest {}, limit);
        let response = self.client().describe(request).await?;
        Description::check(response.into_inner())
    }

    async fn healthy(&self, limit: Duration) -> Result<(), CallError> {
        let service = String::new();
        let request = self.line.request(HealthCheckRequest { service }, limit);
        let mut client = HealthClient::new(self.line.channel.clone());
        let status = match client.check(request).await {
            Ok(response) => response.into_inner().status(),
            // A detector need not have a health service: then it is well until it is asked.
            Err(status) if status.code() == Code::Unimplemented => return Ok(()),
            Err(status) => return Err(status.into()),
        };
        match status {
            ServingStatus::Serving => Ok(()),
            ServingStatus::Unknown | ServingStatus::NotServing | ServingStatus::ServiceUnknown => {
                let why = "it says that it is not well".to_owned();
                Err(CallError::Failed { why, again: false })
            }
        }
    }

    async fn analyze(
        &self,
        exam: &Exam,
        described: &Description,
        turn: Turn,
    ) -> Result<Answer, CallError> {
        let limit = turn.limit;
        let part = Some(Part::Header(header(exam, limit)));
        let (chunks, trouble) = chunks::stream(pb::AnalyzeChunk { part }, &exam.body);
        let answered = self
            .client()
            .analyze(self.line.request(chunks, limit))
            .await;
        if let Some(trouble) = trouble.said() {
            return Err(CallError::Ours(trouble));
        }
        Answer::check(answered?.into_inner(), described, exam)
    }
}

fn header(exam: &Exam, limit: Duration) -> pb::AnalyzeHeader {
    let (content_sha256, bytes) = match &exam.body {
        Body::File { sha256, bytes, .. } => (sha256.clone(), *bytes),
        Body::Rendered(bytes) => (assay_forensics::sha256(bytes), bytes.len() as u64),
        Body::Pixels(_) => (String::new(), 0),
    };
    pb::AnalyzeHeader {
        request_id: exam.request_id.clone(),
        content_sha256,
        bytes,
        mime: exam.mime.clone(),
        modality: exam.modality.to_wire().into(),
        tasks: exam.tasks.iter().map(ToString::to_string).collect(),
        budget: prost_types::Duration::try_from(limit).ok(),
        want_map: exam.want_map,
        hints: exam.hints.clone(),
        idempotency_key: exam.idempotency_key.clone(),
    }
}
