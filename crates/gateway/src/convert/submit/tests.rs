//! Bounds of a request at n and n + 1.

use assay_core::job::{ATTEMPT_TIMEOUT_DEFAULT_MS, JOB_LIFE_MS_MAX};
use assay_core::retry::ATTEMPTS_DEFAULT;

use super::*;

const NOW_MS: u64 = 1_700_000_000_000;

fn request() -> pb::SubmitJobRequest {
    let payload = pb::ContentVerification {
        content_id: ContentId::of(b"abc").to_string(),
        ..pb::ContentVerification::default()
    };
    pb::SubmitJobRequest {
        payload: Some(pb::submit_job_request::Payload::ContentVerification(
            payload,
        )),
        ..pb::SubmitJobRequest::default()
    }
}

fn read(request: &pb::SubmitJobRequest) -> Result<Wanted, Refusal> {
    submit(
        request,
        &Tenant::default(),
        &TraceContext::default(),
        NOW_MS,
    )
}

fn with(change: impl FnOnce(&mut pb::SubmitJobRequest)) -> Result<Wanted, Refusal> {
    let mut request = request();
    change(&mut request);
    read(&request)
}

fn with_payload(change: impl FnOnce(&mut pb::ContentVerification)) -> Result<Wanted, Refusal> {
    with(|request| {
        let Some(pb::submit_job_request::Payload::ContentVerification(payload)) =
            &mut request.payload
        else {
            panic!("the request has a payload");
        };
        change(payload);
    })
}

fn fields_of(refused: Result<Wanted, Refusal>) -> Vec<String> {
    let refusal = refused.unwrap_err();
    let fields = refusal.violations().iter();
    fields.map(|wrong| wrong.field.clone()).collect()
}

fn labels_of(entries: usize, key_bytes: usize, value_bytes: usize) -> BTreeMap<String, String> {
    let label = |number| (format!("{number:0>key_bytes$}"), "v".repeat(value_bytes));
    (0..entries).map(label).collect()
}

fn time(ms: u64) -> Option<prost_types::Duration> {
    Some(crate::convert::duration(ms))
}

#[test]
fn a_bare_request_gets_the_defaults() {
    let wanted = read(&request()).unwrap();
    let spec = wanted.spec;
    assert_eq!(wanted.content, ContentId::of(b"abc"));
    assert_eq!(
        (spec.kind, spec.lane),
        (JobKind::ContentVerification, Lane::Normal)
    );
    assert_eq!(spec.deadline_at_ms, NOW_MS + DEADLINE_DEFAULT_MS);
    assert_eq!(spec.policy.retry.attempts_max, ATTEMPTS_DEFAULT);
    assert_eq!(spec.policy.attempt_timeout_ms, ATTEMPT_TIMEOUT_DEFAULT_MS);
    assert_eq!((spec.due_at_ms, spec.request_key), (None, None));
}

#[test]
fn everything_wrong_is_named_at_once() {
    let refused = read(&pb::SubmitJobRequest {
        request_id: "line\nbreak".to_owned(),
        lane: 9,
        metadata: labels_of(METADATA_ENTRIES_MAX + 1, 2, 1),
        due_time: Some(prost_types::Timestamp {
            seconds: -1,
            nanos: 0,
        }),
        deadline: time(0),
        attempts_max: ATTEMPTS_LIMIT + 1,
        attempt_timeout: time(0),
        payload: None,
    });
    let expected = [
        "request_id",
        "lane",
        "metadata",
        "due_time",
        "deadline",
        "attempts_max",
        "attempt_timeout",
        "payload",
    ];
    assert_eq!(fields_of(refused), expected);
}

#[test]
fn bounds_hold_at_n_and_break_at_n_plus_one() {
    assert!(with(|it| it.request_id = "k".repeat(128)).is_ok());
    assert_eq!(
        fields_of(with(|it| it.request_id = "k".repeat(129))),
        ["request_id"]
    );

    assert!(with(|it| it.attempts_max = ATTEMPTS_LIMIT).is_ok());
    assert_eq!(
        fields_of(with(|it| it.attempts_max = ATTEMPTS_LIMIT + 1)),
        ["attempts_max"]
    );

    assert!(with(|it| it.deadline = time(DEADLINE_MS_MAX)).is_ok());
    assert_eq!(
        fields_of(with(|it| it.deadline = time(DEADLINE_MS_MAX + 1))),
        ["deadline"]
    );

    let due = |ms| Some(crate::convert::timestamp(ms));
    assert!(with(|it| it.due_time = due(NOW_MS + DUE_AHEAD_MS_MAX)).is_ok());
    let refused = with(|it| it.due_time = due(NOW_MS + DUE_AHEAD_MS_MAX + 1));
    assert_eq!(fields_of(refused), ["due_time"]);

    assert!(with(|it| it.attempt_timeout = time(ATTEMPT_TIMEOUT_MS_MAX)).is_ok());
    let refused = with(|it| it.attempt_timeout = time(ATTEMPT_TIMEOUT_MS_MAX + 1));
    assert_eq!(fields_of(refused), ["attempt_timeout"]);
}

