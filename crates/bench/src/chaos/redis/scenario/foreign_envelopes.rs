//! Bytes that are no envelope, and an envelope of a version to come, in the middle of the traffic.

use anyhow::Context;
use assay_core::envelope::ENVELOPE_VERSION;
use assay_core::kind::{JobKind, Lane};
use assay_core::route;
use assay_probe::{Act, Mark};
use assay_test_support::fleet::Role;
use assay_test_support::redis::{Appendfsync, Client, RedisOptions};

use super::{Row, Scenario, Setup};
use crate::chaos::redis::audit;
use crate::chaos::redis::scene::{How, SOON, Scene};
use crate::chaos::redis::until::until;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "foreign-envelopes",
    fault: "an undecodable and a newer envelope in the stream",
    failpoints: false,
    run: |setup| Box::pin(run(setup)),
};

/// Jobs around them.
const JOBS: usize = 50;
/// The field of an entry that holds an envelope.
const ENVELOPE: &str = "e";
/// No protobuf message begins like this.
const RUBBISH: &str = "gibberish";
/// The key of the version in an envelope: field 1, a number.
const VERSION_TAG: char = '\u{8}';

async fn run(setup: &Setup) -> anyhow::Result<Row> {
    let mut scene = Scene::open(setup, RedisOptions::new(Appendfsync::Always)).await?;
    let _gateway = scene.open_gateway(&How::default()).await?;
    let _scheduler = scene.usual(Role::Scheduler).await?;
    let _worker = scene.usual(Role::Worker).await?;
    let before = scene.throughput().await?;
    let mut client = scene.redis.client()?;
    let keys = Keys::find(&mut client)?;
    let requests = scene.requests(2 * JOBS, &[Act::Sleep(5), Act::Progress]);
    let (first, second) = requests.split_at(JOBS);
    let mut jobs = scene.accept(first.to_vec()).await?;
    scene.fault();
    let next = char::from_u32(ENVELOPE_VERSION + 1).context("name the next version")?;
    let newer: String = [VERSION_TAG, next].iter().collect();
    for envelope in [RUBBISH, newer.as_str()] {
        client.run(&["XADD", &keys.stream, "*", ENVELOPE, envelope])?;
    }
    jobs.extend(scene.accept(second.to_vec()).await?);
    scene
        .marked(Mark::Finished, &jobs, jobs.len(), SOON)
        .await?;
    let mut row = Row::new(SCENARIO.fault);
    let dead = async || Ok((keys.dead(&mut client)? == 1).then_some(()));
    let kept = until("the rubbish is a dead letter", SOON, dead).await;
    row.expect_done("an envelope in the stream", kept);
    let put_back = async || Ok((keys.waiting(&mut client)? == 1).then_some(()));
    let kept = until(
        "the newer envelope waits for a newer worker",
        SOON,
        put_back,
    )
    .await;
    row.expect_done("an envelope in the stream", kept);
    let dead = keys.dead(&mut client)?;
    row.expect(dead == 1, || {
        format!("{dead} envelopes are dead letters, not the rubbish alone")
    });
    client.run(&["DEL", &keys.later])?;
    let after = scene.throughput().await?;
    row.throughput = Some([before, after]);
    audit::close(&mut scene, &mut row, &[]).await?;
    Ok(row)
}

/// Where deliveries are kept.
struct Keys {
    stream: String,
    later: String,
    dead: String,
}

impl Keys {
    /// Beside the stream that the traffic before has made.
    fn find(client: &mut Client) -> anyhow::Result<Self> {
        let kind = JobKind::ContentVerification;
        let name = format!(":s:{}", route::queue(kind, Lane::Normal));
        let found = audit::keys(client)?
            .into_iter()
            .find(|key| key.ends_with(&name));
        let stream = found.context("find the stream of the normal lane")?;
        let base = stream.trim_end_matches(name.as_str()).to_owned();
        Ok(Self {
            later: format!("{base}:later:{kind}"),
            dead: format!("{base}:dead:{kind}"),
            stream,
        })
    }

    fn dead(&self, client: &mut Client) -> anyhow::Result<i64> {
        let length = client.run(&["XLEN", &self.dead])?.integer();
        length.context("read the length of the dead letters")
    }

    fn waiting(&self, client: &mut Client) -> anyhow::Result<i64> {
        let length = client.run(&["ZCARD", &self.later])?.integer();
        length.context("read how many deliveries come again later")
    }
}
