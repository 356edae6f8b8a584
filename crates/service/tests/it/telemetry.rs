use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use assay_service::telemetry::{Settings, Telemetry};
use assay_service::trace_context::{self, TraceContext};
use assay_service::{Config, OnEnd, Shutdown, TaskGroup};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};
use tracing::dispatcher::with_default;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

const CALLER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// A collector that passes on what it is sent.
struct Collector {
    sent: mpsc::Sender<ExportTraceServiceRequest>,
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.sent
            .send(request.into_inner())
            .await
            .map_err(|_| Status::internal("gone"))?;
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

async fn collect(tasks: &TaskGroup) -> (SocketAddr, mpsc::Receiver<ExportTraceServiceRequest>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sent, received) = mpsc::channel(16);
    let server = tonic::transport::Server::builder()
        .add_service(TraceServiceServer::new(Collector { sent }))
        .serve_with_incoming(TcpListenerStream::new(listener));
    tasks.spawn("collector", OnEnd::Log, server);
    (address, received)
}

/// Everything that was logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn telemetry(set: &[(&str, &str)]) -> (Telemetry, Lines) {
    let mut loader = Config::loader(&[]);
    for (key, value) in set {
        loader = loader.set(&format!("telemetry.{key}"), *value);
    }
    let settings = Settings::read(&loader.load().unwrap()).unwrap();
    let lines = Lines::default();
    let writer = lines.clone();
    let writer = BoxMakeWriter::new(move || writer.clone());
    (
        Telemetry::with_writer("probe", "1.2.3", &settings, writer).unwrap(),
        lines,
    )
}

fn spans(received: &mut mpsc::Receiver<ExportTraceServiceRequest>) -> Vec<Span> {
    let mut spans = Vec::new();
    while let Ok(request) = received.try_recv() {
        let resource = format!("{:?}", request.resource_spans[0].resource);
        assert!(
            resource.contains("service.name") && resource.contains("probe"),
            "{resource}"
        );
        let scopes = request
            .resource_spans
            .into_iter()
            .flat_map(|resource| resource.scope_spans);
        spans.extend(scopes.flat_map(|scope| scope.spans));
    }
    spans
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_gets_the_span_its_parent_and_its_link() {
    let tasks = TaskGroup::new(Shutdown::new());
    let (address, mut received) = collect(&tasks).await;
    let (telemetry, _) = telemetry(&[("otlp_endpoint", &format!("http://{address}"))]);
    let submitted = with_default(telemetry.dispatch(), || {
        let span = tracing::info_span!("submit");
        let caller = TraceContext::parse(CALLER, "vendor=1").unwrap();
        assert!(trace_context::set_parent(&span, &caller));
        let submitted = span.in_scope(trace_context::current);
        let process = tracing::info_span!(parent: None, "process");
        assert!(trace_context::link(&process, &submitted));
        process.in_scope(|| {});
        submitted
    });
    assert!(telemetry.shutdown().await, "the last spans leave");
    let spans = spans(&mut received);
    let named = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    let (submit, process) = (named("submit"), named("process"));
    assert_eq!(hex(&submit.trace_id), "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(hex(&submit.parent_span_id), "b7ad6b7169203331");
    let wanted = format!("00-{}-{}-01", hex(&submit.trace_id), hex(&submit.span_id));
    assert_eq!(
        (submitted.traceparent, submitted.tracestate.as_str()),
        (wanted, "vendor=1")
    );
    assert_ne!(
        process.trace_id, submit.trace_id,
        "a consumer is a trace of its own"
    );
    let [link] = process.links.as_slice() else {
        panic!("{:?}", process.links)
    };
    assert_eq!(
        (&link.trace_id, &link.span_id),
        (&submit.trace_id, &submit.span_id)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ratio_of_zero_sends_only_what_a_caller_wants() {
    let tasks = TaskGroup::new(Shutdown::new());
    let (address, mut received) = collect(&tasks).await;
    let endpoint = format!("http://{address}");
    let (telemetry, _) = telemetry(&[("otlp_endpoint", &endpoint), ("sample_ratio", "0")]);
    with_default(telemetry.dispatch(), || {
        tracing::info_span!("ours").in_scope(|| {});
        let theirs = tracing::info_span!("theirs");
        trace_context::set_parent(&theirs, &TraceContext::parse(CALLER, "").unwrap());
        theirs.in_scope(|| {});
    });
    assert!(telemetry.shutdown().await);
    let names: Vec<String> = spans(&mut received)
        .into_iter()
        .map(|span| span.name)
        .collect();
    assert_eq!(names, ["theirs"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_never_answers_holds_a_process_up_for_a_bounded_time() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let (telemetry, _) = telemetry(&[("otlp_endpoint", &endpoint), ("flush_ms", "100")]);
    with_default(telemetry.dispatch(), || {
        tracing::info_span!("lost").in_scope(|| {})
    });
    assert!(!telemetry.shutdown().await);
}

#[tokio::test]
async fn without_a_collector_spans_still_have_ids_and_pass_the_callers_decision_on() {
    let (telemetry, _) = telemetry(&[]);
    with_default(telemetry.dispatch(), || {
        let own = tracing::info_span!("own").in_scope(trace_context::current);
        assert!(own.traceparent.ends_with("-00"), "{own:?}");
        let span = tracing::info_span!("child");
        trace_context::set_parent(&span, &TraceContext::parse(CALLER, "").unwrap());
        let child = trace_context::of(&span);
        assert_eq!(child.trace_id(), Some("0af7651916cd43dd8448eb211c80319c"));
        assert!(child.traceparent.ends_with("-01"), "{child:?}");
        assert!(!trace_context::set_parent(&span, &own), "too late");
    });
    assert!(telemetry.shutdown().await);
}

#[tokio::test]
async fn a_json_line_reads_alone() {
    let (telemetry, lines) = telemetry(&[("log_format", "json"), ("log_filter", "warn")]);
    let context = with_default(telemetry.dispatch(), || {
        tracing::info_span!("process", job.id = "j-1").in_scope(|| {
            tracing::info!("not asked for");
            tracing::warn!(attempt = 2, "settled job j-1");
            trace_context::current()
        })
    });
    let text = lines.text();
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["trace_id"].as_str(), context.trace_id());
    assert!(
        context
            .traceparent
            .contains(line["span_id"].as_str().unwrap())
    );
    assert_eq!(
        (line["message"].as_str(), line["attempt"].as_u64()),
        (Some("settled job j-1"), Some(2))
    );
    assert_eq!(line["span"]["job.id"], "j-1");
}

#[tokio::test]
async fn a_text_line_ends_with_the_ids_of_its_trace() {
    let (telemetry, lines) = telemetry(&[]);
    let context = with_default(telemetry.dispatch(), || {
        tracing::info!("outside");
        tracing::info_span!("process").in_scope(|| {
            tracing::info!("inside");
            trace_context::current()
        })
    });
    let text = lines.text();
    let [outside, inside] = text.lines().collect::<Vec<_>>()[..] else {
        panic!("{text}")
    };
    assert!(outside.ends_with("outside"), "{outside}");
    let id = context.trace_id().unwrap();
    assert!(
        inside.contains(&format!("inside trace_id={id} span_id=")),
        "{inside}"
    );
}
