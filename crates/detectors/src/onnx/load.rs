//! Loading a model on a thread that may be given up: a file can make that take for ever, or end in a panic.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use super::file::{MODEL_BYTES_MAX, read};
use super::session::Session;
use super::{Model, Unfit};

/// How long loading a model and trying it out may take, in milliseconds: a gigabyte from a slow disk is in time.
const LOAD_MS_MAX: u64 = 120_000;
/// Stack of the thread that loads, in bytes: a graph may hold graphs.
const LOAD_STACK_BYTES: usize = 16 * 1024 * 1024;

/// The model of a file, tried out, for so many runs at once.
///
/// # Errors
/// What is wrong with the file, or with what is said of it.
pub(super) fn session(model: &Model, runs: usize) -> Result<Session, Unfit> {
    let wanted = model.clone();
    let load = move || {
        let bytes = read(&wanted.path, &wanted.sha256, MODEL_BYTES_MAX)?;
        Session::open(bytes, &wanted, runs)
    };
    let limit = Duration::from_millis(LOAD_MS_MAX);
    within(limit, load).unwrap_or_else(|gave_up| Err(Unfit::path(&model.path, gave_up)))
}

/// What comes out of `work` in time, or what the file must be that it is not.
fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, &'static str> {
    let (sender, receiver) = sync_channel(1);
    let thread = thread::Builder::new()
        .name("model-loader".into())
        .stack_size(LOAD_STACK_BYTES);
    // Nobody listens any more if it took too long.
    let spawned = thread.spawn(move || drop(sender.send(work())));
    if spawned.is_err() {
        return Err("be loaded on a thread, and the system gives none");
    }
    receiver.recv_timeout(limit).map_err(|error| match error {
        RecvTimeoutError::Timeout => {
            "name a model that is loaded and tried out within two minutes, which this is not"
        }
        RecvTimeoutError::Disconnected => {
            "name a model that can be loaded: over this one the loader panicked"
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn what_is_loaded_in_time_is_loaded() {
        assert_eq!(within(Duration::from_secs(10), || 7), Ok(7));
    }

    #[test]
    fn what_takes_too_long_or_panics_is_given_up() {
        let (release, released) = channel::<()>();
        let stuck = within(Duration::from_millis(10), move || {
            released.recv().unwrap_or_default()
        });
        assert!(stuck.unwrap_err().contains("within two minutes"));
        drop(release);
        let panicked = within(Duration::from_secs(10), || panic!("over a file"));
        assert!(
            panicked
                .map(|(): ()| ())
                .unwrap_err()
                .contains("the loader panicked")
        );
    }

    #[test]
    fn two_minutes_is_the_bound() {
        assert_eq!(LOAD_MS_MAX, 2 * 60 * 1_000);
    }
}
