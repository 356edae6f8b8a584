//! A request for a job.

use std::collections::BTreeMap;

use assay_api::v1 as pb;
use assay_blob::ContentId;
use assay_core::envelope::TraceContext;
use assay_core::id::{RequestKey, Tenant};
use assay_core::job::{
    DEADLINE_DEFAULT_MS, DEADLINE_MS_MAX, DUE_AHEAD_MS_MAX, JobSpec, PAYLOAD_BYTES_MAX, Policy,
};
use assay_core::kind::{JobKind, Lane};
use assay_core::retry::ATTEMPTS_LIMIT;
use prost::Message;

use super::{Fields, content, duration_ms, timestamp_ms};
use crate::limits::{
    ATTEMPT_TIMEOUT_MS_MAX, METADATA_ENTRIES_MAX, METADATA_KEY_BYTES_MAX, METADATA_VALUE_BYTES_MAX,
};
use crate::status::Refusal;

const MS_PER_DAY: u64 = 24 * 60 * 60 * 1000;

/// A job that somebody may want.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wanted {
    /// What the job shall be.
    pub(crate) spec: JobSpec,
    /// The content that must be there.
    pub(crate) content: ContentId,
}

/// Reads a request for a job that `tenant` makes at `now_ms`.
pub(crate) fn submit(
    request: &pb::SubmitJobRequest,
    tenant: &Tenant,
    trace: &TraceContext,
    now_ms: u64,
) -> Result<Wanted, Refusal> {
    let mut fields = Fields::default();
    let request_key = Some(&request.request_id).filter(|text| !text.is_empty());
    let request_key =
        request_key.and_then(|text| fields.check("request_id", RequestKey::new(text.as_str())));
    let lane = lane(&mut fields, request.lane);
    labels(&mut fields, "metadata", &request.metadata);
    let due_at_ms = due_at_ms(&mut fields, request, now_ms);
    let deadline_ms = optional_ms(&mut fields, "deadline", request.deadline, DEADLINE_MS_MAX);
    let policy = policy(&mut fields, request);
    let payload = payload(&mut fields, request);
    fields.finish()?;
    let (kind, payload, content) = payload.ok_or_else(super::lost)?;
    let begins_at_ms = due_at_ms.unwrap_or(0).max(now_ms);
    let spec = JobSpec {
        tenant: tenant.clone(),
        lane,
        request_key,
        due_at_ms,
        deadline_at_ms: begins_at_ms.saturating_add(deadline_ms.unwrap_or(DEADLINE_DEFAULT_MS)),
        policy,
        metadata: request.metadata.clone(),
        trace: trace.clone(),
        ..JobSpec::new(kind, payload, now_ms)
    };
    Ok(Wanted {
        spec,
        content: content.ok_or_else(super::lost)?,
    })
}

/// A payload as workers read it: its kind, its bytes, and the content that it names.
pub(super) type Payload = (JobKind, Vec<u8>, Option<ContentId>);

fn payload(fields: &mut Fields, request: &pb::SubmitJobRequest) -> Option<Payload> {
    let Some(payload) = &request.payload else {
        fields.refuse("payload", "must be given: content_verification");
        return None;
    };
    match payload {
        pb::submit_job_request::Payload::ContentVerification(payload) => {
            Some(verification(fields, payload))
        }
    }
}

/// Reads the payload of a verification, wherever it comes from.
pub(super) fn verification(fields: &mut Fields, payload: &pb::ContentVerification) -> Payload {
    let bytes = payload.encoded_len();
    payload_size(fields, "content_verification", bytes);
    let content = content::verification(fields, payload);
    let kind = JobKind::ContentVerification;
    (kind, payload.encode_to_vec(), content)
}

fn payload_size(fields: &mut Fields, field: &str, bytes: usize) {
    if bytes > PAYLOAD_BYTES_MAX {
        let must = format!("must be at most {PAYLOAD_BYTES_MAX} bytes, encoded; has {bytes}");
        fields.refuse(field, must);
    }
}

/// A time that has passed stays as it was given: a repeat of the request must ask for the same.
fn due_at_ms(fields: &mut Fields, request: &pb::SubmitJobRequest, now_ms: u64) -> Option<u64> {
    let due_at_ms = fields.check("due_time", timestamp_ms(request.due_time?))?;
    if due_at_ms > now_ms.saturating_add(DUE_AHEAD_MS_MAX) {
        let days = DUE_AHEAD_MS_MAX / MS_PER_DAY;
        fields.refuse("due_time", format!("must be at most {days} days ahead"));
    }
    Some(due_at_ms)
}

fn lane(fields: &mut Fields, number: i32) -> Lane {
    match pb::Lane::try_from(number) {
        Ok(pb::Lane::Low) => Lane::Low,
        Ok(pb::Lane::Normal | pb::Lane::Unspecified) => Lane::Normal,
        Ok(pb::Lane::High) => Lane::High,
        Err(_) => {
            fields.refuse("lane", "must be LANE_LOW, LANE_NORMAL, LANE_HIGH or absent");
            Lane::Normal
        }
    }
}

fn policy(fields: &mut Fields, request: &pb::SubmitJobRequest) -> Policy {
    let mut policy = Policy::default();
    match request.attempts_max {
        0 => {}
        attempts @ 1..=ATTEMPTS_LIMIT => policy.retry.attempts_max = attempts,
        _ => fields.refuse(
            "attempts_max",
            format!("must be at most {ATTEMPTS_LIMIT}, or 0 for the default"),
        ),
    }
    let timeout_ms = optional_ms(
        fields,
        "attempt_timeout",
        request.attempt_timeout,
        ATTEMPT_TIMEOUT_MS_MAX,
    );
    if let Some(timeout_ms) = timeout_ms {
        policy.attempt_timeout_ms = timeout_ms;
    }
    policy
}

fn optional_ms(
    fields: &mut Fields,
    field: &str,
    time: Option<prost_types::Duration>,
    ms_max: u64,
) -> Option<u64> {
    time.and_then(|time| fields.check(field, duration_ms(time, ms_max)))
}

/// Checks labels or options.
pub(super) fn labels(fields: &mut Fields, field: &str, labels: &BTreeMap<String, String>) {
    if labels.len() > METADATA_ENTRIES_MAX {
        let (most, have) = (METADATA_ENTRIES_MAX, labels.len());
        fields.refuse(
            field,
            format!("must have at most {most} entries, has {have}"),
        );
        return;
    }
    for (key, value) in labels {
        if key.is_empty() || key.len() > METADATA_KEY_BYTES_MAX || key.chars().any(char::is_control)
        {
            let bytes = key.len();
            fields.refuse(
                field,
                format!("must have keys of 1 to {METADATA_KEY_BYTES_MAX} bytes without control characters, one has {bytes}"),
            );
        } else if value.len() > METADATA_VALUE_BYTES_MAX {
            let bytes = value.len();
            fields.refuse(
                format!("{field}[{key}]"),
                format!("must be at most {METADATA_VALUE_BYTES_MAX} bytes, has {bytes}"),
            );
        }
    }
}

#[cfg(test)]
mod tests;
