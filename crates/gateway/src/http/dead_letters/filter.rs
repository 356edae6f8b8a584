//! Which dead letters are to be put back, and how fast. Pure.

use assay_api::v1 as pb;
use prost_types::Timestamp;

use super::super::json::{Members, Node};
use super::super::member::{flag, number, text};
use super::super::query::shortened;
use super::super::view;
use crate::convert::Fields;
use crate::status::Refusal;

/// How many one request puts back: at least, unless it says otherwise, at most.
const LIMIT: (u32, u32, u32) = (1, 100, 1_000);
/// How many a second.
const PER_SECOND: (u32, u32, u32) = (1, 50, 1_000);
/// The members of the request.
const MEMBERS: &str = "kind, reason, createdFrom, createdBefore, limit, perSecond, dryRun";

/// What a reason must be.
pub(super) const REASONS: &str =
    "must be attempts_exhausted, crash_loop, deadline_exceeded, undecodable or orphan";

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plan {
    pub(super) filter: Filter,
    pub(super) limit: u32,
    pub(super) per_second: u32,
    pub(super) dry_run: bool,
}

/// Which dead letters; all if nothing is said.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Filter {
    kind: Option<String>,
    reason: Option<pb::DeadLetterReason>,
    created_from: Option<Timestamp>,
    created_before: Option<Timestamp>,
}

impl Filter {
    /// The call that lists them, but for the reason, which no list is sorted by.
    pub(super) fn request(&self) -> pb::ListJobsRequest {
        pb::ListJobsRequest {
            kinds: self.kind.iter().cloned().collect(),
            states: vec![pb::JobState::DeadLettered.into()],
            created_from: self.created_from,
            created_before: self.created_before,
            ..pb::ListJobsRequest::default()
        }
    }

    /// Whether a listed job is meant.
    pub(super) fn matches(&self, job: &pb::Job) -> bool {
        let reason = self.reason;
        reason.is_none_or(|reason| reason == job.dead_letter_reason())
    }
}

/// Reads the members of a body.
pub(super) fn plan(mut body: Members) -> Result<Plan, Refusal> {
    let mut fields = Fields::default();
    let filter = Filter {
        kind: text(&mut fields, "kind", body.remove("kind")),
        reason: reason(&mut fields, body.remove("reason")),
        created_from: time(&mut fields, "createdFrom", body.remove("createdFrom")),
        created_before: time(&mut fields, "createdBefore", body.remove("createdBefore")),
    };
    let limit = number(&mut fields, "limit", body.remove("limit"), LIMIT);
    let per_second = body.remove("perSecond");
    let per_second = number(&mut fields, "perSecond", per_second, PER_SECOND);
    let dry_run = flag(&mut fields, "dryRun", body.remove("dryRun"));
    for name in body.keys() {
        fields.refuse(
            shortened(name),
            format!("is no member here: there are {MEMBERS}"),
        );
    }
    fields.finish()?;
    Ok(Plan {
        filter,
        limit,
        per_second,
        dry_run,
    })
}

fn reason(fields: &mut Fields, node: Option<Node>) -> Option<pb::DeadLetterReason> {
    let word = text(fields, "reason", node)?;
    let reason = view::dead_letter_reason(&word);
    if reason.is_none() {
        fields.refuse("reason", REASONS);
    }
    reason
}

fn time(fields: &mut Fields, field: &str, node: Option<Node>) -> Option<Timestamp> {
    let text = text(fields, field, node)?;
    let time = view::read_time(&text);
    time.map_err(|must| fields.refuse(field, must)).ok()
}

#[cfg(test)]
mod tests {
    use super::super::super::json;
    use super::*;

    fn read(body: &str) -> Result<Plan, Refusal> {
        let Node::Object(members) = json::read(body.as_bytes()).unwrap() else {
            panic!("{body} is an object");
        };
        plan(members)
    }

    #[test]
    fn nothing_said_means_all_at_an_easy_pace() {
        let expected = Plan {
            filter: Filter::default(),
            limit: 100,
            per_second: 50,
            dry_run: false,
        };
        assert_eq!(read("{}"), Ok(expected));
    }

    #[test]
    fn everything_can_be_said_and_everything_wrong_is_named() {
        let plan = read(
            r#"{"kind":"batch","reason":"orphan","limit":1000,"perSecond":1,"dryRun":true,
                "createdFrom":"1970-01-01T00:00:01Z"}"#,
        )
        .unwrap();
        assert!(plan.dry_run && plan.limit == 1_000 && plan.per_second == 1);
        let request = plan.filter.request();
        assert_eq!(request.kinds, ["batch"]);
        assert_eq!(request.created_from.unwrap().seconds, 1);
        let mut job = pb::Job::default();
        assert!(!plan.filter.matches(&job));
        job.dead_letter_reason = pb::DeadLetterReason::Orphan.into();
        assert!(plan.filter.matches(&job));

        let wrong = r#"{"kind":1,"reason":"x","limit":1001,"perSecond":0,"dryRun":2,
                        "createdBefore":"soon","dryrun":true}"#;
        let refusal = read(wrong).unwrap_err();
        let mut fields: Vec<_> = refusal
            .violations()
            .iter()
            .map(|wrong| wrong.field.as_str())
            .collect();
        fields.sort_unstable();
        let expected = [
            "createdBefore",
            "dryRun",
            "dryrun",
            "kind",
            "limit",
            "perSecond",
            "reason",
        ];
        assert_eq!(fields, expected);
    }
}
