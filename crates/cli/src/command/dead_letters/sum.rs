//! What going through many dead letters came to: one call does so many, and says whether there are more. Pure.

use std::collections::BTreeMap;

use assay_api::v1;
use serde_json::{Value, json};

use crate::exit;
use crate::terminal::plain;

/// What is done to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// They are put back.
    Redrive,
    /// They are forgotten.
    Purge,
}

/// What one call came to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    matched: u32,
    done: u32,
    refused: Vec<v1::DeadLetterRefusal>,
    more: bool,
    stopped: String,
}

impl From<v1::RedriveDeadLettersResponse> for Answer {
    fn from(answer: v1::RedriveDeadLettersResponse) -> Self {
        Self {
            matched: answer.matched,
            done: answer.redriven,
            refused: answer.refused,
            more: answer.more,
            stopped: answer.stopped,
        }
    }
}

impl From<v1::PurgeDeadLettersResponse> for Answer {
    fn from(answer: v1::PurgeDeadLettersResponse) -> Self {
        Self {
            matched: answer.matched,
            done: answer.purged,
            refused: answer.refused,
            more: answer.more,
            stopped: answer.stopped,
        }
    }
}

impl Answer {
    /// One was meant, and it was done.
    pub(crate) fn one() -> Self {
        Self {
            matched: 1,
            done: 1,
            ..Self::default()
        }
    }

    /// One was meant, and it was left as it is.
    pub(crate) fn left(job_id: &str, reason: &str) -> Self {
        Self {
            matched: 1,
            refused: vec![v1::DeadLetterRefusal {
                job_id: job_id.to_owned(),
                reason: reason.to_owned(),
            }],
            ..Self::default()
        }
    }
}

/// What they came to together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sum {
    deed: Deed,
    dry_run: bool,
    counted: u32,
    done: u32,
    /// Job and reason. One that is refused matches the next call again.
    refused: BTreeMap<String, String>,
    more: bool,
    stopped: String,
}

impl Sum {
    /// Nothing done yet.
    pub(crate) fn of(deed: Deed, dry_run: bool) -> Self {
        Self {
            deed,
            dry_run,
            counted: 0,
            done: 0,
            refused: BTreeMap::new(),
            more: false,
            stopped: String::new(),
        }
    }

    /// Adds what a call came to. Whether it makes sense to call again: where nothing was done, nothing will be.
    pub(crate) fn add(&mut self, answer: Answer) -> bool {
        let goes_on = answer.more && answer.done > 0 && answer.stopped.is_empty();
        self.counted = answer.matched;
        self.done = self.done.saturating_add(answer.done);
        let refused = answer.refused.into_iter();
        self.refused
            .extend(refused.map(|refusal| (refusal.job_id, refusal.reason)));
        self.more = answer.more;
        self.stopped = answer.stopped;
        goes_on
    }

    /// How many matched: those of the one call that only counted, or those that something became of.
    pub(crate) fn matched(&self) -> u32 {
        let refused = u32::try_from(self.refused.len()).unwrap_or(u32::MAX);
        if self.dry_run {
            self.counted
        } else {
            self.done.saturating_add(refused)
        }
    }

    /// A later call failed: what was done before is told all the same.
    pub(crate) fn stop(&mut self, reason: &str) {
        reason.clone_into(&mut self.stopped);
        self.more = true;
    }

    /// Whether there are more than were counted.
    pub(crate) fn has_more(&self) -> bool {
        self.more
    }

    /// How many something was done to.
    pub(crate) fn done(&self) -> u32 {
        self.done
    }

    /// How many matched, in words.
    pub(crate) fn words(&self) -> String {
        let more = if self.more { " or more" } else { "" };
        match self.matched() {
            1 if !self.more => "1 dead letter".to_owned(),
            matched => format!("{matched}{more} dead letters"),
        }
    }

    /// The exit code that it stands for.
    pub(crate) fn code(&self) -> u8 {
        if self.refused.is_empty() && self.stopped.is_empty() {
            exit::OK
        } else {
            exit::TROUBLE
        }
    }

