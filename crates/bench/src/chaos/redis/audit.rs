//! How every row ends: what became of each promise, and is anything left over?

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use assay_api::v1;
use assay_test_support::redis::{Client, Reply};

use super::row::Row;
use super::scene::Scene;
use super::until::until;
use crate::chaos::audit::{self, Findings};
use crate::chaos::executions;

/// How long what is left over may take to be put away: a delivery of a dead worker is looked at after ten seconds.
const TIDY_WITHIN: Duration = Duration::from_secs(60);
/// Keys that a scan looks at per step.
const SCAN_COUNT: &str = "10000";
/// Jobs that are named in a sentence.
const NAMED: usize = 3;

/// Names of keys that must hold nothing once every job has ended, as somebody who looks from outside sees them.
const EMPTY_AT_THE_END: [&str; 5] = [":s:", ":later:", ":due", ":leases", ":deadlines"];

/// Ends a row: figures of the ledger, the server and the journal, and what must always hold. What was accepted or read
/// in one of `windows` (microseconds since the epoch) may be gone.
pub(super) async fn close(
    scene: &mut Scene,
    row: &mut Row,
    windows: &[Range<u64>],
) -> anyhow::Result<Findings> {
    let excused = |at_us: u64| windows.iter().any(|window| window.contains(&at_us));
    let findings = audit::run(scene.gateway, &mut scene.ledger, excused).await?;
    row.accepted = scene.ledger.accepted().count();
    row.refused = scene.ledger.refused().count();
    row.unknown = (findings.repeated, findings.had_made_a_job);
    judge_losses(scene, row, &findings, windows);
    judge_results(scene, row, windows);
    judge_executions(scene, row)?;
    row.expect(findings.unfinished.is_empty(), || {
        format!("{} came to no end", some(&findings.unfinished))
    });
    row.expect(findings.listed_twice.is_empty(), || {
        format!("{} are listed twice", some(&findings.listed_twice))
    });
    row.expect(findings.of_nobody.is_empty(), || {
        format!("{} were submitted by nobody", some(&findings.of_nobody))
    });
    let left = tidy(scene).await?;
    row.expect(left.is_empty(), || {
        format!("left over at the end: {left:?}")
    });
    let counted = counts(scene)?;
    let listed = listed(&findings.jobs);
    row.expect(counted == listed, || {
        format!("the counters say {counted:?}, the jobs are {listed:?}")
    });
    Ok(findings)
}

fn judge_losses(scene: &Scene, row: &mut Row, findings: &Findings, windows: &[Range<u64>]) {
    let accepted: BTreeMap<&str, u64> = scene.ledger.accepted_at().collect();
    let excused = |job_id: &String| {
        let at_us = accepted.get(job_id.as_str()).copied().unwrap_or(0);
        windows.iter().any(|window| window.contains(&at_us))
    };
    let lost: Vec<String> = findings
        .absent
        .iter()
        .filter(|job_id| !excused(job_id))
        .cloned()
        .collect();
    row.lost = lost.len();
    row.lost_in_window = (!windows.is_empty()).then(|| findings.absent.len() - lost.len());
    row.expect(lost.is_empty(), || format!("{} are lost", some(&lost)));
}

fn judge_results(scene: &Scene, row: &mut Row, windows: &[Range<u64>]) {
    let excused = |at_us: &u64| windows.iter().any(|window| window.contains(at_us));
    let twice: Vec<String> = scene
        .ledger
        .contradictions()
        .filter(|(_, at_us)| !excused(at_us))
        .map(|(job_id, _)| job_id.to_owned())
        .collect();
    row.two_results = twice.len();
    let in_window = scene.ledger.contradictions().count() - twice.len();
    if in_window > 0 {
        row.note(format!(
            "{in_window} jobs have two results, the first of which was read in the window"
        ));
    }
    row.expect(twice.is_empty(), || {
        format!("{} have two different results", some(&twice))
    });
}

