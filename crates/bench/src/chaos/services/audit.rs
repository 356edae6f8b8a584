//! How every row ends: what became of each promise, and is anything left over?

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use assay_api::v1;
use assay_probe::Mark;
use assay_test_support::redis::Reply;

use super::row::Row;
use super::scene::Scene;
use crate::chaos::audit::{self, Findings};
use crate::chaos::executions;

mod leftovers;

pub(super) use leftovers::keys;

/// Jobs that are named in a sentence.
const NAMED: usize = 3;

/// Ends a row: figures of the ledger, the server and the journal, and what must always hold. In one of `windows`
/// (microseconds since the epoch) a store was that lost what it held: see [`may_be_gone`].
pub(super) async fn close(
    scene: &mut Scene,
    row: &mut Row,
    windows: &[Range<u64>],
) -> anyhow::Result<Findings> {
    let may_be_gone = may_be_gone(scene, windows)?;
    let findings = audit::run(scene.gateway, &mut scene.ledger, &may_be_gone).await?;
    row.accepted = scene.ledger.accepted().count();
    row.refused = scene.ledger.refused().count();
    row.unknown = (findings.repeated, findings.had_made_a_job);
    judge_losses(row, &findings, &may_be_gone, windows);
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
    leftovers::judge(scene, row).await?;
    let counted = counts(scene)?;
    let listed = listed(&findings.jobs);
    row.expect(counted == listed, || {
        format!("the counters say {counted:?}, the jobs are {listed:?}")
    });
    Ok(findings)
}

/// Jobs that people had forgotten, and jobs that a store which lost `windows` may have. Where it was all that knew of
/// them, those that were accepted then; where a broker has what is not finished, those that finished then.
fn may_be_gone(scene: &Scene, windows: &[Range<u64>]) -> anyhow::Result<BTreeSet<String>> {
    let in_window = |at_us: u64| windows.iter().any(|window| window.contains(&at_us));
    let mut gone = scene.forgotten.clone();
    if scene.broker.is_none() {
        let accepted = scene.ledger.accepted_at();
        let accepted = accepted.filter(|(_, at_us)| in_window(*at_us));
        gone.extend(accepted.map(|(job_id, _)| job_id.to_owned()));
        return Ok(gone);
    }
    let entries = scene.entries()?.into_iter();
    let finished = entries.filter(|entry| entry.mark == Mark::Finished && in_window(entry.at_us));
    gone.extend(finished.map(|entry| entry.job_id));
    Ok(gone)
}

fn judge_losses(
    row: &mut Row,
    findings: &Findings,
    may_be_gone: &BTreeSet<String>,
    windows: &[Range<u64>],
) {
    let absent = findings.absent.iter();
    let lost = absent.filter(|job_id| !may_be_gone.contains(*job_id));
    let lost: Vec<String> = lost.cloned().collect();
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
