//! Dead letters: which are meant, what is to become of them, and how clients see them.

use assay_api::v1 as pb;
use assay_blob::ContentId;
use assay_core::envelope::{Codec, Envelope};
use assay_core::event::{EventId, JobEvent};
use assay_core::id::{JobId, Tenant};
use assay_core::job::Job;
use assay_core::kind::JobKind;
use assay_core::port::{Cursor, ListRequest};
use assay_core::retry::DeadLetterReason;
use assay_core::state::JobState;
use prost::Message;

use super::list::{kinds, page_size, too_many};
use super::{Fields, job, lost, submit, timestamp, timestamp_ms};
use crate::limits::{FORGOTTEN, REDRIVEN, REDRIVEN_PER_SECOND};
use crate::page_token;
use crate::status::Refusal;

/// Which dead letters are meant.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Filter {
    /// The list that they are in.
    pub(crate) list: ListRequest,
    /// Only for these reasons, by which no list is sorted; empty for all.
    reasons: Vec<DeadLetterReason>,
}

impl Filter {
    /// Whether a listed job is meant.
    pub(crate) fn matches(&self, job: &Job) -> bool {
        let of = |reason| self.reasons.contains(&reason);
        self.reasons.is_empty() || job.dead_letter.is_some_and(of)
    }

    /// The place behind which the next page begins, for the client.
    pub(crate) fn place(&self, cursor: Cursor) -> String {
        page_token::write(cursor, &self.list, &self.reason_words())
    }

    /// The same text for the same reasons, in whatever order they came.
    fn reason_words(&self) -> String {
        let mut words: Vec<_> = self.reasons.iter().map(|reason| reason.as_str()).collect();
        words.sort_unstable();
        words.dedup();
        words.join(",")
    }

    fn says_nothing(&self) -> bool {
        self.reasons.is_empty()
            && self.list.kinds.is_empty()
            && self.list.created_from_ms.is_none()
            && self.list.created_before_ms.is_none()
    }
}

/// What is to become of many dead letters.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Chosen {
    pub(crate) filter: Filter,
    pub(crate) limit: u32,
    /// How many in a second; as fast as it goes if none is said.
    pub(crate) per_second: Option<u32>,
    pub(crate) dry_run: bool,
}

/// Another payload for a dead letter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Edited {
    pub(crate) id: JobId,
    pub(crate) seen: Option<EventId>,
    pub(crate) kind: JobKind,
    pub(crate) payload: Vec<u8>,
    /// The content that must be there.
    pub(crate) content: ContentId,
}

/// Reads a request for a page.
pub(crate) fn filter(
    request: &pb::ListDeadLettersRequest,
    tenant: &Tenant,
) -> Result<Filter, Refusal> {
    let mut fields = Fields::default();
    let mut filter = read_filter(&mut fields, request.filter.as_ref(), tenant);
    filter.list.page_size = page_size(&mut fields, request.page_size);
    let token = &request.page_token;
    // Compared with the filter: a token is of no use with another, or with a wrong one.
    if fields.violations.is_empty() && !token.is_empty() {
        let read = page_token::read(token, &filter.list, &filter.reason_words());
        filter.list.cursor = fields.check("page_token", read);
    }
    fields.finish()?;
    Ok(filter)
}

/// Reads a request to put many back.
pub(crate) fn redrive(
    request: &pb::RedriveDeadLettersRequest,
    tenant: &Tenant,
) -> Result<Chosen, Refusal> {
    let mut fields = Fields::default();
    let filter = read_filter(&mut fields, request.filter.as_ref(), tenant);
    let limit = bounded(&mut fields, "limit", request.limit, REDRIVEN);
    let per_second = request.per_second;
    let per_second = bounded(&mut fields, "per_second", per_second, REDRIVEN_PER_SECOND);
    fields.finish()?;
    Ok(Chosen {
        filter,
        limit,
        per_second: Some(per_second),
        dry_run: request.dry_run,
    })
}

/// Reads a request to have many forgotten.
pub(crate) fn purge(
    request: &pb::PurgeDeadLettersRequest,
    tenant: &Tenant,
) -> Result<Chosen, Refusal> {
    let mut fields = Fields::default();
    let filter = read_filter(&mut fields, request.filter.as_ref(), tenant);
    if fields.violations.is_empty() && filter.says_nothing() && !request.all {
        fields.refuse("filter", "must say which are meant, or `all` must be set");
    }
    let limit = bounded(&mut fields, "limit", request.limit, FORGOTTEN);
    fields.finish()?;
    Ok(Chosen {
        filter,
        limit,
        per_second: None,
        dry_run: request.dry_run,
    })
}

/// Reads a request for another payload.
pub(crate) fn edited(request: &pb::UpdateDeadLetterRequest) -> Result<Edited, Refusal> {
    let mut fields = Fields::default();
    let id = fields.check("job_id", request.job_id.parse());
    let seen = read_etag(&mut fields, &request.etag);
    let payload = match &request.payload {
        Some(pb::update_dead_letter_request::Payload::ContentVerification(payload)) => {
            Some(submit::verification(&mut fields, payload))
        }
        None => {
            fields.refuse("payload", "must be given: content_verification");
            None
        }
    };
    fields.finish()?;
    let (kind, payload, content) = payload.ok_or_else(lost)?;
    Ok(Edited {
        id: id.ok_or_else(lost)?,
        seen,
        kind,
        payload,
        content: content.ok_or_else(lost)?,
    })
}

