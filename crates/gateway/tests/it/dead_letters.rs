//! Dead letters: found, edited, put back, forgotten.

use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use assay_api::v1 as pb;
use assay_core::id::Tenant;
use assay_core::port::{EditWish, JobStore};
use assay_core::retry::DeadLetterReason;
use assay_store::StoreConfig;
use pb::dead_letter::Payload;
use prost::Message as _;
use tonic::Status;

use crate::fixture::{Fixture, fields, reason};
use crate::scripted::{Script, ScriptedStore};

const NOBODY: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// Submits a job and lets it die; answers its id.
async fn dead(fixture: &Fixture, reason: DeadLetterReason) -> String {
    let id = fixture.submit().await.id;
    fixture.work().await.die(reason).await;
    id
}

async fn get(fixture: &Fixture, job_id: &str) -> Result<pb::DeadLetter, Status> {
    let job_id = job_id.to_owned();
    let request = pb::GetDeadLetterRequest { job_id };
    let got = fixture.admin().get_dead_letter(request).await;
    got.map(tonic::Response::into_inner)
}

/// Another name for the file.
fn named(payload: &pb::ContentVerification, file_name: &str) -> pb::ContentVerification {
    pb::ContentVerification {
        file_name: file_name.to_owned(),
        ..payload.clone()
    }
}

fn payload(letter: &pb::DeadLetter) -> pb::ContentVerification {
    let Some(Payload::ContentVerification(payload)) = &letter.payload else {
        panic!("{letter:?}")
    };
    payload.clone()
}

async fn update(
    fixture: &Fixture,
    job_id: &str,
    etag: &str,
    payload: pb::ContentVerification,
) -> Result<pb::DeadLetter, Status> {
    let request = pb::UpdateDeadLetterRequest {
        job_id: job_id.to_owned(),
        etag: etag.to_owned(),
        payload: Some(pb::update_dead_letter_request::Payload::ContentVerification(payload)),
    };
    let updated = fixture.admin().update_dead_letter(request).await;
    updated.map(tonic::Response::into_inner)
}

async fn delete(fixture: &Fixture, job_id: &str, etag: &str) -> Result<(), Status> {
    let request = pb::DeleteDeadLetterRequest {
        job_id: job_id.to_owned(),
        etag: etag.to_owned(),
    };
    fixture.admin().delete_dead_letter(request).await.map(drop)
}

async fn redrive(fixture: &Fixture, job_id: &str) -> Result<pb::Job, Status> {
    let job_id = job_id.to_owned();
    let request = pb::RedriveDeadLetterRequest { job_id };
    let redriven = fixture.admin().redrive_dead_letter(request).await;
    redriven.map(tonic::Response::into_inner)
}

async fn list(fixture: &Fixture, filter: pb::DeadLetterFilter) -> Vec<String> {
    let request = pb::ListDeadLettersRequest {
        filter: Some(filter),
        ..Default::default()
    };
    let listed = fixture.admin().list_dead_letters(request).await.unwrap();
    let letters = listed.into_inner().dead_letters.into_iter();
    letters.map(|letter| letter.job.unwrap().id).collect()
}

fn of_reason(reason: pb::DeadLetterReason) -> pb::DeadLetterFilter {
    pb::DeadLetterFilter {
        reasons: vec![reason.into()],
        ..Default::default()
    }
}

