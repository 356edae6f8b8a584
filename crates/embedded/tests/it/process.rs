//! A process around the services, as far as a test needs one, and a probe that does what it is told.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use assay_api::v1;
use assay_api::v1::content_service_client::ContentServiceClient;
use assay_api::v1::job_service_client::JobServiceClient;
use assay_core::kind::JobKind;
use assay_core::progress::StepPlan;
use assay_embedded::{DEFAULTS, Embedded, Error, INSTRUMENTS};
use assay_service::prometheus::Metrics;
use assay_service::shutdown::{Drained, Pace};
use assay_service::tasks::Joined;
use assay_service::{Config, Context};
use assay_worker_runtime::{JobContext, JobError, JobHandler};
use tokio::sync::Semaphore;
use tonic::transport::Channel;

/// For anything that happens once.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A handler that ends an attempt for each permit that it is given.
#[derive(Clone)]
pub(crate) struct Probe {
    pub(crate) permits: Arc<Semaphore>,
    pub(crate) begun: Arc<Semaphore>,
}

impl Probe {
    pub(crate) fn new(permits: usize) -> Self {
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self {
            permits: semaphore(permits),
            begun: semaphore(0),
        }
    }

    /// Waits until an attempt began.
    pub(crate) async fn has_begun(&self) {
        let begun = tokio::time::timeout(PATIENCE, self.begun.acquire()).await;
        begun.expect("an attempt begins").unwrap().forget();
    }
}

impl JobHandler for Probe {
    const KIND: JobKind = JobKind::ContentVerification;
    type Payload = v1::ContentVerification;
    type Output = String;

    fn plan(&self, _: &v1::ContentVerification) -> StepPlan {
        StepPlan::new([("probe", 1)]).unwrap()
    }

    async fn handle(
        &self,
        context: &JobContext,
        payload: v1::ContentVerification,
    ) -> Result<String, JobError> {
        self.begun.add_permits(1);
        let cancelled = context.cancellation();
        tokio::select! {
            permit = self.permits.acquire() => permit.unwrap().forget(),
            () = cancelled.cancelled() => return Err(JobError::Stopped),
        }
        Ok(payload.file_name)
    }
}

/// Services that run.
pub(crate) struct Process {
    pub(crate) context: Context,
    pub(crate) server: String,
    finished: Joined<()>,
}

impl Process {
    pub(crate) async fn start(folder: &Path, probe: &Probe) -> Result<Self, Error> {
        let config = Config::loader(&DEFAULTS)
            .set("embedded.data_dir", folder.display().to_string())
            .set("gateway.listen", "127.0.0.1:0")
            .set("gateway.http_listen", "");
        let metrics = Metrics::new("embedded", "1.2.3", &INSTRUMENTS).unwrap();
        let context = Context::detached(config.load().unwrap(), metrics);
        let probe = probe.clone();
        let embedded = Embedded::start(&context, |workers| Ok(workers.add(probe)?)).await?;
        let server = format!("http://{}", embedded.address());
        let finished = context.tasks.spawn_joined("embedded", embedded.finished());
        Ok(Self {
            context,
            server,
            finished,
        })
    }

    /// Goes down as a process does.
    pub(crate) async fn stop(self, drain_ms: u64) -> Drained {
        let pace = Pace {
            not_ready_ms: 0,
            drain_ms,
            hand_back_ms: 20_000,
        };
        let work = async { self.finished.await.unwrap() };
        self.context
            .shutdown
            .drain(pace, &self.context.readiness, work)
            .await
    }

    pub(crate) async fn jobs(&self) -> JobServiceClient<Channel> {
        JobServiceClient::connect(self.server.clone())
            .await
            .unwrap()
    }

    /// Uploads a text and submits a job for it; answers the job's id.
    pub(crate) async fn submit(&self, name: &str) -> String {
        use v1::upload_content_request::Part;
        let mut content = ContentServiceClient::connect(self.server.clone())
            .await
            .unwrap();
        let metadata = Part::Metadata(v1::ContentMetadata::default());
        let parts = [metadata, Part::Chunk(name.as_bytes().to_vec().into())];
        let parts = parts.map(|part| v1::UploadContentRequest { part: Some(part) });
        let stored = content
            .upload_content(tokio_stream::iter(parts))
            .await
            .unwrap();
        let payload = v1::ContentVerification {
            content_id: stored.into_inner().content_id,
            file_name: name.to_owned(),
            ..v1::ContentVerification::default()
        };
        let request = v1::SubmitJobRequest {
            payload: Some(v1::submit_job_request::Payload::ContentVerification(
                payload,
            )),
            ..v1::SubmitJobRequest::default()
        };
        let submitted = self.jobs().await.submit_job(request).await.unwrap();
        submitted.into_inner().job.unwrap().id
    }

    /// Watches a job to its end; answers its result.
    pub(crate) async fn result(&self, job_id: &str) -> String {
        let mut jobs = self.jobs().await;
        let request = v1::WatchJobRequest {
            job_id: job_id.to_owned(),
            after_event_id: String::new(),
        };
        let mut watch = jobs.watch_job(request).await.unwrap().into_inner();
        let watched = async { while watch.message().await.unwrap().is_some() {} };
        tokio::time::timeout(PATIENCE, watched)
            .await
            .expect("the job ends");
        let request = v1::GetJobResultRequest {
            job_id: job_id.to_owned(),
        };
        let result = jobs.get_job_result(request).await.unwrap().into_inner();
        serde_json::from_slice(&result.json).unwrap()
    }
}
