//! Metrics as Prometheus reads them.
//!
//! Every histogram has explicit buckets: those that its crate names, or [`BUCKETS_DEFAULT`]. Without
//! buckets it would become a summary, and summaries of several pods cannot be added up.

use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};
use tokio::time::Instant;

use crate::config::Config;
use crate::metric_definitions;
use crate::readiness::Readiness;
use crate::usage::{self, Busyness};

/// Upper bounds for a histogram that no crate names, in seconds (OpenTelemetry's advice for calls).
pub const BUCKETS_DEFAULT: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// How often histograms are compacted. Between two times every sample is kept.
pub const UPKEEP_PERIOD: Duration = Duration::from_secs(5);

/// What one crate exports, from its `metric_definitions.rs`.
#[derive(Clone, Copy, Debug)]
pub struct Instruments {
    /// Describes the metrics and starts every known series at zero.
    pub describe: fn(),
    /// Buckets of the histograms.
    pub buckets: &'static [Buckets],
}

/// Upper bounds for some histograms.
#[derive(Clone, Copy, Debug)]
pub struct Buckets {
    /// Which histograms.
    pub of: Histograms,
    /// Ascending upper bounds, in the histogram's unit.
    pub bounds: &'static [f64],
}

/// Buckets for histograms by name, as a crate lists them that does not know this one.
#[must_use]
pub const fn named<const N: usize>(bounds: [(&'static str, &'static [f64]); N]) -> [Buckets; N] {
    let mut all = [Buckets {
        of: Histograms::Named(""),
        bounds: &[],
    }; N];
    let mut place = 0;
    while place < N {
        let (name, bounds) = bounds[place];
        all[place] = Buckets {
            of: Histograms::Named(name),
            bounds,
        };
        place += 1;
    }
    all
}

/// Which histograms some buckets are for. A name wins over an ending; of two endings that fit, the
/// alphabetically first wins, so endings should not overlap.
#[derive(Clone, Copy, Debug)]
pub enum Histograms {
    /// The one of this name.
    Named(&'static str),
    /// Those whose names end like this.
    Ending(&'static str),
}

/// Metrics cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A crate gave a histogram no buckets.
    #[error("set buckets of {of}")]
    Buckets {
        /// Which histograms.
        of: &'static str,
        /// What the exporter said.
        source: metrics_exporter_prometheus::BuildError,
    },
    /// Another recorder receives the metrics of this process.
    #[error("install the metrics recorder: another one is installed")]
    Installed,
}

/// The metrics of a process. Cloning gives another handle to the same.
#[derive(Clone)]
pub struct Metrics {
    recorder: Arc<PrometheusRecorder>,
    handle: PrometheusHandle,
    started: Instant,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Metrics")
            .field("started", &self.started)
            .finish_non_exhaustive()
    }
}

impl Metrics {
    /// Sets up a recorder for `instruments`; every series gets the label `service`.
    /// Nothing is recorded until [`Metrics::install`], or inside [`Metrics::record`].
    ///
    /// # Errors
    /// When a crate names a histogram without buckets.
    pub fn new(service: &str, version: &str, instruments: &[Instruments]) -> Result<Self, Error> {
        let mut builder = PrometheusBuilder::new().add_global_label("service", service);
        let all = || std::iter::once(&metric_definitions::INSTRUMENTS).chain(instruments);
        builder = builder
            .set_buckets(&BUCKETS_DEFAULT)
            .map_err(|source| Error::Buckets {
                of: "all histograms",
                source,
            })?;
        for buckets in all().flat_map(|instruments| instruments.buckets) {
            builder = set_buckets(builder, buckets)?;
        }
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        let metrics = Self {
            recorder: Arc::new(recorder),
            handle,
            started: Instant::now(),
        };
        metrics.record(|| {
            all().for_each(|instruments| (instruments.describe)());
            metric_definitions::build(version);
        });
        Ok(metrics)
    }

    /// Makes this the recorder of the whole process.
    ///
    /// # Errors
    /// When there is one already.
    pub fn install(&self) -> Result<(), Error> {
        metrics::set_global_recorder(Arc::clone(&self.recorder)).map_err(|_| Error::Installed)
    }

    /// Records what `work` counts here, whatever recorder the process has.
    pub fn record<T>(&self, work: impl FnOnce() -> T) -> T {
        metrics::with_local_recorder(&*self.recorder, work)
    }

    /// The text that Prometheus scrapes, with the state of the process at this moment.
    #[must_use]
    pub fn render(&self, readiness: &Readiness) -> String {
        let report = readiness.report();
        self.record(|| {
            metric_definitions::uptime(self.started.elapsed().as_secs_f64());
            metric_definitions::ready(report.ready);
            for line in &report.dependencies {
                metric_definitions::dependency(&line.name, line.problem.is_none());
            }
            show_usage();
        });
        self.handle.render()
    }

    /// Shows which settings the process has, so that people see when two of them differ.
    pub fn show_config(&self, config: &Config) {
        self.record(|| metric_definitions::config_hash(config.hash()));
    }

    /// Compacts histograms and looks at the runtime it is in every [`UPKEEP_PERIOD`], for ever.
    pub async fn upkeep(self) {
        let mut busyness = Busyness::here();
        let mut ticks = tokio::time::interval(UPKEEP_PERIOD);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.handle.run_upkeep();
            let ratio = busyness.ratio();
            self.record(|| metric_definitions::runtime_busy(ratio));
        }
    }
}

fn set_buckets(builder: PrometheusBuilder, buckets: &Buckets) -> Result<PrometheusBuilder, Error> {
    let (of, matcher) = match buckets.of {
        Histograms::Named(name) => (name, Matcher::Full(name.to_owned())),
        Histograms::Ending(suffix) => (suffix, Matcher::Suffix(suffix.to_owned())),
    };
    builder
        .set_buckets_for_metric(matcher, buckets.bounds)
        .map_err(|source| Error::Buckets { of, source })
}

fn show_usage() {
    if let Some(bytes) = usage::resident_bytes() {
        metric_definitions::resident_memory(bytes);
    }
    if let Some(count) = usage::open_fds() {
        metric_definitions::open_fds(count);
    }
    if let Some(count) = usage::max_fds() {
        metric_definitions::max_fds(count);
    }
    if let Some(work) = usage::work() {
        metric_definitions::cpu(work.cpu_seconds);
        metric_definitions::threads(work.threads);
    }
}
