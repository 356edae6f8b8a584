use assay_core::job::JobSpec;
use assay_core::transition::{Admission, submit};

use super::*;
use crate::limits::FILTER_ENTRIES_MAX;

const NOW_MS: u64 = 1_700_000_000_000;

fn tenant() -> Tenant {
    Tenant::default()
}

fn named(refusal: &Refusal) -> Vec<&str> {
    let violations = refusal.violations().iter();
    violations.map(|wrong| wrong.field.as_str()).collect()
}

fn job() -> (Job, Envelope) {
    let payload = pb::ContentVerification {
        content_id: ContentId::of(b"abc").to_string(),
        ..pb::ContentVerification::default()
    };
    let kind = JobKind::ContentVerification;
    let mut spec = JobSpec::new(kind, payload.encode_to_vec(), NOW_MS);
    spec.trace.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned();
    let made = submit(JobId::from_bytes([7; 16]), &spec, Admission::Queue, NOW_MS);
    (made.job, made.envelope.unwrap())
}

fn redriven(request: pb::RedriveDeadLettersRequest) -> Result<Chosen, Refusal> {
    redrive(&request, &tenant())
}

fn purged(request: pb::PurgeDeadLettersRequest) -> Result<Chosen, Refusal> {
    purge(&request, &tenant())
}

#[test]
fn nothing_said_means_all_dead_letters_at_an_easy_pace() {
    let chosen = redriven(pb::RedriveDeadLettersRequest::default()).unwrap();
    assert_eq!(
        (chosen.limit, chosen.per_second, chosen.dry_run),
        (100, Some(50), false)
    );
    assert_eq!(chosen.filter.list.states, [JobState::DeadLettered]);
    assert!(chosen.filter.matches(&job().0));
}

#[test]
fn the_limits_hold_at_n_and_beyond() {
    let limit = |limit| {
        let request = pb::RedriveDeadLettersRequest {
            limit,
            ..Default::default()
        };
        redriven(request).map(|chosen| chosen.limit).ok()
    };
    assert_eq!(
        [limit(1), limit(1_000), limit(1_001)],
        [Some(1), Some(1_000), None]
    );
    let per_second = |per_second| {
        let request = pb::RedriveDeadLettersRequest {
            per_second,
            ..Default::default()
        };
        redriven(request).ok()?.per_second
    };
    assert_eq!([per_second(1_000), per_second(1_001)], [Some(1_000), None]);
    let forgotten = |limit| {
        let request = pb::PurgeDeadLettersRequest {
            limit,
            all: true,
            ..Default::default()
        };
        purged(request).map(|chosen| chosen.limit).ok()
    };
    let expected = [Some(1_000), Some(10_000), None];
    assert_eq!(
        [forgotten(0), forgotten(10_000), forgotten(10_001)],
        expected
    );
}

/// A request that lost its filter on the way must not empty everything.
#[test]
fn to_forget_all_has_to_be_said() {
    let refusal = purged(pb::PurgeDeadLettersRequest::default()).unwrap_err();
    assert_eq!(named(&refusal), ["filter"]);
    let filters = [
        pb::DeadLetterFilter {
            kinds: vec!["batch".to_owned()],
            ..Default::default()
        },
        pb::DeadLetterFilter {
            reasons: vec![pb::DeadLetterReason::Orphan.into()],
            ..Default::default()
        },
        pb::DeadLetterFilter {
            created_before: Some(timestamp(5)),
            ..Default::default()
        },
    ];
    for filter in filters {
        let request = pb::PurgeDeadLettersRequest {
            filter: Some(filter),
            ..Default::default()
        };
        assert!(purged(request).is_ok());
    }
}

#[test]
fn a_filter_names_everything_that_is_wrong_with_it() {
    let filter = pb::DeadLetterFilter {
        kinds: vec!["virus-scan".to_owned()],
        reasons: vec![1, 0, 99],
        created_from: Some(prost_types::Timestamp {
            seconds: -1,
            nanos: 0,
        }),
        created_before: None,
    };
    let request = pb::ListDeadLettersRequest {
        page_size: -1,
        page_token: "nonsense".to_owned(),
        filter: Some(filter),
    };
    let refusal = super::filter(&request, &tenant()).unwrap_err();
    let expected = [
        "filter.created_from",
        "filter.reasons[1]",
        "filter.reasons[2]",
        "filter.kinds[0]",
        "page_size",
    ];
    assert_eq!(named(&refusal), expected);
    let many = |count| {
        let filter = pb::DeadLetterFilter {
            reasons: vec![1; count],
            ..Default::default()
        };
        let request = pb::ListDeadLettersRequest {
            filter: Some(filter),
            ..Default::default()
        };
        super::filter(&request, &tenant()).is_ok()
    };
    assert!(many(FILTER_ENTRIES_MAX) && !many(FILTER_ENTRIES_MAX + 1));
}

