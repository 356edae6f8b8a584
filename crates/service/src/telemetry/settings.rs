//! Section `telemetry` of the configuration.

use serde::Deserialize;
use tracing_subscriber::EnvFilter;

use crate::config::{self, Config};

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For log stores: one JSON object a line.
    Json,
}

/// What is logged and traced, and where to.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// How log lines look.
    pub log_format: LogFormat,
    /// Levels, per module if wanted.
    pub log_filter: String,
    /// The collector, `http://host:port`; spans are not sent without one.
    pub otlp_endpoint: Option<String>,
    /// Share of new traces that are sent, 0 to 1.
    pub sample_ratio: f64,
    /// Spans that may wait to be sent.
    pub span_queue_max: usize,
    /// For the last spans at shutdown, in milliseconds.
    pub flush_ms: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    log_format: String,
    log_filter: String,
    otlp_endpoint: String,
    sample_ratio: f64,
    span_queue_max: usize,
    flush_ms: u64,
}

impl Settings {
    /// Reads section `telemetry`.
    ///
    /// # Errors
    /// When a value cannot be worked with.
    pub fn read(config: &Config) -> Result<Self, config::Error> {
        let section: Section = config.section("telemetry")?;
        let refuse = |key: &str, must: &str| Err(config.refuse(&format!("telemetry.{key}"), must));
        let log_format = match section.log_format.as_str() {
            "text" => LogFormat::Text,
            "json" => LogFormat::Json,
            _ => return refuse("log_format", "be \"text\" or \"json\""),
        };
        if EnvFilter::try_new(&section.log_filter).is_err() {
            return refuse(
                "log_filter",
                "be a level, or levels per module as in info,assay_queue=debug",
            );
        }
        if !(0.0..=1.0).contains(&section.sample_ratio) {
            return refuse("sample_ratio", "lie between 0 and 1");
        }
        if section.span_queue_max == 0 {
            return refuse("span_queue_max", "be at least 1");
        }
        let endpoint = section.otlp_endpoint;
        if !endpoint.is_empty() && !endpoint.starts_with("http://") {
            return refuse(
                "otlp_endpoint",
                "look like http://host:4317 (TLS is left to a collector beside the process)",
            );
        }
        Ok(Self {
            log_format,
            log_filter: section.log_filter,
            otlp_endpoint: Some(endpoint).filter(|endpoint| !endpoint.is_empty()),
            sample_ratio: section.sample_ratio,
            span_queue_max: section.span_queue_max,
            flush_ms: section.flush_ms,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(key: &str, value: &str) -> Result<Settings, config::Error> {
        Settings::read(
            &Config::loader(&[])
                .set(&format!("telemetry.{key}"), value)
                .load()?,
        )
    }

    #[test]
    fn bounds_of_the_ratio_are_inside() {
        assert!(read("sample_ratio", "0").is_ok());
        assert!(read("sample_ratio", "1").is_ok());
        assert!(read("sample_ratio", "1.01").is_err());
        assert!(read("sample_ratio", "-0.01").is_err());
        assert!(read("span_queue_max", "1").is_ok());
        assert!(read("span_queue_max", "0").is_err());
    }

    #[test]
    fn wrong_words_are_refused_with_what_to_write() {
        let said = |key: &str, value: &str| read(key, value).unwrap_err().to_string();
        assert_eq!(
            said("log_format", "xml"),
            "`telemetry.log_format` must be \"text\" or \"json\", but the program holds \"xml\""
        );
        assert!(said("log_filter", "a=b=c").contains("levels per module"));
        assert!(said("otlp_endpoint", "collector:4317").contains("http://host:4317"));
        assert_eq!(read("otlp_endpoint", "").unwrap().otlp_endpoint, None);
    }
}
