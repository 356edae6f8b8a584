//! A collector of spans, as long as its test.

use std::net::SocketAddr;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

/// How long spans may take to arrive.
const SPANS_WITHIN: Duration = Duration::from_secs(30);

/// A span, and which service sent it.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) service: String,
    pub(super) span: Span,
}

impl Sent {
    pub(super) fn trace_id(&self) -> String {
        hex(&self.span.trace_id)
    }

    /// An attribute as text.
    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        attribute(&self.span.attributes, name)
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn attribute(attributes: &[KeyValue], name: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == name)?;
    let value = found.value.as_ref()?.value.as_ref()?;
    if let Value::StringValue(text) = value {
        Some(text.clone())
    } else if let Value::IntValue(number) = value {
        Some(number.to_string())
    } else {
        None
    }
}

/// Passes spans on.
struct Receiver {
    spans: mpsc::Sender<Sent>,
}

#[tonic::async_trait]
impl TraceService for Receiver {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        for from in request.into_inner().resource_spans {
            let resource = from.resource.unwrap_or_default();
            let service = attribute(&resource.attributes, "service.name").unwrap_or_default();
            for span in from.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                let service = service.clone();
                let sent = self.spans.send(Sent { service, span }).await;
                sent.map_err(|_| Status::internal("the test is over"))?;
            }
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// Where a collector listens, and what it is sent.
pub(super) struct Collector {
    pub(super) address: SocketAddr,
    spans: mpsc::Receiver<Sent>,
}

impl Collector {
    #[expect(
        clippy::disallowed_methods,
        reason = "a collector of a test ends with it"
    )]
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, spans) = mpsc::channel(1_024);
        let server = tonic::transport::Server::builder()
            .add_service(TraceServiceServer::new(Receiver { spans: sender }))
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(server);
        Self { address, spans }
    }

    /// What `telemetry.otlp_endpoint` must be.
    pub(super) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Collects until `enough` says so.
    pub(super) async fn collect(&mut self, enough: impl Fn(&[Sent]) -> bool) -> Vec<Sent> {
        let mut all = Vec::new();
        let collecting = async {
            while !enough(&all) {
                all.push(self.spans.recv().await.unwrap());
            }
        };
        let in_time = tokio::time::timeout(SPANS_WITHIN, collecting).await.is_ok();
        let names: Vec<_> = all.iter().map(|sent| &sent.span.name).collect();
        assert!(
            in_time,
            "after {SPANS_WITHIN:?} only these spans: {names:?}"
        );
        all
    }
}
