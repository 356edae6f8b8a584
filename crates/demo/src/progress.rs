//! Live progress: moving bars on a terminal, a line per change elsewhere.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar that nothing moves shows that the program lives this often.
const TICK: Duration = Duration::from_millis(120);

/// The progress of all files.
pub(crate) enum Progress {
    Bars(MultiProgress),
    Lines,
}

impl Progress {
    /// What standard output can show.
    pub(crate) fn new() -> Self {
        if io::stdout().is_terminal() {
            Self::Bars(MultiProgress::with_draw_target(ProgressDrawTarget::stdout()))
        } else {
            Self::Lines
        }
    }

    /// Shows one more file until the answer is dropped.
    pub(crate) fn file(&self, name: &str) -> FileProgress {
        let bar = match self {
            Self::Bars(bars) => Some(bars.add(bar_of(name))),
            Self::Lines => None,
        };
        FileProgress {
            name: name.to_owned(),
            bar,
            said: String::new(),
        }
    }
}

/// The progress of one file.
pub(crate) struct FileProgress {
    name: String,
    bar: Option<ProgressBar>,
    said: String,
}

impl FileProgress {
    /// Shows how far it is, and with what.
    pub(crate) fn show(&mut self, percent: f32, what: &str) {
        match &self.bar {
            Some(bar) => {
                bar.set_position(whole(percent));
                bar.set_message(what.to_owned());
            }
            None => {
                if let Some(line) = self.line(percent, what) {
                    // Progress is for whoever listens; the verdicts come later and are not dropped.
                    drop(writeln!(io::stdout().lock(), "{line}"));
                }
            }
        }
    }

    /// Without a terminal only a change of state or step is news.
    fn line(&mut self, percent: f32, what: &str) -> Option<String> {
        if self.said == what {
            return None;
        }
        what.clone_into(&mut self.said);
        Some(format!("  {:<20} {percent:>3.0} %  {what}", self.name))
    }
}

impl Drop for FileProgress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar_of(name: &str) -> ProgressBar {
    let bar = ProgressBar::new(100);
    // A template that is refused leaves the default look.
    if let Ok(style) =
        ProgressStyle::with_template("  {prefix:20} {bar:24} {percent:>3} %  {wide_msg}")
    {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_prefix(name.to_owned());
    bar.enable_steady_tick(TICK);
    bar
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "clamped to what a bar shows"
)]
fn whole(percent: f32) -> u64 {
    percent.clamp(0.0, 100.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changes_are_lines() {
        let mut file = Progress::Lines.file("camera.jpg");
        assert_eq!(
            file.line(0.0, "queued").as_deref(),
            Some("  camera.jpg             0 %  queued")
        );
        assert_eq!(file.line(5.0, "queued"), None);
        assert!(
            file.line(50.0, "running: decode")
                .unwrap()
                .ends_with(" 50 %  running: decode")
        );
    }

    #[test]
    fn a_percentage_fits_its_bar() {
        assert_eq!([whole(-1.0), whole(42.9), whole(101.0)], [0, 42, 100]);
    }
}
