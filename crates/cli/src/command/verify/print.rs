//! How files are told: in lines for people, or as JSON.

use std::io;

use assay_gateway::json;
use serde_json::Value;

use super::file::{Ended, File};
use super::report::Target;
use crate::exit::Tally;
use crate::output::{Format, Listing};
use crate::terminal::{Terminal, Tone, plain};
use crate::view::progress::Progress;
use crate::view::{job, state};

/// Prints files as they end, and counts.
#[derive(Debug)]
pub(crate) struct Printer {
    terminal: Terminal,
    format: Format,
    documents: Listing<Value>,
    tally: Tally,
    files: usize,
    /// Pages that were asked for and could not be written.
    reports_missed: usize,
}

impl Printer {
    /// Nothing printed yet.
    pub(crate) fn new(terminal: Terminal, format: Format) -> Self {
        Self {
            terminal,
            format,
            documents: Listing::new(format, terminal, "files", Value::clone),
            tally: Tally::default(),
            files: 0,
            reports_missed: 0,
        }
    }

    /// Where it prints to.
    pub(crate) fn terminal(&self) -> Terminal {
        self.terminal
    }

    /// Prints one file.
    ///
    /// # Errors
    /// When standard output is closed or full.
    pub(crate) fn print(&mut self, file: &File, progress: &Progress) -> io::Result<()> {
        self.count(file);
        let terminal = self.terminal;
        let trouble = match &file.ended {
            Ended::Trouble { sentence, .. } => Some(sentence),
            Ended::Verified { .. } | Ended::Failed(_) => None,
        };
        let documents = &mut self.documents;
        progress.pause(|| {
            match (self.format, trouble) {
                (Format::Json | Format::Jsonl, _) => documents.add(vec![document(file)])?,
                (Format::Table, Some(sentence)) => {
                    terminal.note(&format!("assay: {}: {sentence}", name(file)));
                }
                (Format::Table, None) => terminal.say(&lines(file, terminal).join("\n"))?,
            }
            Ok(())
        })
    }

    /// Prints what has waited for the last file: the one document, if there is to be one.
    ///
    /// # Errors
    /// When standard output is closed or full.
    pub(crate) fn close(&self) -> io::Result<()> {
        match self.format {
            Format::Table | Format::Jsonl => Ok(()),
            Format::Json => self.documents.finish(|_| Vec::new(), "", false),
        }
    }

    /// Says what became of the page about a file.
    pub(crate) fn report(&mut self, target: &Target, written: anyhow::Result<()>) {
        match written {
            Ok(()) if self.format != Format::Table => {}
            Ok(()) => self.terminal.note(&format!("report: {}", target.shown())),
            Err(error) => {
                self.reports_missed += 1;
                self.terminal.note(&format!("assay: {error:#}"));
            }
        }
    }

    /// Says how many files came to what, and answers the count.
    pub(crate) fn finish(mut self) -> Tally {
        let Tally {
            suspicious,
            failed,
            trouble,
        } = self.tally;
        if self.format == Format::Table {
            let verified = self.files - failed - trouble;
            let mut text = format!("{verified} verified, {suspicious} of them suspicious");
            for (count, words) in [(failed, "without a result"), (trouble, "not tried")] {
                if count > 0 {
                    text.push_str(&format!(", {count} {words}"));
                }
            }
            self.terminal.note(&text);
        }
        self.tally.trouble += self.reports_missed;
        self.tally
    }

    /// Counts files that are not tried any more.
    pub(crate) fn skip(&mut self, files: usize) {
        self.files += files;
        self.tally.trouble += files;
    }

    /// The count when nobody reads on: what was not told is no all-clear.
    pub(crate) fn abandon(mut self) -> Tally {
        self.tally.trouble += 1;
        self.tally
    }

