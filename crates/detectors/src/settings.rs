//! Section `[detectors]` of the configuration.

mod protocol;

use std::collections::BTreeMap;
use std::fmt;

use assay_forensics::Calibration;
use assay_service::config::{self, Config};
use serde::Deserialize;

use crate::model::Model;
use crate::task::{Modality, Task};

pub use protocol::Protocol;

/// Documented defaults of this crate's section.
pub const DEFAULTS: &str = include_str!("defaults.toml");

/// Most detectors.
pub const DETECTORS_MAX: usize = 32;
/// Longest name of a detector, in bytes.
pub(crate) const NAME_BYTES_MAX: usize = 32;
/// Most calls to one detector at the same time.
pub const CONCURRENCY_MAX: usize = 256;
/// Calls to one detector at the same time, unless it is told otherwise.
const CONCURRENCY: usize = 4;
/// Shortest time of one call, in milliseconds: a detector that answers sooner needs no network.
pub const TIMEOUT_MS_MIN: u64 = 100;
/// Longest time of one call, in milliseconds: half an hour, so that twice that is what a breaker may be told.
pub const TIMEOUT_MS_LIMIT: u64 = 1_800_000;
/// Time of one call, in milliseconds, unless it is told otherwise.
const TIMEOUT_MS: u64 = 20_000;
/// Time of one call about a video, in milliseconds, unless it is told otherwise.
const TIMEOUT_VIDEO_MS: u64 = 120_000;

/// Where all detectors stand.
pub(crate) const EXTERNAL: &str = "detectors.external";

/// A field that cannot be used, and what it must be.
type Wrong = (String, String);

/// The detectors, by their names here.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Each under its name.
    pub external: BTreeMap<String, External>,
}

/// One detector.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct External {
    /// How it is spoken to.
    #[serde(default)]
    pub protocol: Protocol,
    /// Where it listens.
    #[serde(default)]
    pub endpoint: String,
    /// Sent to it as bearer token, unless it is empty.
    #[serde(default)]
    pub token: String,
    /// Whether a job waits for it.
    #[serde(default)]
    pub required: bool,
    /// Whether pictures are shown to it saved again and smaller too.
    #[serde(default = "yes")]
    pub variants: bool,
    /// What it is asked about; empty: all that it can.
    #[serde(default)]
    pub modalities: Vec<Modality>,
    /// What it is asked; empty: all that it can. A model of its own has one.
    #[serde(default)]
    pub tasks: Vec<Task>,
    /// How long a call may take, in milliseconds.
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u64,
    /// How long a call about a video may take, in milliseconds.
    #[serde(default = "timeout_video_ms")]
    pub timeout_video_ms: u64,
    /// Calls at the same time.
    #[serde(default = "concurrency")]
    pub concurrency: usize,
    /// Whether what it says of its own calibration is believed.
    #[serde(default)]
    pub trust_own_calibration: bool,
    /// How it did when the operator tried it.
    #[serde(default)]
    pub calibration: Option<OwnCalibration>,
    /// What it is shown, if it is a bare model.
    #[serde(default)]
    pub model: Option<Model>,
}

/// What a trial on labelled files came to (Platt 1999): natural log odds = `a * logit(score) + b`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnCalibration {
    /// Slope, above 0: a trial cannot turn a detector round.
    pub a: f64,
    /// Offset.
    pub b: f64,
    /// Clean files tried.
    pub clean_files: u64,
    /// False alarms among them.
    #[serde(default)]
    pub false_alarms: u64,
}

fn yes() -> bool {
    true
}

fn timeout_ms() -> u64 {
    TIMEOUT_MS
}

fn timeout_video_ms() -> u64 {
    TIMEOUT_VIDEO_MS
}

fn concurrency() -> usize {
    CONCURRENCY
}

