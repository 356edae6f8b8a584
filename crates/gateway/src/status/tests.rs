//! The table in code against the table in the contract.

use std::collections::BTreeMap;

use tonic::Status;
use tonic_types::StatusExt;

use super::*;

const CONTRACT: &str = include_str!("../../../../proto/assay/v1/jobs.proto");

fn job() -> JobId {
    JobId::from_bytes([7; 16])
}

/// One of each.
fn all() -> Vec<Refusal> {
    let why = || "because".to_owned();
    let wrong = Violation {
        field: "lane".to_owned(),
        description: "must be known".to_owned(),
    };
    vec![
        Refusal::InvalidField(vec![wrong]),
        Refusal::UploadOutOfOrder("a chunk came first"),
        Refusal::UploadStalled { limit_ms: 5 },
        Refusal::ContentMismatch(why()),
        Refusal::ContentTooLarge { limit: 9 },
        Refusal::MessageTooLarge { limit: 9 },
        Refusal::JobNotFound(job()),
        Refusal::ContentNotFound(ContentId::of(b"")),
        Refusal::RequestIdReused(job()),
        Refusal::KindNotServed(JobKind::Batch),
        Refusal::JobNotRetryable(job(), JobState::Running),
        Refusal::DeadLetterNotFound(job()),
        Refusal::DeadLetterChanged(job()),
        Refusal::JobNotFinished(job(), JobState::Running),
        Refusal::JobWithoutResult(job(), JobState::Failed),
        Refusal::ResultTooLarge { bytes: 2, limit: 1 },
        Refusal::TokenMissing,
        Refusal::TokenUnknown,
        Refusal::TokenExpired,
        Refusal::ScopeMissing(Scope::Admin),
        Refusal::QueueFull {
            why: why(),
            retry_after_ms: 7,
        },
        Refusal::StoreFull {
            why: why(),
            retry_after_ms: 7,
        },
        Refusal::ServerBusy { limit: 1 },
        Refusal::RateLimited {
            scope: Scope::Submit,
            retry_after_ms: 7,
        },
        Refusal::WatchersFull { limit: 1 },
        Refusal::WatcherTooSlow { limit_ms: 7 },
        Refusal::StoreUnavailable { why: why() },
        Refusal::QueueUnavailable { why: why() },
        Refusal::ShuttingDown,
        Refusal::OutcomeUnknown(job()),
        Refusal::Internal(why()),
    ]
}

/// Reason and code of each row on top of the contract.
fn contract() -> BTreeMap<String, String> {
    let mut rows = BTreeMap::new();
    for line in CONTRACT.lines().take_while(|line| line.starts_with("//")) {
        let mut words = line.trim_start_matches('/').split_whitespace();
        let (Some(reason), Some(code)) = (words.next(), words.next()) else {
            continue;
        };
        let is_row = [reason, code]
            .iter()
            .all(|word| word.len() > 3 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_'));
        if is_row {
            rows.insert(reason.to_owned(), code.replace('_', ""));
        }
    }
    rows
}

#[test]
fn the_table_is_that_of_the_contract() {
    let table: BTreeMap<_, _> = all()
        .iter()
        .map(|refusal| {
            let code = format!("{:?}", refusal.code()).to_uppercase();
            (refusal.reason().to_owned(), code)
        })
        .collect();
    assert_eq!(table.len(), all().len());
    assert_eq!(table, contract());
    let reasons = all().into_iter().map(|refusal| refusal.reason());
    assert!(
        reasons.eq(Refusal::REASONS),
        "each is counted from the start"
    );
}

#[test]
fn every_status_carries_its_details() {
    for refusal in all() {
        let status = Status::from(refusal.clone());
        let details = status.get_error_details();
        let info = details.error_info().unwrap();
        assert_eq!(info.reason, refusal.reason());
        assert_eq!(info.domain, "assay");
        assert_eq!(
            details.retry_info().is_some(),
            matches!(status.code(), Code::ResourceExhausted | Code::Unavailable),
            "{refusal:?}"
        );
        assert_eq!(
            details.bad_request().is_some(),
            refusal.reason() == "INVALID_FIELD"
        );
        assert_eq!(
            info.metadata.contains_key("job_id"),
            matches!(
                refusal,
                Refusal::RequestIdReused(_) | Refusal::OutcomeUnknown(_)
            )
        );
    }
}

#[test]
fn a_call_that_comes_too_early_is_told_exactly_when_to_come_back() {
    let refusal = Refusal::RateLimited {
        scope: Scope::Read,
        retry_after_ms: 1_234,
    };
    let status = Status::from(refusal);
    let details = status.get_error_details();
    let after = details.retry_info().unwrap().retry_delay;
    assert_eq!(after, Some(Duration::from_millis(1_234)));
    assert_eq!(details.error_info().unwrap().metadata["scope"], "read");
}

#[test]
fn the_callers_see_nothing_of_a_fault() {
    let status = Status::from(Refusal::Internal("secret path".to_owned()));
    assert!(!format!("{status:?}").contains("secret"));
}

#[test]
fn errors_of_the_store_keep_their_meaning() {
    let refused = |reason| StoreError::Refused {
        reason,
        retry_after_ms: 250,
    };
    let full = Refusal::of_write(refused(RefusalReason::QueueFull { limit: 5 }), job());
    assert_eq!(full.reason(), "QUEUE_FULL");
    assert_eq!(full.retry_after(), Some(Duration::from_millis(250)));
    let crowded = Refusal::of_write(refused(RefusalReason::OutboxFull { limit: 5 }), job());
    assert_eq!(crowded.reason(), "QUEUE_FULL");
    assert!(crowded.to_string().contains("store.outbox_max"));
    for no_room in [RefusalReason::DiskFull, RefusalReason::StoreFull] {
        let refusal = Refusal::of_write(refused(no_room), job());
        assert_eq!(refusal.reason(), "STORE_FULL");
    }
    let closing = Refusal::of_write(refused(RefusalReason::ShuttingDown), job());
    assert_eq!(closing, Refusal::ShuttingDown);
    let why = "lost".to_owned();
    let unknown = Refusal::of_write(StoreError::Unknown { why }, job());
    assert_eq!(unknown, Refusal::OutcomeUnknown(job()));
    assert_eq!(unknown.metadata(), Some(("job_id", job().to_string())));
}

#[test]
fn a_pause_whose_answer_was_lost_names_the_kind() {
    let kind = JobKind::Batch;
    let of = |error| Refusal::of_control(error, kind);
    let why = || "lost".to_owned();
    let unknown = of(StoreError::Unknown { why: why() });
    assert_eq!(
        (unknown.reason(), unknown.code()),
        ("OUTCOME_UNKNOWN", Code::Unknown)
    );
    assert_eq!(unknown.metadata(), Some(("kind", "batch".to_owned())));
    let unavailable = of(StoreError::Unavailable { why: why() });
    assert_eq!(unavailable.reason(), "STORE_UNAVAILABLE");
    let full = of(StoreError::Refused {
        reason: RefusalReason::StoreFull,
        retry_after_ms: 250,
    });
    assert_eq!(full.reason(), "STORE_FULL");
}