#[tokio::test]
async fn a_letter_tells_why_it_is_one_and_what_it_carries() {
    let fixture = Fixture::new().await;
    let id = dead(&fixture, DeadLetterReason::CrashLoop).await;
    let lives = fixture.submit().await.id;
    let letter = get(&fixture, &id).await.unwrap();
    let job = letter.job.clone().unwrap();
    assert_eq!(
        (&job.id, job.dead_letter_reason()),
        (&id, pb::DeadLetterReason::CrashLoop)
    );
    assert_eq!(job.failure.unwrap().code, "no_answer");
    let [attempt] = letter.attempts.as_slice() else {
        panic!("{letter:?}")
    };
    assert_eq!(
        (attempt.attempt, attempt.state()),
        (1, pb::JobState::DeadLettered)
    );
    assert_eq!(attempt.message, "nobody answers");
    assert!(payload(&letter).content_id.starts_with("sha256:"));
    assert!(letter.edit_time.is_none() && letter.editor.is_empty());
    assert_eq!(letter.worker, "worker");

    assert_eq!(list(&fixture, Default::default()).await, [id.as_str()]);
    let of_reason = |reason| list(&fixture, of_reason(reason));
    assert_eq!(of_reason(pb::DeadLetterReason::CrashLoop).await, [id]);
    assert!(of_reason(pb::DeadLetterReason::Orphan).await.is_empty());
    for absent in [NOBODY, &lives] {
        let status = get(&fixture, absent).await.unwrap_err();
        assert_eq!(reason(&status), "DEAD_LETTER_NOT_FOUND");
        let status = redrive(&fixture, absent).await.unwrap_err();
        assert_eq!(reason(&status), "DEAD_LETTER_NOT_FOUND");
        let status = delete(&fixture, absent, "").await.unwrap_err();
        assert_eq!(reason(&status), "DEAD_LETTER_NOT_FOUND");
        let status = update(&fixture, absent, "", payload(&letter)).await;
        assert_eq!(reason(&status.unwrap_err()), "DEAD_LETTER_NOT_FOUND");
    }
    assert_eq!(fields(&get(&fixture, "7").await.unwrap_err()), ["job_id"]);
}

#[tokio::test]
async fn an_edited_letter_runs_with_what_it_was_given() {
    let fixture = Fixture::new().await;
    let id = dead(&fixture, DeadLetterReason::AttemptsExhausted).await;
    let letter = get(&fixture, &id).await.unwrap();
    let wanted = named(&payload(&letter), "mended.jpg");
    let edited = update(&fixture, &id, &letter.etag, wanted.clone())
        .await
        .unwrap();
    assert_eq!(payload(&edited), wanted);
    assert!(edited.edit_time.is_some() && edited.etag != letter.etag);
    assert_eq!(edited.attempts, letter.attempts, "an edit is no attempt");
    let repeated = update(&fixture, &id, &letter.etag, wanted.clone()).await;
    assert_eq!(repeated.unwrap(), edited);
    assert_eq!(get(&fixture, &id).await.unwrap(), edited);

    let late = named(&wanted, "other.jpg");
    for status in [
        update(&fixture, &id, &letter.etag, late).await.unwrap_err(),
        delete(&fixture, &id, &letter.etag).await.unwrap_err(),
    ] {
        assert_eq!(reason(&status), "DEAD_LETTER_CHANGED");
    }
    assert_eq!(
        redrive(&fixture, &id).await.unwrap().state(),
        pb::JobState::Queued
    );
    let work = fixture.work().await;
    assert_eq!(work.payload().file_name, "mended.jpg");
}

#[tokio::test]
async fn an_edit_is_checked_like_a_submit() {
    let fixture = Fixture::new().await;
    let id = dead(&fixture, DeadLetterReason::AttemptsExhausted).await;
    let before = get(&fixture, &id).await.unwrap();
    let folder = named(&payload(&before), "folder/name.jpg");
    let status = update(&fixture, &id, "nonsense", folder).await.unwrap_err();
    assert_eq!(fields(&status), ["etag", "content_verification.file_name"]);
    let absent = pb::ContentVerification {
        content_id: assay_blob::ContentId::of(b"nobody has this").to_string(),
        ..payload(&before)
    };
    let status = update(&fixture, &id, "", absent).await.unwrap_err();
    assert_eq!(reason(&status), "CONTENT_NOT_FOUND");
    assert_eq!(get(&fixture, &id).await.unwrap(), before);
}

#[tokio::test]
async fn a_forgotten_letter_is_gone() {
    let fixture = Fixture::new().await;
    let id = dead(&fixture, DeadLetterReason::Orphan).await;
    let etag = get(&fixture, &id).await.unwrap().etag;
    delete(&fixture, &id, &etag).await.unwrap();
    let status = get(&fixture, &id).await.unwrap_err();
    assert_eq!(reason(&status), "DEAD_LETTER_NOT_FOUND");
    let request = pb::GetJobRequest { job_id: id.clone() };
    let status = fixture.jobs().get_job(request).await.unwrap_err();
    assert_eq!(reason(&status), "JOB_NOT_FOUND");
    let status = delete(&fixture, &id, "").await.unwrap_err();
    assert_eq!(reason(&status), "DEAD_LETTER_NOT_FOUND");
}

