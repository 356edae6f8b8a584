//! A server that takes one job and ends it as its part says.

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use assay_api::v1;
use assay_api::v1::content_service_server::{ContentService, ContentServiceServer};
use assay_api::v1::job_service_server::{JobService, JobServiceServer};
use assay_api::v1::watch_job_response::Message;
use tokio_stream::Stream;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, Streaming};

const JOB: &str = "the-job";

/// How the job ends.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Succeed,
    Fail,
    /// The watcher's stream ends before the job.
    HangUp,
}

/// Stops when it is dropped.
pub(super) struct StandIn {
    pub(super) url: String,
    heard: Arc<Mutex<Vec<String>>>,
    /// Ends with the set.
    _tasks: tokio::task::JoinSet<()>,
}

impl StandIn {
    pub(super) async fn start(part: Part) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let services = Services {
            part,
            heard: Arc::clone(&heard),
        };
        let served = tonic::transport::Server::builder()
            .add_service(ContentServiceServer::new(services.clone()))
            .add_service(JobServiceServer::new(services))
            .serve_with_incoming(TcpListenerStream::new(listener));
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(async move { served.await.unwrap() });
        Self {
            url,
            heard,
            _tasks: tasks,
        }
    }

    pub(super) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

#[derive(Clone)]
struct Services {
    part: Part,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Services {
    fn hear(&self, what: String) {
        self.heard.lock().unwrap().push(what);
    }

    fn story(&self) -> Vec<Message> {
        let snapshot = |state: v1::JobState, failure: Option<&str>| {
            let failure = failure.map(|text| v1::JobFailure {
                message: text.into(),
                ..v1::JobFailure::default()
            });
            let job = v1::Job {
                id: JOB.into(),
                state: state.into(),
                failure,
                ..v1::Job::default()
            };
            Message::Snapshot(v1::JobSnapshot {
                job: Some(job),
                reset: false,
            })
        };
        let running = v1::JobState::Running;
        let event = v1::JobEvent {
            state: running.into(),
            percent: 40.0,
            step: "decode".into(),
            ..v1::JobEvent::default()
        };
        let mut story = vec![snapshot(running, None), Message::Event(event)];
        match self.part {
            Part::Succeed => story.push(snapshot(v1::JobState::Succeeded, None)),
            Part::Fail => story.push(snapshot(v1::JobState::Failed, Some("the file is empty"))),
            Part::HangUp => {}
        }
        story
    }
}

#[tonic::async_trait]
impl ContentService for Services {
    type DownloadContentStream = Boxed<v1::DownloadContentResponse>;

    async fn upload_content(
        &self,
        request: Request<Streaming<v1::UploadContentRequest>>,
    ) -> Result<Response<v1::UploadContentResponse>, Status> {
        use v1::upload_content_request::Part;
        let mut stream = request.into_inner();
        while let Some(message) = stream.message().await? {
            self.hear(match message.part.unwrap() {
                Part::Metadata(said) => {
                    format!(
                        "metadata {} {} {}",
                        said.file_name,
                        said.declared_mime,
                        said.size_bytes.unwrap()
                    )
                }
                Part::Chunk(chunk) => format!("chunk of {}", chunk.len()),
            });
        }
        let content_id = "sha256:stored".to_owned();
        Ok(Response::new(v1::UploadContentResponse {
            content_id,
            size_bytes: 0,
        }))
    }

    async fn get_content(
        &self,
        _: Request<v1::GetContentRequest>,
    ) -> Result<Response<v1::Content>, Status> {
        Err(Status::unimplemented("not part of the play"))
    }

    async fn download_content(
        &self,
        _: Request<v1::DownloadContentRequest>,
    ) -> Result<Response<Self::DownloadContentStream>, Status> {
        Err(Status::unimplemented("not part of the play"))
    }
}

type Boxed<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl JobService for Services {
    type SubmitJobsStream = Boxed<v1::SubmitJobsResponse>;
    type WatchJobStream = Boxed<v1::WatchJobResponse>;

    async fn submit_job(
        &self,
        request: Request<v1::SubmitJobRequest>,
    ) -> Result<Response<v1::SubmitJobResponse>, Status> {
        let v1::submit_job_request::Payload::ContentVerification(payload) =
            request.into_inner().payload.unwrap();
        self.hear(format!(
            "submit {} {}",
            payload.content_id, payload.file_name
        ));
        let job = Some(v1::Job {
            id: JOB.into(),
            ..v1::Job::default()
        });
        Ok(Response::new(v1::SubmitJobResponse {
            job,
            ..v1::SubmitJobResponse::default()
        }))
    }

    async fn watch_job(
        &self,
        request: Request<v1::WatchJobRequest>,
    ) -> Result<Response<Self::WatchJobStream>, Status> {
        self.hear(format!("watch {}", request.into_inner().job_id));
        let story = self.story().into_iter().map(|message| {
            Ok(v1::WatchJobResponse {
                message: Some(message),
            })
        });
        Ok(Response::new(Box::pin(tokio_stream::iter(
            story.collect::<Vec<_>>(),
        ))))
    }

    async fn get_job_result(
        &self,
        request: Request<v1::GetJobResultRequest>,
    ) -> Result<Response<v1::GetJobResultResponse>, Status> {
        let job_id = request.into_inner().job_id;
        self.hear(format!("result of {job_id}"));
        let json = serde_json::json!({
            "schema": "verification.result/1",
            "verdict": { "label": "synthetic", "reason": null, "headline": "It says so itself." },
            "evidence": [],
            "history": [],
            "coverage": [{ "status": "not_tested" }],
        });
        let json = json.to_string().into_bytes().into();
        Ok(Response::new(v1::GetJobResultResponse {
            job_id,
            json,
            ..v1::GetJobResultResponse::default()
        }))
    }

    async fn submit_jobs(
        &self,
        _: Request<Streaming<v1::SubmitJobsRequest>>,
    ) -> Result<Response<Self::SubmitJobsStream>, Status> {
        Err(Status::unimplemented("not part of the play"))
    }

    async fn get_job(&self, _: Request<v1::GetJobRequest>) -> Result<Response<v1::Job>, Status> {
        Err(Status::unimplemented("not part of the play"))
    }

    async fn list_jobs(
        &self,
        _: Request<v1::ListJobsRequest>,
    ) -> Result<Response<v1::ListJobsResponse>, Status> {
        Err(Status::unimplemented("not part of the play"))
    }

    async fn cancel_job(
        &self,
        _: Request<v1::CancelJobRequest>,
    ) -> Result<Response<v1::Job>, Status> {
        Err(Status::unimplemented("not part of the play"))
    }

    async fn retry_job(
        &self,
        _: Request<v1::RetryJobRequest>,
    ) -> Result<Response<v1::Job>, Status> {
        Err(Status::unimplemented("not part of the play"))
    }
}
