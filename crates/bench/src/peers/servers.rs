//! The servers of one measurement.

use anyhow::Context;
use assay_test_support::rabbit::{RabbitOptions, RabbitServer};
use assay_test_support::redis::{Appendfsync, RedisOptions, RedisServer};

use super::mode::Mode;
use super::stage::Part;
use crate::process;

/// A Redis, and in full mode a RabbitMQ: nobody else's, and nothing in them.
#[derive(Debug)]
pub struct Servers {
    /// Keeps what is recorded.
    pub redis: RedisServer,
    broker: Option<RabbitServer>,
}

impl Servers {
    /// Starts what a mode needs, the same for all contenders.
    ///
    /// # Errors
    /// When one does not start.
    pub async fn start(mode: Mode) -> anyhow::Result<Self> {
        Ok(Self {
            redis: RedisServer::start(redis_options()).await?,
            broker: match mode {
                Mode::Redis => None,
                Mode::Full => Some(RabbitServer::start(RabbitOptions::new()).await?),
            },
        })
    }

    /// How clients reach RabbitMQ, if there is one.
    #[must_use]
    pub fn broker_url(&self) -> Option<String> {
        self.broker.as_ref().map(RabbitServer::url)
    }

    /// The version of RabbitMQ, if there is one.
    ///
    /// # Errors
    /// When it does not tell.
    pub async fn broker_version(&self) -> anyhow::Result<Option<String>> {
        match &self.broker {
            Some(broker) => broker.control(&["version"]).await.map(Some),
            None => Ok(None),
        }
    }

    /// Resident memory of RabbitMQ in bytes, if there is one.
    ///
    /// # Errors
    /// When it has ended.
    pub fn broker_bytes(&self) -> anyhow::Result<Option<u64>> {
        let pid = self.broker_pid()?;
        pid.map(process::resident_bytes).transpose()
    }

    /// Their processes.
    ///
    /// # Errors
    /// When one has ended.
    pub fn processes(&self) -> anyhow::Result<Vec<(Part, u32)>> {
        let redis = self.redis.pid().context("find the process of Redis")?;
        let broker = self.broker_pid()?.map(|pid| (Part::Broker, pid));
        Ok(std::iter::once((Part::Redis, redis))
            .chain(broker)
            .collect())
    }

    fn broker_pid(&self) -> anyhow::Result<Option<u32>> {
        let pid = |broker: &RabbitServer| broker.pid().context("find the process of RabbitMQ");
        self.broker.as_ref().map(pid).transpose()
    }
}

/// Synced each second, and never rewritten in the middle of a run.
fn redis_options() -> RedisOptions {
    RedisOptions::new(Appendfsync::EverySec).set("auto-aof-rewrite-percentage", "0")
}
