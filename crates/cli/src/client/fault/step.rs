//! What a person can do about a reason of the table in `jobs.proto`. Pure.

use std::collections::HashMap;

use crate::server::Server;
use crate::terminal::plain;

/// Where a refusal comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// Who refused.
    pub(super) server: &'a Server,
    /// The trace of the call; empty if it has none.
    pub(super) trace_id: &'a str,
}

/// The next step; `None` where the refusal itself says all there is to do, and for reasons that are not known here.
pub(super) fn next_step(
    reason: &str,
    metadata: &HashMap<String, String>,
    place: Place<'_>,
) -> Option<String> {
    let option = place.server.option();
    let about_itself = of_request(reason, &option).or_else(|| of_server(reason, &option));
    if let Some(step) = about_itself {
        return Some(step);
    }
    let job_id = metadata.get("job_id").map(|job_id| plain(job_id));
    let step = match (reason, job_id) {
        ("REQUEST_ID_REUSED", Some(job_id)) => {
            format!("look at it with `assay jobs get{option} {job_id}`")
        }
        ("REQUEST_ID_REUSED", None) => "choose another --request-id".to_owned(),
        ("OUTCOME_UNKNOWN", Some(job_id)) => {
            format!("see with `assay jobs get{option} {job_id}` whether it exists")
        }
        ("OUTCOME_UNKNOWN", None) if metadata.contains_key("kind") => {
            format!("see with `assay queues list{option}` whether it is paused")
        }
        ("OUTCOME_UNKNOWN", None) => {
            format!("see with `assay jobs list{option}` whether it exists")
        }
        ("INTERNAL", _) if !place.trace_id.is_empty() => {
            format!("look there for trace {}", place.trace_id)
        }
        ("INTERNAL", _) => "look there for this time of day".to_owned(),
        _ => return None,
    };
    Some(step)
}

/// About what was asked for.
fn of_request(reason: &str, option: &str) -> Option<String> {
    let step = match reason {
        "UPLOAD_OUT_OF_ORDER" => {
            format!("see with `assay doctor{option}` whether server and program are of one version")
        }
        "UPLOAD_STALLED" => "repeat the command".to_owned(),
        "CONTENT_MISMATCH" => "repeat the command when nobody writes to the file".to_owned(),
        "CONTENT_TOO_LARGE" => {
            "send a smaller file, or raise gateway.content_bytes_max of the server".to_owned()
        }
        "MESSAGE_TOO_LARGE" => "or raise that setting of the server".to_owned(),
        "JOB_NOT_FOUND" => format!("list the jobs with `assay jobs list{option}`"),
        "CONTENT_NOT_FOUND" => format!("`assay content upload{option} FILE` does that"),
        "KIND_NOT_SERVED" => format!("see with `assay queues list{option}` which it takes"),
        "JOB_NOT_FINISHED" => "follow it with `assay watch`".to_owned(),
        "JOB_WITHOUT_RESULT" | "JOB_NOT_RETRYABLE" => "`assay jobs get` shows it".to_owned(),
        "RESULT_TOO_LARGE" => {
            "`assay jobs get --output json` names the content that holds it".to_owned()
        }
        "TOKEN_MISSING" => {
            "name a file that holds one with --token-file, or put it into ASSAY_TOKEN".to_owned()
        }
        "TOKEN_UNKNOWN" | "TOKEN_EXPIRED" => {
            "`assay token new` makes one, and the line for the server's file of tokens".to_owned()
        }
        "SCOPE_MISSING" => {
            "`assay token new --scope` makes one, and the line for the server's file of tokens"
                .to_owned()
        }
        "DEAD_LETTER_NOT_FOUND" => {
            format!("list those that there are with `assay dead-letters list{option}`")
        }
        "DEAD_LETTER_CHANGED" => {
            format!("see with `assay dead-letters show{option}` how it is now, and edit that")
        }
        _ => return None,
    };
    Some(step)
}

