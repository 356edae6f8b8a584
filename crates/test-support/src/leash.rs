//! A child process that does not outlive its owner, however the owner ends.
//!
//! Dropping a [`Leash`] kills the child. When the owner itself is killed nothing of it runs any more, so a
//! watchdog stands beside each child: it waits for the end of a pipe whose other side only the owner holds.
//! Child and watchdog have process groups of their own, so that Ctrl-C reaches neither.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::Pid;
pub use rustix::process::Signal;

/// Between two looks at whether a child has ended.
const LOOK_PERIOD: Duration = Duration::from_millis(2);

/// Where `/proc/PID/stat` tells the number of threads: how many fields stand between it and the state.
const THREADS_FIELD: usize = 16;

/// A line on its input releases it; the end of the input means that the owner is gone. Then it kills process
/// `$1` and removes folder `$2`, in which a dying process may still make a file.
const WATCHDOG: &str = r#"
read -r released && exit 0
kill -KILL "$1"
for again in 1 2 3 4 5 6 7 8 9 10; do
    [ -z "$2" ] || rm -rf -- "$2" || { sleep 0.1; continue; }
    exit 0
done
"#;

/// A running child process. Killed when this is dropped, and when the owner dies.
#[derive(Debug)]
pub struct Leash {
    child: Child,
    watchdog: Child,
}

impl Leash {
    /// Starts a child. `folder` goes with it if the owner is killed.
    ///
    /// # Errors
    /// When the child or its watchdog can't be started.
    pub fn start(command: &mut Command, folder: Option<&Path>) -> anyhow::Result<Self> {
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .process_group(0)
            .spawn()
            .with_context(|| format!("start {program}"))?;
        match watch(child.id(), folder) {
            Ok(watchdog) => Ok(Self { child, watchdog }),
            Err(error) => {
                child.kill().context("kill a child without a watchdog")?;
                child
                    .wait()
                    .context("wait for a child without a watchdog")?;
                Err(error)
            }
        }
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        self.child.try_wait().context("look at a child process")
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// When the child has ended.
    pub fn signal(&mut self, signal: Signal) -> anyhow::Result<()> {
        // A child that was waited for has given its id back: somebody else may have it.
        if let Some(status) = self.ended()? {
            bail!("process {} has already ended with {status}", self.pid());
        }
        send(self.pid(), signal)
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// When it still runs after `patience`.
    pub async fn wait(&mut self, patience: Duration) -> anyhow::Result<ExitStatus> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            anyhow::ensure!(
                start.elapsed() < patience,
                "process {} still runs after {patience:?}",
                self.pid()
            );
            tokio::time::sleep(LOOK_PERIOD).await;
        }
    }

    fn stop(&mut self) -> std::io::Result<()> {
        self.child.kill()?;
        // The watchdog goes first: as long as it stands, the id that it knows must not be another's.
        if let Some(mut pipe) = self.watchdog.stdin.take() {
            // It may have ended before; then there is nobody to tell.
            drop(pipe.write_all(b"released\n"));
        }
        self.watchdog.wait()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        // The watchdog does what this can't: its pipe closes in any case.
        drop(self.stop());
    }
}

/// Sends a signal to a process by its id.
///
/// # Errors
/// When there is no such process, or it is another user's.
pub fn send(pid: u32, signal: Signal) -> anyhow::Result<()> {
    let raw = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let pid = raw.with_context(|| format!("{pid} is no process id"))?;
    rustix::process::kill_process(pid, signal)
        .with_context(|| format!("send {signal:?} to process {}", pid.as_raw_nonzero()))
}

/// Whether a process runs: there is one of this id, and it is more than the record of its end.
#[must_use]
pub fn runs(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| is_more_than_a_record(&stat))
}

/// What `/proc/PID/stat` says of it. The first thread of a process may have ended before the others have.
fn is_more_than_a_record(stat: &str) -> bool {
    let about = stat.rsplit(") ").next().unwrap_or_default();
    let mut fields = about.split(' ');
    let ended = matches!(fields.next(), None | Some("" | "Z" | "X"));
    let threads = fields.nth(THREADS_FIELD);
    !ended || threads.is_some_and(|threads| !matches!(threads, "0" | "1"))
}

fn watch(pid: u32, folder: Option<&Path>) -> anyhow::Result<Child> {
    Command::new("/bin/sh")
        .args(["-c", WATCHDOG, "watchdog", &pid.to_string()])
        .arg(folder.unwrap_or_else(|| Path::new("")))
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .context("start the watchdog of a child")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait::{WAIT_MAX, wait_until};

    fn sleeper() -> Command {
        let mut command = Command::new("sleep");
        command.arg("600").stdin(Stdio::null());
        command
    }

    #[tokio::test]
    async fn a_child_ends_when_it_is_let_go() {
        let leash = Leash::start(&mut sleeper(), None).unwrap();
        let pid = leash.pid();
        assert!(runs(pid));
        drop(leash);
        assert!(!runs(pid));
    }

    #[tokio::test]
    async fn the_end_of_the_owner_ends_the_child_and_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let mut leash = Leash::start(&mut sleeper(), Some(folder.path())).unwrap();
        // What the kernel does for a process that was killed: it closes what that held.
        drop(leash.watchdog.stdin.take());
        leash.wait(WAIT_MAX).await.unwrap();
        wait_until("the folder is gone", || async { !folder.path().exists() }).await;
    }

    #[tokio::test]
    async fn a_folder_stays_when_the_owner_lets_go() {
        let folder = tempfile::tempdir().unwrap();
        drop(Leash::start(&mut sleeper(), Some(folder.path())).unwrap());
        assert!(folder.path().exists());
    }

    #[tokio::test]
    async fn a_signal_reaches_the_child_once() {
        let mut leash = Leash::start(&mut sleeper(), None).unwrap();
        leash.signal(Signal::TERM).unwrap();
        assert_eq!(leash.wait(WAIT_MAX).await.unwrap().code(), None);
        let error = leash.signal(Signal::TERM).unwrap_err().to_string();
        assert!(error.contains("already ended"), "{error}");
    }

    #[test]
    fn a_process_runs_until_its_last_thread_has_ended() {
        let stat = |state: &str, threads: u32| {
            format!("7 (a) b) {state} 1 7 7 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 {threads} 0 99 0 0\n")
        };
        assert!(is_more_than_a_record(&stat("S", 1)));
        assert!(is_more_than_a_record(&stat("Z", 2)));
        assert!(!is_more_than_a_record(&stat("Z", 1)));
        assert!(!is_more_than_a_record(&stat("X", 0)));
        assert!(!is_more_than_a_record(""));
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let mut command = Command::new("/nowhere/program");
        let error = Leash::start(&mut command, None).unwrap_err().to_string();
        assert_eq!(error, "start /nowhere/program");
    }
}