#[tokio::test]
async fn all_that_match_are_put_back_or_forgotten_and_no_others() {
    let fixture = Fixture::new().await;
    for _ in 0..5 {
        dead(&fixture, DeadLetterReason::AttemptsExhausted).await;
    }
    let other = dead(&fixture, DeadLetterReason::DeadlineExceeded).await;
    let filter = || Some(of_reason(pb::DeadLetterReason::AttemptsExhausted));
    let purge = async |limit, dry_run| {
        let request = pb::PurgeDeadLettersRequest {
            filter: filter(),
            dry_run,
            limit,
            all: false,
        };
        let purged = fixture.admin().purge_dead_letters(request).await;
        let purged = purged.unwrap().into_inner();
        assert!(purged.refused.is_empty() && purged.stopped.is_empty());
        (purged.matched, purged.purged, purged.more)
    };
    assert_eq!(purge(0, true).await, (5, 0, false));
    assert_eq!(purge(4, true).await, (4, 0, true));
    assert_eq!(purge(3, false).await, (3, 3, true));
    let request = pb::RedriveDeadLettersRequest {
        filter: filter(),
        per_second: 1_000,
        ..Default::default()
    };
    let redriven = fixture.admin().redrive_dead_letters(request).await;
    let redriven = redriven.unwrap().into_inner();
    assert_eq!(
        (redriven.matched, redriven.redriven, redriven.more),
        (2, 2, false)
    );
    assert_eq!(purge(0, false).await, (0, 0, false));
    assert_eq!(list(&fixture, Default::default()).await, [other]);

    let all = |all| pb::PurgeDeadLettersRequest {
        all,
        ..Default::default()
    };
    let status = fixture
        .admin()
        .purge_dead_letters(all(false))
        .await
        .unwrap_err();
    assert_eq!(fields(&status), ["filter"]);
    let purged = fixture.admin().purge_dead_letters(all(true)).await;
    assert_eq!(purged.unwrap().into_inner().purged, 1);
    assert!(list(&fixture, Default::default()).await.is_empty());
}

