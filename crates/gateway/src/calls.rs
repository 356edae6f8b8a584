//! The services of the API: each call gets its caller and its span here, and is told elsewhere.

use std::pin::Pin;
use std::sync::Arc;

use assay_api::v1 as pb;
use assay_api::v1::admin_service_server::AdminService;
use assay_api::v1::content_service_server::ContentService;
use assay_api::v1::job_service_server::JobService;
use futures::Stream;
use tonic::{Code, Request, Response, Status, Streaming};
use tracing::Instrument;

use crate::access::Caller;
use crate::caller;
use crate::edge::Edge;
use crate::handled::{Handled, Told};
use crate::method::Method;
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

    /// Begins a call. One that nobody is known to make is refused, and one that there is no room for.
    fn begin<T>(&self, method: Method, request: Request<T>) -> Result<Call<T>, Status> {
        let span = caller::span(method, request.metadata());
        let mut handled = Handled::begin(method, span);
        let admitted = caller::of(request.extensions()).and_then(|caller| {
            caller::note(handled.span(), &caller);
            let place = self.edge.admission.admit_method(method, &caller)?;
            Ok((caller, place))
        });
        match admitted {
            Ok((caller, place)) => {
                handled.hold(place);
                Ok(Call {
                    message: request.into_inner(),
                    caller,
                    handled,
                })
            }
            Err(refusal) => {
                handled.end(refusal.code());
                Err(refusal.into())
            }
        }
    }
}

/// What a call is: the message, whose, and what becomes of it.
struct Call<T> {
    message: T,
    caller: Caller,
    handled: Handled,
}

/// Answers with one message.
async fn answer<T, E>(handled: Handled, work: impl Future<Output = Result<T, E>>) -> Answer<T>
where
    Status: From<E>,
{
    let span = handled.span().clone();
    let answered = work.instrument(span).await.map_err(Status::from);
    let code = answered.as_ref().map_or_else(Status::code, |_| Code::Ok);
    handled.end(code);
    answered.map(Response::new)
}

/// Answers with a stream, or with the reason why there is none.
async fn answer_all<T, S>(
    handled: Handled,
    opening: impl Future<Output = Result<S, Refusal>>,
) -> Answer<Answers<T>>
where
    S: Stream<Item = Result<T, Status>> + Send + 'static,
    T: 'static,
{
    let span = handled.span().clone();
    match opening.instrument(span).await.map_err(Status::from) {
        Ok(answers) => {
            let told = Told::new(Box::pin(answers), handled);
            Ok(Response::new(Box::pin(told)))
        }
        Err(status) => {
            handled.end(status.code());
            Err(status)
        }
    }
}

#[tonic::async_trait]
impl JobService for Calls {
    type SubmitJobsStream = Answers<pb::SubmitJobsResponse>;
    type WatchJobStream = Answers<pb::WatchJobResponse>;

    async fn submit_job(
        &self,
        request: Request<pb::SubmitJobRequest>,
    ) -> Answer<pb::SubmitJobResponse> {
        let call = self.begin(Method::SubmitJob, request)?;
        let trace = caller::trace(call.handled.span());
        let submit = self.edge.submit(&call.message, &call.caller.tenant, &trace);
        answer(call.handled, submit).await
    }

    async fn submit_jobs(
        &self,
        request: Request<Streaming<pb::SubmitJobsRequest>>,
    ) -> Answer<Self::SubmitJobsStream> {
        let call = self.begin(Method::SubmitJobs, request)?;
        let submitter = Submitter {
            edge: Arc::clone(&self.edge),
            caller: call.caller,
            trace: caller::trace(call.handled.span()),
        };
        let opening = async {
            self.edge
                .admit()
                .map(|()| submit_all(submitter, call.message))
        };
        answer_all(call.handled, opening).await
    }

    async fn get_job(&self, request: Request<pb::GetJobRequest>) -> Answer<pb::Job> {
        let call = self.begin(Method::GetJob, request)?;
        let get = self.edge.get_job(&call.message, &call.caller.tenant);
        answer(call.handled, get).await
    }

    async fn list_jobs(
        &self,
        request: Request<pb::ListJobsRequest>,
    ) -> Answer<pb::ListJobsResponse> {
        let call = self.begin(Method::ListJobs, request)?;
        let list = self.edge.list_jobs(&call.message, &call.caller.tenant);
        answer(call.handled, list).await
    }

    async fn watch_job(
        &self,
        request: Request<pb::WatchJobRequest>,
    ) -> Answer<Self::WatchJobStream> {
        let call = self.begin(Method::WatchJob, request)?;
        let watch = watch(Arc::clone(&self.edge), &call.message, call.caller);
        answer_all(call.handled, watch).await
    }

    async fn cancel_job(&self, request: Request<pb::CancelJobRequest>) -> Answer<pb::Job> {
        let call = self.begin(Method::CancelJob, request)?;
        let cancel = self.edge.cancel_job(&call.message, &call.caller.tenant);
        answer(call.handled, cancel).await
    }

    async fn retry_job(&self, request: Request<pb::RetryJobRequest>) -> Answer<pb::Job> {
        let call = self.begin(Method::RetryJob, request)?;
        let retry = self.edge.retry_job(&call.message, &call.caller.tenant);
        answer(call.handled, retry).await
    }

    async fn get_job_result(
        &self,
        request: Request<pb::GetJobResultRequest>,
    ) -> Answer<pb::GetJobResultResponse> {
        let call = self.begin(Method::GetJobResult, request)?;
        let result = self.edge.get_job_result(&call.message, &call.caller.tenant);
        answer(call.handled, result).await
    }
}

#[tonic::async_trait]
impl ContentService for Calls {
    type DownloadContentStream = Answers<pb::DownloadContentResponse>;

