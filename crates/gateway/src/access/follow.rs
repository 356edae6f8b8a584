//! Reads the file of tokens, and again when it has changed.

use std::convert::Infallible;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::tokens::{FileError, Tokens};
use crate::edge::Edge;
use crate::metric_definitions;

/// The largest file of tokens, in bytes.
const FILE_BYTES_MAX: u64 = 512 * 1024;
/// How long a file must be the same before it counts as written.
const SETTLED_AFTER: Duration = Duration::from_millis(200);

/// A file of tokens as it was when it was last taken over.
#[derive(Debug)]
pub(crate) struct Held {
    path: PathBuf,
    text: String,
    // Why what is there now is not in force.
    fault: Option<FileError>,
    looked_at_ms: u64,
}

/// Reads a file of tokens.
pub(crate) fn read(path: &Path, now_ms: u64) -> Result<(Tokens, Held), FileError> {
    let text = text_of(path)?;
    let tokens = Tokens::parse(&text)?;
    let held = Held {
        path: path.to_path_buf(),
        text,
        fault: None,
        looked_at_ms: now_ms,
    };
    Ok((tokens, held))
}

fn text_of(path: &Path) -> Result<String, FileError> {
    let unreadable = |error: std::io::Error| FileError::Unreadable(error.to_string());
    // Whatever is no file may never end, or have no end to be waited for; a pipe even waits to be opened.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(FileError::Unreadable("it is not a file".to_owned()));
    }
    let file = File::open(path).map_err(unreadable)?;
    let mut text = String::new();
    let read = file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text);
    let bytes = u64::try_from(read.map_err(unreadable)?).unwrap_or(u64::MAX);
    if bytes > FILE_BYTES_MAX {
        let why = format!("it is larger than {FILE_BYTES_MAX} bytes");
        return Err(FileError::Unreadable(why));
    }
    Ok(text)
}

/// Looks at the file every so often, and has in force what is there, until the shutdown begins.
pub(crate) async fn follow(edge: Arc<Edge>, mut held: Held) -> Result<(), Infallible> {
    let Some(tokens) = edge.access.tokens() else {
        return Ok(());
    };
    let period = edge.settings.tokens_reread();
    loop {
        tokio::select! {
            () = tokio::time::sleep(period) => {}
            () = edge.shutdown.begun() => return Ok(()),
        }
        held.look(tokens, edge.clock.now_ms()).await;
    }
}

impl Held {
    /// Looks at the file once.
    async fn look(&mut self, tokens: &watch::Sender<Arc<Tokens>>, now_ms: u64) {
        match self.changed().await {
            Ok(Some((text, new))) => {
                let count = new.len();
                metric_definitions::tokens(count);
                tokens.send_replace(Arc::new(new));
                self.text = text;
                self.fault = None;
                tracing::info!(count, "read the file of tokens again: {count} are in force");
            }
            Ok(None) => self.fault = None,
            Err(fault) => self.complain(fault, tokens.borrow().len()),
        }
        // Also while the file is of no use.
        let has_expired = tokens.borrow().expired_between(self.looked_at_ms, now_ms);
        if has_expired {
            // So that the streams of its caller look whether they may go on.
            tokens.send_modify(|_| {});
        }
        self.looked_at_ms = now_ms;
        metric_definitions::tokens_file_faulty(self.fault.is_some());
    }

    /// What the file holds, if that is new and nobody is writing it just now.
    async fn changed(&self) -> Result<Option<(String, Tokens)>, FileError> {
        let first = self.read_again().await?;
        if first == self.text {
            return Ok(None);
        }
        tokio::time::sleep(SETTLED_AFTER).await;
        let text = self.read_again().await?;
        if text != first {
            return Ok(None);
        }
        let tokens = Tokens::parse(&text)?;
        Ok(Some((text, tokens)))
    }

    /// The whole text: a comparison of times would miss what is written twice within one tick of the file system.
    async fn read_again(&self) -> Result<String, FileError> {
        let path = self.path.clone();
        let read = tokio::task::spawn_blocking(move || text_of(&path)).await;
        read.unwrap_or_else(|error| Err(FileError::Unreadable(error.to_string())))
    }

