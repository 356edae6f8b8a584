//! Workers, for operators.

use assay_api::v1 as pb;
use assay_core::port::Registered;

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
    }
}
