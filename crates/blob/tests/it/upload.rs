//! Uploads: small and large, whole and broken.

use assay_blob::{ContentId, Error, PART_BYTES, Upload, Uploaded};
use assay_core::id::Tenant;
use bytes::Bytes;

use crate::fixture::Fixture;

const CHUNK_BYTES: usize = 256 * 1024;

async fn write(upload: &mut Upload, content: &[u8]) {
    for chunk in content.chunks(CHUNK_BYTES) {
        upload.write(Bytes::copy_from_slice(chunk)).await.unwrap();
    }
}

fn content(bytes: usize) -> Vec<u8> {
    (0..=250).cycle().take(bytes).collect()
}

#[tokio::test]
async fn content_of_any_size_comes_back() {
    let fixture = Fixture::new().await;
    let tenant = Tenant::default();
    for bytes in [
        0,
        1,
        CHUNK_BYTES + 1,
        PART_BYTES,
        PART_BYTES + 1,
        2 * PART_BYTES + 7,
    ] {
        let content = content(bytes);
        let mut upload = fixture.blobs.upload(&tenant, bytes as u64);
        write(&mut upload, &content).await;
        let uploaded = upload.finish().await.unwrap();
        let expected = Uploaded {
            id: ContentId::of(&content),
            bytes: bytes as u64,
        };
        assert_eq!(uploaded, expected);
        let back = fixture
            .blobs
            .get(&tenant, &uploaded.id, u64::MAX)
            .await
            .unwrap();
        assert!(back.unwrap() == content, "{bytes} bytes");
    }
}

#[tokio::test]
async fn chunks_of_any_size_are_put_together() {
    let fixture = Fixture::new().await;
    let content = content(PART_BYTES / 64 + 3);
    let mut upload = fixture.blobs.upload(&Tenant::default(), u64::MAX);
    for chunk in content.chunks(1) {
        upload.write(Bytes::copy_from_slice(chunk)).await.unwrap();
        upload.write(Bytes::new()).await.unwrap();
    }
    let uploaded = upload.finish().await.unwrap();
    assert_eq!(uploaded.id, ContentId::of(&content));
}

#[tokio::test]
async fn the_same_bytes_twice_are_one_blob() {
    let fixture = Fixture::new().await;
    for content in [content(9), content(PART_BYTES + 9)] {
        let before = fixture.files().len();
        let mut ids = Vec::new();
        for _ in 0..2 {
            let mut upload = fixture.blobs.upload(&Tenant::default(), u64::MAX);
            write(&mut upload, &content).await;
            ids.push(upload.finish().await.unwrap().id);
        }
        assert_eq!(ids[0], ids[1]);
        assert_eq!(fixture.files().len(), before + 1);
    }
}

#[tokio::test]
async fn the_bound_holds_to_the_byte() {
    let fixture = Fixture::new().await;
    let mut upload = fixture.blobs.upload(&Tenant::default(), 10);
    upload.write(Bytes::from_static(b"01234567")).await.unwrap();
    upload.write(Bytes::from_static(b"89")).await.unwrap();
    let refused = upload.write(Bytes::from_static(b"x")).await;
    assert!(matches!(refused, Err(Error::TooLarge { limit: 10 })));
}

#[tokio::test]
async fn a_dropped_upload_leaves_nothing() {
    let fixture = Fixture::new().await;
    let mut small = fixture.blobs.upload(&Tenant::default(), u64::MAX);
    write(&mut small, &content(9)).await;
    drop(small);
    assert_eq!(fixture.files().len(), 0);

    let mut large = fixture.blobs.upload(&Tenant::default(), u64::MAX);
    write(&mut large, &content(PART_BYTES + 9)).await;
    assert_eq!(fixture.files().len(), 1, "it is being written");
    drop(large);
    fixture.until_files(0).await;
}

#[tokio::test]
async fn received_content_has_a_name_before_it_is_stored() {
    let fixture = Fixture::new().await;
    let mut upload = fixture.blobs.upload(&Tenant::default(), 3);
    write(&mut upload, b"abc").await;
    let received = upload.received();
    assert_eq!(received.content().id, ContentId::of(b"abc"));
    assert_eq!(fixture.files().len(), 0);
    received.store().await.unwrap();
    assert_eq!(fixture.files().len(), 1);
}
