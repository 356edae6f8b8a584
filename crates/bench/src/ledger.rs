//! What the client knows: which requests it made, what it was answered, which results it has seen.
//!
//! The server is believed in nothing that the ledger can tell.

use std::collections::BTreeMap;

use assay_api::v1::SubmitJobRequest;

use crate::client::Answer;

/// The client's own account of a run. Times are in microseconds since the epoch.
#[derive(Debug, Default)]
pub struct Ledger {
    requests: BTreeMap<String, Request>,
    results: BTreeMap<String, Seen>,
    contradictions: BTreeMap<String, u64>,
}

#[derive(Debug)]
struct Request {
    message: SubmitJobRequest,
    answer: Answer,
    answered_at_us: u64,
}

/// The first result that was read of a job.
#[derive(Debug)]
struct Seen {
    result: Vec<u8>,
    at_us: u64,
}

impl Ledger {
    /// A request goes out: until it is answered, nobody knows.
    pub fn sent(&mut self, message: &SubmitJobRequest) {
        let request = Request {
            message: message.clone(),
            answer: Answer::Unknown,
            answered_at_us: 0,
        };
        self.requests.insert(message.request_id.clone(), request);
    }

    /// A request was answered. What was once accepted stays accepted, under one id.
    ///
    /// # Errors
    /// When the answer contradicts an earlier one, or belongs to no request.
    pub fn answered(&mut self, request_id: &str, answer: Answer, at_us: u64) -> Result<(), String> {
        let Some(request) = self.requests.get_mut(request_id) else {
            return Err(format!(
                "an answer to request {request_id}, which was never made"
            ));
        };
        match (&request.answer, &answer) {
            (Answer::Accepted(first), Answer::Accepted(second)) if first != second => Err(format!(
                "request {request_id} is job {first} and job {second}"
            )),
            (Answer::Accepted(_), _) => Ok(()),
            (Answer::Refused(_) | Answer::Unknown, _) => {
                request.answer = answer;
                request.answered_at_us = at_us;
                Ok(())
            }
        }
    }

    /// A job's result was read. The first one read is the result for ever.
    pub fn saw_result(&mut self, job_id: &str, result: Vec<u8>, at_us: u64) {
        match self.results.get(job_id) {
            Some(first) if first.result != result => {
                self.contradictions.insert(job_id.to_owned(), first.at_us);
            }
            Some(_) => {}
            None => drop(
                self.results
                    .insert(job_id.to_owned(), Seen { result, at_us }),
            ),
        }
    }

    /// Jobs that the server took responsibility for.
    pub fn accepted(&self) -> impl Iterator<Item = &str> {
        self.accepted_at().map(|(job_id, _)| job_id)
    }

    /// Jobs that the server took responsibility for, and when it said so.
    pub fn accepted_at(&self) -> impl Iterator<Item = (&str, u64)> {
        self.requests
            .values()
            .filter_map(|request| match &request.answer {
                Answer::Accepted(job_id) => Some((job_id.as_str(), request.answered_at_us)),
                Answer::Refused(_) | Answer::Unknown => None,
            })
    }

    /// The job that a request became, if the server said so.
    #[must_use]
    pub fn job_of(&self, request_id: &str) -> Option<&str> {
        match &self.requests.get(request_id)?.answer {
            Answer::Accepted(job_id) => Some(job_id),
            Answer::Refused(_) | Answer::Unknown => None,
        }
    }

    /// Requests of unknown outcome.
    pub fn unknown(&self) -> impl Iterator<Item = &SubmitJobRequest> {
        let unknown = self
            .requests
            .values()
            .filter(|request| request.answer == Answer::Unknown);
        unknown.map(|request| &request.message)
    }

    /// Requests that were refused, and why.
    pub fn refused(&self) -> impl Iterator<Item = &str> {
        self.requests
            .values()
            .filter_map(|request| match &request.answer {
                Answer::Refused(why) => Some(why.as_str()),
                Answer::Accepted(_) | Answer::Unknown => None,
            })
    }

    /// Jobs for which two different results were seen, and when the first was.
    pub fn contradictions(&self) -> impl Iterator<Item = (&str, u64)> {
        let contradictions = self.contradictions.iter();
        contradictions.map(|(job_id, at_us)| (job_id.as_str(), *at_us))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(id: &str) -> Answer {
        Answer::Accepted(id.to_owned())
    }

    #[test]
    fn an_accepted_request_stays_accepted_under_one_id() {
        let mut ledger = Ledger::default();
        let request = SubmitJobRequest {
            request_id: "r".to_owned(),
            ..SubmitJobRequest::default()
        };
        ledger.sent(&request);
        assert_eq!(ledger.unknown().collect::<Vec<_>>(), [&request]);
        assert_eq!(ledger.job_of("r"), None);
        ledger.answered("r", accepted("j"), 7).unwrap();
        ledger.answered("r", Answer::Unknown, 8).unwrap();
        assert_eq!(ledger.accepted_at().collect::<Vec<_>>(), [("j", 7)]);
        assert_eq!(ledger.job_of("r"), Some("j"));
        assert!(ledger.answered("r", accepted("k"), 9).is_err());
        assert!(ledger.answered("q", accepted("l"), 9).is_err());
    }

    #[test]
    fn what_was_refused_is_told_with_its_reason() {
        let mut ledger = Ledger::default();
        ledger.sent(&SubmitJobRequest::default());
        let refused = Answer::Refused("full".to_owned());
        ledger.answered("", refused, 7).unwrap();
        assert_eq!(ledger.refused().collect::<Vec<_>>(), ["full"]);
        assert_eq!(
            (ledger.accepted().count(), ledger.unknown().count()),
            (0, 0)
        );
    }

    #[test]
    fn a_second_result_is_noticed() {
        let mut ledger = Ledger::default();
        ledger.saw_result("j", b"one".to_vec(), 1);
        ledger.saw_result("j", b"one".to_vec(), 2);
        assert_eq!(ledger.contradictions().count(), 0);
        ledger.saw_result("j", b"two".to_vec(), 3);
        assert_eq!(ledger.contradictions().collect::<Vec<_>>(), [("j", 1)]);
    }
}
