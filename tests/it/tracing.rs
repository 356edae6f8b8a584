//! One trace from submit to handler, through a retry.

use std::net::SocketAddr;
use std::time::Duration;

use assay_bench::client::{self, Client};
use assay_probe::{Act, Script};
use e2e::Sandbox;
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

/// How long spans may take to arrive.
const SPANS_WITHIN: Duration = Duration::from_secs(30);
const TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c";

/// An OTLP receiver that passes spans on.
struct Receiver {
    spans: mpsc::Sender<Span>,
}

#[tonic::async_trait]
impl TraceService for Receiver {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let resources = request.into_inner().resource_spans.into_iter();
        for span in resources
            .flat_map(|resource| resource.scope_spans)
            .flat_map(|scope| scope.spans)
        {
            self.spans
                .send(span)
                .await
                .map_err(|_| Status::internal("the test is over"))?;
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a collector of a test ends with it"
)]
async fn receive() -> (SocketAddr, mpsc::Receiver<Span>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (spans, received) = mpsc::channel(1_024);
    let server = tonic::transport::Server::builder()
        .add_service(TraceServiceServer::new(Receiver { spans }))
        .serve_with_incoming(TcpListenerStream::new(listener));
    tokio::spawn(server);
    (address, received)
}

/// Collects until `enough` says so.
async fn collect(
    received: &mut mpsc::Receiver<Span>,
    enough: impl Fn(&[Span]) -> bool,
) -> Vec<Span> {
    let mut spans = Vec::new();
    let collecting = async {
        while !enough(&spans) {
            spans.push(received.recv().await.unwrap());
        }
    };
    let in_time = tokio::time::timeout(SPANS_WITHIN, collecting).await.is_ok();
    let names: Vec<_> = spans.iter().map(|span| &span.name).collect();
    assert!(
        in_time,
        "after {SPANS_WITHIN:?} only these spans: {names:?}"
    );
    spans
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn is_process(span: &&Span) -> bool {
    span.name.starts_with("process content-verification")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_attempt_is_linked_to_the_submit() {
    let (collector, mut received) = receive().await;
    let sandbox = Sandbox::probe()
        .unwrap()
        .set("telemetry.otlp_endpoint", &format!("http://{collector}"));
    let server = sandbox.start().await.unwrap();
    let mut client = Client::connect(server.gateway).await.unwrap();
    let content_id = client.upload(b"traced").await.unwrap();
    let mut request = Request::new(client::request(
        &content_id,
        "",
        &Script(vec![Act::Fail(1)]),
    ));
    let caller = format!("00-{TRACE_ID}-b7ad6b7169203331-01");
    request
        .metadata_mut()
        .insert("traceparent", caller.parse().unwrap());
    client.jobs.submit_job(request).await.unwrap();

    let spans = collect(&mut received, |spans| {
        spans.iter().filter(is_process).count() == 2
    })
    .await;
    let of_submit = |span: &&Span| span.name.ends_with("JobService/SubmitJob");
    let submit = spans
        .iter()
        .find(of_submit)
        .expect("the span of the submit");
    assert_eq!(
        hex(&submit.trace_id),
        TRACE_ID,
        "the caller's trace goes on"
    );
    for attempt in spans.iter().filter(is_process) {
        let links: Vec<_> = attempt
            .links
            .iter()
            .map(|link| (hex(&link.trace_id), link.span_id.clone()))
            .collect();
        assert_eq!(
            links,
            [(TRACE_ID.to_owned(), submit.span_id.clone())],
            "linked to the submit span"
        );
        assert_ne!(
            hex(&attempt.trace_id),
            TRACE_ID,
            "an attempt may come days later: a trace of its own"
        );
    }
}
