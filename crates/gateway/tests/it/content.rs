//! Media in.

use assay_api::v1 as pb;
use assay_api::v1::content_service_client::ContentServiceClient;
use assay_store::StoreConfig;
use assay_test_support::wait::{wait_until, within};
use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::oneshot;
use tonic::{Code, Status};

use crate::fixture::{Fixture, chunk, detail, fields, metadata, reason};

const CHUNK: &[u8] = &[7; 256 * 1024];
/// More than is held in memory: its file is there before it ends.
const LARGE_CHUNKS: usize = 24;

async fn upload(
    fixture: &Fixture,
    parts: Vec<pb::UploadContentRequest>,
) -> Result<pb::UploadContentResponse, Status> {
    let uploaded = fixture.content().upload_content(stream::iter(parts)).await;
    uploaded.map(tonic::Response::into_inner)
}

fn announced(size_bytes: Option<u64>, sha256: &str) -> pb::UploadContentRequest {
    metadata(pb::ContentMetadata {
        size_bytes,
        sha256: sha256.to_owned(),
        ..pb::ContentMetadata::default()
    })
}

#[tokio::test]
async fn content_is_stored_under_its_hash_and_found() {
    let fixture = Fixture::new().await;
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let parts = vec![announced(Some(3), abc), chunk(b"a"), chunk(b"bc")];
    let uploaded = upload(&fixture, parts).await.unwrap();
    assert_eq!(uploaded.content_id, format!("sha256:{abc}"));
    assert_eq!(uploaded.size_bytes, 3);

    let get = |content_id: &str| pb::GetContentRequest {
        content_id: content_id.to_owned(),
    };
    let found = fixture
        .content()
        .get_content(get(&uploaded.content_id))
        .await;
    assert_eq!(found.unwrap().into_inner().size_bytes, 3);
    let unknown = format!("sha256:{}", "0".repeat(64));
    let missing = fixture
        .content()
        .get_content(get(&unknown))
        .await
        .unwrap_err();
    assert_eq!(
        (missing.code(), reason(&missing).as_str()),
        (Code::NotFound, "CONTENT_NOT_FOUND")
    );
    let wrong = fixture.content().get_content(get(abc)).await.unwrap_err();
    assert_eq!(fields(&wrong), ["content_id"]);
}

#[tokio::test]
async fn what_was_stored_is_handed_out_whole_and_nothing_else_is() {
    let fixture = Fixture::new().await;
    let mut parts = vec![announced(None, "")];
    parts.extend((0..LARGE_CHUNKS).map(|_| chunk(CHUNK)));
    parts.push(chunk(b"the end"));
    let uploaded = upload(&fixture, parts).await.unwrap();
    let download = async |content_id: &str| {
        let content_id = content_id.to_owned();
        let request = pb::DownloadContentRequest { content_id };
        let answer = fixture.content().download_content(request).await?;
        let chunks = answer
            .into_inner()
            .map(|message| message.map(|one| one.chunk));
        let chunks: Vec<_> = chunks.try_collect().await?;
        Ok::<_, Status>(chunks.concat())
    };
    let bytes = download(&uploaded.content_id).await.unwrap();
    assert_eq!(
        bytes,
        [CHUNK.repeat(LARGE_CHUNKS), b"the end".to_vec()].concat()
    );
    let unknown = format!("sha256:{}", "0".repeat(64));
    let missing = download(&unknown).await.unwrap_err();
    assert_eq!(reason(&missing), "CONTENT_NOT_FOUND");
    assert_eq!(fields(&download("abc").await.unwrap_err()), ["content_id"]);
}

#[tokio::test]
async fn an_empty_file_is_content() {
    let fixture = Fixture::new().await;
    let uploaded = upload(&fixture, vec![announced(None, "")]).await.unwrap();
    assert_eq!(uploaded.size_bytes, 0);
}

#[tokio::test]
async fn an_upload_out_of_order_is_refused() {
    let fixture = Fixture::new().await;
    let wrong = [
        vec![],
        vec![chunk(b"a")],
        vec![announced(None, ""), chunk(b"a"), announced(None, "")],
        vec![announced(None, ""), pb::UploadContentRequest { part: None }],
    ];
    for parts in wrong {
        let refused = upload(&fixture, parts).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert_eq!(reason(&refused), "UPLOAD_OUT_OF_ORDER");
    }
    assert!(fixture.blob_files().is_empty());
}

