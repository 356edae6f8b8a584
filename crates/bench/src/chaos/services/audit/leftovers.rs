//! Nothing may be left over once every job has ended: not in Redis, not on the broker.

use std::collections::BTreeMap;
use std::time::Duration;

use assay_test_support::redis::{Client, Reply};

use crate::chaos::services::row::Row;
use crate::chaos::services::scene::{self, Scene};
use crate::chaos::services::until::until;

/// How long what is left over may take to be put away: a delivery of a dead worker is looked at after ten seconds, and
/// a copy of a job that ended may wait for half a minute on the broker before anybody sees that it did.
const TIDY_WITHIN: Duration = Duration::from_secs(75);
/// Keys that a scan looks at per step.
const SCAN_COUNT: &str = "10000";

/// Names of keys that must hold nothing once every job has ended, as somebody who looks from outside sees them.
const EMPTY_AT_THE_END: [&str; 7] = [
    ":s:",
    ":later:",
    ":due",
    ":leases",
    ":deadlines",
    ":outbox",
    ":sent",
];

/// Waits until queues and clockwork hold nothing, and tells the row if they don't come to it.
pub(super) async fn judge(scene: &Scene, row: &mut Row) -> anyhow::Result<()> {
    let left = tidy(scene).await?;
    row.expect(left.is_empty(), || {
        format!("left over at the end: {left:?}")
    });
    let Some(broker) = &scene.broker else {
        return Ok(());
    };
    let (dead, expected) = (broker.dead_letters().await?, scene.dead_letters);
    row.expect(dead == expected, || {
        format!("{dead} dead letters are on the broker, not {expected}")
    });
    // Where the logs of the others are; nobody misses it if the row is clean.
    let log = scene.folder().join("rabbitmq.log");
    std::fs::write(log, broker.server.log()?)?;
    Ok(())
}

/// What is still held when it does not come to nothing.
async fn tidy(scene: &Scene) -> anyhow::Result<BTreeMap<String, u64>> {
    let mut client = scene.redis.client()?;
    let mut left = BTreeMap::new();
    let look = async || {
        left = held(&mut client)?;
        if let Some(broker) = &scene.broker {
            left.extend(scene::left(&broker.queues().await?));
        }
        Ok(left.is_empty().then_some(()))
    };
    let tidied = until("nothing is left", TIDY_WITHIN, look).await;
    // What is left is told by what was seen last; nothing, if nobody could look.
    if left.is_empty() {
        tidied?;
    }
    Ok(left)
}

fn held(client: &mut Client) -> anyhow::Result<BTreeMap<String, u64>> {
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
        let length = length.integer().and_then(|length| length.try_into().ok());
        if let Some(length) = length.filter(|length| *length > 0) {
            held.insert(key, length);
        }
    }
    Ok(held)
}

/// Every key but the records.
pub(in crate::chaos::services) fn keys(client: &mut Client) -> anyhow::Result<Vec<String>> {
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
