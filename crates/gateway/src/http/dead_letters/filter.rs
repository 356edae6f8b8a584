//! Which dead letters are meant by a body, and what is to become of them. Pure.

use assay_api::v1 as pb;

use super::super::json::{Members, Node};
use super::super::member::{flag, none_left, number, text, time};
use super::super::view;
use crate::convert::Fields;
use crate::limits::{FORGOTTEN, REDRIVEN, REDRIVEN_PER_SECOND};
use crate::status::Refusal;

/// The members of a request to put back, and of one to forget.
const REDRIVE: &str = "kind, reason, createdFrom, createdBefore, limit, perSecond, dryRun";
const PURGE: &str = "kind, reason, createdFrom, createdBefore, limit, dryRun, all";

/// What a reason must be.
pub(super) const REASONS: &str =
    "must be attempts_exhausted, crash_loop, deadline_exceeded, undecodable or orphan";

/// The call that puts them back.
pub(super) fn redrive(mut body: Members) -> Result<pb::RedriveDeadLettersRequest, Refusal> {
    let mut fields = Fields::default();
    let (limit, per_second) = (body.remove("limit"), body.remove("perSecond"));
    let request = pb::RedriveDeadLettersRequest {
        filter: Some(filter(&mut fields, &mut body)),
        dry_run: flag(&mut fields, "dryRun", body.remove("dryRun")),
        limit: number(&mut fields, "limit", limit, REDRIVEN),
        per_second: number(&mut fields, "perSecond", per_second, REDRIVEN_PER_SECOND),
    };
    none_left(&mut fields, &body, REDRIVE);
    fields.finish()?;
    Ok(request)
}

/// The call that has them forgotten.
pub(super) fn purge(mut body: Members) -> Result<pb::PurgeDeadLettersRequest, Refusal> {
    let mut fields = Fields::default();
    let request = pb::PurgeDeadLettersRequest {
        filter: Some(filter(&mut fields, &mut body)),
        dry_run: flag(&mut fields, "dryRun", body.remove("dryRun")),
        limit: number(&mut fields, "limit", body.remove("limit"), FORGOTTEN),
        all: flag(&mut fields, "all", body.remove("all")),
    };
    none_left(&mut fields, &body, PURGE);
    fields.finish()?;
    Ok(request)
}

fn filter(fields: &mut Fields, body: &mut Members) -> pb::DeadLetterFilter {
    let kind = text(fields, "kind", body.remove("kind"));
    let reason = reason(fields, body.remove("reason"));
    pb::DeadLetterFilter {
        kinds: kind.into_iter().collect(),
        reasons: reason.into_iter().map(i32::from).collect(),
        created_from: time(fields, "createdFrom", body.remove("createdFrom")),
        created_before: time(fields, "createdBefore", body.remove("createdBefore")),
    }
}

fn reason(fields: &mut Fields, node: Option<Node>) -> Option<pb::DeadLetterReason> {
    let word = text(fields, "reason", node)?;
    let reason = view::dead_letter_reason(&word);
    if reason.is_none() {
        fields.refuse("reason", REASONS);
    }
    reason
}

#[cfg(test)]
mod tests {
    use super::super::super::json;
    use super::*;

    fn members(body: &str) -> Members {
        let Node::Object(members) = json::read(body.as_bytes()).unwrap() else {
            panic!("{body} is an object");
        };
        members
    }

    fn named(refusal: &Refusal) -> Vec<&str> {
        let violations = refusal.violations().iter();
        let mut fields: Vec<_> = violations.map(|wrong| wrong.field.as_str()).collect();
        fields.sort_unstable();
        fields
    }

    #[test]
    fn nothing_said_means_all_at_an_easy_pace() {
        let expected = pb::RedriveDeadLettersRequest {
            filter: Some(pb::DeadLetterFilter::default()),
            limit: 100,
            per_second: 50,
            dry_run: false,
        };
        assert_eq!(redrive(members("{}")), Ok(expected));
        let purged = purge(members("{}")).unwrap();
        assert_eq!((purged.limit, purged.all), (1_000, false));
    }

    #[test]
    fn everything_can_be_said_and_everything_wrong_is_named() {
        let request = redrive(members(
            r#"{"kind":"batch","reason":"orphan","limit":1000,"perSecond":1,"dryRun":true,
                "createdFrom":"1970-01-01T00:00:01Z"}"#,
        ));
        let request = request.unwrap();
        assert!(request.dry_run && request.limit == 1_000 && request.per_second == 1);
        let filter = request.filter.unwrap();
        assert_eq!(filter.kinds, ["batch"]);
        assert_eq!(filter.reasons, [i32::from(pb::DeadLetterReason::Orphan)]);
        assert_eq!(filter.created_from.unwrap().seconds, 1);

        let wrong = r#"{"kind":1,"reason":"x","limit":1001,"perSecond":0,"dryRun":2,
                        "createdBefore":"soon","dryrun":true}"#;
        let refusal = redrive(members(wrong)).unwrap_err();
        let expected = [
            "createdBefore",
            "dryRun",
            "dryrun",
            "kind",
            "limit",
            "perSecond",
            "reason",
        ];
        assert_eq!(named(&refusal), expected);
        let wrong = r#"{"limit":10001,"perSecond":5,"all":1}"#;
        let refusal = purge(members(wrong)).unwrap_err();
        assert_eq!(named(&refusal), ["all", "limit", "perSecond"]);
    }
}
