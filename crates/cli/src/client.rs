//! A server over gRPC, as the commands use it. The only module that calls generated clients.
//!
//! Calls that may be repeated without harm are repeated while the server is away or busy, within
//! [`patience`]; every error becomes a [`Fault`] with a sentence that names the next step.

mod credential;
mod dead_letters;
mod fault;
mod patience;
mod time;
mod trace;
mod upload;
mod watch;

use std::time::Duration;

use assay_api::v1;
use assay_api::v1::admin_service_client::AdminServiceClient;
use assay_api::v1::content_service_client::ContentServiceClient;
use assay_api::v1::job_service_client::JobServiceClient;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};

pub(crate) use credential::Credential;
pub(crate) use fault::Fault;
pub(crate) use patience::Patience;
pub(crate) use upload::Media;
pub(crate) use watch::Seen;

use crate::server::Server;

use trace::Trace;

/// For a server to take a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// A server that says nothing for so long is asked whether it is there, and has so long to answer: calls
/// have no other bound, because an upload or a watch may last.
const KEEPALIVE: Duration = Duration::from_secs(5);

/// Calls over a connection, each of them part of the trace and with our token.
type Calls = InterceptedService<InterceptedService<Channel, Credential>, Trace>;

/// A connection to a server. Cloning shares it; it is made anew when it breaks.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    server: Server,
    trace: Trace,
    jobs: JobServiceClient<Calls>,
    content: ContentServiceClient<Calls>,
    admin: AdminServiceClient<Calls>,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// When nobody answers at the address.
    pub(crate) async fn connect(server: &Server) -> Result<Self, Fault> {
        let unreachable = |error| Fault::unreachable(server, &error);
        let endpoint = Endpoint::from_shared(server.url().to_owned()).map_err(unreachable)?;
        let endpoint = endpoint.connect_timeout(CONNECT_TIMEOUT).tcp_nodelay(true);
        let endpoint = endpoint
            .http2_keep_alive_interval(KEEPALIVE)
            .keep_alive_timeout(KEEPALIVE);
        let channel = endpoint.connect().await.map_err(unreachable)?;
        let trace = Trace::begin();
        let shown = InterceptedService::new(channel, Credential::of_process());
        let calls = InterceptedService::new(shown, trace.clone());
        Ok(Self {
            server: server.clone(),
            trace,
            jobs: JobServiceClient::new(calls.clone()),
            content: ContentServiceClient::new(calls.clone()),
            admin: AdminServiceClient::new(calls),
        })
    }

    /// What the server is.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) async fn info(&self) -> Result<v1::ServerInfo, Fault> {
        let mut admin = self.admin.clone();
        self.read(admin.get_server_info(v1::GetServerInfoRequest {}).await)
    }

    /// How the server and its parts are.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) async fn health(&self) -> Result<v1::GetHealthResponse, Fault> {
        let mut admin = self.admin.clone();
        self.read(admin.get_health(v1::GetHealthRequest {}).await)
    }

    /// The queues, one per kind and lane.
    ///
    /// # Errors
    /// When the server does not answer, or its store does not.
    pub(crate) async fn queues(&self) -> Result<Vec<v1::Queue>, Fault> {
        let mut admin = self.admin.clone();
        let answer = admin.list_queues(v1::ListQueuesRequest {}).await;
        Ok(self.read(answer)?.queues)
    }

    /// Has the jobs of a kind wait.
    ///
    /// # Errors
    /// When the server knows no such kind, or can't write it down.
    pub(crate) async fn pause(&self, kind: &str) -> Result<(), Fault> {
        let kind = kind.to_owned();
        let mut admin = self.admin.clone();
        let answer = admin.pause_queue(v1::PauseQueueRequest { kind }).await;
        self.read(answer).map(drop)
    }

    /// Lets the jobs of a kind run again.
    ///
    /// # Errors
    /// When the server knows no such kind, or can't write it down.
    pub(crate) async fn resume(&self, kind: &str) -> Result<(), Fault> {
        let kind = kind.to_owned();
        let mut admin = self.admin.clone();
        let answer = admin.resume_queue(v1::ResumeQueueRequest { kind }).await;
        self.read(answer).map(drop)
    }

    /// The worker processes that are known.
    ///
    /// # Errors
    /// When the server does not answer, or its registry does not.
    pub(crate) async fn workers(&self) -> Result<Vec<v1::Worker>, Fault> {
        let mut admin = self.admin.clone();
        let answer = admin.list_workers(v1::ListWorkersRequest {}).await;
        Ok(self.read(answer)?.workers)
    }

    /// Submits a job. The request should have a request id: then a repeat after a lost answer is safe,
    /// and one is made.
    ///
    /// # Errors
    /// When the server refuses, or stays away too long.
    pub(crate) async fn submit(
        &self,
        request: v1::SubmitJobRequest,
    ) -> Result<v1::SubmitJobResponse, Fault> {
        let mut tries = 0;
        loop {
            let answer = self.jobs.clone().submit_job(request.clone()).await;
            let fault = match self.read(answer) {
                Ok(submitted) => return Ok(submitted),
                Err(fault) => fault,
            };
            tries += 1;
            match fault.wait(Patience::CALL, tries) {
                Some(delay) => tokio::time::sleep(delay).await,
                None => return Err(fault),
            }
        }
    }

    /// Where a job stands.
    ///
    /// # Errors
    /// When there is no such job.
    pub(crate) async fn job(&self, job_id: &str) -> Result<v1::Job, Fault> {
        let job_id = job_id.to_owned();
        let mut jobs = self.jobs.clone();
        self.read(jobs.get_job(v1::GetJobRequest { job_id }).await)
    }

    /// A page of jobs, newest first.
    ///
    /// # Errors
    /// When the server refuses a filter.
    pub(crate) async fn jobs(
        &self,
        request: v1::ListJobsRequest,
    ) -> Result<v1::ListJobsResponse, Fault> {
        self.read(self.jobs.clone().list_jobs(request).await)
    }

    /// Wants a job stopped.
    ///
    /// # Errors
    /// When there is no such job.
    pub(crate) async fn cancel(&self, job_id: &str) -> Result<v1::Job, Fault> {
        let job_id = job_id.to_owned();
        let mut jobs = self.jobs.clone();
        self.read(jobs.cancel_job(v1::CancelJobRequest { job_id }).await)
    }

    /// Puts a failed job back.
    ///
    /// # Errors
    /// When there is no such job, or it has not failed.
    pub(crate) async fn retry(&self, job_id: &str) -> Result<v1::Job, Fault> {
        let job_id = job_id.to_owned();
        let mut jobs = self.jobs.clone();
        self.read(jobs.retry_job(v1::RetryJobRequest { job_id }).await)
    }

    /// The result of a succeeded job: one JSON document.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) async fn result(&self, job_id: &str) -> Result<Vec<u8>, Fault> {
        let job_id = job_id.to_owned();
        let request = v1::GetJobResultRequest { job_id };
        let answer = self.jobs.clone().get_job_result(request).await;
        Ok(self.read(answer)?.json.to_vec())
    }

    /// Stored content, if it is there and has at most `bytes_max`.
    ///
    /// # Errors
    /// When it cannot be had.
    pub(crate) async fn download(
        &self,
        content_id: &str,
        bytes_max: usize,
    ) -> Result<Option<Vec<u8>>, Fault> {
        let content_id = content_id.to_owned();
        let request = v1::DownloadContentRequest { content_id };
        let answer = self.content.clone().download_content(request).await;
        let mut chunks = match self.read(answer) {
            Ok(chunks) => chunks,
            Err(fault) if fault.reason() == Some("CONTENT_NOT_FOUND") => return Ok(None),
            Err(fault) => return Err(fault),
        };
        let mut bytes = Vec::new();
        loop {
            let next = chunks.message().await;
            let Some(message) = next.map_err(|status| self.fault(&status))? else {
                return Ok(Some(bytes));
            };
            if bytes.len() + message.chunk.len() > bytes_max {
                return Ok(None);
            }
            bytes.extend_from_slice(&message.chunk);
        }
    }

    fn read<T>(&self, answer: Result<tonic::Response<T>, tonic::Status>) -> Result<T, Fault> {
        match answer {
            Ok(response) => Ok(response.into_inner()),
            Err(status) => Err(self.fault(&status)),
        }
    }

    fn fault(&self, status: &tonic::Status) -> Fault {
        Fault::of(&self.server, status, self.trace.id())
    }
}
