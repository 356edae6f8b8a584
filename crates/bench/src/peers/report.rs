//! The tables.

use super::contender::Contender;
use super::contest::Score;
use super::delay::RATE_HZ;
use super::million::{CALLS, Cost, Depth};
use super::setting::Setting;
use super::stage::{BATCH, WINDOW};
use super::table::Table;
use super::throughput::{self, Run};
use crate::client::PAYLOAD_BYTES;
use crate::statistics::{ms, quantile};

const MIB: u64 = 1024 * 1024;
/// What an idle service may hold, in MiB.
const IDLE_MIB_MAX: u64 = 60;
/// How many times faster than each peer ours is to be, at least.
const RATIO_MIN: f64 = 1.5;
/// How many times faster it wants to be.
const RATIO_AIM: f64 = 2.5;

/// What was the same for all, and what was not.
pub const NOTES: [&str; 9] = [
    "same for all: a fresh private Redis each run, AOF everysec, no rewrite during a run, noeviction, loopback; producer",
    "and worker in processes of their own; the end of a run is the moment when Redis holds the last result.",
    "payloads are of equal size; bulk adds of equal size; equally many jobs without an answer at a time.",
    "everyone keeps finished jobs: peers with their default (removeOnComplete unset), as ours keeps records.",
    "peers have no retries configured and their defaults otherwise: lock renewal and the stalled check stay on, events",
    "are trimmed at their usual 10,000. NODE_ENV is production. One worker process each.",
    "ours has all its features on: gateway, validation, content check, leases with fencing tokens, history of events.",
    "ours sends jobs over gRPC: single is SubmitJob, bulk is SubmitJobs; services are gateway and scheduler.",
    "the ceiling is XADD, XREADGROUP, SET and XACK in pipelines: it has no leases, no progress, no states, no events.",
];

/// Jobs a second of every setting.
#[must_use]
pub fn sweep(scores: &[Score]) -> Table {
    let heads: Vec<String> = Setting::all().map(|setting| setting.to_string()).collect();
    let mut columns = vec!["jobs/s"];
    columns.extend(heads.iter().map(String::as_str));
    let mut table = Table::new(
        "Which setting is best for whom? (shorter runs, one each)",
        &columns,
    );
    for score in scores
        .iter()
        .filter(|score| score.contender != Contender::Ceiling)
    {
        match &score.runs {
            Err(reason) if score.tried.is_empty() => missing(&mut table, score.contender, reason),
            _ => {
                let speeds = score.tried.iter().map(|(_, speed)| format!("{speed:.0}"));
                let name = score.contender.name().to_owned();
                table.row(std::iter::once(name).chain(speeds).collect());
            }
        }
    }
    table
}

/// Jobs a second, with the costs of the run in the middle.
#[must_use]
pub fn speeds(scores: &[Score], jobs: usize, rounds: usize) -> Table {
    let title = format!(
        "How many jobs a second, from submit to recorded result? ({jobs} jobs, {PAYLOAD_BYTES}-byte payload, one \
         progress write, median of {rounds} runs in alternating order; bulk adds of {BATCH}, {WINDOW} without an \
         answer; CPU in us per job; others: what else ran on this machine)"
    );
    let heads = [
        "",
        "setting",
        "jobs/s",
        "slowest",
        "fastest",
        "of ceiling",
        "producer",
        "worker",
        "services",
        "redis",
        "all CPU",
        "others",
        "B/job in Redis",
    ];
    let mut table = Table::new(title, &heads);
    let ceiling = speed_of(scores, Contender::Ceiling);
    for score in scores {
        match &score.runs {
            Err(reason) => missing(&mut table, score.contender, reason),
            Ok(runs) => {
                if let Some(median) = throughput::median(runs) {
                    table.row(speed_row(score, runs, &median, ceiling));
                }
            }
        }
    }
    table
}

fn speed_row(score: &Score, runs: &[Run], median: &Run, ceiling: Option<f64>) -> Vec<String> {
    let speed = median.jobs_per_second();
    let speeds = || runs.iter().map(Run::jobs_per_second);
    let us = |seconds| format!("{:.0}", median.us_per_job(seconds));
    let setting = match score.contender {
        Contender::Ceiling => "one pipeline".to_owned(),
        Contender::Assay | Contender::BullmqNode | Contender::BullmqRust => {
            score.setting.to_string()
        }
    };
    vec![
        score.contender.name().to_owned(),
        setting,
        format!("{speed:.0}"),
        format!("{:.0}", speeds().fold(f64::INFINITY, f64::min)),
        format!("{:.0}", speeds().fold(0.0, f64::max)),
        ceiling.map_or_else(
            || "?".to_owned(),
            |ceiling| format!("{:.0} %", 100.0 * speed / ceiling),
        ),
        us(median.usage.producer),
        us(median.usage.worker),
        us(median.usage.services),
        us(median.usage.redis),
        us(median.usage.sum()),
        format!("{:.0} %", 100.0 * median.others),
        format!("{:.0}", median.bytes_per_job),
    ]
}

