//! Logs to stderr, traces to a collector.
//!
//! Log lines are text or JSON and carry the ids of the trace they belong to and the fields of the spans
//! they were written in. Spans go over OTLP when an endpoint is set. Without one they still have ids, and
//! a caller's sampling decision is kept; see [`crate::trace_context`].

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider,
};
use tracing::level_filters::LevelFilter;
use tracing::{Dispatch, Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt, Targets, filter_fn};
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

mod format;
mod settings;

pub use settings::{LogFormat, Settings};

/// Crates whose spans are about sending spans, or about every frame of a connection.
const UNTRACED: [&str; 6] = [
    "h2",
    "hyper",
    "hyper_util",
    "opentelemetry",
    "tonic",
    "tower",
];

/// Telemetry cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The exporter refuses the endpoint.
    #[error("send traces to `telemetry.otlp_endpoint`")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    /// Another subscriber receives the logs of this process.
    #[error("install the log subscriber: another one is installed")]
    Installed,
}

/// The telemetry of a process. Whoever holds it flushes it with [`Telemetry::shutdown`].
#[derive(Debug)]
pub struct Telemetry {
    dispatch: Dispatch,
    provider: SdkTracerProvider,
    flush: Duration,
}

impl Telemetry {
    /// Sets up logs and traces. Nothing is written until [`Telemetry::install`], or until
    /// [`Telemetry::dispatch`] is made the default of a thread. Needs a tokio runtime around it.
    ///
    /// # Errors
    /// When the collector's address is refused.
    pub fn new(service: &str, version: &str, settings: &Settings) -> Result<Self, Error> {
        Self::with_writer(
            service,
            version,
            settings,
            BoxMakeWriter::new(std::io::stderr),
        )
    }

    /// Like [`Telemetry::new`], with the logs somewhere else.
    ///
    /// # Errors
    /// When the collector's address is refused.
    pub fn with_writer(
        service: &str,
        version: &str,
        settings: &Settings,
        writer: BoxMakeWriter,
    ) -> Result<Self, Error> {
        let provider = provider(service, version, settings)?;
        let flush = Duration::from_millis(settings.flush_ms);
        Ok(Self {
            dispatch: Dispatch::new(subscriber(&provider, settings, writer)),
            provider,
            flush,
        })
    }

    /// Where events and spans go, to be made the default of a thread or a future.
    #[must_use]
    pub fn dispatch(&self) -> &Dispatch {
        &self.dispatch
    }

    /// Makes this the telemetry of the whole process.
    ///
    /// # Errors
    /// When there is one already.
    pub fn install(&self) -> Result<(), Error> {
        tracing::dispatcher::set_global_default(self.dispatch.clone()).map_err(|_| Error::Installed)
    }

    /// Sends what is left, until `telemetry.flush_ms` passed. False when spans may be lost.
    pub async fn shutdown(self) -> bool {
        let Self {
            provider,
            flush,
            dispatch: _dispatch,
        } = self;
        // The exporter blocks its caller, and gives up by itself; the outer limit is for when it does not.
        let ended = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(flush));
        matches!(tokio::time::timeout(flush * 2, ended).await, Ok(Ok(Ok(()))))
    }
}

fn provider(service: &str, version: &str, settings: &Settings) -> Result<SdkTracerProvider, Error> {
    // Nothing here is read from the environment behind our back.
    let resource = Resource::builder_empty()
        .with_service_name(service.to_owned())
        .with_attribute(KeyValue::new("service.version", version.to_owned()))
        .build();
    let builder = SdkTracerProvider::builder().with_resource(resource);
    let Some(endpoint) = &settings.otlp_endpoint else {
        return Ok(builder
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOff)))
            .build());
    };
    let exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .build()?;
    let queue = BatchConfigBuilder::default()
        .with_max_queue_size(settings.span_queue_max)
        .build();
    let processor = BatchSpanProcessor::builder(exporter)
        .with_batch_config(queue)
        .build();
    let ratio = Sampler::TraceIdRatioBased(settings.sample_ratio);
    let sampler = Sampler::ParentBased(Box::new(ratio));
    Ok(builder
        .with_sampler(sampler)
        .with_span_processor(processor)
        .build())
}

fn subscriber(
    provider: &SdkTracerProvider,
    settings: &Settings,
    writer: BoxMakeWriter,
) -> impl Subscriber + Send + Sync + use<> {
    let traces = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("assay"))
        .with_tracked_inactivity(false)
        .with_threads(false)
        .with_filter(traced());
    let seat = format::DispatchSeat::default();
    let logs = logs(settings, &seat, writer);
    // A layer without a filter would have every event of every library looked at, whatever its level.
    let seat = seat.with_filter(LevelFilter::OFF);
    Registry::default().with(traces).with(logs).with(seat)
}

fn traced() -> Targets {
    let off = UNTRACED.map(|target| (target, LevelFilter::OFF));
    Targets::new()
        .with_default(LevelFilter::INFO)
        .with_targets(off)
}

fn logs<S>(
    settings: &Settings,
    seat: &format::DispatchSeat,
    writer: BoxMakeWriter,
) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    // A filter such as "warn" must not take the job's id out of a warning, so spans pass anyway.
    let spans = filter_fn(|metadata: &Metadata<'_>| {
        metadata.is_span() && *metadata.level() <= LevelFilter::INFO
    });
    let spans = spans.with_max_level_hint(LevelFilter::INFO);
    let filter = EnvFilter::new(&settings.log_filter).or(spans);
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(writer);
    let with_ids = seat.clone();
    match settings.log_format {
        LogFormat::Text => layer
            .map_event_format(|inner| format::WithTrace::text(inner, with_ids))
            .with_filter(filter)
            .boxed(),
        LogFormat::Json => layer
            .json()
            .flatten_event(true)
            .map_event_format(|inner| format::WithTrace::json(inner, with_ids))
            .with_filter(filter)
            .boxed(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Libraries speak hundreds of times a job at levels that nobody wants.
    #[tokio::test]
    async fn what_no_log_wants_is_not_looked_at() {
        for (filter, level) in [
            ("info", LevelFilter::INFO),
            ("warn", LevelFilter::INFO),
            ("info,assay_gateway=debug", LevelFilter::DEBUG),
        ] {
            let config = crate::Config::loader(&[]).set("telemetry.log_filter", filter);
            let settings = Settings::read(&config.load().unwrap()).unwrap();
            let provider = provider("a-service", "1.2.3", &settings).unwrap();
            let writer = BoxMakeWriter::new(std::io::sink);
            let subscriber = subscriber(&provider, &settings, writer);
            assert_eq!(subscriber.max_level_hint(), Some(level), "{filter}");
        }
    }
}
