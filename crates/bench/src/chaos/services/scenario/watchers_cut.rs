//! Clients that watch over HTTP lose everything between them and the jobs, one thing after the other: they see every
//! event once, or are told that some are gone, and then the end.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context;
use assay_api::v1;
use assay_probe::Script;
use assay_test_support::fleet::{Member, Role};
use assay_test_support::port;
use assay_test_support::proxy::{Flow, Proxy, Weather};
use assay_test_support::redis::{Appendfsync, RedisOptions};
use tokio::task::JoinSet;

use super::{Mode, Row, Scenario, Setup};
use crate::chaos::services::audit;
use crate::chaos::services::scene::{How, LATER, SOON, Scene};
use crate::chaos::services::until::until;
use crate::client::Client;
use crate::watched::{self, Watched};
use crate::watcher::Watcher;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "watchers-cut",
    fault: "watchers over HTTP: their streams reset, kill -9 of the gateway, restart of Redis",
    failpoints: false,
    modes: &Mode::BOTH,
    run: |setup| Box::pin(run(setup)),
};

/// Jobs of a round that end by themselves in the middle of it.
const SHORT_JOBS: usize = 8;
/// How often they report.
const SHORT_REPORTS: u64 = 12;
/// Jobs of a round that are cancelled at its end: whatever is cut is cut from somebody.
const LONG_JOBS: usize = 8;
/// How often they would report: fewer events than are kept.
const LONG_REPORTS: u64 = 180;
/// Between two reports, in milliseconds.
const GAP_MS: u64 = 300;
/// How long what is cut stays away: every job reports meanwhile, and nobody hears it.
const AWAY: Duration = Duration::from_millis(2 * GAP_MS);
/// Watchers of each job.
const WATCHERS_EACH: usize = 4;
/// What a watcher hears before the next thing is cut: the first may have been on its way.
const HEARD_MORE: usize = 2;
/// Complaints that are told in full.
const NAMED: usize = 3;
/// Streams that each watcher of a long job has at least in a round: it is cut off twice.
const STREAMS_MIN: usize = 3;

async fn run(setup: &Setup) -> anyhow::Result<Row> {
    let mut scene = Scene::open(setup, RedisOptions::new(Appendfsync::Always)).await?;
    let http = SocketAddr::from((Ipv4Addr::LOCALHOST, port::free()?));
    let proxy = Proxy::start(http, setup.seed).await?;
    let how = How {
        settings: vec![("gateway.http_listen", http.to_string())],
        ..How::default()
    };
    let mut gateway = scene.open_gateway(&how).await?;
    let _scheduler = scene.usual(Role::Scheduler).await?;
    let _worker = scene.usual(Role::Worker).await?;
    let before = scene.throughput().await?;
    let mut row = Row::new(SCENARIO.fault);
    let mut accounts = Vec::new();
    for _ in 0..setup.scale.pick(3, 1) {
        let script = Script::reporting(GAP_MS, SHORT_REPORTS, GAP_MS);
        let requests = scene.requests(SHORT_JOBS, &script.0);
        let short = scene.accept(requests).await?;
        let script = Script::reporting(GAP_MS, LONG_REPORTS, GAP_MS);
        let requests = scene.requests(LONG_JOBS, &script.0);
        let long = scene.accept(requests).await?;
        let audience = Audience::start(proxy.address(), &short, &long);
        audience.hears("at first").await?;
        gateway = cut(&mut scene, &proxy, gateway, &how, &audience).await?;
        cancel(&scene, &long).await?;
        let told = audience.until_the_end().await?;
        judge_streams(&mut row, &told, &long);
        accounts.extend(told);
    }
    let after = scene.throughput().await?;
    row.throughput = Some([before, after]);
    let findings = audit::close(&mut scene, &mut row, &[]).await?;
    judge(&mut row, &accounts, |job_id| {
        let job = findings.jobs.get(job_id)?;
        watched::sequence(&job.event_id).ok()
    });
    Ok(row)
}

/// Cuts one thing after the other. Each time somebody hears more before the next one goes.
async fn cut(
    scene: &mut Scene,
    proxy: &Proxy,
    mut gateway: Member,
    how: &How,
    audience: &Audience,
) -> anyhow::Result<Member> {
    scene.fault();
    proxy.set(Weather {
        flow: Flow::Swallowed,
        ..Weather::CLEAR
    });
    tokio::time::sleep(AWAY).await;
    proxy.reset_all();
    proxy.set(Weather::CLEAR);
    audience.hears("after their streams were reset").await?;
    scene.fault();
    gateway.kill().await?;
    tokio::time::sleep(AWAY).await;
    let gateway = scene.open_gateway(how).await?;
    audience.hears("after the gateway was killed").await?;
    scene.fault();
    scene.redis.stop().await?;
    scene.redis.restart().await?;
    audience.hears("after Redis was restarted").await?;
    Ok(gateway)
}

async fn cancel(scene: &Scene, jobs: &BTreeSet<String>) -> anyhow::Result<()> {
    let mut client = Client::connect(scene.gateway).await?;
    for job_id in jobs {
        let request = v1::CancelJobRequest {
            job_id: job_id.clone(),
        };
        let cancelled = client.jobs.cancel_job(request).await;
        cancelled.context("cancel a job that is watched")?;
    }
    Ok(())
}

