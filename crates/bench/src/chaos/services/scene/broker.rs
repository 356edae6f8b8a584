//! The RabbitMQ of a scene, seen and touched from outside: through `rabbitmqctl` alone.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::Context;
use assay_core::kind::{JobKind, Lane};
use assay_core::route::{self, BrokerNames};
use assay_test_support::rabbit::{RabbitOptions, RabbitServer};

/// What every name on the broker begins with.
const PREFIX: &str = "chaos";
/// How old the broker's own counts of its messages may be, in milliseconds; usually it counts each five seconds.
const COUNTED_EVERY_MS: &str = "500";
/// The kind of every job here.
const KIND: JobKind = JobKind::ContentVerification;

/// A broker of a scene's own.
#[derive(Debug)]
pub(in crate::chaos::services) struct Broker {
    /// The process.
    pub(in crate::chaos::services) server: RabbitServer,
}

/// Messages of one queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::chaos::services) struct Messages {
    /// Nobody has them.
    pub(in crate::chaos::services) ready: u64,
    /// They are in somebody's hands.
    pub(in crate::chaos::services) in_hand: u64,
}

impl Messages {
    /// All of them.
    pub(in crate::chaos::services) fn all(self) -> u64 {
        self.ready + self.in_hand
    }
}

impl Broker {
    /// Starts one.
    pub(super) async fn start() -> anyhow::Result<Self> {
        let options = RabbitOptions::new().set("quorum_tick_interval", COUNTED_EVERY_MS);
        let server = RabbitServer::start(options).await?;
        Ok(Self { server })
    }

    /// The settings of a process that reaches it, by way of `via` or directly.
    pub(super) fn settings(&self, via: Option<SocketAddr>) -> [(&'static str, String); 2] {
        [
            ("rabbitmq.url", self.url(via)),
            ("rabbitmq.prefix", PREFIX.to_owned()),
        ]
    }

    /// How it is reached, by way of `via` or directly.
    fn url(&self, via: Option<SocketAddr>) -> String {
        let (here, url) = (self.server.address().to_string(), self.server.url());
        via.map_or_else(|| url.clone(), |via| url.replace(&here, &via.to_string()))
    }

    /// Every queue, by its whole name.
    pub(in crate::chaos::services) async fn queues(
        &self,
    ) -> anyhow::Result<BTreeMap<String, Messages>> {
        let words = [
            "list_queues",
            "name",
            "messages_ready",
            "messages_unacknowledged",
        ];
        let told = self.server.control(&words).await?;
        told.lines().map(queue).collect()
    }

    /// The messages of one queue; none if there is no such queue.
    pub(in crate::chaos::services) async fn messages(
        &self,
        name: &str,
    ) -> anyhow::Result<Messages> {
        let queues = self.queues().await?;
        Ok(queues.get(name).copied().unwrap_or_default())
    }

    /// The queue of a lane.
    pub(in crate::chaos::services) fn lane(lane: Lane) -> String {
        names().lane(KIND, lane, false)
    }

    /// The exchange by way of which messages come to the queue of a lane, and the routing key.
    pub(super) fn way_to(lane: Lane) -> (String, String) {
        (names().jobs(), route::lane_key(KIND, lane, false))
    }

    /// How many dead letters it keeps.
    pub(in crate::chaos::services) async fn dead_letters(&self) -> anyhow::Result<u64> {
        Ok(total(&self.queues().await?, &names().dead()))
    }

    /// How many messages wait for their time.
    pub(in crate::chaos::services) async fn delayed(&self) -> anyhow::Result<u64> {
        Ok(total(&self.queues().await?, &names().delay("")))
    }

    /// Throws away what waits for its time.
    pub(in crate::chaos::services) async fn purge_delayed(&self) -> anyhow::Result<()> {
        let queues = self.queues().await?;
        for (name, messages) in queues {
            if name.starts_with(&names().delay("")) && messages.ready > 0 {
                self.server.control(&["purge_queue", &name]).await?;
            }
        }
        Ok(())
    }

    /// Puts bytes into a queue, as anybody could who may write there.
    pub(in crate::chaos::services) async fn put(
        &self,
        queue: &str,
        body: &[u8],
    ) -> anyhow::Result<()> {
        let bytes: Vec<String> = body.iter().map(u8::to_string).collect();
        let publish = format!(
            "rabbit_basic:publish(rabbit_misc:r(<<\"/\">>, exchange, <<>>), <<\"{queue}\">>, \
             [{{delivery_mode, 2}}], <<{}>>).",
            bytes.join(",")
        );
        self.server.control(&["eval", &publish]).await.map(drop)
    }
}

/// One line of the list.
fn queue(line: &str) -> anyhow::Result<(String, Messages)> {
    let columns: Vec<&str> = line.split('\t').collect();
    let [name, ready, in_hand] = columns.as_slice() else {
        anyhow::bail!("read the list of queues: {line:?}");
    };
    let messages = Messages {
        ready: ready.parse().context("read how many messages are ready")?,
        in_hand: in_hand
            .parse()
            .context("read how many messages are in hand")?,
    };
    Ok(((*name).to_owned(), messages))
}

/// What things are called on this broker.
fn names() -> BrokerNames {
    BrokerNames::new(PREFIX)
}

/// How many messages are in queues whose names begin like this.
fn total(queues: &BTreeMap<String, Messages>, begin: &str) -> u64 {
    let named = queues.iter().filter(|(name, _)| name.starts_with(begin));
    named.map(|(_, messages)| messages.all()).sum()
}

/// Queues that are to be empty once every job has ended and are not, and how many messages they hold. Dead letters
/// are people's. A copy of a job that ended may wait in a delay queue for its time; whoever asks again sees it go.
pub(in crate::chaos::services) fn left(
    queues: &BTreeMap<String, Messages>,
) -> impl Iterator<Item = (String, u64)> {
    let held = queues.iter().filter(|(_, messages)| messages.all() > 0);
    let held = held.filter(|(name, _)| !name.starts_with(&names().dead()));
    held.map(|(name, messages)| (name.clone(), messages.all()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_read_from_the_list() {
        let lines = [
            "chaos.v1.content-verification\t3\t1",
            "chaos.v1.content-verification.resumed\t0\t0",
            "chaos.v1.delay.1s\t2\t0",
            "chaos.v1.dead.content-verification\t5\t0",
        ];
        let queues = lines.map(|line| queue(line).unwrap());
        let queues = BTreeMap::from(queues);
        assert_eq!(total(&queues, &names().dead()), 5);
        assert_eq!(total(&queues, &names().delay("")), 2);
        let left: Vec<_> = left(&queues).collect();
        let expected = [
            ("chaos.v1.content-verification", 4),
            ("chaos.v1.delay.1s", 2),
        ];
        assert_eq!(left, expected.map(|(name, held)| (name.to_owned(), held)));
        assert!(queue("chaos.v1.delay.1s\t2").is_err());
    }
}
