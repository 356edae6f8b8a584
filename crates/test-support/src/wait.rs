//! Waiting for states, never for time.

use std::time::{Duration, Instant};

/// How long a state may take to come about before the test fails.
pub const WAIT_MAX: Duration = Duration::from_secs(10);
/// How often a state is looked at.
const LOOK_PERIOD: Duration = Duration::from_millis(5);

/// Looks again and again until `condition` holds.
///
/// The bound is one of real time, so it also holds where tokio's time is paused and another thread does
/// the work.
///
/// # Panics
/// After [`WAIT_MAX`], saying `what` did not come about.
pub async fn wait_until<F>(what: &str, mut condition: impl FnMut() -> F)
where
    F: Future<Output = bool>,
{
    wait_for(what, || {
        let looked = condition();
        async { looked.await.then_some(()) }
    })
    .await;
}

/// Looks again and again until `look` finds something, and answers with it.
///
/// # Panics
/// After [`WAIT_MAX`], saying `what` did not come about.
#[expect(clippy::panic, reason = "this is how a test fails")]
pub async fn wait_for<T, F>(what: &str, mut look: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let start = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        if start.elapsed() > WAIT_MAX {
            panic!("waited {WAIT_MAX:?} in vain until {what}");
        }
        tokio::time::sleep(LOOK_PERIOD).await;
    }
}

/// Waits for a future that is expected to end.
///
/// # Panics
/// After [`WAIT_MAX`] of tokio's time, saying `what` did not come about.
#[expect(clippy::panic, reason = "this is how a test fails")]
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(WAIT_MAX, future).await {
        Ok(answer) => answer,
        Err(_) => panic!("waited {WAIT_MAX:?} in vain until {what}"),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_state_is_looked_at_until_it_holds() {
        let looks = Cell::new(0);
        wait_until("it was looked at three times", || async {
            looks.set(looks.get() + 1);
            looks.get() == 3
        })
        .await;
        assert_eq!(looks.get(), 3);
    }

    #[tokio::test(start_paused = true)]
    #[should_panic(expected = "in vain until pigs fly")]
    async fn a_wait_in_vain_says_what_for() {
        within("pigs fly", std::future::pending::<()>()).await;
    }
}
