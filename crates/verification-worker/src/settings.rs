//! Section `[verification]` of the configuration.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use assay_detectors::{Examined, Settings as Detectors};
use assay_forensics::{Limits, Priors};
use assay_provenance::TrustLists;
use assay_service::config::{self, Config};
use serde::Deserialize;

use crate::analyst::{Bounds, Confinement};
use crate::calibrated::Calibrated;
use crate::content::bytes_max;

/// Documented defaults of this crate's section.
pub const DEFAULTS: &str = include_str!("defaults.toml");

/// The setting that names a calibration: the file, by an absolute path.
pub const CALIBRATION_KEY: &str = "verification.calibration";

/// Most child processes at the same time.
pub const CHILDREN_MAX: usize = 1_024;
/// Longest wall time of an analysis in milliseconds: one hour.
pub const WALL_MS_LIMIT: u64 = 60 * 60 * 1_000;
/// Least address space in which a child can start, in bytes.
pub const CHILD_MEMORY_BYTES_MIN: u64 = 256 * 1024 * 1024;
/// Least number of open files with which a child can start.
pub const CHILD_OPEN_FILES_MIN: u64 = 16;
/// Least output that holds an ordinary result, in bytes.
pub const CHILD_OUTPUT_BYTES_MIN: u64 = 64 * 1024;

/// A child's address space holds the file so many times: as it is, decoded, and what the validator copies.
const MEMORY_PER_FILE: u64 = 4;

/// How content is verified.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Bounds on child processes.
    pub bounds: Bounds,
    /// Wall time of one analysis.
    pub wall: Duration,
    /// Bounds on what a file may ask for.
    pub limits: Limits,
    /// Folder of trust lists.
    pub trust_folder: Option<PathBuf>,
    /// Shares before a file is looked at.
    pub priors: Priors,
    /// Who is asked besides: section `[detectors]`.
    pub detectors: Detectors,
    /// What findings weigh, if not what is built in.
    pub calibration: Option<Arc<Calibrated>>,
}

/// The section as it is written.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    children_max: usize,
    wall_ms: u64,
    child_cpu_s_max: u64,
    child_memory_bytes_max: u64,
    child_open_files_max: u64,
    child_output_bytes_max: u64,
    trust_folder: String,
    prior_synthetic: f64,
    prior_manipulated: f64,
    calibration: String,
    limits: Limits,
}

impl Settings {
    /// Reads and checks the section. Trust lists are read once, so that a broken one is known before the first job; the
    /// calibration is read here and stays as it is.
    ///
    /// # Errors
    /// Names the key that cannot be used, and what it must be.
    pub fn read(config: &Config) -> Result<Self, config::Error> {
        let section: Section = config.section("verification")?;
        if let Some((key, min, max)) = section.out_of_range() {
            return Err(config.refuse(
                &format!("verification.{key}"),
                &format!("be between {min} and {max}"),
            ));
        }
        if bytes_max(&section.limits) > section.child_memory_bytes_max / MEMORY_PER_FILE {
            let must = "be at least four times the largest size of a file in verification.limits";
            return Err(config.refuse("verification.child_memory_bytes_max", must));
        }
        let priors =
            Priors::new(section.prior_synthetic, section.prior_manipulated).map_err(|_| {
                let wrong = if is_prior(section.prior_synthetic) {
                    "prior_manipulated"
                } else {
                    "prior_synthetic"
                };
                config.refuse(&format!("verification.{wrong}"), "be above 0 and below 1")
            })?;
        let trust_folder =
            (!section.trust_folder.is_empty()).then(|| PathBuf::from(&section.trust_folder));
        if let Some(folder) = &trust_folder {
            let refuse = |must: &str| config.refuse("verification.trust_folder", must);
            if !folder.is_absolute() {
                // A child process works in another folder than its parent.
                return Err(refuse("be an absolute path"));
            }
            TrustLists::from_folder(folder)
                .map_err(|error| refuse(&format!("hold usable trust lists ({error})")))?;
        }
        let calibration = calibration(config, &section.calibration)?;
        Ok(Self {
            bounds: section.bounds(),
            wall: Duration::from_millis(section.wall_ms),
            limits: section.limits,
            trust_folder,
            priors,
            detectors: Detectors::read(config)?,
            calibration,
        })
    }
}

