//! The embedded store from the inside: disks that lose power, fill up and fail.

mod disk_trouble;
mod fingerprint_log;
mod forgotten;
mod memory_disk;
mod older_records;
mod passed_over;
mod power_cut;
mod writer_panic;

use std::sync::Arc;

use assay_core::clock::ManualClock;
use assay_core::envelope::Envelope;
use assay_core::id::{JobId, WorkerId};
use assay_core::job::JobSpec;
use assay_core::kind::JobKind;
use assay_core::port::{Claim, ClaimRequest, Claimed, HandOut, JobStore};
use parking_lot::Mutex;

use super::EmbeddedStore;
use crate::StoreConfig;
use memory_disk::MemoryDisk;

const NOW: u64 = 1_700_000_000_000;

/// Keeps what was handed out, oldest first.
#[derive(Default)]
struct Offered(Mutex<Vec<Arc<Envelope>>>);

impl HandOut for Offered {
    fn hand_out(&self, envelope: Arc<Envelope>) {
        self.0.lock().push(envelope);
    }
}

fn id(number: u8) -> JobId {
    JobId::random(NOW, [number; 10])
}

fn spec(number: u8) -> JobSpec {
    JobSpec::new(JobKind::ContentVerification, vec![number; 300], NOW)
}

fn open(disk: &Arc<MemoryDisk>, config: &StoreConfig) -> (EmbeddedStore, Arc<Offered>) {
    let (store, offered, _) = open_at(disk, config);
    (store, offered)
}

fn open_at(
    disk: &Arc<MemoryDisk>,
    config: &StoreConfig,
) -> (EmbeddedStore, Arc<Offered>, Arc<ManualClock>) {
    let offered = Arc::new(Offered::default());
    let clock = Arc::new(ManualClock::at(NOW));
    let store = EmbeddedStore::over(
        Box::new(Arc::clone(disk)),
        "memory",
        config.clone(),
        Arc::clone(&clock) as _,
        Arc::clone(&offered) as _,
    );
    (store.unwrap(), offered, clock)
}

async fn claim(store: &EmbeddedStore, offered: &Offered, id: JobId) -> Claimed {
    let envelope = offered
        .0
        .lock()
        .iter()
        .rev()
        .find(|e| e.job_id == id)
        .cloned();
    let request = ClaimRequest {
        envelope: envelope.unwrap(),
        worker: WorkerId::new("worker").unwrap(),
        lease_ms: 10_000,
    };
    match store.claim(request).await.unwrap() {
        Claim::Run(claimed) => *claimed,
        other @ (Claim::Not(_) | Claim::Orphan) => panic!("not claimed: {other:?}"),
    }
}
