//! How full the server is. Nearly full, it takes no new jobs in, so that those that are there can end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::facts::{Facts, Inquirer};
use crate::metric_definitions::redis::memory;

/// How often the server's memory is looked at.
const PERIOD: Duration = Duration::from_secs(1);
/// At this much of its memory the server takes no new jobs in, in percent.
const PERCENT_MAX: u64 = 85;

/// Whether a server with these facts takes no new jobs in.
pub(super) fn is_full(facts: &Facts) -> bool {
    facts.is_full(PERCENT_MAX)
}

/// Looks at the server's memory again and again. A server that does not answer is judged as before.
pub(super) async fn watch(inquirer: Inquirer, full: Arc<AtomicBool>) {
    loop {
        tokio::time::sleep(PERIOD).await;
        let Ok(facts) = inquirer.facts().await else {
            continue;
        };
        memory(facts.memory_used, facts.memory_max);
        let now = is_full(&facts);
        if full.swap(now, Ordering::Relaxed) == now {
            continue;
        }
        if now {
            tracing::warn!(
                used = facts.memory_used,
                max = facts.memory_max,
                "Redis is nearly out of memory: no new jobs are taken in"
            );
        } else {
            tracing::info!("Redis has memory again: new jobs are taken in");
        }
    }
}
