use std::sync::Arc;

use assay_blob::Blobs;
use assay_core::clock::{Clock, ManualClock, SystemClock};
use assay_core::id::Tenant;
use assay_scheduler::{Activity, BLOB_MARGIN_MS, CollectBlobs, Keeping, Report};
use bytes::Bytes;

const LIFE_MS: u64 = 60_000;
const RETENTION_MS: u64 = 120_000;

struct Fixture {
    _folder: tempfile::TempDir,
    blobs: Blobs,
    tenant: Tenant,
    clock: Arc<ManualClock>,
    collect: CollectBlobs,
}

impl Fixture {
    async fn new(limit: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path().join("blobs")).await.unwrap();
        let clock = Arc::new(ManualClock::at(SystemClock.now_ms()));
        let keeping = Keeping {
            blobs: blobs.clone(),
            job_life_ms_max: LIFE_MS,
            retention_ms: RETENTION_MS,
        };
        let told = Arc::clone(&clock) as Arc<dyn Clock>;
        Self {
            _folder: folder,
            blobs,
            tenant: Tenant::default(),
            clock,
            collect: CollectBlobs::new(keeping, told, limit),
        }
    }

    /// Stores content as of now, by the clock of the test.
    async fn store(&self, content: &'static [u8]) -> assay_blob::ContentId {
        let put = self.blobs.put(&self.tenant, Bytes::from_static(content));
        let id = put.await.unwrap();
        // The file system stamped the real time, which may be a little behind or ahead.
        self.clock.advance(1_000);
        let now_ms = self.clock.now_ms();
        self.blobs.touch(&self.tenant, &id, now_ms).await.unwrap();
        id
    }

    async fn is_there(&self, id: &assay_blob::ContentId) -> bool {
        let size = self.blobs.size(&self.tenant, id).await.unwrap();
        size.is_some()
    }
}

#[tokio::test]
async fn content_is_kept_for_the_life_of_a_job_its_retention_and_a_day() {
    let fixture = Fixture::new(10).await;
    let id = fixture.store(b"content").await;
    fixture
        .clock
        .advance(LIFE_MS + RETENTION_MS + BLOB_MARGIN_MS);
    assert_eq!(
        fixture.collect.activate().await.unwrap(),
        Report::default(),
        "a millisecond too soon"
    );
    assert!(fixture.is_there(&id).await);

    fixture.clock.advance(1);
    let report = fixture.collect.activate().await.unwrap();
    assert_eq!((report.changed, report.more), (1, false));
    assert!(!fixture.is_there(&id).await);
}

#[tokio::test]
async fn content_that_was_touched_since_is_kept() {
    let fixture = Fixture::new(10).await;
    let (touched, left) = (
        fixture.store(b"touched").await,
        fixture.store(b"left").await,
    );
    fixture
        .clock
        .advance(LIFE_MS + RETENTION_MS + BLOB_MARGIN_MS + 1);
    let now_ms = fixture.clock.now_ms();
    let touch = fixture.blobs.touch(&fixture.tenant, &touched, now_ms);
    assert!(touch.await.unwrap().is_some());
    assert_eq!(fixture.collect.activate().await.unwrap().changed, 1);
    assert!(fixture.is_there(&touched).await);
    assert!(!fixture.is_there(&left).await);
}

#[tokio::test]
async fn a_collection_stops_at_its_limit_and_says_so() {
    let fixture = Fixture::new(2).await;
    for content in [&b"one"[..], b"two", b"three"] {
        fixture.store(content).await;
    }
    fixture
        .clock
        .advance(LIFE_MS + RETENTION_MS + BLOB_MARGIN_MS + 1_001);
    let first = fixture.collect.activate().await.unwrap();
    assert_eq!((first.changed, first.more), (2, true));
    let second = fixture.collect.activate().await.unwrap();
    assert_eq!((second.changed, second.more), (1, false));
}