#[test]
fn labels_hold_their_bounds() {
    let (entries, key, value) = (
        METADATA_ENTRIES_MAX,
        METADATA_KEY_BYTES_MAX,
        METADATA_VALUE_BYTES_MAX,
    );
    assert!(with(|it| it.metadata = labels_of(entries, key, value)).is_ok());
    assert_eq!(
        fields_of(with(|it| it.metadata = labels_of(entries + 1, key, value))),
        ["metadata"]
    );
    assert_eq!(
        fields_of(with(|it| it.metadata = labels_of(1, key + 1, value))),
        ["metadata"]
    );
    assert_eq!(
        fields_of(with(|it| it.metadata = labels_of(1, 1, value + 1))),
        ["metadata[0]"]
    );
    let empty = BTreeMap::from([(String::new(), String::new())]);
    assert_eq!(fields_of(with(|it| it.metadata = empty)), ["metadata"]);
}

#[test]
fn a_payload_holds_its_bounds() {
    let (entries, key, value) = (
        METADATA_ENTRIES_MAX,
        METADATA_KEY_BYTES_MAX,
        METADATA_VALUE_BYTES_MAX,
    );
    assert!(with_payload(|it| it.options = labels_of(entries, key, value)).is_ok());
    let refused = with_payload(|it| it.options = labels_of(entries + 1, key, value));
    assert_eq!(fields_of(refused), ["content_verification.options"]);

    assert!(with_payload(|it| it.file_name = "n".repeat(255)).is_ok());
    for name in [
        "n".repeat(256),
        "a/b".to_owned(),
        "a\\b".to_owned(),
        "a\0b".to_owned(),
    ] {
        let refused = with_payload(|it| it.file_name = name);
        assert_eq!(fields_of(refused), ["content_verification.file_name"]);
    }
    let refused = with_payload(|it| it.declared_mime = "m".repeat(256));
    assert_eq!(fields_of(refused), ["content_verification.declared_mime"]);
    let refused = with_payload(|it| it.content_id = "sha256:abc".to_owned());
    assert_eq!(fields_of(refused), ["content_verification.content_id"]);
}

#[test]
fn the_encoded_payload_holds_its_bound() {
    let refused = |bytes| {
        let mut fields = Fields::default();
        payload_size(&mut fields, "content_verification", bytes);
        fields.finish().is_err()
    };
    assert!(!refused(PAYLOAD_BYTES_MAX));
    assert!(refused(PAYLOAD_BYTES_MAX + 1));
}

#[test]
fn the_deadline_counts_from_the_later_of_submit_and_due_time() {
    let due = |ms| Some(crate::convert::timestamp(ms));
    let later = with(|it| {
        it.due_time = due(NOW_MS + 5_000);
        it.deadline = time(1_000);
    });
    let spec = later.unwrap().spec;
    assert_eq!(spec.due_at_ms, Some(NOW_MS + 5_000));
    assert_eq!(spec.deadline_at_ms, NOW_MS + 6_000);

    let longest = with(|it| {
        it.due_time = due(NOW_MS + DUE_AHEAD_MS_MAX);
        it.deadline = time(DEADLINE_MS_MAX);
    });
    let life_ms = longest.unwrap().spec.deadline_at_ms - NOW_MS;
    assert_eq!(
        life_ms, JOB_LIFE_MS_MAX,
        "what it needs is kept for so long"
    );

    let earlier = with(|it| {
        it.due_time = due(NOW_MS - 5_000);
        it.deadline = time(1_000);
    });
    let spec = earlier.unwrap().spec;
    assert_eq!(
        spec.due_at_ms,
        Some(NOW_MS - 5_000),
        "a repeat must ask for the same"
    );
    assert_eq!(spec.deadline_at_ms, NOW_MS + 1_000);
}
