//! What the client knows: which requests it made, what it was answered, which results it has seen.
//!
//! The server is believed in nothing that the ledger can tell.

use std::collections::BTreeMap;

use assay_api::v1::SubmitJobRequest;

use crate::client::Answer;

/// The client's own account of a run.
#[derive(Debug, Default)]
pub struct Ledger {
    requests: BTreeMap<String, Request>,
    results: BTreeMap<String, Vec<u8>>,
    contradictions: BTreeMap<String, (Vec<u8>, Vec<u8>)>,
}

#[derive(Debug)]
struct Request {
    message: SubmitJobRequest,
    answer: Answer,
}

impl Ledger {
    /// A request goes out: until it is answered, nobody knows.
    pub fn sent(&mut self, message: &SubmitJobRequest) {
        let request = Request {
            message: message.clone(),
            answer: Answer::Unknown,
        };
        self.requests.insert(message.request_id.clone(), request);
    }

    /// A request was answered. What was once accepted stays accepted, under one id.
    ///
    /// # Errors
    /// When the answer contradicts an earlier one, or belongs to no request.
    pub fn answered(&mut self, request_id: &str, answer: Answer) -> Result<(), String> {
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
                Ok(())
            }
        }
    }

    /// A job's result was read. The first one read is the result for ever.
    pub fn saw_result(&mut self, job_id: &str, result: Vec<u8>) {
        match self.results.get(job_id) {
            Some(first) if *first != result => {
                self.contradictions
                    .insert(job_id.to_owned(), (first.clone(), result));
            }
            Some(_) => {}
            None => drop(self.results.insert(job_id.to_owned(), result)),
        }
    }

    /// Jobs that the server took responsibility for.
    pub fn accepted(&self) -> impl Iterator<Item = &str> {
        self.requests
            .values()
            .filter_map(|request| match &request.answer {
                Answer::Accepted(job_id) => Some(job_id.as_str()),
                Answer::Refused(_) | Answer::Unknown => None,
            })
    }

    /// Requests of unknown outcome.
    pub fn unknown(&self) -> impl Iterator<Item = &SubmitJobRequest> {
        let unknown = self
            .requests
            .values()
            .filter(|request| request.answer == Answer::Unknown);
        unknown.map(|request| &request.message)
    }

    /// Requests that were refused.
    pub fn refused(&self) -> impl Iterator<Item = &SubmitJobRequest> {
        let refused = self
            .requests
            .values()
            .filter(|request| matches!(request.answer, Answer::Refused(_)));
        refused.map(|request| &request.message)
    }

    /// Jobs for which two different results were seen.
    #[must_use]
    pub fn with_two_results(&self) -> Vec<&str> {
        self.contradictions.keys().map(String::as_str).collect()
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
        ledger.answered("r", accepted("j")).unwrap();
        ledger.answered("r", Answer::Unknown).unwrap();
        assert_eq!(ledger.accepted().collect::<Vec<_>>(), ["j"]);
        assert!(ledger.answered("r", accepted("k")).is_err());
        assert!(ledger.answered("q", accepted("l")).is_err());
    }

    #[test]
    fn a_second_result_is_noticed() {
        let mut ledger = Ledger::default();
        ledger.saw_result("j", b"one".to_vec());
        ledger.saw_result("j", b"one".to_vec());
        assert!(ledger.with_two_results().is_empty());
        ledger.saw_result("j", b"two".to_vec());
        assert_eq!(ledger.with_two_results(), ["j"]);
    }
}