#[test]
fn reasons_are_compared_one_by_one() {
    let (mut job, _) = job();
    for number in 1..=5 {
        let request = pb::ListDeadLettersRequest {
            filter: Some(pb::DeadLetterFilter {
                reasons: vec![number],
                ..Default::default()
            }),
            ..Default::default()
        };
        let filter = filter(&request, &tenant()).unwrap();
        job.dead_letter = None;
        assert!(!filter.matches(&job));
        job.dead_letter = reason(number);
        assert!(filter.matches(&job));
        let word = job.dead_letter.unwrap().as_str().to_uppercase();
        let name = pb::DeadLetterReason::try_from(number)
            .unwrap()
            .as_str_name();
        assert_eq!(name, format!("DEAD_LETTER_REASON_{word}"));
    }
}

#[test]
fn a_letter_tells_what_it_carries_and_how_its_attempts_ended() {
    let (job, envelope) = job();
    let event = |sequence, state, attempt, message: &str| JobEvent {
        tenant: tenant(),
        job_id: job.id,
        id: EventId { token: 1, sequence },
        at_ms: NOW_MS + sequence,
        state,
        attempt,
        percent: 0.0,
        step: None,
        eta_ms: None,
        message: message.to_owned(),
    };
    let history = [
        event(1, JobState::Queued, 0, ""),
        event(2, JobState::Running, 1, ""),
        event(3, JobState::Running, 1, ""),
        event(4, JobState::Retrying, 1, "it broke"),
        event(5, JobState::Queued, 1, ""),
        event(6, JobState::Running, 2, ""),
        event(7, JobState::DeadLettered, 2, "it broke again"),
        event(8, JobState::DeadLettered, 2, "payload edited by ann"),
    ];
    let told = letter(job, &envelope, &history);
    assert_eq!(told.trace_id, "0af7651916cd43dd8448eb211c80319c");
    let Some(pb::dead_letter::Payload::ContentVerification(payload)) = told.payload else {
        panic!("{told:?}")
    };
    assert_eq!(payload.content_id, ContentId::of(b"abc").to_string());
    let attempts: Vec<_> = told
        .attempts
        .iter()
        .map(|it| (it.attempt, it.state(), it.message.as_str()))
        .collect();
    let expected = [
        (1, pb::JobState::Retrying, "it broke"),
        (2, pb::JobState::DeadLettered, "it broke again"),
    ];
    assert_eq!(attempts, expected);
}

#[test]
fn what_is_encoded_in_another_way_is_not_shown() {
    let (_, envelope) = job();
    let packed = Envelope {
        codec: Codec::Zstd,
        ..envelope.clone()
    };
    let locked = Envelope {
        key_id: "key".to_owned(),
        ..envelope.clone()
    };
    let broken = envelope.with_payload(vec![0xff]);
    for envelope in [packed, locked, broken] {
        assert_eq!(payload(&envelope), None);
    }
}

#[test]
fn an_edit_is_checked_like_a_submit() {
    let content_id = ContentId::of(b"abc").to_string();
    let request = |content_id: &str, file_name: &str| pb::UpdateDeadLetterRequest {
        job_id: JobId::from_bytes([7; 16]).to_string(),
        etag: "5-6".to_owned(),
        payload: Some(
            pb::update_dead_letter_request::Payload::ContentVerification(pb::ContentVerification {
                content_id: content_id.to_owned(),
                file_name: file_name.to_owned(),
                ..Default::default()
            }),
        ),
    };
    let wish = edited(&request(&content_id, "a.jpg")).unwrap();
    assert_eq!(
        wish.seen,
        Some(EventId {
            token: 5,
            sequence: 6
        })
    );
    assert_eq!(
        (wish.kind, wish.content),
        (JobKind::ContentVerification, ContentId::of(b"abc"))
    );
    let wrong = edited(&request("x", "folder/a.jpg")).unwrap_err();
    let expected = [
        "content_verification.file_name",
        "content_verification.content_id",
    ];
    assert_eq!(named(&wrong), expected);
    let nothing = pb::UpdateDeadLetterRequest {
        etag: "nonsense".to_owned(),
        ..Default::default()
    };
    assert_eq!(
        named(&edited(&nothing).unwrap_err()),
        ["job_id", "etag", "payload"]
    );
}
