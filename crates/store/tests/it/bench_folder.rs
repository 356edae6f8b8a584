use std::path::Path;
use std::sync::Arc;

use assay_core::clock::ManualClock;
use assay_core::envelope::Envelope;
use assay_core::id::{JobId, WorkerId};
use assay_core::job::JobSpec;
use assay_core::kind::JobKind;
use assay_core::port::{Claim, ClaimRequest, Claimed, HandOut, JobStore, ResultBody, Settlement};
use assay_core::retry::Decision;
use assay_store::{EmbeddedStore, OpenError, StoreConfig};
use parking_lot::Mutex;
use tempfile::TempDir;

pub(crate) const NOW: u64 = 1_700_000_000_000;

/// Keeps what was handed out, oldest first.
#[derive(Default)]
pub(crate) struct Offered(Mutex<Vec<Arc<Envelope>>>);

impl HandOut for Offered {
    fn hand_out(&self, envelope: Arc<Envelope>) {
        self.0.lock().push(envelope);
    }
}

/// A data folder that a store can be opened in again and again.
pub(crate) struct BenchFolder {
    pub(crate) folder: TempDir,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) offered: Arc<Offered>,
    pub(crate) config: StoreConfig,
}

impl BenchFolder {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            clock: Arc::new(ManualClock::at(NOW)),
            offered: Arc::default(),
            config: StoreConfig::default(),
        }
    }

    pub(crate) fn try_open(&self, folder: &Path) -> Result<EmbeddedStore, OpenError> {
        let clock = Arc::clone(&self.clock);
        let offered = Arc::clone(&self.offered);
        EmbeddedStore::open(folder, self.config.clone(), clock, offered)
    }

    pub(crate) fn open(&self) -> EmbeddedStore {
        self.offered.0.lock().clear();
        self.try_open(self.folder.path()).unwrap()
    }

    pub(crate) fn offered(&self) -> Vec<Arc<Envelope>> {
        self.offered.0.lock().clone()
    }

    pub(crate) fn envelope(&self, id: JobId) -> Arc<Envelope> {
        let offered = self.offered();
        let of_job = |envelope: &&Arc<Envelope>| envelope.job_id == id;
        Arc::clone(offered.iter().rev().find(of_job).unwrap())
    }

    pub(crate) async fn claim(&self, store: &EmbeddedStore, id: JobId) -> Claimed {
        let request = ClaimRequest {
            envelope: self.envelope(id),
            worker: WorkerId::new("worker").unwrap(),
            lease_ms: 10_000,
        };
        match store.claim(request).await.unwrap() {
            Claim::Run(claimed) => *claimed,
            other @ (Claim::Not(_) | Claim::Orphan) => panic!("not claimed: {other:?}"),
        }
    }
}

pub(crate) fn id(number: u8) -> JobId {
    JobId::random(NOW, [number; 10])
}

pub(crate) fn spec() -> JobSpec {
    JobSpec::new(JobKind::ContentVerification, vec![7; 400], NOW)
}

pub(crate) fn success() -> Settlement {
    Settlement {
        decision: Decision::Succeed,
        result: Some(ResultBody::Inline(b"result".to_vec())),
        progress: None,
    }
}