/// Reads which dead letter is meant, and as of when.
pub(crate) fn etag(job_id: &str, etag: &str) -> Result<(JobId, Option<EventId>), Refusal> {
    let mut fields = Fields::default();
    let id = fields.check("job_id", job_id.parse());
    let seen = read_etag(&mut fields, etag);
    fields.finish()?;
    Ok((id.ok_or_else(lost)?, seen))
}

/// An etag is the place of the latest event.
fn read_etag(fields: &mut Fields, etag: &str) -> Option<EventId> {
    let given = Some(etag).filter(|text| !text.is_empty())?;
    let read = given
        .parse()
        .map_err(|_| "must be the etag of an answer, or empty");
    fields.check("etag", read)
}

fn read_filter(
    fields: &mut Fields,
    given: Option<&pb::DeadLetterFilter>,
    tenant: &Tenant,
) -> Filter {
    let nothing = pb::DeadLetterFilter::default();
    let given = given.unwrap_or(&nothing);
    let mut time = |field, time: Option<_>| {
        let read = timestamp_ms(time?);
        fields.check(field, read)
    };
    let created_from_ms = time("filter.created_from", given.created_from);
    let created_before_ms = time("filter.created_before", given.created_before);
    Filter {
        reasons: reasons(fields, &given.reasons),
        list: ListRequest {
            tenant: tenant.clone(),
            kinds: kinds(fields, "filter.kinds", &given.kinds),
            states: vec![JobState::DeadLettered],
            created_from_ms,
            created_before_ms,
            page_size: 0,
            cursor: None,
        },
    }
}

fn reasons(fields: &mut Fields, numbers: &[i32]) -> Vec<DeadLetterReason> {
    if too_many(fields, "filter.reasons", numbers.len()) {
        return Vec::new();
    }
    let mut reasons = Vec::with_capacity(numbers.len());
    for (index, number) in numbers.iter().enumerate() {
        match reason(*number) {
            Some(reason) => reasons.push(reason),
            None => fields.refuse(
                format!("filter.reasons[{index}]"),
                "must be attempts_exhausted, crash_loop, deadline_exceeded, undecodable or orphan",
            ),
        }
    }
    reasons
}

fn reason(number: i32) -> Option<DeadLetterReason> {
    match pb::DeadLetterReason::try_from(number) {
        Ok(pb::DeadLetterReason::AttemptsExhausted) => Some(DeadLetterReason::AttemptsExhausted),
        Ok(pb::DeadLetterReason::CrashLoop) => Some(DeadLetterReason::CrashLoop),
        Ok(pb::DeadLetterReason::DeadlineExceeded) => Some(DeadLetterReason::DeadlineExceeded),
        Ok(pb::DeadLetterReason::Undecodable) => Some(DeadLetterReason::Undecodable),
        Ok(pb::DeadLetterReason::Orphan) => Some(DeadLetterReason::Orphan),
        Ok(pb::DeadLetterReason::Unspecified) | Err(_) => None,
    }
}

/// A number within bounds; 0 stands for what is usual.
fn bounded(
    fields: &mut Fields,
    field: &str,
    number: u32,
    (least, usual, most): (u32, u32, u32),
) -> u32 {
    match number {
        0 => usual,
        number if (least..=most).contains(&number) => number,
        _ => {
            let must = format!("must be from {least} to {most}, or 0 for {usual}");
            fields.refuse(field, must);
            usual
        }
    }
}

/// A dead letter in a list.
pub(crate) fn listed_letter(job: Job) -> pb::DeadLetter {
    let edited = job.edited.clone();
    let worker = job.worker.as_ref();
    pb::DeadLetter {
        etag: job.event_id.to_string(),
        edit_time: edited.as_ref().map(|edited| timestamp(edited.at_ms)),
        editor: edited.map(|edited| edited.by).unwrap_or_default(),
        worker: worker.map(ToString::to_string).unwrap_or_default(),
        job: Some(super::job(job)),
        ..pb::DeadLetter::default()
    }
}

/// All that is known of a dead letter.
pub(crate) fn letter(job: Job, envelope: &Envelope, history: &[JobEvent]) -> pb::DeadLetter {
    let traceparent = envelope.trace.traceparent.split('-').nth(1);
    pb::DeadLetter {
        attempts: attempts(history),
        trace_id: traceparent.unwrap_or_default().to_owned(),
        payload: payload(envelope),
        ..listed_letter(job)
    }
}

/// The content that an envelope names, where this server can read it.
pub(crate) fn content(envelope: &Envelope) -> Option<ContentId> {
    let pb::dead_letter::Payload::ContentVerification(payload) = payload(envelope)?;
    payload.content_id.parse().ok()
}

fn payload(envelope: &Envelope) -> Option<pb::dead_letter::Payload> {
    if envelope.codec != Codec::Plain || !envelope.key_id.is_empty() {
        return None;
    }
    match envelope.kind {
        JobKind::ContentVerification => {
            let payload = pb::ContentVerification::decode(envelope.payload.as_slice()).ok()?;
            Some(pb::dead_letter::Payload::ContentVerification(payload))
        }
        JobKind::Batch | JobKind::RuvProfile => None,
    }
}

/// How attempts ended: by the event that took the job from its worker.
fn attempts(history: &[JobEvent]) -> Vec<pb::DeadLetterAttempt> {
    let mut attempts = Vec::new();
    let mut runs = false;
    for event in history {
        if matches!(event.state, JobState::Running | JobState::Cancelling) {
            runs = true;
        } else if std::mem::take(&mut runs) {
            attempts.push(pb::DeadLetterAttempt {
                attempt: event.attempt,
                end_time: Some(timestamp(event.at_ms)),
                state: job::state(event.state).into(),
                message: event.message.clone(),
            });
        }
    }
    attempts
}

#[cfg(test)]
mod tests;
