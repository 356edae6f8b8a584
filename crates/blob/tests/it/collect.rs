//! What is old goes, what is used stays.

use std::time::{Duration, SystemTime};

use assay_blob::{ContentId, TOUCH_REMEMBERED_MS};
use assay_core::id::Tenant;
use bytes::Bytes;

use crate::fixture::Fixture;

/// Beyond the time at which this test runs: everything was stored before it.
const FUTURE_MS: u64 = 10_000_000_000_000;

async fn put(fixture: &Fixture, content: &'static str) -> ContentId {
    let bytes = Bytes::from_static(content.as_bytes());
    fixture.blobs.put(&Tenant::default(), bytes).await.unwrap()
}

#[tokio::test]
async fn only_untouched_blobs_are_listed_and_deleted() {
    let fixture = Fixture::new().await;
    let (blobs, tenant) = (&fixture.blobs, Tenant::default());
    let (used, unused) = (put(&fixture, "used").await, put(&fixture, "unused").await);
    assert_eq!(
        blobs.touch(&tenant, &used, FUTURE_MS).await.unwrap(),
        Some(4)
    );

    let found = blobs.untouched(FUTURE_MS, 10).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].id, found[0].bytes), (unused, 6));
    assert_eq!(found[0].tenant, tenant);

    assert!(
        !blobs
            .delete_untouched(&tenant, &used, FUTURE_MS)
            .await
            .unwrap()
    );
    assert!(
        blobs
            .delete_untouched(&tenant, &unused, FUTURE_MS)
            .await
            .unwrap()
    );
    assert!(
        !blobs
            .delete_untouched(&tenant, &unused, FUTURE_MS)
            .await
            .unwrap()
    );
    assert_eq!(blobs.size(&tenant, &used).await.unwrap(), Some(4));
    assert_eq!(blobs.size(&tenant, &unused).await.unwrap(), None);
}

#[tokio::test]
async fn a_list_holds_at_most_its_limit() {
    let fixture = Fixture::new().await;
    for content in ["a", "b", "c"] {
        put(&fixture, content).await;
    }
    assert_eq!(
        fixture.blobs.untouched(FUTURE_MS, 3).await.unwrap().len(),
        3
    );
    assert_eq!(
        fixture.blobs.untouched(FUTURE_MS, 2).await.unwrap().len(),
        2
    );
    assert_eq!(fixture.blobs.untouched(0, 3).await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_deleted_blob_is_not_remembered() {
    let fixture = Fixture::new().await;
    let (blobs, tenant) = (&fixture.blobs, Tenant::default());
    let id = put(&fixture, "abc").await;
    assert_eq!(blobs.touch(&tenant, &id, 1).await.unwrap(), Some(3));
    assert!(
        blobs
            .delete_untouched(&tenant, &id, FUTURE_MS)
            .await
            .unwrap()
    );
    assert_eq!(blobs.touch(&tenant, &id, 2).await.unwrap(), None);
}

#[tokio::test]
async fn a_touch_is_not_repeated_while_it_is_remembered() {
    let fixture = Fixture::new().await;
    let (blobs, tenant) = (&fixture.blobs, Tenant::default());
    let id = put(&fixture, "abc").await;
    blobs.touch(&tenant, &id, FUTURE_MS).await.unwrap();
    let file = blobs.local_file(&tenant, &id).await.unwrap().unwrap();
    let touched_ms = || {
        let modified = file.metadata().unwrap().modified().unwrap();
        modified.duration_since(SystemTime::UNIX_EPOCH).unwrap()
    };
    for (later_ms, expected_ms) in [
        (TOUCH_REMEMBERED_MS - 1, FUTURE_MS),
        (TOUCH_REMEMBERED_MS, FUTURE_MS + TOUCH_REMEMBERED_MS),
    ] {
        blobs
            .touch(&tenant, &id, FUTURE_MS + later_ms)
            .await
            .unwrap();
        assert_eq!(touched_ms(), Duration::from_millis(expected_ms));
    }
}

#[tokio::test]
async fn abandoned_uploads_are_removed_once_they_are_old() {
    let fixture = Fixture::new().await;
    put(&fixture, "kept").await;
    let folder = fixture.folder.path().join("blobs");
    std::fs::create_dir(folder.join(".uploads")).unwrap();
    std::fs::write(folder.join(".uploads/1-0"), "completed, never named").unwrap();
    std::fs::write(folder.join(".uploads/1-1#1"), "half").unwrap();
    std::fs::write(folder.join("default/abc#1"), "half").unwrap();

    assert_eq!(fixture.blobs.remove_abandoned_uploads(0).await.unwrap(), 0);
    assert_eq!(fixture.files().len(), 4);
    assert_eq!(
        fixture
            .blobs
            .remove_abandoned_uploads(FUTURE_MS)
            .await
            .unwrap(),
        3
    );
    assert_eq!(fixture.files().len(), 1);
}
