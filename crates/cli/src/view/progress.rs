//! Live progress: moving bars on a terminal, a line per change elsewhere. Both on standard error.

use std::io;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::state;
use crate::client::Seen;
use crate::terminal::{Terminal, plain};

/// Redraws of all bars per second.
const REDRAWS_PER_SECOND: u8 = 10;
/// A bar that nothing moves shows that the program lives this often.
const TICK: Duration = Duration::from_millis(120);
/// Longest name beside a bar, in characters.
const NAME_CHARS_MAX: usize = 32;

/// What a job's progress is called while nobody tells it.
const SILENCE: &str = "no answer";

/// What to say while a server gives no answer and is asked again.
pub(crate) fn silence(seconds: u64) -> String {
    format!("the server does not answer, trying again for about {seconds} s")
}

/// The progress of everything that a command does.
#[derive(Debug)]
pub(crate) enum Progress {
    /// Bars that move.
    Bars(MultiProgress),
    /// A line per change.
    Lines(Terminal),
    /// Nothing.
    Quiet,
}

impl Progress {
    /// What fits the terminal.
    pub(crate) fn new(terminal: Terminal, quiet: bool) -> Self {
        if quiet {
            Self::Quiet
        } else if terminal.bars {
            let target = ProgressDrawTarget::stderr_with_hz(REDRAWS_PER_SECOND);
            Self::Bars(MultiProgress::with_draw_target(target))
        } else {
            Self::Lines(terminal)
        }
    }

    /// Shows another job until the answer is dropped.
    pub(crate) fn job(&self, name: &str) -> JobProgress {
        let name = plain(name);
        let shown = match self {
            Self::Bars(bars) => Shown::Bar(bar(&name, bars)),
            Self::Lines(terminal) => Shown::Lines(*terminal),
            Self::Quiet => Shown::Nothing,
        };
        JobProgress {
            name,
            shown,
            said: String::new(),
            percent: 0.0,
        }
    }

    /// Writes while no bar is in the way.
    ///
    /// # Errors
    /// What `write` answers.
    pub(crate) fn pause<T>(&self, write: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match self {
            Self::Bars(bars) => bars.suspend(write),
            Self::Lines(_) | Self::Quiet => write(),
        }
    }
}

/// The progress of one job.
#[derive(Debug)]
pub(crate) struct JobProgress {
    name: String,
    shown: Shown,
    said: String,
    percent: f32,
}

#[derive(Debug)]
enum Shown {
    Bar(ProgressBar),
    Lines(Terminal),
    Nothing,
}

impl JobProgress {
    /// Shows what happens to the file before it is a job.
    pub(crate) fn note(&mut self, what: &str) {
        self.show(0.0, what, what);
    }

    /// Shows how many of all are done. Without a terminal each whole percent is news once.
    pub(crate) fn reach(&mut self, done: usize, all: usize, what: &str) {
        let percent = (done * 100).checked_div(all).unwrap_or(100);
        let percent = u16::try_from(percent).map_or(100.0, f32::from);
        let detail = format!("{done} of {all} {what}");
        self.show(percent, &format!("{percent:.0}"), &detail);
    }

    /// Shows what a watcher saw.
    pub(crate) fn see(&mut self, seen: &Seen<'_>) {
        let (state, percent, step, message) = match seen {
            Seen::Silence(seconds) => return self.show(self.percent, SILENCE, &silence(*seconds)),
            Seen::Event(event) => (
                event.state,
                event.percent,
                event.step.as_str(),
                event.message.as_str(),
            ),
            Seen::Snapshot(snapshot) => {
                let Some(job) = &snapshot.job else { return };
                let progress = job.progress.as_ref();
                (
                    job.state,
                    progress.map_or(0.0, |progress| progress.percent),
                    "",
                    "",
                )
            }
        };
        let state = state::state(state);
        let change = if step.is_empty() {
            state
        } else {
            format!("{state}: {}", words(step))
        };
        let detail = if message.is_empty() {
            change.clone()
        } else {
            format!("{change}: {}", plain(message))
        };
        self.show(percent, &change, &detail);
    }

    fn show(&mut self, percent: f32, change: &str, detail: &str) {
        self.percent = percent;
        match &self.shown {
            Shown::Bar(bar) => {
                bar.set_position(whole(percent));
                bar.set_message(detail.to_owned());
            }
            // Without a terminal only a new state or step is news.
            Shown::Lines(terminal) if self.said != change => {
                terminal.note(&format!("{}: {detail} ({percent:.0} %)", self.name));
                change.clone_into(&mut self.said);
            }
            Shown::Lines(_) | Shown::Nothing => {}
        }
    }
}

impl Drop for JobProgress {
    fn drop(&mut self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }
}

/// Added before anything else: until then a bar draws itself, and leaves lines that nobody takes away.
fn bar(name: &str, bars: &MultiProgress) -> ProgressBar {
    let bar = bars.add(ProgressBar::new(100));
    // A template that indicatif does not like leaves its default look.
    let style = ProgressStyle::with_template("{prefix:32!} {bar:24} {percent:>3} %  {wide_msg}");
    if let Ok(style) = style {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_prefix(shorten(name));
    bar.enable_steady_tick(TICK);
    bar
}

/// The end of a long path says more than its beginning.
fn shorten(name: &str) -> String {
    let surplus = name.chars().count().saturating_sub(NAME_CHARS_MAX);
    if surplus == 0 {
        return name.to_owned();
    }
    let end: String = name.chars().skip(surplus + 1).collect();
    format!("…{end}")
}

fn words(step: &str) -> String {
    plain(step).replace('_', " ")
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to what a bar shows"
)]
fn whole(percent: f32) -> u64 {
    percent.clamp(0.0, 100.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_keeps_its_end() {
        assert_eq!(
            shorten(&"n".repeat(NAME_CHARS_MAX)),
            "n".repeat(NAME_CHARS_MAX)
        );
        let long = format!("{}photo.jpg", "folder/".repeat(9));
        assert_eq!(shorten(&long).chars().count(), NAME_CHARS_MAX);
        assert!(shorten(&long).ends_with("folder/photo.jpg"));
    }

    #[test]
    fn a_percentage_fits_its_bar() {
        assert_eq!(
            [whole(-1.0), whole(42.9), whole(f32::NAN), whole(101.0)],
            [0, 42, 0, 100]
        );
    }
}