#[tokio::test]
async fn an_upload_that_is_not_what_was_announced_is_not_stored() {
    let fixture = Fixture::new().await;
    for first in [announced(Some(2), ""), announced(None, &"0".repeat(64))] {
        let refused = upload(&fixture, vec![first, chunk(b"abc")])
            .await
            .unwrap_err();
        assert_eq!(reason(&refused), "CONTENT_MISMATCH");
    }
    assert!(fixture.blob_files().is_empty());
}

#[tokio::test]
async fn the_bound_on_content_holds_at_n_and_n_plus_one() {
    let settings = [("gateway.content_bytes_max", "3")];
    let fixture = Fixture::with(&settings, StoreConfig::default()).await;
    let fits = vec![announced(Some(3), ""), chunk(b"abc")];
    assert!(upload(&fixture, fits).await.is_ok());
    let too_large = [
        vec![announced(Some(4), "")],
        vec![announced(None, ""), chunk(b"abc"), chunk(b"d")],
    ];
    for parts in too_large {
        let refused = upload(&fixture, parts).await.unwrap_err();
        assert_eq!(reason(&refused), "CONTENT_TOO_LARGE");
        assert_eq!(detail(&refused, "limit"), "3");
    }
}

#[tokio::test]
async fn the_bound_on_chunks_holds_at_n_and_n_plus_one() {
    const OVER: &[u8] = &[7; 256 * 1024 + 1];
    let fixture = Fixture::new().await;
    assert!(
        upload(&fixture, vec![announced(None, ""), chunk(CHUNK)])
            .await
            .is_ok()
    );
    let refused = upload(&fixture, vec![announced(None, ""), chunk(OVER)]).await;
    assert_eq!(fields(&refused.unwrap_err()), ["chunk"]);
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_leaves_nothing() {
    let fixture = Fixture::new().await;
    let begun =
        std::iter::once(announced(None, "")).chain(std::iter::repeat_n(chunk(CHUNK), LARGE_CHUNKS));
    let open = stream::iter(begun).chain(stream::pending());
    // A client of its own, so that its connection breaks with it.
    let client = tokio::runtime::Runtime::new().unwrap();
    let url = fixture.url.clone();
    drop(client.spawn(async move {
        let mut content = ContentServiceClient::connect(url).await.unwrap();
        content.upload_content(open).await
    }));
    wait_until("the upload is on disk", async || {
        !fixture.blob_files().is_empty()
    })
    .await;
    client.shutdown_background();
    wait_until("the upload is gone", async || {
        fixture.blob_files().is_empty()
    })
    .await;
}

/// tonic tells the reset of a call as the end of what it sends; half a file must not be taken for a whole.
#[tokio::test]
async fn a_call_that_is_given_up_stores_nothing() {
    let settings = [("gateway.uploads_max", "1")];
    let fixture = Fixture::with(&settings, StoreConfig::default()).await;
    let (sent, all_sent) = oneshot::channel();
    let rest = stream::once(async move {
        sent.send(()).unwrap();
        std::future::pending().await
    });
    let open = stream::iter([announced(None, ""), chunk(b"half a file")]).chain(rest);
    let mut content = fixture.content();
    let mut call = Box::pin(content.upload_content(open));
    tokio::select! {
        answered = &mut call => panic!("{answered:?}"),
        sent = all_sent => sent.unwrap(),
    }
    // What this connection carried before, the server has read by the time it answers this.
    let health = fixture.admin().get_health(pb::GetHealthRequest {}).await;
    assert!(health.is_ok());
    drop(call);

    // There is room for one, so the other is over before this begins; long before it would be idle.
    let whole = upload(&fixture, vec![announced(None, ""), chunk(b"a whole file")]);
    let stored = within("there is room again", whole).await.unwrap();
    let hex = stored.content_id.strip_prefix("sha256:").unwrap();
    let files = fixture.blob_files();
    assert!(files.len() == 1 && files[0].ends_with(hex), "{files:?}");
}

#[tokio::test]
async fn a_client_that_falls_silent_makes_room_for_the_next() {
    let settings = [
        ("gateway.upload_idle_ms", "20"),
        ("gateway.uploads_max", "1"),
    ];
    let fixture = Fixture::with(&settings, StoreConfig::default()).await;
    let silent = stream::iter([announced(None, "")]).chain(stream::pending());
    let refused = fixture.content().upload_content(silent).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::Aborted, "UPLOAD_STALLED")
    );
    assert!(
        upload(&fixture, vec![announced(None, ""), chunk(b"a")])
            .await
            .is_ok()
    );
}