fn judge_executions(scene: &Scene, row: &mut Row) -> anyhow::Result<()> {
    let entries = scene.entries()?;
    row.re_executed = executions::to_the_end_again(&entries);
    row.recovery_us = executions::recoveries_us(&entries, &scene.faults_us);
    if row.recovery_us.is_empty() {
        row.recovery_us = executions::first_ends_us(&entries, &scene.faults_us);
    }
    let shared = executions::under_one_token(&entries);
    let shared: Vec<String> = shared.into_iter().map(str::to_owned).collect();
    row.expect(shared.is_empty(), || {
        format!("{} ran twice under one token", some(&shared))
    });
    Ok(())
}

/// Waits until the queues and the clockwork hold nothing; what they still hold if they don't come to it.
async fn tidy(scene: &Scene) -> anyhow::Result<BTreeMap<String, i64>> {
    let mut client = scene.redis.client()?;
    let mut left = BTreeMap::new();
    let look = async || {
        left = held(&mut client)?;
        Ok(left.is_empty().then_some(()))
    };
    // What is left is told by what was seen last.
    drop(until("nothing is left", TIDY_WITHIN, look).await);
    Ok(left)
}

fn held(client: &mut Client) -> anyhow::Result<BTreeMap<String, i64>> {
    let mut held = BTreeMap::new();
    for key in keys(client)? {
        if !EMPTY_AT_THE_END.iter().any(|name| key.contains(name)) {
            continue;
        }
        let length = match client.run(&["TYPE", &key])?.text() {
            Some("stream") => client.run(&["XLEN", &key])?,
            Some("zset") => client.run(&["ZCARD", &key])?,
            _ => continue,
        };
        if let Some(length) = length.integer().filter(|length| *length > 0) {
            held.insert(key, length);
        }
    }
    Ok(held)
}

/// Every key but the records.
pub(super) fn keys(client: &mut Client) -> anyhow::Result<Vec<String>> {
    let mut keys = Vec::new();
    let mut cursor = "0".to_owned();
    loop {
        let reply = client.run(&["SCAN", &cursor, "COUNT", SCAN_COUNT])?;
        let Reply::List(parts) = reply else {
            anyhow::bail!("read the answer to SCAN");
        };
        if let Some(Reply::List(page)) = parts.get(1) {
            let names = page.iter().filter_map(Reply::text);
            keys.extend(
                names
                    .filter(|name| !name.contains(":j:"))
                    .map(str::to_owned),
            );
        }
        cursor = parts
            .first()
            .and_then(Reply::text)
            .unwrap_or("0")
            .to_owned();
        if cursor == "0" {
            return Ok(keys);
        }
    }
}

/// How many jobs of each state the store counts.
fn counts(scene: &Scene) -> anyhow::Result<BTreeMap<String, usize>> {
    let mut client = scene.redis.client()?;
    let mut counts = BTreeMap::new();
    for key in keys(&mut client)? {
        if !key.ends_with(":counts") {
            continue;
        }
        let Reply::List(fields) = client.run(&["HGETALL", &key])? else {
            continue;
        };
        for pair in fields.chunks(2) {
            let [field, count] = pair else { continue };
            let field = field.text().and_then(|field| field.rsplit_once(':'));
            let count: Option<usize> = count.text().and_then(|count| count.parse().ok());
            if let (Some((_, state)), Some(count)) = (field, count)
                && count > 0
            {
                *counts.entry(state.to_owned()).or_default() += count;
            }
        }
    }
    Ok(counts)
}

/// How many jobs of each state there are.
fn listed(jobs: &BTreeMap<String, v1::Job>) -> BTreeMap<String, usize> {
    let mut listed = BTreeMap::new();
    for job in jobs.values() {
        let state = job.state().as_str_name().trim_start_matches("JOB_STATE_");
        *listed.entry(state.to_lowercase()).or_default() += 1;
    }
    listed
}

/// Jobs as a part of a sentence.
pub(super) fn some(jobs: &[String]) -> String {
    let named: Vec<&str> = jobs.iter().take(NAMED).map(String::as_str).collect();
    format!("{} jobs ({} ...)", jobs.len(), named.join(", "))
}
