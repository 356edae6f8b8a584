//! A verifier over a folder of its own, whose children are the tests'.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use assay_api::v1::ContentVerification;
use assay_blob::Blobs;
use assay_core::clock::{Clock, SystemClock};
use assay_core::id::{JobId, Tenant};
use assay_detectors::{External, Settings as Detectors};
use assay_service::Config;
use assay_verification_worker::result::SCHEMA;
use assay_verification_worker::steps::Steps;
use assay_verification_worker::{
    DEFAULTS, Failure, Settings, Subject, VerificationResult, Verifier,
};
use jsonschema::Validator;
use parking_lot::Mutex;
use serde_json::Value;

use crate::child::{command, meters};

static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    jsonschema::draft202012::new(&schema).unwrap()
});

pub(crate) struct Desk {
    pub(crate) verifier: Verifier,
    pub(crate) blobs: Blobs,
    pub(crate) diary: Diary,
    _folder: tempfile::TempDir,
}

/// Keeps what was reported of steps.
#[derive(Default)]
pub(crate) struct Diary(Mutex<Vec<String>>);

impl Diary {
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().clone()
    }

    fn note(&self, line: String) {
        self.0.lock().push(line);
    }
}

impl Steps for Diary {
    fn start(&self, step: &str) {
        self.note(format!("+{step}"));
    }

    fn advance(&self, step: &str, current: u64, total: u64, message: &str) {
        self.note(format!("{step} {current}/{total}: {message}"));
    }

    fn done(&self, step: &str) {
        self.note(format!("-{step}"));
    }

    fn skip(&self, step: &str, why: &str) {
        self.note(format!("skip {step}: {why}"));
    }

    fn fail(&self, step: &str, why: &str) {
        self.note(format!("fail {step}: {why}"));
    }
}

impl Desk {
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// With keys of section `[verification]`.
    pub(crate) async fn with(set: &[(&str, &str)]) -> Self {
        Self::open(set, Detectors::default(), Arc::new(SystemClock)).await
    }

    /// With a detector of the name `acme` to ask.
    pub(crate) async fn asking(acme: External, clock: Arc<dyn Clock>) -> Self {
        let external = BTreeMap::from([("acme".to_owned(), acme)]);
        Self::open(&[], Detectors { external }, clock).await
    }

    async fn open(set: &[(&str, &str)], detectors: Detectors, clock: Arc<dyn Clock>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path()).await.unwrap();
        let mut loader = Config::loader(&[DEFAULTS]);
        for (key, value) in set {
            loader = loader.set(&format!("verification.{key}"), *value);
        }
        let settings = Settings {
            detectors,
            ..Settings::read(&loader.load().unwrap()).unwrap()
        };
        let verifier = Verifier::new(settings, blobs.clone(), command(), clock, meters());
        let verifier = verifier.consulting(assay_detectors::Meters::default(), || 0.0);
        Self {
            verifier: verifier.unwrap(),
            blobs,
            diary: Diary::default(),
            _folder: folder,
        }
    }

    pub(crate) async fn trusting(folder: &Path) -> Self {
        Self::with(&[("trust_folder", &folder.display().to_string())]).await
    }

    /// Stores the bytes and makes a job of them.
    pub(crate) async fn subject(&self, bytes: Vec<u8>, file_name: &str) -> Subject {
        let tenant = Tenant::default();
        let id = self.blobs.put(&tenant, bytes.into()).await.unwrap();
        let payload = ContentVerification {
            content_id: id.to_string(),
            file_name: file_name.to_owned(),
            declared_mime: String::new(),
            options: BTreeMap::new(),
        };
        Subject {
            tenant,
            job_id: JobId::random(1, [7; 10]),
            payload,
            time: Duration::from_secs(60),
        }
    }

    /// Verifies, and holds the result against the schema.
    pub(crate) async fn verify(
        &self,
        bytes: Vec<u8>,
        file_name: &str,
    ) -> Result<VerificationResult, Failure> {
        let subject = self.subject(bytes, file_name).await;
        self.run(subject).await
    }

    pub(crate) async fn run(&self, subject: Subject) -> Result<VerificationResult, Failure> {
        let result = self.verifier.verify(subject, &self.diary).await?;
        let json = serde_json::to_value(&result).unwrap();
        assert_schema(&json);
        Ok(result)
    }
}

/// Holds a result against the published schema.
pub(crate) fn assert_schema(result: &Value) {
    if let Err(error) = VALIDATOR.validate(result) {
        panic!("{error} at {} in {result:#}", error.instance_path());
    }
}