    /// Says once what is wrong.
    fn complain(&mut self, fault: FileError, count: usize) {
        if self.fault.as_ref() != Some(&fault) {
            let path = self.path.display();
            tracing::error!(
                error = %fault,
                "the file of tokens {path} can't be taken over: {fault}; the {count} tokens from before stay in force"
            );
        }
        self.fault = Some(fault);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::line::{NewToken, new_token};
    use crate::access::token::ENTROPY_BYTES;
    use crate::status::Refusal;

    fn made(name: &str, expires: Option<&str>) -> NewToken {
        let byte = name.as_bytes()[0];
        new_token(name, "acme", "read", expires, &[byte; ENTROPY_BYTES]).unwrap()
    }

    struct Followed {
        _folder: tempfile::TempDir,
        path: PathBuf,
        held: Held,
        tokens: watch::Sender<Arc<Tokens>>,
    }

    impl Followed {
        fn new(text: &str) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("tokens");
            std::fs::write(&path, text).unwrap();
            let (tokens, held) = read(&path, 0).unwrap();
            Self {
                _folder: folder,
                path,
                held,
                tokens: watch::Sender::new(Arc::new(tokens)),
            }
        }

        async fn look(&mut self, now_ms: u64) {
            self.held.look(&self.tokens, now_ms).await;
        }

        fn knows(&self, token: &NewToken) -> bool {
            self.tokens.borrow().know(&token.token, 0) != Err(Refusal::TokenUnknown)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_written_is_in_force_at_the_next_look() {
        let (old, new) = (made("a", None), made("b", None));
        let mut followed = Followed::new(&old.line);
        std::fs::write(&followed.path, &new.line).unwrap();
        assert!(followed.knows(&old), "not before it is looked at");
        followed.look(1).await;
        assert!(followed.knows(&new) && !followed.knows(&old));
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_can_t_be_used_changes_nothing() {
        let (old, new) = (made("a", None), made("b", None));
        let mut followed = Followed::new(&old.line);
        for wrong in ["", "name=b", "\u{0}"] {
            std::fs::write(&followed.path, wrong).unwrap();
            followed.look(1).await;
            assert!(followed.knows(&old) && followed.held.fault.is_some());
        }
        std::fs::remove_file(&followed.path).unwrap();
        followed.look(2).await;
        assert!(followed.knows(&old) && followed.held.fault.is_some());
        std::fs::write(&followed.path, &old.line).unwrap();
        followed.look(3).await;
        assert_eq!(followed.held.fault, None);
        std::fs::write(&followed.path, &new.line).unwrap();
        followed.look(4).await;
        assert!(followed.knows(&new));
    }

    #[tokio::test(start_paused = true)]
    async fn an_end_wakes_those_who_wait_for_it_once() {
        let ends = made("a", Some("1970-01-01T00:00:01Z"));
        let mut followed = Followed::new(&ends.line);
        let mut waits = followed.tokens.subscribe();
        for (now_ms, woken) in [(999, false), (1_000, true), (1_500, false)] {
            followed.look(now_ms).await;
            assert_eq!(waits.has_changed().unwrap(), woken, "{now_ms}");
            waits.mark_unchanged();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_end_wakes_those_who_wait_for_it_also_while_the_file_can_t_be_used() {
        let ends = made("a", Some("1970-01-01T00:00:01Z"));
        let mut followed = Followed::new(&ends.line);
        let mut waits = followed.tokens.subscribe();
        std::fs::remove_file(&followed.path).unwrap();
        for (now_ms, woken) in [(999, false), (1_000, true), (1_500, false)] {
            followed.look(now_ms).await;
            assert!(followed.held.fault.is_some());
            assert_eq!(waits.has_changed().unwrap(), woken, "{now_ms}");
            waits.mark_unchanged();
        }
    }

    #[test]
    fn a_pipe_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || sender.send(read(&path, 0).map(drop)));
        let answered = receiver.recv_timeout(Duration::from_secs(5));
        let error = answered.unwrap().unwrap_err().to_string();
        assert_eq!(error, "it is not a file");
    }

    #[test]
    fn a_file_as_large_as_the_bound_is_read_and_no_larger_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        let line = made("a", None).line;
        let bytes = usize::try_from(FILE_BYTES_MAX).unwrap();
        let fill = |bytes: usize| format!("{line}\n#{}", "-".repeat(bytes - line.len() - 2));
        std::fs::write(&path, fill(bytes)).unwrap();
        assert!(read(&path, 0).is_ok());
        std::fs::write(&path, fill(bytes + 1)).unwrap();
        let error = read(&path, 0).unwrap_err().to_string();
        assert_eq!(error, "it is larger than 524288 bytes");
        let error = read(folder.path(), 0).unwrap_err().to_string();
        assert_eq!(error, "it is not a file");
    }
}
