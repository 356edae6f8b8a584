//! A detector that does what a test says, and keeps what it was asked.

use std::net::SocketAddr;
use std::sync::Arc;

use assay_api::v1 as pb;
use assay_api::v1::analyze_chunk::Part;
use assay_api::v1::detector_server::{Detector, DetectorServer};
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

/// What a detector does with a question.
#[derive(Clone)]
pub(crate) enum Act {
    Answer(pb::AnalyzeResponse),
    Fail(Status),
    Hang,
    /// Waits for a permit, then answers.
    Wait(Arc<Semaphore>, pb::AnalyzeResponse),
}

/// A question, as it came.
#[derive(Clone, Default)]
pub(crate) struct Seen {
    pub(crate) header: pb::AnalyzeHeader,
    pub(crate) bytes: Vec<u8>,
    pub(crate) chunks: Vec<usize>,
    pub(crate) timeout: Option<String>,
    pub(crate) authorization: Option<String>,
}

type Script = Arc<dyn Fn(&Seen) -> Act + Send + Sync>;

/// What a detector knows and has seen. Clones are the same.
#[derive(Clone)]
pub(crate) struct State(Arc<Mutex<Inner>>);

struct Inner {
    script: Script,
    description: Result<pb::DescribeResponse, Status>,
    health: ServingStatus,
    seen: Vec<Seen>,
    described: usize,
    health_checks: usize,
    in_flight: usize,
    in_flight_max: usize,
}

/// A detector that runs in a runtime of its own, so that it can be killed with all its connections.
pub(crate) struct Scripted {
    pub(crate) address: SocketAddr,
    pub(crate) state: State,
    runtime: Option<Runtime>,
}

/// An answer of one score for each task that was asked.
pub(crate) fn scores(seen: &Seen, score: f64) -> pb::AnalyzeResponse {
    let result = |task: &String| pb::TaskResult {
        task: task.clone(),
        status: pb::TaskStatus::Ok.into(),
        score,
        ..pb::TaskResult::default()
    };
    pb::AnalyzeResponse {
        detector: "acme".to_owned(),
        version: "3".to_owned(),
        results: seen.header.tasks.iter().map(result).collect(),
        ..pb::AnalyzeResponse::default()
    }
}

impl State {
    fn new() -> Self {
        let description = pb::DescribeResponse {
            name: "acme".to_owned(),
            version: "3".to_owned(),
            modalities: vec![pb::Modality::Image.into(), pb::Modality::Video.into()],
            tasks: vec!["ai_generated".to_owned()],
            ..pb::DescribeResponse::default()
        };
        Self(Arc::new(Mutex::new(Inner {
            script: Arc::new(|seen| Act::Answer(scores(seen, 0.8))),
            description: Ok(description),
            health: ServingStatus::Serving,
            seen: Vec::new(),
            described: 0,
            health_checks: 0,
            in_flight: 0,
            in_flight_max: 0,
        })))
    }

    pub(crate) fn acts(&self, script: impl Fn(&Seen) -> Act + Send + Sync + 'static) {
        self.0.lock().script = Arc::new(script);
    }

    pub(crate) fn describes(&self, change: impl FnOnce(&mut pb::DescribeResponse)) {
        if let Ok(description) = &mut self.0.lock().description {
            change(description);
        }
    }

    pub(crate) fn is_well(&self, well: bool) {
        self.0.lock().health = if well {
            ServingStatus::Serving
        } else {
            ServingStatus::NotServing
        };
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.0.lock().seen.clone()
    }

    pub(crate) fn described(&self) -> usize {
        self.0.lock().described
    }

    pub(crate) fn health_checks(&self) -> usize {
        self.0.lock().health_checks
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.0.lock().in_flight
    }

    pub(crate) fn in_flight_max(&self) -> usize {
        self.0.lock().in_flight_max
    }
}

/// A question that is being answered, as long as it is held.
struct InFlight(State);

impl InFlight {
    fn begin(state: &State) -> Self {
        let mut inner = state.0.lock();
        inner.in_flight += 1;
        inner.in_flight_max = inner.in_flight_max.max(inner.in_flight);
        drop(inner);
        Self(state.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.0.lock().in_flight -= 1;
    }
}

async fn read(request: Request<Streaming<pb::AnalyzeChunk>>) -> Result<Seen, Status> {
    let text = |name: &str| {
        let value = request.metadata().get(name)?;
        value.to_str().ok().map(str::to_owned)
    };
    let mut seen = Seen {
        timeout: text("grpc-timeout"),
        authorization: text("authorization"),
        ..Seen::default()
    };
    let mut chunks = request.into_inner();
    while let Some(chunk) = chunks.next().await {
        match chunk?.part {
            Some(Part::Header(header)) => seen.header = header,
            Some(Part::Data(data)) => {
                seen.chunks.push(data.len());
                seen.bytes.extend(&data);
            }
            None => return Err(Status::invalid_argument("a chunk without a part")),
        }
    }
    Ok(seen)
}

#[tonic::async_trait]
impl Detector for State {
    async fn describe(
        &self,
        _: Request<pb::DescribeRequest>,
    ) -> Result<Response<pb::DescribeResponse>, Status> {
        let mut inner = self.0.lock();
        inner.described += 1;
        inner.description.clone().map(Response::new)
    }

    async fn analyze(
        &self,
        request: Request<Streaming<pb::AnalyzeChunk>>,
    ) -> Result<Response<pb::AnalyzeResponse>, Status> {
        let _in_flight = InFlight::begin(self);
        let seen = read(request).await?;
        let script = Arc::clone(&self.0.lock().script);
        let act = script(&seen);
        self.0.lock().seen.push(seen);
        match act {
            Act::Answer(response) => Ok(Response::new(response)),
            Act::Fail(status) => Err(status),
            Act::Hang => std::future::pending().await,
            Act::Wait(permits, response) => {
                permits.acquire().await.unwrap().forget();
                Ok(Response::new(response))
            }
        }
    }
}

#[tonic::async_trait]
impl Health for State {
    type WatchStream = tokio_stream::Empty<Result<HealthCheckResponse, Status>>;

    async fn check(
        &self,
        _: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let mut inner = self.0.lock();
        inner.health_checks += 1;
        let status = match inner.health {
            ServingStatus::Serving => 1,
            ServingStatus::NotServing => 2,
            ServingStatus::Unknown => 0,
        };
        Ok(Response::new(HealthCheckResponse { status }))
    }

    async fn watch(
        &self,
        _: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        Ok(Response::new(tokio_stream::empty()))
    }
}

impl Scripted {
    pub(crate) fn start() -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), State::new())
    }

    fn start_at(address: SocketAddr, state: State) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (sender, receiver) = std::sync::mpsc::channel();
        let served = state.clone();
        runtime.spawn(async move {
            let listener = bind(address).await;
            sender.send(listener.local_addr().unwrap()).unwrap();
            Server::builder()
                .add_service(DetectorServer::new(served.clone()))
                .add_service(HealthServer::new(served))
                .serve_with_incoming(TcpListenerStream::new(listener))
                .await
                .unwrap();
        });
        Self {
            address: receiver.recv().unwrap(),
            state,
            runtime: Some(runtime),
        }
    }

    /// Kills it with all its connections.
    pub(crate) fn kill(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }

    /// Starts it again where it was, knowing what it knew.
    pub(crate) fn back_again(&mut self) {
        self.kill();
        *self = Self::start_at(self.address, self.state.clone());
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What listened there before may not have let go yet.
async fn bind(address: SocketAddr) -> TcpListener {
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(_) => tokio::task::yield_now().await,
        }
    }
}
