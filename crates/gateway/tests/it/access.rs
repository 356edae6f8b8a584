//! Tokens: who is let in, and what they see.

use std::path::PathBuf;

use assay_api::v1 as pb;
use assay_api::v1::content_service_client::ContentServiceClient;
use assay_api::v1::job_service_client::JobServiceClient;
use assay_gateway::{ENTROPY_BYTES, NewToken, new_token};
use assay_store::StoreConfig;
use assay_test_support::wait::within;
use futures::stream;
use prost::Message;
use tempfile::TempDir;
use tonic::client::Grpc;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};
use tonic_prost::ProstCodec;

use crate::fixture::{Fixture, chunk, metadata};
use crate::http::{Answer, request, send};

mod calls;
mod deny;
mod editor;
mod isolation;
mod rotation;

/// How often the gateways of these tests look at their file, in milliseconds.
const REREAD_MS: &str = "10";

/// A gateway that asks for tokens.
struct House {
    fixture: Fixture,
    file: PathBuf,
    _folder: TempDir,
}

/// A token of `tenant`, named after its scopes and its tenant.
fn token(tenant: &str, scopes: &str) -> NewToken {
    let name = format!("{tenant}-{}", scopes.replace(',', "-"));
    let mut entropy = [0; ENTROPY_BYTES];
    for (to, from) in entropy.iter_mut().zip(name.bytes()) {
        *to = from;
    }
    new_token(&name, tenant, scopes, None, &entropy).unwrap()
}

/// A token that was good until the begin of 1970.
fn expired() -> NewToken {
    let entropy = [0xee; ENTROPY_BYTES];
    new_token(
        "old",
        "acme",
        "read,submit,admin",
        Some("1970-01-01"),
        &entropy,
    )
    .unwrap()
}

fn text(tokens: &[&NewToken]) -> String {
    tokens
        .iter()
        .map(|token| format!("{}\n", token.line))
        .collect()
}

/// A client that shows its token.
#[derive(Clone)]
struct Shows(MetadataValue<Ascii>);

impl Interceptor for Shows {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let metadata = request.metadata_mut();
        metadata.insert("authorization", self.0.clone());
        Ok(request)
    }
}

type Shown = InterceptedService<Channel, Shows>;

impl House {
    async fn of(tokens: &[&NewToken]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokens");
        std::fs::write(&file, text(tokens)).unwrap();
        let path = file.display().to_string();
        let settings = [
            ("gateway.tokens_file", path.as_str()),
            ("gateway.tokens_reread_ms", REREAD_MS),
        ];
        Self {
            fixture: Fixture::with(&settings, StoreConfig::default()).await,
            file,
            _folder: folder,
        }
    }

    fn shows(token: &NewToken) -> Shows {
        Shows(format!("Bearer {}", token.token).parse().unwrap())
    }

    fn jobs(&self, token: &NewToken) -> JobServiceClient<Shown> {
        JobServiceClient::with_interceptor(self.fixture.channel.clone(), Self::shows(token))
    }

    fn content(&self, token: &NewToken) -> ContentServiceClient<Shown> {
        ContentServiceClient::with_interceptor(self.fixture.channel.clone(), Self::shows(token))
    }

    /// Stores `abc`; answers its name.
    async fn upload(&self, token: &NewToken) -> String {
        let parts = [metadata(pb::ContentMetadata::default()), chunk(b"abc")];
        let uploaded = self
            .content(token)
            .upload_content(stream::iter(parts))
            .await;
        uploaded.unwrap().into_inner().content_id
    }

    /// Submits a job with content of its own.
    async fn submit(&self, token: &NewToken, request_id: &str) -> String {
        let request = verification(self.upload(token).await, request_id);
        let submitted = self.jobs(token).submit_job(request).await.unwrap();
        submitted.into_inner().job.unwrap().id
    }

    /// Makes any call that takes one message, and collects what is answered.
    async fn call<Q, A>(
        &self,
        path: &str,
        token: Option<&NewToken>,
        message: Q,
    ) -> Result<Vec<A>, Status>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let mut request = Request::new(message);
        if let Some(token) = token {
            let Shows(value) = Self::shows(token);
            request.metadata_mut().insert("authorization", value);
        }
        let mut client = Grpc::new(self.fixture.channel.clone());
        client.ready().await.unwrap();
        let exchange = async {
            let codec = ProstCodec::<Q, A>::default();
            let path = path.parse().unwrap();
            let answer = client.server_streaming(request, path, codec).await;
            let (mut answers, mut all) = (answer?.into_inner(), Vec::new());
            while let Some(message) = answers.message().await? {
                all.push(message);
            }
            Ok::<_, Status>(all)
        };
        within(path, exchange).await
    }

    /// Sends a request over HTTP.
    async fn ask(&self, line: &str, token: Option<&NewToken>, body: &str) -> Answer {
        let shown = token.map(|token| format!("Bearer {}", token.token));
        let mut headers = vec![("Content-Type", "application/json")];
        headers.extend(shown.iter().map(|shown| ("Authorization", shown.as_str())));
        send(self.fixture.http, &request(line, &headers, body.as_bytes())).await
    }
}

fn verification(content_id: String, request_id: &str) -> pb::SubmitJobRequest {
    let payload = pb::ContentVerification {
        content_id,
        ..pb::ContentVerification::default()
    };
    pb::SubmitJobRequest {
        request_id: request_id.to_owned(),
        payload: Some(pb::submit_job_request::Payload::ContentVerification(
            payload,
        )),
        ..pb::SubmitJobRequest::default()
    }
}
