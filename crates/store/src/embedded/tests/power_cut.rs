use std::collections::BTreeMap;
use std::sync::Arc;

use assay_core::id::{JobId, Tenant};
use assay_core::job::Job;
use assay_core::port::{JobStore, ResultBody, Settlement};
use assay_core::progress::{Progress, StepPlan};
use assay_core::retry::{Decision, Failure, FailureClass, InterruptionReason};
use assay_core::state::JobState;

use super::memory_disk::{Cut, MemoryDisk};
use super::{NOW, Offered, claim, id, open, spec};
use crate::StoreConfig;
use crate::embedded::EmbeddedStore;
use crate::embedded::disk::{read_ended, read_result};
use crate::embedded::folder::Medium;
use crate::embedded::replay::{prepare, replay};

const JOBS: u8 = 12;
/// Random choices of what a cut keeps, per boundary.
const RANDOM_CHOICES: usize = 12;

/// What was acknowledged: each entry is every job as its client knows it, and the job that the next
/// operation is about.
#[derive(Default)]
struct Ledger {
    entries: Vec<(BTreeMap<JobId, Job>, JobId)>,
}

struct Run {
    store: EmbeddedStore,
    offered: Arc<Offered>,
    disk: Arc<MemoryDisk>,
    ledger: Ledger,
    known: BTreeMap<JobId, Job>,
}

impl Run {
    /// Notes that the next operation is about `id`; all before it was answered.
    fn about(&mut self, id: JobId) {
        self.ledger.entries.push((self.known.clone(), id));
        self.disk.acknowledge(self.ledger.entries.len());
    }

    async fn answered(&mut self, id: JobId) {
        let job = self
            .store
            .get(&Tenant::default(), id)
            .await
            .unwrap()
            .unwrap();
        self.known.insert(id, job);
    }

    async fn submit(&mut self, number: u8) {
        self.about(id(number));
        self.store.submit(id(number), spec(number)).await.unwrap();
        self.answered(id(number)).await;
    }

    /// Claims, reports, leaves a checkpoint, settles.
    async fn attempt(&mut self, number: u8, decision: Decision) {
        let id = id(number);
        self.about(id);
        let lease = claim(&self.store, &self.offered, id).await.lease;
        self.answered(id).await;
        let plan = StepPlan::new([("only", 1)]).unwrap();
        self.about(id);
        self.store
            .report(&lease, Progress::new(&plan, NOW))
            .await
            .unwrap();
        self.answered(id).await;
        self.about(id);
        self.store
            .checkpoint(&lease, vec![number; 50])
            .await
            .unwrap();
        self.answered(id).await;
        let settlement = Settlement {
            result: Some(ResultBody::Inline(vec![number; 40])),
            decision,
            progress: None,
        };
        self.about(id);
        self.store.settle(&lease, settlement).await.unwrap();
        self.answered(id).await;
    }
}

async fn scripted_run(config: &StoreConfig) -> (Arc<MemoryDisk>, Ledger) {
    let disk = Arc::new(MemoryDisk::default());
    let (store, offered) = open(&disk, config);
    let mut run = Run {
        store,
        offered,
        disk,
        ledger: Ledger::default(),
        known: BTreeMap::new(),
    };
    let failure = Failure::new(FailureClass::Transient, "code", "it broke");
    for number in 0..JOBS {
        run.submit(number).await;
        let decision = match number % 4 {
            0 => Decision::Succeed,
            1 => Decision::Fail(failure.clone()),
            2 => Decision::RunAgain {
                reason: InterruptionReason::Drain,
                after_ms: 0,
            },
            _ => continue,
        };
        run.attempt(number, decision).await;
    }
    for number in [3, 7] {
        run.about(id(number));
        run.store
            .cancel(&Tenant::default(), id(number))
            .await
            .unwrap();
        run.answered(id(number)).await;
    }
    for number in [1, 5] {
        run.about(id(number));
        run.store
            .redrive(&Tenant::default(), id(number))
            .await
            .unwrap();
        run.answered(id(number)).await;
    }
    run.about(id(JOBS));
    (run.disk, run.ledger)
}