/// Checks the sections that a worker of this kind reads; for somebody who does nothing but check, also the models of
/// detectors: a worker starts without those that cannot be used.
///
/// # Errors
/// Names the keys that cannot be used, and what they must be.
pub fn check(config: &Config) -> Result<(), config::Error> {
    let settings = Settings::read(config)?;
    if !config.is_for_check() {
        return Ok(());
    }
    let sentence = |examined: &Examined| {
        let (key, unfit) = (examined.key()?, examined.unfit.as_ref()?);
        Some(config.refuse(&key, &unfit.must).to_string())
    };
    let examined = assay_detectors::examine(&settings.detectors);
    let sentences: Vec<String> = examined.iter().filter_map(sentence).collect();
    if sentences.is_empty() {
        Ok(())
    } else {
        Err(config::Error::Invalid(sentences))
    }
}

fn calibration(config: &Config, path: &str) -> Result<Option<Arc<Calibrated>>, config::Error> {
    if path.is_empty() {
        return Ok(None);
    }
    let refuse = |must: &str| config.refuse(CALIBRATION_KEY, must);
    let path = Path::new(path);
    if !path.is_absolute() {
        // Where a service is started from is nobody's choice.
        return Err(refuse("be an absolute path"));
    }
    let loaded = Calibrated::load(path);
    let loaded = loaded.map_err(|error| refuse(&format!("name a usable calibration ({error})")))?;
    Ok(Some(Arc::new(loaded)))
}

impl Section {
    fn out_of_range(&self) -> Option<(&'static str, u64, u64)> {
        let ranges = [
            (
                "children_max",
                wide(self.children_max),
                0,
                wide(CHILDREN_MAX),
            ),
            ("wall_ms", self.wall_ms, 1, WALL_MS_LIMIT),
            (
                "child_cpu_s_max",
                self.child_cpu_s_max,
                1,
                WALL_MS_LIMIT / 1_000,
            ),
            (
                "child_memory_bytes_max",
                self.child_memory_bytes_max,
                CHILD_MEMORY_BYTES_MIN,
                u64::MAX,
            ),
            (
                "child_open_files_max",
                self.child_open_files_max,
                CHILD_OPEN_FILES_MIN,
                u64::MAX,
            ),
            (
                "child_output_bytes_max",
                self.child_output_bytes_max,
                CHILD_OUTPUT_BYTES_MIN,
                u64::MAX,
            ),
        ];
        let wrong = ranges
            .into_iter()
            .find(|(_, value, min, max)| !(min..=max).contains(&value));
        wrong.map(|(key, _, min, max)| (key, min, max))
    }

    fn bounds(&self) -> Bounds {
        let cpus = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Bounds {
            children_max: if self.children_max == 0 {
                cpus()
            } else {
                self.children_max
            },
            confinement: Confinement {
                memory_bytes_max: self.child_memory_bytes_max,
                cpu_s_max: self.child_cpu_s_max,
                open_files_max: self.child_open_files_max,
            },
            output_bytes_max: self.child_output_bytes_max,
        }
    }
}

