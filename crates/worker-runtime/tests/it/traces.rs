//! A trace crosses the queue: each attempt has a span of its own that is linked to the submit's.

use assay_core::state::JobState;
use assay_service::telemetry::{Settings, Telemetry};
use assay_service::{Config, OnEnd, Shutdown, TaskGroup};
use assay_worker_runtime::JobError;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

use crate::world::World;

const SUBMIT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// A collector that passes on what it is sent.
struct Collector(mpsc::Sender<Span>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let resources = request.into_inner().resource_spans.into_iter();
        let scopes = resources.flat_map(|resource| resource.scope_spans);
        for span in scopes.flat_map(|scope| scope.spans) {
            let sent = self.0.send(span).await;
            sent.map_err(|_| Status::internal("gone"))?;
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

async fn collect(tasks: &TaskGroup) -> (String, mpsc::Receiver<Span>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (sent, received) = mpsc::channel(64);
    let server = tonic::transport::Server::builder()
        .add_service(TraceServiceServer::new(Collector(sent)))
        .serve_with_incoming(TcpListenerStream::new(listener));
    tasks.spawn("collector", OnEnd::Log, server);
    (endpoint, received)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The attributes, as text.
fn attributes(span: &Span) -> String {
    format!("{:?}", span.attributes)
}

/// An attempt's span is a trace of its own, linked to the submit's, and says what it is about.
fn check_attempt(span: &Span, id: &str) {
    assert_eq!(span.kind, i32::from(SpanKind::Consumer));
    assert!(span.parent_span_id.is_empty(), "a trace of its own");
    let [link] = span.links.as_slice() else {
        panic!("{:?}", span.links)
    };
    let linked = format!("00-{}-{}-01", hex(&link.trace_id), hex(&link.span_id));
    assert_eq!(linked, SUBMIT);
    let attributes = attributes(span);
    assert!(attributes.contains(id), "{attributes}");
    for name in [
        "job.attempt",
        "job.token",
        "messaging.system",
        "messaging.operation.type",
        "messaging.destination.name",
        "messaging.message.conversation_id",
    ] {
        assert!(attributes.contains(name), "{name} is not in {attributes}");
    }
}

#[tokio::test]
async fn every_attempt_is_linked_to_the_submit_also_through_a_retry() {
    let tasks = TaskGroup::new(Shutdown::new());
    let (endpoint, mut received) = collect(&tasks).await;
    let config = Config::loader(&[]).set("telemetry.otlp_endpoint", endpoint);
    let settings = Settings::read(&config.load().unwrap()).unwrap();
    let telemetry = Telemetry::new("worker", "1", &settings).unwrap();
    // While there is one subscriber alone, a thread that has none decides for the whole process that
    // nobody wants a span: other tests are such threads.
    let silent = Settings::read(&Config::loader(&[]).load().unwrap()).unwrap();
    let _second = Telemetry::new("second", "1", &silent).unwrap();
    let entered = tracing::dispatcher::set_default(telemetry.dispatch());

    let world = World::new();
    let id = world.submit_with("hello", |spec| {
        spec.trace.traceparent = SUBMIT.to_owned();
        spec.policy.retry.base_ms = 1;
    });
    let worker = world.work(|context, _| {
        Box::pin(async move {
            tracing::info_span!("inside").in_scope(|| {});
            if context.attempt() == 1 {
                return Err(JobError::transient("again", "once more"));
            }
            Ok(Value::Null)
        })
    });
    let job = world.wait(id, JobState::Succeeded).await.job;
    worker.shut_down().await;
    drop(entered);
    assert!(telemetry.shutdown().await, "the last spans leave");

    let mut spans = Vec::new();
    while let Ok(span) = received.try_recv() {
        spans.push(span);
    }
    let named =
        |name: &str| -> Vec<&Span> { spans.iter().filter(|span| span.name == name).collect() };
    let attempts = named("process content-verification");
    assert_eq!(attempts.len(), 2, "{spans:#?}");
    for span in &attempts {
        check_attempt(span, &id.to_string());
    }
    let last = attempts
        .iter()
        .find(|span| attributes(span).contains(&job.token.to_string()));
    assert!(last.is_some(), "the token is an attribute");
    let inside = named("inside");
    assert_eq!(inside.len(), 2);
    assert!(inside.iter().all(|inside| {
        let parent = |span: &&&Span| span.span_id == inside.parent_span_id;
        attempts.iter().find(parent).is_some()
    }));
}