#[tokio::test]
async fn pages_of_letters_lead_to_the_last() {
    let fixture = Fixture::new().await;
    let mut expected = Vec::new();
    for _ in 0..3 {
        expected.push(dead(&fixture, DeadLetterReason::Orphan).await);
    }
    let (mut seen, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = pb::ListDeadLettersRequest {
            page_size: 1,
            page_token,
            filter: None,
        };
        let page = fixture.admin().list_dead_letters(request).await;
        let page = page.unwrap().into_inner();
        let letters = page.dead_letters.into_iter();
        seen.extend(letters.map(|letter| letter.job.unwrap().id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    expected.sort_unstable();
    seen.sort_unstable();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_place_in_the_list_of_one_reason_is_none_in_that_of_another() {
    let fixture = Fixture::new().await;
    for _ in 0..2 {
        dead(&fixture, DeadLetterReason::CrashLoop).await;
    }
    let page = async |reason, page_token| {
        let request = pb::ListDeadLettersRequest {
            page_size: 1,
            page_token,
            filter: Some(of_reason(reason)),
        };
        fixture.admin().list_dead_letters(request).await
    };
    let first = page(pb::DeadLetterReason::CrashLoop, String::new()).await;
    let token = first.unwrap().into_inner().next_page_token;
    let second = page(pb::DeadLetterReason::CrashLoop, token.clone()).await;
    assert_eq!(second.unwrap().into_inner().dead_letters.len(), 1);
    let refused = page(pb::DeadLetterReason::Orphan, token).await;
    assert_eq!(fields(&refused.unwrap_err()), ["page_token"]);
}

/// A gateway over a store that lets people do `most` things by hand, with three dead letters.
async fn breaking(most: usize) -> Fixture {
    let wrap = |inner| -> Arc<dyn JobStore> {
        Arc::new(ScriptedStore {
            script: Script::BreaksAfter(most),
            inner,
            noted: Arc::default(),
        })
    };
    let fixture = Fixture::over(&[], StoreConfig::default(), wrap).await;
    for _ in 0..3 {
        dead(&fixture, DeadLetterReason::Orphan).await;
    }
    fixture
}

/// What was done before the store went away is told, and why there is no more.
#[tokio::test]
async fn an_error_on_the_way_is_told_beside_what_was_done() {
    let purge = pb::PurgeDeadLettersRequest {
        all: true,
        ..Default::default()
    };
    let fixture = breaking(2).await;
    let purged = fixture.admin().purge_dead_letters(purge.clone()).await;
    let purged = purged.unwrap().into_inner();
    assert_eq!((purged.matched, purged.purged, purged.more), (2, 2, true));
    assert_eq!(purged.stopped, "STORE_UNAVAILABLE");
    assert_eq!(list(&fixture, Default::default()).await.len(), 1);

    let redrive = pb::RedriveDeadLettersRequest {
        per_second: 1_000,
        ..Default::default()
    };
    let fixture = breaking(2).await;
    let redriven = fixture.admin().redrive_dead_letters(redrive.clone()).await;
    let redriven = redriven.unwrap().into_inner();
    assert_eq!((redriven.redriven, redriven.more), (2, true));
    assert_eq!(redriven.stopped, "STORE_UNAVAILABLE");

    let fixture = breaking(0).await;
    let nothing = fixture.admin().purge_dead_letters(purge).await;
    assert_eq!(reason(&nothing.unwrap_err()), "STORE_UNAVAILABLE");
    let nothing = fixture.admin().redrive_dead_letters(redrive).await;
    assert_eq!(reason(&nothing.unwrap_err()), "STORE_UNAVAILABLE");
}

#[tokio::test]
async fn a_purge_of_a_queue_that_breaks_off_says_how_far_it_came() {
    for (most, cancelled) in [(2, Some(2)), (0, None)] {
        let fixture = breaking(most).await;
        for _ in 0..3 {
            fixture.submit().await;
        }
        let request = pb::PurgeQueueRequest {
            kind: "content-verification".to_owned(),
            ..Default::default()
        };
        match (fixture.admin().purge_queue(request).await, cancelled) {
            (Ok(purged), Some(cancelled)) => {
                let purged = purged.into_inner();
                assert_eq!((purged.cancelled, purged.more), (cancelled, true));
                assert_eq!(purged.stopped, "STORE_UNAVAILABLE");
            }
            (Err(status), None) => assert_eq!(reason(&status), "STORE_UNAVAILABLE"),
            (answer, _) => panic!("{answer:?}"),
        }
    }
}

/// Nothing was done when the first of them fails.
#[tokio::test]
async fn without_a_store_nothing_is_done_to_many() {
    let fixture = Fixture::new().await;
    dead(&fixture, DeadLetterReason::Orphan).await;
    fixture.store.close().await;
    let request = pb::PurgeDeadLettersRequest {
        all: true,
        ..Default::default()
    };
    let status = fixture
        .admin()
        .purge_dead_letters(request)
        .await
        .unwrap_err();
    assert_eq!(reason(&status), "STORE_UNAVAILABLE");
}

/// It may be given up again, and then it waits for people for longer than any other job is kept.
#[tokio::test]
async fn what_is_put_back_keeps_its_content() {
    let fixture = Fixture::new().await;
    let id = dead(&fixture, DeadLetterReason::CrashLoop).await;
    // Not the content of the submit: the gateway remembers that it has just touched that.
    let content_id = fixture.upload(b"another").await;
    let letter = get(&fixture, &id).await.unwrap();
    let other = pb::ContentVerification {
        content_id: content_id.clone(),
        ..payload(&letter)
    };
    let wish = EditWish {
        payload: other.encode_to_vec(),
        by: String::new(),
        seen: None,
    };
    let job_id = id.parse().unwrap();
    let edited = fixture.store.edit(&Tenant::default(), job_id, wish).await;
    edited.unwrap();
    for file in fixture.blob_files() {
        let long_ago = UNIX_EPOCH + Duration::from_secs(1_000);
        File::open(file).unwrap().set_modified(long_ago).unwrap();
    }
    let untouched = async || fixture.blobs.untouched(1_000_001, 10).await.unwrap();
    assert_eq!(untouched().await.len(), 2);
    redrive(&fixture, &id).await.unwrap();
    let untouched = untouched().await;
    assert_eq!(untouched.len(), 1, "{untouched:?}");
    assert_ne!(untouched[0].id.to_string(), content_id);
}
