//! A gateway that goes with the test, and its clients.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use assay_api::v1 as pb;
use assay_api::v1::admin_service_client::AdminServiceClient;
use assay_api::v1::content_service_client::ContentServiceClient;
use assay_api::v1::job_service_client::JobServiceClient;
use assay_blob::Blobs;
use assay_core::clock::SystemClock;
use assay_core::port::{JobQueue, JobStore, QueueControl, WorkerRegistry};
use assay_gateway::Gateway;
use assay_queue::InProcessQueue;
use assay_service::prometheus::Metrics;
use assay_service::{Config, Context};
use assay_store::{EmbeddedStore, InProcessRegistry, StoreConfig};
use futures::stream;
use tempfile::TempDir;
use tonic::Status;
use tonic::transport::Channel;
use tonic_types::StatusExt;

pub(crate) struct Fixture {
    pub(crate) store: Arc<EmbeddedStore>,
    pub(crate) queue: Arc<InProcessQueue>,
    pub(crate) blobs: Blobs,
    pub(crate) registry: Arc<InProcessRegistry>,
    pub(crate) context: Context,
    pub(crate) channel: Channel,
    pub(crate) url: String,
    /// Where HTTP/JSON is served.
    pub(crate) http: SocketAddr,
    folder: TempDir,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::with(&[], StoreConfig::default()).await
    }

    pub(crate) async fn with(settings: &[(&str, &str)], store_config: StoreConfig) -> Self {
        Self::over(settings, store_config, |store| store).await
    }

    /// A gateway that sees the store through `wrap`.
    pub(crate) async fn over(
        settings: &[(&str, &str)],
        store_config: StoreConfig,
        wrap: impl FnOnce(Arc<EmbeddedStore>) -> Arc<dyn JobStore>,
    ) -> Self {
        Self::beside(settings, store_config, wrap, |queue| queue).await
    }

    /// A gateway that sees the store through `wrap` and the queue through `wrap_queue`.
    pub(crate) async fn beside(
        settings: &[(&str, &str)],
        store_config: StoreConfig,
        wrap: impl FnOnce(Arc<EmbeddedStore>) -> Arc<dyn JobStore>,
        wrap_queue: impl FnOnce(Arc<InProcessQueue>) -> Arc<dyn JobQueue>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = || Arc::new(SystemClock);
        let queue = Arc::new(InProcessQueue::new(clock()));
        let hand_out = Arc::clone(&queue);
        let store = EmbeddedStore::open(folder.path(), store_config, clock(), hand_out);
        let store = Arc::new(store.unwrap());
        let blobs = Blobs::open(folder.path().join("blobs")).await.unwrap();

        let mut loader = Config::loader(&[assay_gateway::DEFAULTS])
            .set("gateway.listen", "127.0.0.1:0")
            .set("gateway.http_listen", "127.0.0.1:0");
        for (key, value) in settings {
            loader = loader.set(key, *value);
        }
        let metrics = Metrics::new("gateway", "0.0.0", &[assay_gateway::INSTRUMENTS]).unwrap();
        let context = Context::detached(loader.load().unwrap(), metrics);
        let registry = Arc::new(InProcessRegistry::new(clock()));
        let gateway = Gateway {
            store: wrap(Arc::clone(&store)),
            queue: wrap_queue(Arc::clone(&queue)),
            control: Arc::clone(&store) as Arc<dyn QueueControl>,
            blobs: blobs.clone(),
            registry: Arc::clone(&registry) as Arc<dyn WorkerRegistry>,
            clock: clock(),
            mode: pb::ServerMode::Embedded,
        };
        let addresses = gateway.start(&context).await.unwrap();
        let url = format!("http://{}", addresses.grpc);
        let endpoint = Channel::from_shared(url.clone()).unwrap();
        Self {
            store,
            queue,
            blobs,
            registry,
            context,
            channel: endpoint.connect().await.unwrap(),
            url,
            http: addresses.http.unwrap(),
            folder,
        }
    }

    pub(crate) fn jobs(&self) -> JobServiceClient<Channel> {
        JobServiceClient::new(self.channel.clone())
    }

    pub(crate) fn content(&self) -> ContentServiceClient<Channel> {
        ContentServiceClient::new(self.channel.clone())
    }

    pub(crate) fn admin(&self) -> AdminServiceClient<Channel> {
        AdminServiceClient::new(self.channel.clone())
    }

    /// Uploads bytes, answers their name.
    pub(crate) async fn upload(&self, content: &'static [u8]) -> String {
        let parts = [metadata(pb::ContentMetadata::default()), chunk(content)];
        let uploaded = self.content().upload_content(stream::iter(parts)).await;
        uploaded.unwrap().into_inner().content_id
    }

    /// A request that is all right.
    pub(crate) async fn request(&self) -> pb::SubmitJobRequest {
        let payload = pb::ContentVerification {
            content_id: self.upload(b"abc").await,
            ..pb::ContentVerification::default()
        };
        pb::SubmitJobRequest {
            payload: Some(pb::submit_job_request::Payload::ContentVerification(
                payload,
            )),
            ..pb::SubmitJobRequest::default()
        }
    }

    /// Submits one job.
    pub(crate) async fn submit(&self) -> pb::Job {
        let request = self.request().await;
        let response = self.jobs().submit_job(request).await.unwrap();
        response.into_inner().job.unwrap()
    }

    /// Files of the blob folder.
    pub(crate) fn blob_files(&self) -> Vec<PathBuf> {
        files_below(&self.folder.path().join("blobs"))
    }
}

pub(crate) fn metadata(metadata: pb::ContentMetadata) -> pb::UploadContentRequest {
    let part = pb::upload_content_request::Part::Metadata(metadata);
    pb::UploadContentRequest { part: Some(part) }
}

pub(crate) fn chunk(bytes: &'static [u8]) -> pb::UploadContentRequest {
    let part = pb::upload_content_request::Part::Chunk(bytes.into());
    pb::UploadContentRequest { part: Some(part) }
}

/// The stable reason of an error, from its details.
pub(crate) fn reason(status: &Status) -> String {
    let info = status.get_details_error_info();
    let info = info.unwrap_or_else(|| panic!("{status:?} has no ErrorInfo"));
    assert_eq!(info.domain, "assay");
    info.reason
}

/// A value of the reason.
pub(crate) fn detail(status: &Status, key: &str) -> String {
    status.get_details_error_info().unwrap().metadata[key].clone()
}

/// The fields that an error names.
pub(crate) fn fields(status: &Status) -> Vec<String> {
    assert_eq!(reason(status), "INVALID_FIELD");
    let named = status.get_details_bad_request().unwrap().field_violations;
    named.into_iter().map(|wrong| wrong.field).collect()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files
}
