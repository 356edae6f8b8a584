//! Models in files, through the panel.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use assay_core::breaker::State;
use assay_detectors::render::{Fit, Form, Rendered, Variant, render};
use assay_detectors::{
    Activation, Colours, External, Layout, Modality, Model, OwnCalibration, Protocol, Rendition,
    Settings, Status, Task, coverage, examine,
};
use assay_forensics::{CoverageStatus, Limits};
use image::{ImageFormat, Rgb, RgbImage};
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::fixture::{Fixture, ask, at};
use crate::scripted::Scripted;
use crate::tiny_model::{self, INPUT, OUTPUT, SIDE};

/// How often a detector that is ill is asked before it is left alone, described once.
const ASKED_TILL_OPEN: u64 = 9;

/// The file of a model, and the folder that it is in.
struct Kept {
    folder: TempDir,
    path: PathBuf,
    sha256: String,
}

impl Kept {
    fn of(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tiny.onnx");
        fs::write(&path, bytes).unwrap();
        let sha256 = assay_forensics::sha256(bytes);
        Self {
            folder,
            path,
            sha256,
        }
    }

    fn model(&self) -> Model {
        Model {
            name: String::new(),
            version: String::new(),
            path: self.path.clone(),
            sha256: self.sha256.clone(),
            input: INPUT.to_owned(),
            output: OUTPUT.to_owned(),
            output_index: 0,
            width: SIDE,
            height: SIDE,
            mean: [0.0; 3],
            std: [1.0; 3],
            fit: Fit::Crop,
            layout: Layout::Nchw,
            colours: Colours::Rgb,
            activation: Activation::None,
            positive_class: 0,
        }
    }

    fn external(&self) -> External {
        detector(self.model())
    }
}

/// A detector that is this model, asked once about a picture.
fn detector(model: Model) -> External {
    External {
        protocol: Protocol::Onnx,
        tasks: vec![Task::AiGenerated],
        variants: false,
        model: Some(model),
        ..External::at("")
    }
}