    async fn upload_content(
        &self,
        request: Request<Streaming<pb::UploadContentRequest>>,
    ) -> Answer<pb::UploadContentResponse> {
        let call = self.begin(Method::UploadContent, request)?;
        let upload = self.edge.upload(call.message, &call.caller.tenant);
        answer(call.handled, upload).await
    }

    async fn get_content(&self, request: Request<pb::GetContentRequest>) -> Answer<pb::Content> {
        let call = self.begin(Method::GetContent, request)?;
        let get = self.edge.get_content(&call.message, &call.caller.tenant);
        answer(call.handled, get).await
    }

    async fn download_content(
        &self,
        request: Request<pb::DownloadContentRequest>,
    ) -> Answer<Self::DownloadContentStream> {
        let call = self.begin(Method::DownloadContent, request)?;
        let download = self.edge.download(&call.message, &call.caller.tenant);
        answer_all(call.handled, download).await
    }
}

#[tonic::async_trait]
impl AdminService for Calls {
    async fn get_health(
        &self,
        request: Request<pb::GetHealthRequest>,
    ) -> Answer<pb::GetHealthResponse> {
        let call = self.begin(Method::GetHealth, request)?;
        let caller = call.caller;
        let health = async { Ok::<_, Refusal>(self.edge.health_for(&caller).await) };
        answer(call.handled, health).await
    }

    async fn list_queues(
        &self,
        request: Request<pb::ListQueuesRequest>,
    ) -> Answer<pb::ListQueuesResponse> {
        let call = self.begin(Method::ListQueues, request)?;
        answer(call.handled, self.edge.list_queues()).await
    }

    async fn pause_queue(
        &self,
        request: Request<pb::PauseQueueRequest>,
    ) -> Answer<pb::PauseQueueResponse> {
        let call = self.begin(Method::PauseQueue, request)?;
        let pause = self.edge.pause_queue(&call.message);
        answer(call.handled, pause).await
    }

    async fn resume_queue(
        &self,
        request: Request<pb::ResumeQueueRequest>,
    ) -> Answer<pb::ResumeQueueResponse> {
        let call = self.begin(Method::ResumeQueue, request)?;
        let resume = self.edge.resume_queue(&call.message);
        answer(call.handled, resume).await
    }

    async fn purge_queue(
        &self,
        request: Request<pb::PurgeQueueRequest>,
    ) -> Answer<pb::PurgeQueueResponse> {
        let call = self.begin(Method::PurgeQueue, request)?;
        let work = self.edge.purge_queue(&call.message, &call.caller.tenant);
        answer(call.handled, work).await
    }

    async fn list_dead_letters(
        &self,
        request: Request<pb::ListDeadLettersRequest>,
    ) -> Answer<pb::ListDeadLettersResponse> {
        let call = self.begin(Method::ListDeadLetters, request)?;
        let work = self
            .edge
            .list_dead_letters(&call.message, &call.caller.tenant);
        answer(call.handled, work).await
    }

    async fn get_dead_letter(
        &self,
        request: Request<pb::GetDeadLetterRequest>,
    ) -> Answer<pb::DeadLetter> {
        let call = self.begin(Method::GetDeadLetter, request)?;
        let work = self
            .edge
            .get_dead_letter(&call.message, &call.caller.tenant);
        answer(call.handled, work).await
    }

    async fn update_dead_letter(
        &self,
        request: Request<pb::UpdateDeadLetterRequest>,
    ) -> Answer<pb::DeadLetter> {
        let call = self.begin(Method::UpdateDeadLetter, request)?;
        let work = self.edge.update_dead_letter(&call.message, &call.caller);
        answer(call.handled, work).await
    }

    async fn redrive_dead_letter(
        &self,
        request: Request<pb::RedriveDeadLetterRequest>,
    ) -> Answer<pb::Job> {
        let call = self.begin(Method::RedriveDeadLetter, request)?;
        let work = self
            .edge
            .redrive_dead_letter(&call.message, &call.caller.tenant);
        answer(call.handled, work).await
    }

    async fn redrive_dead_letters(
        &self,
        request: Request<pb::RedriveDeadLettersRequest>,
    ) -> Answer<pb::RedriveDeadLettersResponse> {
        let call = self.begin(Method::RedriveDeadLetters, request)?;
        let work = self
            .edge
            .redrive_dead_letters(&call.message, &call.caller.tenant);
        answer(call.handled, work).await
    }

    async fn delete_dead_letter(
        &self,
        request: Request<pb::DeleteDeadLetterRequest>,
    ) -> Answer<pb::DeleteDeadLetterResponse> {
        let call = self.begin(Method::DeleteDeadLetter, request)?;
        let work = self
            .edge
            .delete_dead_letter(&call.message, &call.caller.tenant);
        answer(call.handled, work).await
    }

    async fn purge_dead_letters(
        &self,
        request: Request<pb::PurgeDeadLettersRequest>,
    ) -> Answer<pb::PurgeDeadLettersResponse> {
        let call = self.begin(Method::PurgeDeadLetters, request)?;
        let work = self
            .edge
            .purge_dead_letters(&call.message, &call.caller.tenant);
        answer(call.handled, work).await
    }

    async fn list_workers(
        &self,
        request: Request<pb::ListWorkersRequest>,
    ) -> Answer<pb::ListWorkersResponse> {
        let call = self.begin(Method::ListWorkers, request)?;
        answer(call.handled, self.edge.list_workers()).await
    }

    async fn get_server_info(
        &self,
        request: Request<pb::GetServerInfoRequest>,
    ) -> Answer<pb::ServerInfo> {
        let call = self.begin(Method::GetServerInfo, request)?;
        let info = async { Ok::<_, Refusal>(self.edge.server_info()) };
        answer(call.handled, info).await
    }
}