/// About how the server is.
fn of_server(reason: &str, option: &str) -> Option<String> {
    let step = match reason {
        "QUEUE_FULL" => format!("see with `assay queues list{option}` how much waits"),
        "SERVER_BUSY" => "submit fewer at once".to_owned(),
        "RATE_LIMITED" => "make fewer at once, or raise that setting of the server".to_owned(),
        "WATCHER_TOO_SLOW" => {
            "have something read what it prints, and repeat the command".to_owned()
        }
        "WATCHERS_FULL" => "try again later, or raise that setting of the server".to_owned(),
        "STORE_UNAVAILABLE" | "QUEUE_UNAVAILABLE" => {
            format!("see with `assay doctor{option}` how the server is, then try again")
        }
        "SHUTTING_DOWN" => "name another with --server, or try again when it is back".to_owned(),
        "STORE_FULL" => "make room on the server's disk, then try again".to_owned(),
        _ => return None,
    };
    Some(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The contract, with the table of all reasons on top.
    const CONTRACT: &str = include_str!("../../../../../proto/assay/v1/jobs.proto");

    /// Reasons whose refusals say field by field how to mend them.
    const SAY_IT_THEMSELVES: [&str; 1] = ["INVALID_FIELD"];

    fn step(reason: &str, metadata: &[(&str, &str)], server: &str) -> Option<String> {
        let owned = |(key, value): &(&str, &str)| (key.to_string(), value.to_string());
        let metadata = metadata.iter().map(owned).collect();
        let server = server.parse().unwrap();
        let place = Place {
            server: &server,
            trace_id: "0af7",
        };
        next_step(reason, &metadata, place)
    }

    /// The reasons of the table: lines of a comment with a name in capitals and a code in capitals.
    fn reasons() -> Vec<&'static str> {
        let is_name = |word: &&str| {
            word.len() > 3
                && word
                    .bytes()
                    .all(|byte| byte == b'_' || byte.is_ascii_uppercase())
        };
        let row = |line: &'static str| {
            let mut words = line.strip_prefix("//   ")?.split_whitespace();
            let reason = words.next().filter(is_name)?;
            words.next().filter(is_name).map(|_| reason)
        };
        CONTRACT.lines().filter_map(row).collect()
    }

    #[test]
    fn every_reason_of_the_contract_has_a_next_step() {
        let reasons = reasons();
        assert!(reasons.len() >= 23, "{reasons:?}");
        for reason in reasons {
            let step = step(reason, &[], "127.0.0.1:7400");
            let says_it_itself = SAY_IT_THEMSELVES.contains(&reason);
            assert_eq!(step.is_none(), says_it_itself, "{reason}: {step:?}");
        }
        assert_eq!(step("OF_A_LATER_VERSION", &[], "127.0.0.1:7400"), None);
    }

    #[test]
    fn a_step_is_about_what_the_refusal_is_about() {
        let at = "127.0.0.1:7400";
        let reused = step("REQUEST_ID_REUSED", &[("job_id", "j-1")], at).unwrap();
        assert_eq!(reused, "look at it with `assay jobs get j-1`");
        let lost = step("OUTCOME_UNKNOWN", &[("job_id", "j-\u{1b}")], at).unwrap();
        assert!(lost.contains("jobs get j-\\u{1b}`"), "{lost}");
        let paused = step("OUTCOME_UNKNOWN", &[("kind", "batch")], at).unwrap();
        assert!(paused.contains("whether it is paused"), "{paused}");
        let fault = step("INTERNAL", &[], at).unwrap();
        assert_eq!(fault, "look there for trace 0af7");
    }

    #[test]
    fn a_step_names_the_server_that_is_meant() {
        let step = step("JOB_NOT_FOUND", &[], "127.0.0.1:1").unwrap();
        let wanted = "list the jobs with `assay jobs list --server http://127.0.0.1:1`";
        assert_eq!(step, wanted);
    }
}
