//! What one fault came to.

use std::time::Duration;

use super::Mode;

/// A line of the table.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// What the installation ran over.
    pub mode: Mode,
    /// What was done to the installation.
    pub fault: String,
    /// Jobs that it took responsibility for.
    pub accepted: usize,
    /// Requests that it refused.
    pub refused: usize,
    /// Requests whose answer was cut off, and how many of those had made a job.
    pub unknown: (usize, usize),
    /// Accepted jobs that are gone although they were promised to stay.
    pub lost: usize,
    /// Accepted jobs that are gone and were accepted in a window that the promise leaves out; none without a window.
    pub lost_in_window: Option<usize>,
    /// Jobs whose handler ran to its end more than once.
    pub re_executed: usize,
    /// Jobs for which two different results were seen, without those first seen in such a window.
    pub two_results: usize,
    /// From the fault to the next start of each job that it interrupted; where it interrupted none, to the next end of
    /// any job. In microseconds.
    pub recovery_us: Vec<u64>,
    /// Jobs a second before and after.
    pub throughput: Option<[f64; 2]>,
    /// How long the row took.
    pub took: Duration,
    broken: Vec<String>,
    notes: Vec<String>,
    undone: bool,
}

impl Row {
    /// A row without figures.
    #[must_use]
    pub fn new(fault: &str) -> Self {
        Self {
            fault: fault.to_owned(),
            ..Self::default()
        }
    }

    /// A row whose fault could not be done to its end. It proves nothing, so it is broken.
    #[must_use]
    pub fn undone(fault: &str, error: &anyhow::Error) -> Self {
        let mut row = Self::new(fault);
        row.broken.push(format!("not done: {error:#}"));
        row.undone = true;
        row
    }

    /// Something that must hold.
    pub fn expect(&mut self, holds: bool, or_else: impl FnOnce() -> String) {
        if !holds {
            self.broken.push(or_else());
        }
    }

    /// Something that must come about; what it came to.
    pub fn expect_done<T>(&mut self, what: &str, outcome: anyhow::Result<T>) -> Option<T> {
        match outcome {
            Ok(done) => Some(done),
            Err(error) => {
                self.broken.push(format!("{what}: {error:#}"));
                None
            }
        }
    }

    /// Something that people should know.
    pub fn note(&mut self, what: String) {
        self.notes.push(what);
    }

    /// Whether every promise was kept.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.broken.is_empty()
    }

    /// Whether the fault was done to its end.
    #[must_use]
    pub fn is_done(&self) -> bool {
        !self.undone
    }

    /// Which promises were not kept.
    #[must_use]
    pub fn broken(&self) -> &[String] {
        &self.broken
    }

    /// What people should know.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_broken_promise_breaks_the_row() {
        let mut row = Row::new("a fault");
        row.expect(true, || "kept".to_owned());
        row.note("by the way".to_owned());
        assert!(row.is_clean() && row.is_done());
        row.expect(false, || "a job is gone".to_owned());
        assert_eq!(row.broken(), ["a job is gone"]);
        let refused = anyhow::anyhow!("refused").context("ask");
        assert_eq!(row.expect_done::<()>("a question", Err(refused)), None);
        assert_eq!(row.expect_done("another", Ok(7)), Some(7));
        assert_eq!(row.broken().get(1).unwrap(), "a question: ask: refused");
        assert!(!row.is_clean() && row.is_done());
    }

    #[test]
    fn what_was_not_done_is_not_clean() {
        let error = anyhow::anyhow!("no such program").context("start the gateway");
        let row = Row::undone("a fault", &error);
        assert!(!row.is_clean() && !row.is_done());
        assert_eq!(
            row.broken(),
            ["not done: start the gateway: no such program"]
        );
    }
}
