//! Detectors outside of Assay, through the whole pipeline: a scripted one over loopback, renditions in real children.

use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use assay_core::breaker::State;
use assay_core::clock::{Clock, ManualClock, SystemClock};
use assay_core::port::JobStore;
use assay_core::state::JobState;
use assay_detectors::render::Fit;
use assay_detectors::{
    Activation, CAP_UNTRIED, Colours, External, Layout, Model, OwnCalibration, Protocol, Task,
};
use assay_forensics::{CoverageItem, CoverageStatus, Family, Label, Reason};
use assay_verification_worker::{Failure, VerificationResult, WITHOUT};

use crate::child::{alone, none_left, until};
use crate::desk::{Desk, assert_schema};
use crate::files;
use crate::job::Shop;
use crate::scripted::{Act, Scripted, Seen, scores};
use crate::tiny_model;

/// All that a detector does not need.
const STAGES: &str =
    "metadata,provenance,fingerprint,double_quantisation,grid,copy_move,thumbnail,watermark";
/// How often a detector may be asked in vain: a breaker makes up its mind after ten calls.
const ASKED_MAX: usize = 12;
/// How long a job waits for a breaker that somebody holds open, in milliseconds.
const REST_MS: u64 = 300_000;

/// How the scripted detector is asked: once, unless a test says otherwise.
fn at(scripted: &Scripted) -> External {
    External {
        variants: false,
        ..External::at(format!("http://{}", scripted.address))
    }
}

fn system() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// Verifies a picture by what detectors say of it alone.
async fn verify(desk: &Desk) -> Result<VerificationResult, Failure> {
    let mut subject = desk.subject(files::jpeg(), "a.jpg").await;
    let without = (WITHOUT.to_owned(), STAGES.to_owned());
    subject.payload.options.extend([without]);
    desk.run(subject).await
}

fn coverage<'r>(result: &'r VerificationResult, question: &str) -> &'r CoverageItem {
    let mut all = result.coverage.iter();
    all.find(|item| item.question == question).expect(question)
}

/// The status of the only detector; the verdict is given whatever it is.
fn status(result: &VerificationResult) -> &str {
    let [acme] = result.detectors.as_slice() else {
        panic!("{:?}", result.detectors)
    };
    &acme.status
}

#[tokio::test]
async fn what_a_detector_says_is_evidence_of_a_family_of_its_own() {
    let _alone = alone().await;
    let detector = Scripted::start();
    let desk = Desk::asking(at(&detector), system()).await;
    let result = verify(&desk).await.unwrap();

    let mut all = result.evidence.iter();
    let found = all.find(|evidence| evidence.id == "detector.acme").unwrap();
    assert_eq!(found.family, Family::External("acme".to_owned()));
    // A score of 0.8 that nobody has tried: four to one.
    let four_to_one = 4.0_f64.log10();
    for log10_lr in [
        found.log10_lr().synthetic,
        result.verdict.synthetic.log10_lr,
    ] {
        assert!((log10_lr - four_to_one).abs() < 1e-9, "{log10_lr}");
    }
    let [acme] = result.detectors.as_slice() else {
        panic!("{:?}", result.detectors)
    };
    assert_eq!(
        (
            acme.version.as_str(),
            acme.status.as_str(),
            acme.score,
            acme.cap
        ),
        ("3", "ok", Some(0.8), CAP_UNTRIED)
    );
    assert_eq!(acme.findings.len(), 1);
    let [version] = result.engine.detectors.as_slice() else {
        panic!("{:?}", result.engine)
    };
    assert_eq!(
        (version.name.as_str(), version.version.as_str()),
        ("acme", "3")
    );
    let answered = coverage(&result, "ai_generated_pixels");
    assert_eq!(answered.status, CoverageStatus::Tested);
    let unanswered = coverage(&result, "face_swap");
    assert_eq!(unanswered.why, "no detector that was heard looks for it");
    let steps = desk.diary.lines();
    let told = [
        "+detectors",
        "detectors 1/1: acme: ok",
        "-detectors",
        "+fuse",
    ];
    assert!(
        steps.windows(told.len()).any(|lines| lines == told),
        "{steps:?}"
    );
    none_left().await;
}