/// How many times faster ours is than each peer, and how many times faster anything could be.
#[must_use]
pub fn ratios(scores: &[Score]) -> Table {
    let title = format!(
        "How many times faster is assay? (wanted: {RATIO_MIN}, aim: {RATIO_AIM}; medians of this very run)"
    );
    let mut table = Table::new(title, &["than", "assay", "the ceiling", "wanted", "aim"]);
    let speed = |contender| speed_of(scores, contender);
    for peer in [Contender::BullmqNode, Contender::BullmqRust] {
        let Some((ours, theirs)) = speed(Contender::Assay).zip(speed(peer)) else {
            missing(&mut table, peer, "one of both has no figure");
            continue;
        };
        let ratio = ours / theirs;
        let reached = |bound| if ratio >= bound { "reached" } else { "missed" };
        let highest = speed(Contender::Ceiling).map(|ceiling| format!("{:.1} x", ceiling / theirs));
        table.row(vec![
            peer.name().to_owned(),
            format!("{ratio:.2} x"),
            highest.unwrap_or_else(|| "?".to_owned()),
            reached(RATIO_MIN).to_owned(),
            reached(RATIO_AIM).to_owned(),
        ]);
    }
    table
}

fn speed_of(scores: &[Score], contender: Contender) -> Option<f64> {
    let mut of = scores.iter().filter(|score| score.contender == contender);
    of.next()?.jobs_per_second()
}

/// How long jobs waited to start, or why nobody knows.
#[must_use]
pub fn delays(measured: Vec<(Contender, Result<Vec<u64>, String>)>) -> Table {
    let title = format!(
        "How long from submit to start at {RATE_HZ} jobs/s? (ms; wanted: p99 not above BullMQ's)"
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

fn missing(table: &mut Table, contender: Contender, reason: &str) {
    table.words(contender.name(), format!("not measured: {reason}"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::usage::Usage;

    fn score(contender: Contender, speeds: &[f64]) -> Score {
        let run = |speed: &f64| Run {
            jobs: 1_000,
            seconds: 1_000.0 / speed,
            usage: Usage {
                worker: 0.05,
                ..Usage::default()
            },
            others: 0.1,
            bytes_per_job: 900.0,
        };
        Score {
            contender,
            tried: vec![(Setting::USUAL, 1.0)],
            setting: Setting::USUAL,
            runs: Ok(speeds.iter().map(run).collect()),
        }
    }

    fn scores() -> Vec<Score> {
        let missing = Score {
            runs: Err("no cargo".to_owned()),
            tried: Vec::new(),
            ..score(Contender::BullmqRust, &[])
        };
        vec![
            score(Contender::Assay, &[3_000.0, 1_000.0, 2_000.0]),
            score(Contender::BullmqNode, &[1_000.0]),
            missing,
            score(Contender::Ceiling, &[8_000.0]),
        ]
    }

    #[test]
    fn a_missing_peer_is_told_in_words_and_the_median_counts() {
        let table = speeds(&scores(), 1_000, 3).to_string();
        assert!(table.contains("not measured: no cargo"), "{table}");
        let ours = table.lines().find(|line| line.contains("  assay")).unwrap();
        let words: Vec<&str> = ours.split_whitespace().collect();
        assert!(words.contains(&"2000") && words.contains(&"25"), "{ours}");
        assert!(words.contains(&"50"), "{ours}");
    }

    #[test]
    fn a_ratio_says_what_it_missed() {
        let table = ratios(&scores()).to_string();
        let row = table.lines().find(|line| line.contains("node")).unwrap();
        assert!(row.contains("2.00 x") && row.contains("8.0 x"), "{row}");
        assert!(row.contains("reached") && row.contains("missed"), "{row}");
        assert!(table.contains("not measured: one of both has no figure"));
    }

    #[test]
    fn a_sweep_shows_every_contender_with_settings() {
        let table = sweep(&scores()).to_string();
        assert!(!table.contains("ceiling"), "{table}");
        assert!(table.contains("not measured: no cargo"), "{table}");
    }
}
