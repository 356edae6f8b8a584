//! One child process, from its start to its end. However the talk ends, no process is left.

use std::io;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout};
use tokio::time::{Instant, timeout_at};

use super::ending::Ending;
use super::talk::Talk;

/// How much of a child's standard error is kept, in bytes.
const SAID_BYTES_MAX: u64 = 4 * 1024;

/// A running child. Dropping it kills its process group; the runtime then reaps it.
pub(super) struct Process {
    child: Child,
    group: Option<Pid>,
}

impl Process {
    pub(super) fn new(child: Child) -> Self {
        let group = child
            .id()
            .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        Self { child, group }
    }

    /// Listens until the child ends, by itself or because it must. It is reaped before this returns.
    pub(super) async fn hear_out(
        &mut self,
        talk: &mut Talk<'_>,
        output_bytes_max: u64,
        deadline: Instant,
    ) -> io::Result<Ending> {
        let heard = timeout_at(deadline, self.hear(talk, output_bytes_max)).await;
        if let Ok(ending) = heard {
            return ending;
        }
        self.kill();
        self.child.wait().await?;
        Ok(Ending::TimeUp)
    }

    async fn hear(&mut self, talk: &mut Talk<'_>, output_bytes_max: u64) -> io::Result<Ending> {
        let (Some(stdout), Some(stderr)) = (self.child.stdout.take(), self.child.stderr.take())
        else {
            return Err(io::Error::other("the child has no pipes"));
        };
        let listen = async {
            let ending = listen(stdout, talk, output_bytes_max).await;
            if !matches!(ending, Ok(None)) {
                self.kill();
            }
            ending
        };
        let (ending, said) = tokio::join!(listen, beginning_of(stderr));
        let status = self.child.wait().await?;
        Ok(ending?.unwrap_or(Ending::Exited { status, said }))
    }

    /// Kills the whole group. Only before the child is reaped: after that its number may be somebody else's.
    fn kill(&self) {
        if let (Some(group), Some(_)) = (self.group, self.child.id()) {
            // It fails only if the group is gone.
            if let Err(error) = kill_process_group(group, Signal::KILL) {
                tracing::debug!(%error, "the process group of an analyst was gone before it was killed");
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Passes lines on. `None` at the end of output, else what the child must be killed for.
async fn listen(
    stdout: ChildStdout,
    talk: &mut Talk<'_>,
    output_bytes_max: u64,
) -> io::Result<Option<Ending>> {
    let mut lines = BufReader::new(stdout.take(output_bytes_max.saturating_add(1)));
    let mut heard_bytes = 0_u64;
    let mut line = Vec::new();
    loop {
        line.clear();
        heard_bytes += lines.read_until(b'\n', &mut line).await? as u64;
        if heard_bytes > output_bytes_max {
            return Ok(Some(Ending::TooMuchOutput));
        }
        // A line without an end was cut off by the end of the child.
        let Some(whole) = line.strip_suffix(b"\n") else {
            return Ok(None);
        };
        let in_turn = match serde_json::from_slice(whole) {
            Ok(line) => talk.hear(line).await,
            Err(_) => false,
        };
        if !in_turn {
            return Ok(Some(Ending::OutOfTurn));
        }
    }
}

/// The first [`SAID_BYTES_MAX`] bytes as text fit for a log. The rest is read too, so that the child does not wait.
async fn beginning_of(mut pipe: impl AsyncRead + Unpin) -> String {
    let mut kept = Vec::new();
    // A pipe that breaks has nothing more to say.
    drop(
        (&mut pipe)
            .take(SAID_BYTES_MAX)
            .read_to_end(&mut kept)
            .await,
    );
    drop(tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await);
    let text = String::from_utf8_lossy(&kept);
    text.chars()
        .map(|c| if c.is_control() && c != '\n' { ' ' } else { c })
        .collect()
}
