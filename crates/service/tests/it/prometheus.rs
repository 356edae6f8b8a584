use assay_service::prometheus::{Buckets, Histograms, Instruments, Metrics};
use assay_service::readiness::Readiness;

const NAMED: Buckets = Buckets {
    of: Histograms::Named("assay_bytes"),
    bounds: &[10.0, 100.0],
};
const ENDING: Buckets = Buckets {
    of: Histograms::Ending("_run_seconds"),
    bounds: &[60.0],
};

#[expect(
    clippy::disallowed_macros,
    reason = "these stand for the definitions of a crate"
)]
fn describe() {
    metrics::describe_counter!("assay_done_total", "what was done");
    metrics::counter!("assay_done_total").absolute(0);
    metrics::histogram!("assay_bytes").record(50.0);
    metrics::histogram!("assay_job_run_seconds").record(50.0);
    metrics::histogram!("assay_other_seconds").record(0.3);
}

#[tokio::test]
async fn every_histogram_has_buckets_and_every_series_starts_at_zero() {
    let instruments = Instruments {
        describe,
        buckets: &[NAMED, ENDING],
    };
    let text = Metrics::new("w", "1", &[instruments])
        .unwrap()
        .render(&Readiness::new());
    for line in [
        "# HELP assay_done_total what was done",
        "assay_done_total{service=\"w\"} 0",
        "assay_bytes_bucket{service=\"w\",le=\"10\"} 0",
        "assay_bytes_bucket{service=\"w\",le=\"100\"} 1",
        "assay_job_run_seconds_bucket{service=\"w\",le=\"60\"} 1",
        "assay_other_seconds_bucket{service=\"w\",le=\"0.25\"} 0",
        "assay_other_seconds_bucket{service=\"w\",le=\"0.5\"} 1",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    assert!(!text.contains("quantile="), "{text}");
}

#[tokio::test]
async fn a_histogram_without_buckets_is_refused() {
    let none = Buckets {
        of: Histograms::Named("assay_bytes"),
        bounds: &[],
    };
    let instruments = Instruments {
        describe: || {},
        buckets: Box::leak(Box::new([none])),
    };
    let error = Metrics::new("w", "1", &[instruments]).unwrap_err();
    assert_eq!(error.to_string(), "set buckets of assay_bytes");
}