    /// For people.
    pub(crate) fn lines(&self) -> Vec<String> {
        let (done, would) = match self.deed {
            Deed::Redrive => ("put back", "would be put back"),
            Deed::Purge => ("forgotten", "would be forgotten"),
        };
        let count = match (self.dry_run, self.done) {
            (true, _) => format!("{} {would}", self.words()),
            (false, 1) => format!("1 dead letter {done}"),
            (false, count) => format!("{count} dead letters {done}"),
        };
        let mut lines = vec![count];
        let refused = self.refused.iter();
        lines.extend(refused.map(|(job, why)| format!("left {}: {}", plain(job), plain(why))));
        if !self.stopped.is_empty() {
            lines.push(format!("stopped: {}", plain(&self.stopped)));
        }
        if self.more && !self.dry_run {
            lines.push(self.rest().to_owned());
        }
        lines
    }

    /// What to do about those that are left.
    fn rest(&self) -> &'static str {
        if self.refused.is_empty() {
            "there are more; repeat the command, or raise --max"
        } else {
            "there are more; those that were left may be in their way: leave them out with --since and --until"
        }
    }

    /// For programs: the names of the API over HTTP.
    pub(crate) fn json(&self) -> Value {
        let done = match self.deed {
            Deed::Redrive => "redriven",
            Deed::Purge => "purged",
        };
        let refused = self.refused.iter();
        let refused: Vec<_> = refused
            .map(|(job, reason)| json!({ "jobId": job, "reason": reason }))
            .collect();
        let mut told = json!({
            "dryRun": self.dry_run,
            "matched": self.matched(),
            done: self.done,
            "refused": refused,
            "more": self.more,
        });
        if !self.stopped.is_empty() {
            told["stopped"] = self.stopped.as_str().into();
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(matched: u32, done: u32, refused: &[&str], more: bool) -> Answer {
        let refused = refused.iter().map(|job_id| v1::DeadLetterRefusal {
            job_id: job_id.to_string(),
            reason: "JOB_NOT_RETRYABLE".to_owned(),
        });
        Answer {
            matched,
            done,
            refused: refused.collect(),
            more,
            stopped: String::new(),
        }
    }

    #[test]
    fn one_that_is_refused_twice_is_told_once() {
        let mut sum = Sum::of(Deed::Redrive, false);
        assert!(sum.add(answer(100, 99, &["j-1"], true)));
        assert!(!sum.add(answer(3, 2, &["j-1"], false)));
        assert_eq!(
            (sum.matched(), sum.done(), sum.code()),
            (102, 101, exit::TROUBLE)
        );
        let lines = sum.lines();
        assert_eq!(
            lines,
            ["101 dead letters put back", "left j-1: JOB_NOT_RETRYABLE"]
        );
        let json = sum.json();
        assert_eq!(
            (&json["redriven"], &json["more"]),
            (&101.into(), &false.into())
        );
        assert_eq!(json["refused"][0]["jobId"], "j-1");
    }

    #[test]
    fn it_ends_where_nothing_more_is_done() {
        let mut sum = Sum::of(Deed::Purge, false);
        assert!(!sum.add(answer(2, 0, &["j-1", "j-2"], true)));
        assert!(sum.lines().last().unwrap().contains("in their way"));
        let mut sum = Sum::of(Deed::Purge, false);
        let stopped = Answer {
            stopped: "STORE_UNAVAILABLE".to_owned(),
            ..answer(2, 2, &[], true)
        };
        assert!(!sum.add(stopped));
        assert_eq!(sum.code(), exit::TROUBLE);
        let lines = sum.lines();
        assert_eq!(lines[0], "2 dead letters forgotten");
        assert_eq!(lines[1], "stopped: STORE_UNAVAILABLE");
        assert!(lines[2].contains("repeat the command"), "{lines:?}");
    }

    #[test]
    fn a_dry_run_says_what_would_be_done() {
        let mut sum = Sum::of(Deed::Redrive, true);
        assert!(!sum.add(answer(1, 0, &[], false)));
        assert_eq!(sum.lines(), ["1 dead letter would be put back"]);
        assert_eq!((sum.matched(), sum.code()), (1, exit::OK));
        sum.add(answer(1_000, 0, &[], true));
        assert_eq!(sum.lines(), ["1000 or more dead letters would be put back"]);
        assert!(sum.json()["stopped"].is_null());
    }
}