/// What is on the disk after a cut that kept the chosen writes.
fn image(cut: &Cut, keep: impl Fn(usize) -> bool, torn: bool) -> Vec<u8> {
    let mut content = cut.synced.clone();
    for (place, write) in cut.unsynced.iter().enumerate() {
        if keep(place) {
            write.apply(&mut content);
        } else if torn {
            write.torn().apply(&mut content);
        }
    }
    content
}

pub(super) fn images(cut: &Cut, seed: &mut u64) -> Vec<Vec<u8>> {
    let count = cut.unsynced.len();
    let mut images = vec![
        image(cut, |_| false, false),
        image(cut, |_| true, false),
        image(cut, |place| place + 1 < count, true),
        image(cut, |place| place + 1 == count, false),
    ];
    for round in 0..RANDOM_CHOICES {
        // Knuth's linear congruential generator: the same cuts in every run.
        *seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let bits = *seed >> 16;
        images.push(image(
            cut,
            |place| bits >> (place % 48) & 1 == 1,
            round % 2 == 1,
        ));
    }
    images
}

fn check(content: Vec<u8>, ledger: &Ledger, acknowledged: usize) {
    let Some((known, in_flight)) = acknowledged
        .checked_sub(1)
        .map(|last| &ledger.entries[last])
    else {
        return;
    };
    let disk = Arc::new(MemoryDisk::with(content));
    let config = StoreConfig::default();
    let database = disk.open(config.cache_bytes).unwrap();
    let epoch_ms = prepare(&database, NOW, "memory").unwrap();
    let replayed = replay(&database, epoch_ms, config.retention(), NOW).unwrap();
    let mut counted = 0;
    for number in 0..JOBS {
        let job_id = id(number);
        let found = replayed.shelf.get(job_id).cloned();
        let found = found.or_else(|| read_ended(&database, job_id).unwrap());
        let Some(known) = known.get(&job_id) else {
            assert!(
                found.is_none() || job_id == *in_flight,
                "{job_id} was never submitted"
            );
            counted += usize::from(found.is_some());
            continue;
        };
        let found = found.unwrap_or_else(|| panic!("acknowledged job {job_id} is lost"));
        counted += 1;
        if job_id == *in_flight {
            assert!(found.job.event_id.sequence >= known.event_id.sequence);
        } else {
            assert_eq!(*found.job, *known);
        }
        assert_eq!(found.envelope.payload, spec(number).payload);
        assert_eq!(found.envelope.generation, found.job.generation);
        let events = found.events.unpack(&Tenant::default(), job_id).unwrap();
        let sequences: Vec<_> = events.iter().map(|event| event.id.sequence).collect();
        assert_eq!(
            sequences,
            (1..=found.job.event_id.sequence).collect::<Vec<_>>()
        );
        if found.job.state == JobState::Succeeded {
            let result = found.result.as_ref().map(|result| result.to_vec());
            let result = result.or_else(|| read_result(&database, job_id).unwrap());
            assert_eq!(result, Some(vec![number; 40]));
        }
    }
    let kind = spec(0).kind;
    let counts = JobState::ALL.map(|state| replayed.shelf.counts().get(kind, state));
    assert_eq!(
        counts.iter().sum::<u64>(),
        counted as u64,
        "counts agree with the jobs"
    );
    drop(database);
    // Working on after the cut is possible.
    open(&disk, &config);
}

async fn check_every_boundary(journal_jobs_max: usize) {
    let config = StoreConfig {
        journal_jobs_max,
        ..StoreConfig::default()
    };
    let (disk, ledger) = scripted_run(&config).await;
    let cuts = disk.cuts();
    assert!(cuts.len() > 40, "{} boundaries", cuts.len());
    let mut seed = 7;
    for cut in &cuts {
        for content in images(cut, &mut seed) {
            // Before the first job, the disk may hold no database yet.
            if cut.acknowledged > 0 {
                check(content, &ledger, cut.acknowledged);
            }
        }
    }
}

#[tokio::test]
async fn a_power_cut_at_any_sync_loses_nothing_of_the_journal() {
    check_every_boundary(8_192).await;
}

#[tokio::test]
async fn a_power_cut_at_any_sync_loses_nothing_on_its_way_to_the_tables() {
    check_every_boundary(3).await;
}