#[tokio::test]
async fn a_detector_decides_alone_only_after_a_trial() {
    let _alone = alone().await;
    let detector = Scripted::start();
    detector.state.acts(|seen| Act::Answer(scores(seen, 1.0)));
    let untried = at(&detector);
    let tried = External {
        calibration: Some(OwnCalibration {
            a: 1.0,
            b: 0.0,
            clean_files: 300,
            false_alarms: 0,
        }),
        ..untried.clone()
    };
    for (acme, label, log10_lr) in [
        (untried, Label::Inconclusive, CAP_UNTRIED),
        (tried, Label::Synthetic, 2.0),
    ] {
        let desk = Desk::asking(acme, system()).await;
        let verdict = verify(&desk).await.unwrap().verdict;
        assert_eq!(verdict.label, label, "{verdict:?}");
        assert!((verdict.synthetic.log10_lr - log10_lr).abs() < 1e-9);
    }
}

#[tokio::test]
async fn a_picture_is_saved_again_and_made_smaller_in_children() {
    let _alone = alone().await;
    let detector = Scripted::start();
    let acme = External {
        variants: true,
        ..at(&detector)
    };
    let desk = Desk::asking(acme, system()).await;
    let result = verify(&desk).await.unwrap();
    assert_eq!(status(&result), "ok");
    assert!(
        result.detectors[0].findings[0].warnings.is_empty(),
        "{:?}",
        result.detectors
    );
    let mut shown: Vec<_> = detector
        .state
        .seen()
        .iter()
        .map(|seen| {
            let picture = image::load_from_memory(&seen.bytes).unwrap();
            (
                picture.width(),
                picture.height(),
                seen.bytes == files::jpeg(),
            )
        })
        .collect();
    shown.sort_unstable();
    assert_eq!(
        shown,
        [(120, 90, false), (160, 120, false), (160, 120, true)]
    );

    // One that changes its mind says nothing.
    detector.state.acts(|seen| {
        let is_original = seen.header.idempotency_key.ends_with("/original");
        Act::Answer(scores(seen, if is_original { 0.9 } else { 0.2 }))
    });
    let result = verify(&desk).await.unwrap();
    assert_eq!(status(&result), "unstable");
    assert_eq!(result.verdict.synthetic.log10_lr, 0.0);
    none_left().await;
}

#[tokio::test]
async fn a_detector_that_is_no_use_is_named_and_the_verdict_is_given_without_it() {
    let _alone = alone().await;
    let detector = Scripted::start();
    let acme = External {
        timeout_ms: 300,
        ..at(&detector)
    };
    let desk = Desk::asking(acme, system()).await;
    let acts: [(&str, Act); 3] = [
        ("timeout", Act::Hang),
        ("unavailable", Act::Answer(scores(&Seen::default(), 0.8))),
        ("unavailable", Act::Fail(tonic::Status::internal("ill"))),
    ];
    for (expected, act) in acts {
        detector.state.acts(move |_| act.clone());
        let result = verify(&desk).await.unwrap();
        assert_eq!(status(&result), expected, "{:?}", result.detectors);
        let gap = coverage(&result, "detector.acme");
        assert_eq!(gap.status, CoverageStatus::NotTested);
        assert!(
            gap.why.starts_with(&format!("detector acme: {expected} (")),
            "{}",
            gap.why
        );
        assert_eq!(result.verdict.reason, Some(Reason::DetectorsUnavailable));
        assert!(result.engine.detectors.is_empty());
    }
}

/// A detector that is the tiny model, whose file has this hash.
fn model(path: &Path, sha256: &str) -> External {
    let model = Model {
        name: String::new(),
        version: String::new(),
        path: path.to_owned(),
        sha256: sha256.to_owned(),
        input: tiny_model::INPUT.to_owned(),
        output: tiny_model::OUTPUT.to_owned(),
        output_index: 0,
        width: tiny_model::SIDE,
        height: tiny_model::SIDE,
        mean: [0.0; 3],
        std: [1.0; 3],
        fit: Fit::Crop,
        layout: Layout::Nchw,
        colours: Colours::Rgb,
        activation: Activation::None,
        positive_class: 0,
    };
    External {
        protocol: Protocol::Onnx,
        tasks: vec![Task::AiGenerated],
        variants: false,
        model: Some(model),
        ..External::at("")
    }
}