/// Everybody who watches in one round.
struct Audience {
    watchers: JoinSet<(String, Watched)>,
    /// How much each watcher of a long job has heard.
    heard: Vec<Arc<AtomicUsize>>,
}

impl Audience {
    fn start(address: SocketAddr, short: &BTreeSet<String>, long: &BTreeSet<String>) -> Self {
        let (mut watchers, mut counts) = (JoinSet::new(), Vec::new());
        for job_id in short.iter().chain(long) {
            for _ in 0..WATCHERS_EACH {
                let heard = Arc::<AtomicUsize>::default();
                if long.contains(job_id) {
                    counts.push(Arc::clone(&heard));
                }
                let job_id = job_id.clone();
                let watcher = Watcher {
                    address,
                    job_id: job_id.clone(),
                    lets_go: None,
                    heard,
                };
                watchers.spawn(async move { (job_id, watcher.until_the_end(LATER).await) });
            }
        }
        Self {
            watchers,
            heard: counts,
        }
    }

    /// Waits until every watcher of a long job hears more: then none is between two streams.
    async fn hears(&self, when: &str) -> anyhow::Result<()> {
        let count = |heard: &Arc<AtomicUsize>| heard.load(Ordering::Relaxed);
        let before: Vec<usize> = self.heard.iter().map(count).collect();
        let more = || self.heard.iter().map(count).zip(&before);
        let enough = || more().all(|(now, before)| now >= before + HEARD_MORE);
        let look = async || Ok(enough().then_some(()));
        until(&format!("all watchers hear more, {when}"), SOON, look).await
    }

    async fn until_the_end(mut self) -> anyhow::Result<Vec<(String, Watched)>> {
        let mut accounts = Vec::new();
        while let Some(account) = self.watchers.join_next().await {
            accounts.push(account.context("wait for a watcher")?);
        }
        Ok(accounts)
    }
}

/// A watcher that nothing cuts off proves nothing.
fn judge_streams(row: &mut Row, told: &[(String, Watched)], long: &BTreeSet<String>) {
    let of_long = told.iter().filter(|(job_id, _)| long.contains(job_id));
    let fewest = of_long.map(|(_, watched)| watched.streams()).min();
    row.expect(fewest >= Some(STREAMS_MIN), || {
        format!("a watcher of a long job had {fewest:?} streams, not {STREAMS_MIN}")
    });
}

/// Holds all accounts against the promise, and their last event against that of the job, which `last_of` knows.
fn judge(row: &mut Row, accounts: &[(String, Watched)], last_of: impl Fn(&str) -> Option<u64>) {
    let (mut events, mut resets, mut complaints) = (0, 0, Vec::new());
    for (job_id, watched) in accounts {
        events += watched.events();
        resets += watched.resets();
        if !watched.broken().is_empty() {
            let broken = watched.broken().join("; ");
            complaints.push(format!("a watcher of {job_id}: {broken}"));
        }
        let (seen, last) = (watched.seen(), last_of(job_id));
        if last != Some(seen) {
            complaints.push(format!(
                "a watcher of {job_id} saw event {seen} last, the job has {last:?}"
            ));
        }
    }
    row.expect(complaints.is_empty(), || {
        let named = complaints.iter().take(NAMED).map(String::as_str);
        let named: Vec<&str> = named.collect();
        format!("{} complaints: {}", complaints.len(), named.join("; "))
    });
    let watchers = accounts.len();
    row.note(format!(
        "{watchers} watchers were told {events} events and {resets} declared gaps"
    ));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watched::Heard;

    fn watched(sequences: &[u64]) -> Watched {
        let mut watched = Watched::default();
        for sequence in sequences {
            watched.opens();
            watched.take(Heard::Event {
                sequence: *sequence,
            });
        }
        watched
    }

    fn judged(sequences: &[u64], last: u64) -> Row {
        let mut row = Row::new("a fault");
        let accounts = [("j".to_owned(), watched(sequences))];
        judge(&mut row, &accounts, |_| Some(last));
        row
    }

    #[test]
    fn a_row_without_gaps_is_clean() {
        let row = judged(&[1, 2, 3], 3);
        assert!(row.is_clean());
        assert_eq!(
            row.notes(),
            ["1 watchers were told 3 events and 0 declared gaps"]
        );
    }

    #[test]
    fn a_planted_gap_breaks_the_row() {
        let row = judged(&[1, 3], 3);
        let [broken] = row.broken() else {
            panic!("{:?}", row.broken());
        };
        assert!(broken.contains("a gap that was not declared"), "{broken}");
    }

    #[test]
    fn an_end_that_is_not_the_last_event_breaks_the_row() {
        let row = judged(&[1, 2], 3);
        assert_eq!(
            row.broken(),
            ["1 complaints: a watcher of j saw event 2 last, the job has Some(3)"]
        );
    }

    #[test]
    fn watchers_that_were_not_cut_off_break_the_row() {
        let long = BTreeSet::from(["j".to_owned()]);
        for (streams, clean) in [(STREAMS_MIN, true), (STREAMS_MIN - 1, false)] {
            let mut row = Row::new("a fault");
            let sequences: Vec<u64> = (1..=streams as u64).collect();
            judge_streams(&mut row, &[("j".to_owned(), watched(&sequences))], &long);
            assert_eq!(row.is_clean(), clean);
        }
    }
}
