//! The services of the API: each call gets its tenant and its span here, and is told elsewhere.

use std::pin::Pin;
use std::sync::Arc;

use assay_api::v1 as pb;
use assay_api::v1::admin_service_server::AdminService;
use assay_api::v1::content_service_server::ContentService;
use assay_api::v1::job_service_server::JobService;
use assay_core::id::Tenant;
use futures::Stream;
use tonic::{Request, Response, Status, Streaming};
use tracing::{Instrument, Span};

use crate::caller;
use crate::edge::Edge;
use crate::status::Refusal;
use crate::submit_stream::{Submitter, submit_all};
use crate::watch::watch;

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;
type Answer<T> = Result<Response<T>, Status>;

/// All services; cloning gives another handle to the same.
#[derive(Clone)]
pub(crate) struct Calls {
    edge: Arc<Edge>,
}

impl Calls {
    pub(crate) fn new(edge: Arc<Edge>) -> Self {
        Self { edge }
    }
}

/// What a call is: the message, whose, and where it is traced.
struct Call<T> {
    message: T,
    tenant: Tenant,
    span: Span,
}

impl<T> Call<T> {
    fn begin(method: &'static str, request: Request<T>) -> Self {
        let tenant = caller::tenant(request.metadata());
        let span = caller::span(method, request.metadata());
        Self {
            message: request.into_inner(),
            tenant,
            span,
        }
    }
}

async fn answer<T>(span: Span, work: impl Future<Output = Result<T, Refusal>>) -> Answer<T> {
    let answered = work.instrument(span).await;
    answered.map(Response::new).map_err(Status::from)
}

#[tonic::async_trait]
impl JobService for Calls {
    type SubmitJobsStream = Answers<pb::SubmitJobsResponse>;
    type WatchJobStream = Answers<pb::WatchJobResponse>;

    async fn submit_job(
        &self,
        request: Request<pb::SubmitJobRequest>,
    ) -> Answer<pb::SubmitJobResponse> {
        let call = Call::begin("assay.v1.JobService/SubmitJob", request);
        let trace = caller::trace(&call.span);
        let submit = self.edge.submit(&call.message, &call.tenant, &trace);
        answer(call.span.clone(), submit).await
    }

    async fn submit_jobs(
        &self,
        request: Request<Streaming<pb::SubmitJobsRequest>>,
    ) -> Answer<Self::SubmitJobsStream> {
        let call = Call::begin("assay.v1.JobService/SubmitJobs", request);
        self.edge.admit()?;
        let submitter = Submitter {
            edge: Arc::clone(&self.edge),
            tenant: call.tenant,
            trace: caller::trace(&call.span),
        };
        Ok(Response::new(Box::pin(submit_all(submitter, call.message))))
    }

    async fn get_job(&self, request: Request<pb::GetJobRequest>) -> Answer<pb::Job> {
        let call = Call::begin("assay.v1.JobService/GetJob", request);
        let get = self.edge.get_job(&call.message, &call.tenant);
        answer(call.span, get).await
    }

    async fn list_jobs(
        &self,
        request: Request<pb::ListJobsRequest>,
    ) -> Answer<pb::ListJobsResponse> {
        let call = Call::begin("assay.v1.JobService/ListJobs", request);
        let list = self.edge.list_jobs(&call.message, &call.tenant);
        answer(call.span, list).await
    }

    async fn watch_job(
        &self,
        request: Request<pb::WatchJobRequest>,
    ) -> Answer<Self::WatchJobStream> {
        let call = Call::begin("assay.v1.JobService/WatchJob", request);
        let watch = watch(Arc::clone(&self.edge), &call.message, call.tenant);
        let events = watch.instrument(call.span).await?;
        Ok(Response::new(Box::pin(events)))
    }

    async fn cancel_job(&self, request: Request<pb::CancelJobRequest>) -> Answer<pb::Job> {
        let call = Call::begin("assay.v1.JobService/CancelJob", request);
        let cancel = self.edge.cancel_job(&call.message, &call.tenant);
        answer(call.span, cancel).await
    }

    async fn retry_job(&self, request: Request<pb::RetryJobRequest>) -> Answer<pb::Job> {
        let call = Call::begin("assay.v1.JobService/RetryJob", request);
        let retry = self.edge.retry_job(&call.message, &call.tenant);
        answer(call.span, retry).await
    }

    async fn get_job_result(
        &self,
        request: Request<pb::GetJobResultRequest>,
    ) -> Answer<pb::GetJobResultResponse> {
        let call = Call::begin("assay.v1.JobService/GetJobResult", request);
        let result = self.edge.get_job_result(&call.message, &call.tenant);
        answer(call.span, result).await
    }
}

#[tonic::async_trait]
impl ContentService for Calls {
    async fn upload_content(
        &self,
        request: Request<Streaming<pb::UploadContentRequest>>,
    ) -> Answer<pb::UploadContentResponse> {
        let call = Call::begin("assay.v1.ContentService/UploadContent", request);
        let upload = self.edge.upload(call.message, &call.tenant);
        upload.instrument(call.span).await.map(Response::new)
    }

    async fn get_content(&self, request: Request<pb::GetContentRequest>) -> Answer<pb::Content> {
        let call = Call::begin("assay.v1.ContentService/GetContent", request);
        let get = self.edge.get_content(&call.message, &call.tenant);
        answer(call.span, get).await
    }
}

#[tonic::async_trait]
impl AdminService for Calls {
    async fn get_health(
        &self,
        request: Request<pb::GetHealthRequest>,
    ) -> Answer<pb::GetHealthResponse> {
        let call = Call::begin("assay.v1.AdminService/GetHealth", request);
        let health = self.edge.health().instrument(call.span).await;
        Ok(Response::new(health))
    }

    async fn list_queues(
        &self,
        request: Request<pb::ListQueuesRequest>,
    ) -> Answer<pb::ListQueuesResponse> {
        let call = Call::begin("assay.v1.AdminService/ListQueues", request);
        answer(call.span, self.edge.list_queues()).await
    }

    async fn get_server_info(
        &self,
        _request: Request<pb::GetServerInfoRequest>,
    ) -> Answer<pb::ServerInfo> {
        Ok(Response::new(self.edge.server_info()))
    }
}