#[tokio::test]
async fn a_model_in_a_file_is_shown_what_a_child_has_rendered() {
    let _alone = alone().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    let bytes = tiny_model::edges();
    std::fs::write(file.path(), &bytes).unwrap();
    let sha256 = assay_forensics::sha256(&bytes);
    let desk = Desk::asking(model(file.path(), &sha256), system()).await;
    let result = verify(&desk).await.unwrap();
    assert_eq!(status(&result), "ok", "{:?}", result.detectors);
    let [version] = result.engine.detectors.as_slice() else {
        panic!("{:?}", result.engine)
    };
    assert_eq!(version.model_sha256.as_ref(), Some(&sha256));
    let answered = coverage(&result, "ai_generated_pixels");
    assert_eq!(answered.status, CoverageStatus::Tested);

    // Another file under its name is not looked into, and the verdict is given without it.
    std::fs::write(file.path(), b"another model").unwrap();
    let desk = Desk::asking(model(file.path(), &sha256), system()).await;
    let result = verify(&desk).await.unwrap();
    let gap = coverage(&result, "detector.acme");
    let begin = "detector acme: misconfigured (model.sha256 must be that of /";
    assert!(gap.why.starts_with(begin), "{}", gap.why);
    assert_eq!(result.verdict.reason, Some(Reason::DetectorsUnavailable));
    none_left().await;
}

#[tokio::test]
async fn a_dead_detector_is_left_alone_after_a_while() {
    let _alone = alone().await;
    let mut detector = Scripted::start();
    detector.kill();
    let address = detector.address;
    until("it is dead", || TcpStream::connect(address).is_err()).await;
    let desk = Desk::asking(at(&detector), Arc::new(ManualClock::at(1_000))).await;
    let mut asked = 0;
    while status(&verify(&desk).await.unwrap()) != "circuit_open" {
        asked += 1;
        assert!(asked < ASKED_MAX, "the breaker opens");
    }
    let breakers = desk.verifier.panel().unwrap().breakers();
    assert_eq!(breakers[0].1.state, State::Open);
}

#[tokio::test]
async fn without_a_detector_that_is_required_there_is_no_result() {
    let _alone = alone().await;
    let detector = Scripted::start();
    detector
        .state
        .acts(|_| Act::Fail(tonic::Status::internal("ill")));
    let acme = External {
        required: true,
        ..at(&detector)
    };
    let desk = Desk::asking(acme, system()).await;
    let failure = verify(&desk).await.unwrap_err();
    assert_eq!(failure.code(), "detector_unavailable");
    let steps = desk.diary.lines();
    let last = steps.last().unwrap();
    assert!(
        last.starts_with("fail detectors: ask detector acme"),
        "{steps:?}"
    );

    // A text has nothing to do with it.
    let text = desk.verify(b"just some words".to_vec(), "a.txt").await;
    let text = text.unwrap();
    assert!(text.detectors.is_empty());
    let why = &coverage(&text, "face_swap").why;
    assert_eq!(why, "no detector takes this kind of file");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_waits_for_a_detector_that_is_required_and_spends_nothing() {
    let _alone = alone().await;
    let detector = Scripted::start();
    let acme = External {
        required: true,
        ..at(&detector)
    };
    let clock = Arc::new(ManualClock::at(SystemClock.now_ms()));
    let desk = Desk::asking(acme, Arc::<ManualClock>::clone(&clock)).await;
    let shop = Shop::around(desk, Arc::<ManualClock>::clone(&clock));
    let panel = shop.desk.verifier.panel().unwrap().clone();
    assert!(panel.force_open("acme"));

    let id = shop.submit(files::jpeg(), "a.jpg").await;
    let job = shop.wait(id, |job| job.state == JobState::Waiting).await;
    assert_eq!((job.counters.errors, job.counters.interruptions), (0, 1));
    assert!(detector.state.seen().is_empty());
    // Nothing was done for it but a first look, and it says for whom it waits.
    let progress = job.progress.unwrap();
    let message = "waits for detector acme, which is required and not asked at present";
    assert_eq!(progress.message, message);
    let steps = progress.steps.iter();
    let begun = steps.filter(|step| step.started_at_ms.is_some());
    let begun: Vec<_> = begun
        .map(|step| (step.name.as_str(), step.message.as_str()))
        .collect();
    assert_eq!(begun, [("fetch", ""), ("detectors", message)]);

    assert!(panel.automatic("acme"));
    clock.advance(REST_MS);
    shop.store.promote_due(1).await.unwrap();
    let job = shop.wait(id, |job| job.state.is_terminal()).await;
    assert_eq!(job.state, JobState::Succeeded, "{:?}", job.failure);
    assert_eq!(job.counters.errors, 0);
    let result = shop.result(&job).await;
    assert_schema(&result);
    assert_eq!(result["detectors"][0]["status"], "ok");
    assert!(job.progress.unwrap().is_complete());
    shop.close().await;
}
