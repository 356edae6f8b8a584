use std::fs;

use super::*;
use crate::model::{Colours, Layout};

const MODEL: &str =
    "[detectors.external.acme.model]\nname = \"m\"\ninput = \"in\"\nwidth = 8\nheight = 8\n";

fn read(text: &str) -> Result<Settings, String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    let loader = Config::loader(&[DEFAULTS]).file(Some(file.path()));
    let config = loader.load().map_err(|error| error.to_string())?;
    Settings::read(&config).map_err(|error| error.to_string())
}

fn one(lines: &str) -> Result<External, String> {
    let text = format!("[detectors.external.acme]\nendpoint = \"http://acme:9000\"\n{lines}");
    read(&text).map(|settings| settings.external["acme"].clone())
}

#[test]
fn without_configuration_there_are_no_detectors() {
    assert_eq!(read("").unwrap(), Settings::default());
}

#[test]
fn an_address_is_enough() {
    assert_eq!(one("").unwrap(), External::at("http://acme:9000"));
}

#[test]
fn the_documented_defaults_are_the_constants() {
    let at = External::at("");
    let documented = [
        format!("timeout_ms = {}", at.timeout_ms),
        format!("timeout_video_ms = {}", at.timeout_video_ms),
        format!("concurrency = {}", at.concurrency),
        format!("variants = {}", at.variants),
        format!("required = {}", at.required),
        format!("trust_own_calibration = {}", at.trust_own_calibration),
    ];
    for line in documented {
        assert!(DEFAULTS.contains(&format!("#   {line}")), "{line}");
    }
}