fn is_prior(share: f64) -> bool {
    share > 0.0 && share < 1.0
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyst::{OUTPUT_BYTES_MAX, WALL_MS_MAX};

    fn read(key: &str, value: impl ToString) -> Result<Settings, String> {
        let loader =
            Config::loader(&[DEFAULTS]).set(&format!("verification.{key}"), value.to_string());
        Settings::read(&loader.load().unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_documented_defaults_are_the_constants() {
        let settings = Settings::read(&Config::loader(&[DEFAULTS]).load().unwrap()).unwrap();
        assert_eq!(settings.wall, Duration::from_millis(WALL_MS_MAX));
        assert_eq!(settings.bounds.confinement, Confinement::default());
        assert_eq!(settings.bounds.output_bytes_max, OUTPUT_BYTES_MAX);
        assert!(settings.bounds.children_max >= 1);
        assert_eq!(settings.priors, Priors::default());
        assert_eq!(settings.detectors, Detectors::default());
        assert_eq!((settings.trust_folder, settings.calibration), (None, None));
        let video_bytes_max = settings.limits.video_bytes_max;
        assert_eq!(
            settings.limits,
            Limits {
                video_bytes_max,
                ..Limits::default()
            }
        );
    }

    #[test]
    fn every_bound_holds_at_n_and_not_beyond() {
        let table = [
            ("children_max", None, Some(1_024)),
            ("wall_ms", Some(1), Some(3_600_000)),
            ("child_cpu_s_max", Some(1), Some(3_600)),
            // Four times the largest file.
            ("child_memory_bytes_max", Some(1_073_741_824), None),
            ("child_open_files_max", Some(16), None),
            ("child_output_bytes_max", Some(65_536), None),
        ];
        for (key, min, max) in table {
            if let Some(min) = min {
                assert!(read(key, min).is_ok(), "{key}");
                assert!(
                    read(key, min - 1)
                        .unwrap_err()
                        .contains(&format!("`verification.{key}` must be")),
                    "{key}"
                );
            }
            if let Some(max) = max {
                assert!(read(key, max).is_ok(), "{key}");
                assert!(read(key, max + 1).is_err(), "{key}");
            }
        }
        for key in ["prior_synthetic", "prior_manipulated"] {
            assert!(read(key, 0.99).is_ok());
            for wrong in ["0.0", "1.0"] {
                let error = read(key, wrong).unwrap_err();
                assert!(
                    error.contains(&format!("`verification.{key}` must be above 0 and below 1")),
                    "{error}"
                );
            }
        }
    }

    #[test]
    fn a_child_of_little_memory_reads_small_files_only() {
        let read = |memory: u64| {
            let sizes = ["image", "audio", "video", "document"]
                .map(|kind| format!("limits.{kind}_bytes_max"));
            let mut loader = Config::loader(&[DEFAULTS]);
            for (key, value) in sizes
                .iter()
                .map(|key| (key.as_str(), 1_000))
                .chain([("child_memory_bytes_max", memory)])
            {
                loader = loader.set(&format!("verification.{key}"), value.to_string());
            }
            Settings::read(&loader.load().unwrap())
        };
        assert!(read(CHILD_MEMORY_BYTES_MIN).is_ok());
        assert!(read(CHILD_MEMORY_BYTES_MIN - 1).is_err());
    }

    #[test]
    fn a_detector_that_cannot_be_asked_is_refused_in_a_sentence() {
        let read = |endpoint: &str| {
            let loader = Config::loader(&[DEFAULTS, assay_detectors::DEFAULTS]);
            let loader = loader.set("detectors.external.acme.endpoint", endpoint);
            Settings::read(&loader.load().unwrap()).map_err(|error| error.to_string())
        };
        assert_eq!(
            read("http://acme:9000").unwrap().detectors.external.len(),
            1
        );
        let error = read("acme").unwrap_err();
        let must = "`detectors.external.acme.endpoint` must be http://, a host, a colon and a port";
        assert!(error.contains(must), "{error}");
    }

    #[test]
    fn a_model_that_cannot_be_used_is_told_to_who_checks_and_stops_no_worker() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let sha256 = "0a".repeat(32);
        let text = format!(
            "[detectors.external.acme]\nprotocol = \"onnx\"\ntasks = [\"splice\"]\n\
             [detectors.external.acme.model]\npath = \"/nowhere/m.onnx\"\nsha256 = \"{sha256}\"\n\
             input = \"in\"\noutput = \"out\"\nwidth = 8\nheight = 8\n"
        );
        std::fs::write(file.path(), text).unwrap();
        let loader = Config::loader(&[DEFAULTS, assay_detectors::DEFAULTS]);
        let config = loader.file(Some(file.path())).load().unwrap();
        check(&config).unwrap();
        let error = check(&config.for_check()).unwrap_err().to_string();
        let must = "`detectors.external.acme.model.path` must name a file that can be read";
        assert!(error.starts_with(must), "{error}");
    }

    #[test]
    fn a_trust_folder_must_be_absolute_and_usable() {
        let error = read("trust_folder", "trust").unwrap_err();
        assert!(
            error.contains("`verification.trust_folder` must be an absolute path"),
            "{error}"
        );
        let error = read("trust_folder", "/nowhere/trust").unwrap_err();
        assert!(
            error.contains("must hold usable trust lists (read /nowhere/trust:"),
            "{error}"
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display().to_string();
        assert_eq!(
            read("trust_folder", &path).unwrap().trust_folder,
            Some(PathBuf::from(path))
        );
    }

    #[test]
    fn a_calibration_must_be_absolute_and_of_these_rules() {
        use crate::calibrated::tests::{document, file};
        use crate::result::RULESET;

        let error = read("calibration", "c.json").unwrap_err();
        assert!(
            error.contains("`verification.calibration` must be an absolute path"),
            "{error}"
        );
        let of = |ruleset: &str| {
            let file = file(&document(ruleset));
            read("calibration", file.path().display())
        };
        let settings = of(RULESET).unwrap();
        assert_eq!(settings.calibration.unwrap().summary().authentic, 600);
        let error = of("1999.1").unwrap_err();
        assert!(
            error.contains("`verification.calibration` must name a usable calibration (read /")
                && error.contains("make it anew with `assay calibrate`"),
            "{error}"
        );
    }
}
