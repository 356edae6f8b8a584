//! Workers, for operators.

use assay_api::v1 as pb;
use assay_core::port::Registered;
use assay_core::worker::BreakerSeen;

use super::{duration, timestamp};

pub(crate) fn worker(known: Registered) -> pb::Worker {
    let alive = known.presence().is_alive();
    let Registered { beat, silent_ms } = known;
    pb::Worker {
        id: beat.worker.to_string(),
        service: beat.service,
        host: beat.host,
        pid: beat.pid,
        version: beat.version,
        start_time: Some(timestamp(beat.started_at_ms)),
        concurrency: beat.concurrency,
        kinds: beat
            .kinds
            .iter()
            .map(|kind| kind.as_str().to_owned())
            .collect(),
        running: beat.running,
        job_ids: beat.jobs.iter().map(ToString::to_string).collect(),
        silence: Some(duration(silent_ms)),
        alive,
        breakers: beat.breakers.into_iter().map(breaker).collect(),
    }
}

fn breaker(seen: BreakerSeen) -> pb::Breaker {
    let time = |at_ms: u64| (at_ms > 0).then(|| timestamp(at_ms));
    pb::Breaker {
        since_time: time(seen.since_ms),
        retry_time: time(seen.retry_at_ms),
        downstream: seen.downstream,
        state: seen.state.as_str().to_owned(),
        calls: seen.calls,
        failures: seen.failures,
        opens_in_a_row: seen.opens_in_a_row,
        held: seen.held.unwrap_or_default(),
    }
}