impl Settings {
    /// Reads and checks the section.
    ///
    /// # Errors
    /// Names the key that cannot be used, and what it must be.
    pub fn read(config: &Config) -> Result<Self, config::Error> {
        let settings: Self = config.section("detectors")?;
        if settings.external.len() > DETECTORS_MAX {
            return Err(config.refuse(EXTERNAL, "hold at most 32 detectors"));
        }
        for (name, external) in &settings.external {
            let key = format!("{EXTERNAL}.{name}");
            if !is_name(name) {
                let must = "have a name of at most 32 lower-case letters, digits and dashes";
                return Err(config.refuse(&key, must));
            }
            external
                .check()
                .map_err(|(field, must)| config.refuse(&format!("{key}.{field}"), &must))?;
        }
        Ok(settings)
    }
}

/// A name stands in metrics, evidence and results.
fn is_name(name: &str) -> bool {
    let ours = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(ours)
}

impl External {
    /// The detector that listens at `endpoint`, and is nothing special.
    #[must_use]
    pub fn at(endpoint: impl Into<String>) -> Self {
        Self {
            protocol: Protocol::default(),
            endpoint: endpoint.into(),
            token: String::new(),
            required: false,
            variants: true,
            modalities: Vec::new(),
            tasks: Vec::new(),
            timeout_ms: TIMEOUT_MS,
            timeout_video_ms: TIMEOUT_VIDEO_MS,
            concurrency: CONCURRENCY,
            trust_own_calibration: false,
            calibration: None,
            model: None,
        }
    }

    /// Whether it is to be asked about such media. A bare model is shown pictures and nothing else.
    pub(crate) fn takes(&self, modality: Modality) -> bool {
        let can = self.model.is_none() || modality == Modality::Image;
        can && (self.modalities.is_empty() || self.modalities.contains(&modality))
    }

    /// How long a call about such media may take, in milliseconds.
    pub(crate) fn call_ms(&self, modality: Modality) -> u64 {
        match modality {
            Modality::Video => self.timeout_video_ms,
            Modality::Image | Modality::Audio | Modality::Document => self.timeout_ms,
        }
    }

    /// The longest that any of its calls may take, in milliseconds: what is slow to the breaker is measured by it.
    pub(crate) fn longest_ms(&self) -> u64 {
        let asked = Modality::ALL.into_iter().filter(|one| self.takes(*one));
        let longest = asked.map(|modality| self.call_ms(modality)).max();
        longest.unwrap_or(self.timeout_ms)
    }

    /// The field that cannot be used, and what it must be.
    fn check(&self) -> Result<(), Wrong> {
        let wrong = |field: &str, must: &str| Err((field.to_owned(), must.to_owned()));
        let times = [
            ("timeout_ms", self.timeout_ms),
            ("timeout_video_ms", self.timeout_video_ms),
        ];
        for (field, time_ms) in times {
            if !(TIMEOUT_MS_MIN..=TIMEOUT_MS_LIMIT).contains(&time_ms) {
                return wrong(field, "be between 100 and 1800000");
            }
        }
        if !(1..=CONCURRENCY_MAX).contains(&self.concurrency) {
            return wrong("concurrency", "be between 1 and 256");
        }
        if !self.token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return wrong("token", "hold no spaces and no other than ASCII characters");
        }
        if let Some(calibration) = &self.calibration {
            calibration
                .check()
                .map_err(|(field, must)| (format!("calibration.{field}"), must.to_owned()))?;
        }
        self.check_protocol()
    }
}

impl fmt::Debug for External {
    /// Without the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("External")
            .field("protocol", &self.protocol)
            .field("endpoint", &self.endpoint)
            .field("required", &self.required)
            .finish_non_exhaustive()
    }
}

impl OwnCalibration {
    fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if !(self.a.is_finite() && self.a > 0.0) {
            return Err(("a", "be above 0"));
        }
        if !self.b.is_finite() {
            return Err(("b", "be a number"));
        }
        Ok(())
    }

    /// The trial, as caps are computed from it.
    pub(crate) fn trial(&self) -> Calibration {
        Calibration {
            n_clean: self.clean_files,
            fp: self.false_alarms,
        }
    }
}

/// Whether a text is 64 lower-case hexadecimal digits.
pub(crate) fn is_sha256(text: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == 64 && text.bytes().all(digit)
}

#[cfg(test)]
mod tests;
