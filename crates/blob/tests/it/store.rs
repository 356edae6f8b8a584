//! Bytes in, bytes out.

use assay_blob::{Blobs, ContentId, Error};
use assay_core::id::Tenant;
use bytes::Bytes;

use crate::fixture::{Fixture, other_tenant};

#[tokio::test]
async fn what_was_put_comes_back_after_a_new_start() {
    let fixture = Fixture::new().await;
    let tenant = Tenant::default();
    let id = fixture
        .blobs
        .put(&tenant, Bytes::from_static(b"abc"))
        .await
        .unwrap();
    assert_eq!(id, ContentId::of(b"abc"));

    let again = Blobs::open(fixture.folder.path().join("blobs"))
        .await
        .unwrap();
    assert_eq!(again.get(&tenant, &id, 3).await.unwrap().unwrap(), "abc");
    assert_eq!(again.size(&tenant, &id).await.unwrap(), Some(3));
    let file = again.local_file(&tenant, &id).await.unwrap().unwrap();
    assert_eq!(std::fs::read(file).unwrap(), b"abc");
}

#[tokio::test]
async fn a_read_is_bounded() {
    let fixture = Fixture::new().await;
    let tenant = Tenant::default();
    let id = fixture
        .blobs
        .put(&tenant, Bytes::from_static(b"abc"))
        .await
        .unwrap();
    assert!(fixture.blobs.get(&tenant, &id, 3).await.unwrap().is_some());
    let refused = fixture.blobs.get(&tenant, &id, 2).await;
    assert!(matches!(refused, Err(Error::TooLarge { limit: 2 })));
}

#[tokio::test]
async fn another_tenants_blob_looks_absent() {
    let fixture = Fixture::new().await;
    let (blobs, tenant) = (&fixture.blobs, Tenant::default());
    let id = blobs
        .put(&tenant, Bytes::from_static(b"abc"))
        .await
        .unwrap();
    // Also while the owner's touch is remembered.
    assert_eq!(blobs.touch(&tenant, &id, 1).await.unwrap(), Some(3));

    let other = other_tenant();
    assert_eq!(blobs.get(&other, &id, 9).await.unwrap(), None);
    assert_eq!(blobs.size(&other, &id).await.unwrap(), None);
    assert_eq!(blobs.touch(&other, &id, 1).await.unwrap(), None);
    assert_eq!(blobs.local_file(&other, &id).await.unwrap(), None);
    assert!(!blobs.delete_untouched(&other, &id, u64::MAX).await.unwrap());
    assert_eq!(blobs.size(&tenant, &id).await.unwrap(), Some(3));
}

#[tokio::test]
async fn a_folder_that_is_a_file_is_named() {
    let fixture = Fixture::new().await;
    let file = fixture.folder.path().join("file");
    std::fs::write(&file, b"").unwrap();
    let error = Blobs::open(&file).await.unwrap_err();
    assert!(
        error.to_string().contains(&file.display().to_string()),
        "{error}"
    );
}