#[test]
fn an_environment_is_enough_too() {
    let variables = [
        (
            "ASSAY__DETECTORS__EXTERNAL__ACME__ENDPOINT",
            "http://acme:9000",
        ),
        ("ASSAY__DETECTORS__EXTERNAL__ACME__TOKEN", "t"),
        ("ASSAY__DETECTORS__EXTERNAL__ACME__REQUIRED", "true"),
        ("ASSAY__DETECTORS__EXTERNAL__ACME__CONCURRENCY", "2"),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let config = Config::loader(&[DEFAULTS]).environment(variables.into());
    let settings = Settings::read(&config.load().unwrap()).unwrap();
    let acme = &settings.external["acme"];
    assert!(acme.required);
    assert_eq!((acme.concurrency, acme.token.as_str()), (2, "t"));
    assert!(!format!("{acme:?}").contains("\"t\""));
}

#[test]
fn every_bound_holds_at_n_and_not_beyond() {
    let table = [
        ("timeout_ms", TIMEOUT_MS_MIN, TIMEOUT_MS_LIMIT),
        ("timeout_video_ms", TIMEOUT_MS_MIN, TIMEOUT_MS_LIMIT),
        ("concurrency", 1, CONCURRENCY_MAX as u64),
    ];
    for (key, min, max) in table {
        for (value, holds) in [(min, true), (min - 1, false), (max, true), (max + 1, false)] {
            let read = one(&format!("{key} = {value}"));
            assert_eq!(read.is_ok(), holds, "{key} = {value}: {read:?}");
            if let Err(error) = read {
                assert!(
                    error.contains(&format!("`detectors.external.acme.{key}` must be")),
                    "{error}"
                );
            }
        }
    }
    let many = |count: usize| {
        let section =
            |number| format!("[detectors.external.d{number}]\nendpoint = \"http://d:1\"\n");
        read(&(0..count).map(section).collect::<String>())
    };
    assert!(many(DETECTORS_MAX).is_ok());
    assert!(many(DETECTORS_MAX + 1).is_err());
    let named = |bytes: usize| {
        let name = "n".repeat(bytes);
        read(&format!(
            "[detectors.external.{name}]\nendpoint = \"http://d:1\"\n"
        ))
    };
    assert!(named(NAME_BYTES_MAX).is_ok());
    assert!(named(NAME_BYTES_MAX + 1).is_err());
    assert!(read("[detectors.external.\"a b\"]\nendpoint = \"http://d:1\"\n").is_err());
}

#[test]
fn unknown_words_are_refused() {
    for line in [
        "endpiont = \"\"",
        "tasks = [\"palmistry\"]",
        "protocol = \"rest\"",
    ] {
        assert!(one(line).is_err(), "{line}");
    }
    assert!(read("[detectors]\nacme = {}\n").is_err());
}

#[test]
fn an_address_is_a_plain_one() {
    for (address, holds) in [
        ("http://acme:9000", true),
        ("http://[::1]:9000/", true),
        ("https://acme:9000", false),
        ("http://acme", false),
        ("http://user:secret@acme:9000", false),
        ("http://acme:9000/path", false),
        ("http://acme:0", false),
        ("", false),
    ] {
        let text = format!("[detectors.external.acme]\nendpoint = \"{address}\"\n");
        assert_eq!(read(&text).is_ok(), holds, "{address}");
    }
}

#[test]
fn a_bare_model_says_what_it_is_shown() {
    let spoken = "protocol = \"open_inference\"\ntasks = [\"ai_generated\"]\n";
    let model = one(&format!("{spoken}{MODEL}")).unwrap().model.unwrap();
    assert_eq!((model.width, model.std), (8, [1.0; 3]));
    for (lines, wrong) in [
        (spoken.to_owned(), "`detectors.external.acme.model` must"),
        (
            format!("protocol = \"open_inference\"\n{MODEL}"),
            ".tasks` must",
        ),
        (MODEL.to_owned(), ".model` must be left out"),
        (
            format!("modalities = [\"video\"]\n{spoken}{MODEL}"),
            ".modalities` must",
        ),
        (
            format!("{spoken}{MODEL}std = [0, 1, 1]\n"),
            ".model.std` must",
        ),
        (
            format!("{spoken}{MODEL}name = \"\"\n").replacen("name = \"m\"\n", "", 1),
            ".model.name` must",
        ),
    ] {
        let error = one(&lines).unwrap_err();
        assert!(error.contains(wrong), "{wrong}: {error}");
    }
}

/// A detector that is a model in a file.
const FILE: &str = "protocol = \"onnx\"\ntasks = [\"ai_generated\"]\n[detectors.external.acme.model]\npath = \"/m.onnx\"\n\
    input = \"in\"\noutput = \"out\"\nwidth = 8\nheight = 8\n";

/// Reads a detector of these lines that listens nowhere.
fn file(lines: &str) -> Result<External, String> {
    let sha256 = format!("sha256 = \"{}\"\n", "0a".repeat(32));
    let lines = if lines.contains("sha256 = ") {
        lines.to_owned()
    } else {
        format!("{lines}{sha256}")
    };
    let read = read(&format!("[detectors.external.acme]\n{lines}"));
    read.map(|settings| settings.external["acme"].clone())
}

#[test]
fn a_model_in_a_file_says_which_file_and_what_it_is_shown() {
    let model = file(FILE).unwrap().model.unwrap();
    assert_eq!((model.layout, model.colours), Default::default());
    let words = format!("{FILE}layout = \"nhwc\"\ncolours = \"bgr\"\nversion = \"7\"\n");
    let model = file(&words).unwrap().model.unwrap();
    assert_eq!((model.layout, model.colours), (Layout::Nhwc, Colours::Bgr));
    for (lines, wrong) in [
        (format!("endpoint = \"http://a:1\"\n{FILE}"), ".endpoint`"),
        (format!("token = \"t\"\n{FILE}"), ".token`"),
        (FILE.replacen("\"/m", "\"m", 1), ".model.path`"),
        (format!("{FILE}sha256 = \"0A\"\n"), ".model.sha256`"),
        (FILE.replacen("\"out\"", "\"\"", 1), ".model.output`"),
        (format!("{FILE}output_index = 1\n"), ".model.output_index`"),
        (format!("{FILE}name = \"m\"\n"), ".model.name`"),
        (format!("{FILE}version = \"a\\nb\"\n"), ".model.version`"),
        (FILE.replacen("[\"ai_generated\"]", "[]", 1), ".tasks`"),
        (format!("modalities = [\"audio\"]\n{FILE}"), ".modalities`"),
        (format!("{FILE}layout = \"chwn\"\n"), "layout"),
    ] {
        let error = file(&lines).unwrap_err();
        assert!(error.contains(wrong), "{wrong}: {error}");
    }
    let (without_model, _) = FILE.split_once("[detectors").unwrap();
    let error = read(&format!("[detectors.external.acme]\n{without_model}")).unwrap_err();
    assert!(error.contains("acme.model` must"), "{error}");
}

#[test]
fn a_model_at_a_server_is_no_file() {
    let spoken = "protocol = \"open_inference\"\ntasks = [\"ai_generated\"]\n";
    for line in ["path = \"/m\"", "sha256 = \"0a\"", "output = \"out\""] {
        let error = one(&format!("{spoken}{MODEL}{line}\n")).unwrap_err();
        let (field, _) = line.split_once(' ').unwrap();
        let wrong = format!(".model.{field}` must be left out");
        assert!(error.contains(&wrong), "{wrong}: {error}");
    }
}

#[test]
fn a_trial_cannot_turn_a_detector_round() {
    let with = |a: &str| {
        one(&format!(
            "[detectors.external.acme.calibration]\na = {a}\nb = 0.0\nclean_files = 100\n"
        ))
    };
    assert_eq!(
        with("0.5").unwrap().calibration.unwrap().trial().n_clean,
        100
    );
    for a in ["0.0", "-1.0"] {
        assert!(
            with(a)
                .unwrap_err()
                .contains(".calibration.a` must be above 0")
        );
    }
}

#[test]
fn what_is_slow_is_measured_by_the_longest_call() {
    let mut acme = External::at("");
    assert_eq!(acme.longest_ms(), acme.timeout_video_ms);
    acme.modalities = vec![Modality::Image];
    assert_eq!(acme.longest_ms(), acme.timeout_ms);
    let model = file(FILE).unwrap();
    assert_eq!(model.longest_ms(), model.timeout_ms);
}

#[test]
fn every_time_that_is_allowed_is_one_that_a_breaker_can_have() {
    for time_ms in [TIMEOUT_MS_MIN, TIMEOUT_MS_LIMIT] {
        let config = assay_core::breaker::BreakerConfig::detector(time_ms);
        assert_eq!(config.validate(), Ok(()), "{time_ms}");
    }
}
