//! Delays, depths and memory.

use crate::peers::contender::Contender;
use crate::peers::delay::RATE_HZ;
use crate::peers::million::{CALLS, Cost, Depth};
use crate::peers::mode::Mode;
use crate::peers::table::Table;
use crate::statistics::{ms, quantile};

use super::missing;

const MIB: u64 = 1024 * 1024;
/// What an idle service may hold, in MiB.
const IDLE_MIB_MAX: u64 = 60;

/// How long jobs waited to start, or why nobody knows.
#[must_use]
pub fn delays(mode: Mode, measured: Vec<(Contender, Result<Vec<u64>, String>)>) -> Table {
    let title = format!(
        "How long from submit to start at {RATE_HZ} jobs/s? (ms; {})",
        mode.wanted_delay()
    );
    let mut table = Table::new(title, &["", "jobs", "p50", "p99", "longest"]);
    for (contender, delays) in measured {
        match delays {
            Err(reason) => missing(&mut table, contender, &reason),
            Ok(mut delays) => {
                let mut of = |share| format!("{:.2}", ms(quantile(&mut delays, share)));
                let quantiles = [of(0.5), of(0.99), of(1.0)];
                let name = contender.name().to_owned();
                let count = delays.len().to_string();
                table.row([name, count].into_iter().chain(quantiles).collect());
            }
        }
    }
    table
}

/// What calls cost with few and with many jobs in the queue.
#[must_use]
pub fn depths(depths: &[Depth; 2]) -> Table {
    let [few, many] = depths;
    let title = format!(
        "What does assay cost with {} queued jobs? (ms; {CALLS} calls of each kind; wanted: what they cost with few)",
        many.queued
    );
    let heads = [
        String::new(),
        few.queued.to_string(),
        many.queued.to_string(),
    ];
    let mut table = Table::new(title, &heads.each_ref().map(String::as_str));
    let mut row = |name: &str, of: &dyn Fn(&Depth) -> String| {
        table.row(vec![name.to_owned(), of(few), of(many)])
    };
    let both = |cost: Cost| format!("p50 {:.2}, p99 {:.2}", ms(cost.p50_us), ms(cost.p99_us));
    row("SubmitJob", &|depth| both(depth.submit));
    row("result and next claim, one at a time", &|depth| {
        both(depth.claim)
    });
    row("first page of ListJobs", &|depth| both(depth.page));
    row("Redis", &|depth| format!("{} MiB", depth.redis_bytes / MIB));
    if many.broker_bytes.is_some() {
        row("RabbitMQ, resident", &|depth| {
            format!("{} MiB", depth.broker_bytes.unwrap_or(0) / MIB)
        });
    }
    row("gateway, resident", &|depth| {
        format!("{} MiB", depth.services_bytes[0] / MIB)
    });
    row("scheduler, resident", &|depth| {
        format!("{} MiB", depth.services_bytes[1] / MIB)
    });
    let jobs = many.queued.saturating_sub(few.queued).max(1) as u64;
    let bytes = many.redis_bytes.saturating_sub(few.redis_bytes) / jobs;
    table.words("a queued job in Redis", format!("{bytes} bytes"));
    table
}

/// What services hold when they have nothing to do.
#[must_use]
pub fn idle(services: &[(&str, u64)]) -> Table {
    let title =
        format!("What do idle services hold? (MiB resident; wanted: {IDLE_MIB_MAX} at most)");
    let mut table = Table::new(title, &["", "MiB"]);
    for (name, bytes) in services {
        table.row(vec![(*name).to_owned(), (bytes / MIB).to_string()]);
    }
    table
}
