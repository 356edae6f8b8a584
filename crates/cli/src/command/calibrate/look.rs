//! Looks at all files and counts.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use assay_forensics::calibration::{Class, Tally};
use assay_verification_worker::Failure;
use assay_verification_worker::examine::{Examined, Examiner, Sample};
use futures::{StreamExt as _, stream};

use super::folder::{Labelled, Seen};
use crate::terminal::{Terminal, plain};
use crate::view::progress::{JobProgress, Progress};

/// What the bar is called.
const BAR: &str = "calibrate";

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Looked {
    pub(super) tally: Tally,
    /// Files that could not be looked at.
    pub(super) skipped: usize,
    /// Files with the same bytes as another.
    pub(super) repeated: usize,
    /// Stages that were given up.
    pub(super) given_up: usize,
}

/// A file to be looked at.
#[derive(Debug)]
struct Subject {
    class: Class,
    path: PathBuf,
    sha256: String,
}

/// Says what is skipped, beside the bar.
struct Notes<'a> {
    progress: &'a Progress,
    terminal: Terminal,
}

/// Looks at all of them. Dropping the future ends the children that are at work.
///
/// # Errors
/// A file with two labels, or a machine on which nothing can be looked at.
pub(super) async fn look(
    files: Labelled,
    examiner: &Examiner,
    progress: &Progress,
    terminal: Terminal,
) -> anyhow::Result<Looked> {
    let notes = Notes { progress, terminal };
    let mut looked = Looked::default();
    for unreadable in &files.unreadable {
        notes.skipped(&unreadable.path, &unreadable.why);
        looked.skipped += 1;
    }
    let mut bar = progress.job(BAR);
    let subjects = hash(files.files, &mut looked, &notes, &mut bar).await?;
    let (mut done, all) = (0, subjects.len());
    let examined = stream::iter(subjects).map(|subject| async {
        let examined = examine(examiner, &subject).await;
        (subject, examined)
    });
    let mut examined = std::pin::pin!(examined.buffered(examiner.at_once_max()));
    while let Some((subject, examined)) = examined.next().await {
        count(&subject, examined?, &mut looked, &notes);
        done += 1;
        bar.reach(done, all, "looked at");
    }
    Ok(looked)
}

/// Hashes all files before the first is looked at: a wrong label is known at once.
async fn hash(
    files: Vec<(Class, PathBuf)>,
    looked: &mut Looked,
    notes: &Notes<'_>,
    bar: &mut JobProgress,
) -> anyhow::Result<Vec<Subject>> {
    let mut seen = Seen::default();
    let mut subjects = Vec::new();
    bar.note("reads all files");
    for (class, path) in files {
        let sample = match open(&path).await {
            Ok(sample) => sample,
            Err(why) => {
                notes.skipped(&path, &why);
                looked.skipped += 1;
                continue;
            }
        };
        let sha256 = sample.sha256();
        if let Some(same) = seen.add(&sha256, class, &path)? {
            notes.skipped(&path, &format!("it is the same as {}", same.display()));
            looked.repeated += 1;
            continue;
        }
        subjects.push(Subject {
            class,
            path,
            sha256,
        });
    }
    Ok(subjects)
}

async fn open(path: &Path) -> Result<Sample, String> {
    let path = path.to_owned();
    let opened = tokio::task::spawn_blocking(move || Sample::open(&path)).await;
    let opened = opened.map_err(|error| error.to_string())?;
    opened.map_err(|error| error.to_string())
}

/// What is in a file, or why it cannot be told.
///
/// # Errors
/// When no file could be looked at.
async fn examine(
    examiner: &Examiner,
    subject: &Subject,
) -> anyhow::Result<Result<Examined, String>> {
    let sample = match open(&subject.path).await {
        Ok(sample) => sample,
        Err(why) => return Ok(Err(why)),
    };
    if sample.sha256() != subject.sha256 {
        return Ok(Err("it was changed meanwhile".to_owned()));
    }
    match examiner.examine(&sample).await {
        Ok(examined) => Ok(Ok(examined)),
        Err(failure) if matches!(failure, Failure::Analyst(_)) => {
            Err(failure).with_context(|| format!("look at {}", subject.path.display()))
        }
        Err(failure) => Ok(Err(failure.to_string())),
    }
}

fn count(
    subject: &Subject,
    examined: Result<Examined, String>,
    looked: &mut Looked,
    notes: &Notes<'_>,
) {
    let examined = match examined {
        Ok(examined) => examined,
        Err(why) => {
            notes.skipped(&subject.path, &why);
            looked.skipped += 1;
            return;
        }
    };
    for (stage, reason) in &examined.given_up {
        let why = format!("stage {stage} was given up: {}", reason.as_str());
        notes.say(&subject.path, &why);
        looked.given_up += 1;
    }
    looked
        .tally
        .add(subject.class, &subject.sha256, &examined.evidence);
}

impl Notes<'_> {
    fn skipped(&self, path: &Path, why: &str) {
        self.say(path, &format!("skipped, {why}"));
    }

    fn say(&self, path: &Path, what: &str) {
        let line = format!("assay: {}: {}", path.display(), plain(what));
        // Nobody may be listening; the work goes on.
        drop(self.progress.pause(|| {
            self.terminal.note(&line);
            Ok(())
        }));
    }
}