/// A picture with edges.
fn picture() -> Vec<u8> {
    let level = |of: u32| u8::try_from(of % 256).unwrap();
    let picture = RgbImage::from_fn(24, 16, |x, y| {
        Rgb([level(x * 37), level(y * 53), level(x * y)])
    });
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// What the model is to score the picture, computed here.
fn expected(bytes: &[u8]) -> f64 {
    let form = Form::Pixels {
        width: SIDE,
        height: SIDE,
        fit: Fit::Crop,
    };
    let rendition = Rendition {
        variant: Variant::Original,
        form,
    };
    let rendered = render(bytes, rendition, &Limits::default()).unwrap();
    let Rendered::Pixels(pixels) = rendered else {
        panic!("{rendered:?}");
    };
    tiny_model::score_of(pixels.rgb())
}

fn settings(external: External) -> Settings {
    Settings {
        external: [("acme".to_owned(), external)].into(),
    }
}

#[test]
fn the_test_model_is_tiny() {
    let bytes = tiny_model::edges().len();
    assert!((200..1_000).contains(&bytes), "{bytes}");
}

#[tokio::test]
async fn a_model_scores_a_picture_as_computed_by_hand() {
    let kept = Kept::of(&tiny_model::edges());
    let bytes = picture();
    let fixture = Fixture::one(kept.external());
    let opinions = fixture.ask(ask(&bytes)).await.unwrap();
    let [opinion] = opinions.as_slice() else {
        panic!("{opinions:?}");
    };
    assert_eq!(opinion.status, Status::Ok, "{}", opinion.why);
    let (score, by_hand) = (opinion.score.unwrap(), expected(&bytes));
    assert!((score - by_hand).abs() < 1e-5, "{score}, not {by_hand}");
    assert!((0.05..0.95).contains(&score), "{score}");
    assert_eq!(opinion.version, kept.sha256[..12]);
    assert_eq!(opinion.model_sha256.as_ref(), Some(&kept.sha256));
    let covered = coverage(&opinions);
    assert_eq!(covered[0].question, "ai_generated_pixels");
    assert_eq!(covered[0].status, CoverageStatus::Tested);
    assert!(examine(&settings(kept.external()))[0].unfit.is_none());
}

#[tokio::test]
async fn its_score_weighs_as_its_trial_says() {
    let kept = Kept::of(&tiny_model::edges());
    let model = Model {
        version: "7".to_owned(),
        ..kept.model()
    };
    let external = External {
        calibration: Some(OwnCalibration {
            a: 0.5,
            b: 0.125,
            clean_files: 300,
            false_alarms: 0,
        }),
        ..detector(model)
    };
    let opinions = Fixture::one(external).ask(ask(&picture())).await.unwrap();
    let [opinion] = opinions.try_into().unwrap();
    assert_eq!((opinion.version.as_str(), opinion.cap), ("7", 2.0));
    let score = opinion.score.unwrap();
    let logit = (score / (1.0 - score)).ln();
    let weighs = (0.5 * logit + 0.125) / std::f64::consts::LN_10;
    assert!((opinion.log10_lr.unwrap() - weighs).abs() < 1e-9);
}

#[tokio::test]
async fn a_picture_is_shown_to_it_three_times() {
    let kept = Kept::of(&tiny_model::edges());
    let external = External {
        variants: true,
        ..kept.external()
    };
    let fixture = Fixture::one(external);
    let mut grey = Cursor::new(Vec::new());
    let picture = RgbImage::from_pixel(32, 32, Rgb([128; 3]));
    picture.write_to(&mut grey, ImageFormat::Png).unwrap();
    let opinions = fixture.ask(ask(&grey.into_inner())).await.unwrap();
    let [opinion] = opinions.try_into().unwrap();
    assert_eq!(opinion.status, Status::Ok, "{}", opinion.why);
    assert!(opinion.findings[0].warnings.is_empty());
    // What it is, the original, and two variants.
    assert_eq!(fixture.breaker().window.calls, 4);
}

#[tokio::test]
async fn one_that_is_shown_no_pictures_is_not_asked() {
    let kept = Kept::of(&tiny_model::edges());
    let fixture = Fixture::one(kept.external());
    let mut sound = ask(b"bytes");
    sound.modality = Modality::Audio;
    let opinions = fixture.ask(sound).await.unwrap();
    assert_eq!(opinions[0].status, Status::NotApplicable);
    // What is no picture is not its fault.
    let opinion = fixture.opinion().await;
    assert_eq!(opinion.status, Status::NotApplicable, "{}", opinion.why);
    assert_eq!(fixture.breaker().window.failures, 0);
}

/// A detector that cannot be used, the setting that is to be mended, and words of what is said of it.
type Unfit = (External, &'static str, &'static str);

/// Those whose file is none.
fn of_wrong_files(kept: &Kept) -> Vec<Unfit> {
    let at = |path: &Path, sha256: &str| {
        let mut model = kept.model();
        model.path = path.to_owned();
        model.sha256 = sha256.to_owned();
        detector(model)
    };
    let of = |name: &str, bytes: &[u8]| {
        let path = kept.folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        at(&path, &assay_forensics::sha256(bytes))
    };
    let whole = tiny_model::edges();
    let (half, _) = whole.split_at(whole.len() / 2);
    let strange = tiny_model::unknown_operator();
    let none = "name an ONNX model that runs here, which";
    let away = "name a file that can be read: No such file";
    let mean = "write that if it is the model you mean";
    vec![
        (at(Path::new("/nowhere/m.onnx"), ""), "path", away),
        (at(Path::new("/"), ""), "path", "name a file, not something"),
        (at(&kept.path, &"0a".repeat(32)), "sha256", mean),
        (of("half.onnx", half), "path", none),
        (of("empty.onnx", b""), "path", none),
        (of("strange.onnx", &strange), "path", "Crystallise"),
    ]
}

/// Those whose model is not what is said of it.
fn of_wrong_words(kept: &Kept) -> Vec<Unfit> {
    let with = |change: fn(&mut Model)| {
        let mut model = kept.model();
        change(&mut model);
        detector(model)
    };
    let other_input = with(|model| model.input = "picture".to_owned());
    let other_output = with(|model| model.output = "logits".to_owned());
    let wide = with(|model| model.width = SIDE + 1);
    let nhwc = with(|model| model.layout = Layout::Nhwc);
    let second_class = with(|model| model.positive_class = 1);
    let takes = "of [1, 3, 8, 9], as width, height and layout have it; this one takes [1, 3, 8, 8]";
    vec![
        (other_input, "input", r#"be one of ["pixels"]"#),
        (other_output, "output", r#"be one of ["score"]"#),
        (wide, "input", takes),
        (nhwc, "input", "takes FP32 of [1, 8, 8, 3]"),
        (second_class, "positive_class", "be below 1"),
    ]
}

#[tokio::test]
async fn one_that_cannot_be_used_says_why_and_the_others_work() {
    let kept = Kept::of(&tiny_model::edges());
    let bytes = picture();
    let unfit = [of_wrong_files(&kept), of_wrong_words(&kept)].concat();
    for (external, field, words) in unfit {
        let fixture = Fixture::of([("acme", external.clone()), ("well", kept.external())]);
        let opinions = fixture.ask(ask(&bytes)).await.unwrap();
        let [acme, well] = opinions.try_into().unwrap();
        assert_eq!(acme.status, Status::Misconfigured, "{words}");
        assert!(acme.why.contains(words), "{words}: {}", acme.why);
        assert!(acme.why.starts_with(&format!("model.{field} must ")));
        assert_eq!(well.status, Status::Ok, "{}", well.why);
        let [examined] = examine(&settings(external)).try_into().unwrap();
        let key = format!("detectors.external.acme.model.{field}");
        assert_eq!(examined.key(), Some(key));
        assert_eq!(examined.unfit.unwrap().to_string(), acme.why);
    }
}

#[tokio::test]
async fn a_job_waits_for_one_that_is_required_and_cannot_be_used() {
    let kept = Kept::of(&tiny_model::edges());
    let external = External {
        required: true,
        ..detector(Model {
            sha256: "0a".repeat(32),
            ..kept.model()
        })
    };
    let fixture = Fixture::one(external);
    let parked = fixture.ask(ask(b"bytes")).await.unwrap_err();
    assert_eq!(parked.detector, "acme");
    let bolt = fixture.panel.breakers()[0].2.clone().unwrap();
    assert!(bolt.starts_with("model.sha256 must be"), "{bolt}");
}

#[tokio::test]
async fn what_is_no_number_is_no_answer() {
    let kept = Kept::of(&tiny_model::no_number());
    let fixture = Fixture::one(kept.external());
    let bytes = picture();
    for asked in 1..=ASKED_TILL_OPEN {
        assert_eq!(fixture.breaker().window.failures, asked - 1);
        let opinions = fixture.ask(ask(&bytes)).await.unwrap();
        let [opinion] = opinions.try_into().unwrap();
        assert_eq!(opinion.status, Status::Unavailable);
        let begin = "its answer is not as it should be";
        assert!(opinion.why.starts_with(begin), "{}", opinion.why);
    }
    assert_eq!(fixture.state(), State::Open);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_are_asked_of_one_model_at_once_and_all_are_answered() {
    const ASKED: usize = 12;
    let kept = Kept::of(&tiny_model::edges());
    let external = External {
        concurrency: 2,
        ..kept.external()
    };
    let other = Scripted::start();
    let fixture = Fixture::of([("acme", external), ("other", at(&other))]);
    let fixture = Arc::new(fixture);
    let bytes: Arc<[u8]> = picture().into();
    let mut asked = JoinSet::new();
    for _ in 0..ASKED {
        let (fixture, bytes) = (Arc::clone(&fixture), Arc::clone(&bytes));
        asked.spawn(async move { fixture.ask(ask(&bytes)).await.unwrap() });
    }
    let by_hand = expected(&bytes);
    for opinions in asked.join_all().await {
        assert!(opinions.iter().all(|one| one.status == Status::Ok));
        assert!((opinions[0].score.unwrap() - by_hand).abs() < 1e-5);
    }
}
