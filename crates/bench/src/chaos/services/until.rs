//! Waiting for states, with a bound. What does not come about is a broken row, not a panic.

use std::time::Duration;

use tokio::time::Instant;

/// Between two looks.
const LOOK_PERIOD: Duration = Duration::from_millis(20);

/// Looks until `look` finds something.
///
/// # Errors
/// When it finds nothing for so long, or can't look.
pub(super) async fn until<T>(
    what: &str,
    within: Duration,
    mut look: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let start = Instant::now();
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        anyhow::ensure!(
            start.elapsed() < within,
            "waited {within:?} in vain until {what}"
        );
        tokio::time::sleep(LOOK_PERIOD).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_state_is_waited_for_no_longer_than_said() {
        let mut looks = 0;
        let third = async || {
            looks += 1;
            Ok((looks == 3).then_some(looks))
        };
        let found = until("three", Duration::from_secs(1), third).await;
        assert_eq!(found.unwrap(), 3);
        let never = async || Ok(None::<()>);
        let error = until("pigs fly", Duration::from_millis(30), never)
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "waited 30ms in vain until pigs fly");
    }
}