    fn count(&mut self, file: &File) {
        self.files += 1;
        match &file.ended {
            Ended::Verified { report, .. } if report.is_suspicious() => self.tally.suspicious += 1,
            Ended::Verified { .. } => {}
            Ended::Failed(_) => self.tally.failed += 1,
            Ended::Trouble { .. } => self.tally.trouble += 1,
        }
    }
}

fn name(file: &File) -> String {
    plain(&file.path.display().to_string())
}

fn lines(file: &File, terminal: Terminal) -> Vec<String> {
    let name = file.path.display().to_string();
    match &file.ended {
        Ended::Verified { report, .. } => report.lines(&name, terminal),
        Ended::Failed(failed) => {
            let state = state::state(failed.state).replace('_', " ");
            let state = terminal.paint(state::tone(failed.state), &state);
            let name = terminal.paint(Tone::Strong, &plain(&name));
            let why = failed.failure.as_ref().map(job::failure_line);
            let mut lines = vec![format!(
                "{name}: no verdict, job {} {state}",
                plain(&failed.id)
            )];
            lines.extend(why.map(|why| format!("  {why}")));
            lines
        }
        Ended::Trouble { sentence, .. } => vec![format!("{}: {sentence}", plain(&name))],
    }
}

/// A file as JSON. `outcome` says which other members there are.
fn document(file: &File) -> Value {
    let path = file.path.display().to_string();
    match &file.ended {
        Ended::Verified { job_id, result, .. } => {
            serde_json::json!({ "path": path, "outcome": "verified", "jobId": job_id, "result": result })
        }
        Ended::Failed(failed) => serde_json::json!({
            "path": path, "outcome": "failed", "jobId": failed.id, "state": state::state(failed.state),
            "failure": failed.failure.as_ref().map(json::failure),
        }),
        Ended::Trouble { sentence, .. } => {
            serde_json::json!({ "path": path, "outcome": "error", "error": sentence })
        }
    }
}

#[cfg(test)]
mod tests {
    use assay_api::v1;
    use serde_json::json;

    use super::*;
    use crate::view::report::Report;

    fn verified(label: &str) -> File {
        let result = json!({ "verdict": { "label": label, "headline": "So it is." } });
        let report = Box::new(Report::read(result.to_string().as_bytes()).unwrap());
        let ended = Ended::Verified {
            job_id: "j-1".to_owned(),
            result,
            report,
        };
        File {
            path: "a.png".into(),
            ended,
        }
    }

    fn failed() -> File {
        let job = v1::Job {
            id: "j-2".to_owned(),
            state: v1::JobState::DeadLettered.into(),
            failure: Some(v1::JobFailure {
                message: "it hung".to_owned(),
                ..v1::JobFailure::default()
            }),
            ..v1::Job::default()
        };
        File {
            path: "b.png".into(),
            ended: Ended::Failed(Box::new(job)),
        }
    }

    #[test]
    fn a_document_says_what_became_of_its_file() {
        let document = |file: &File| document(file);
        assert_eq!(
            document(&verified("synthetic"))["result"]["verdict"]["label"],
            "synthetic"
        );
        assert_eq!(document(&failed())["state"], "dead_lettered");
        assert_eq!(document(&failed())["failure"]["message"], "it hung");
    }

    #[test]
    fn lines_name_the_job_that_has_no_result() {
        let terminal = Terminal {
            colours: false,
            bars: false,
        };
        let said = lines(&failed(), terminal).join("\n");
        assert!(
            said.starts_with("b.png: no verdict, job j-2 dead lettered\n  it hung"),
            "{said}"
        );
    }

    #[test]
    fn every_file_is_counted_once() {
        let mut printer = Printer::new(
            Terminal {
                colours: false,
                bars: false,
            },
            Format::Jsonl,
        );
        for file in [verified("synthetic"), verified("inconclusive"), failed()] {
            printer.count(&file);
        }
        let wanted = Tally {
            suspicious: 1,
            failed: 1,
            trouble: 0,
        };
        assert_eq!((printer.tally, printer.files), (wanted, 3));
    }
}
