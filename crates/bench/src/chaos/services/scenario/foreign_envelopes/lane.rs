//! The normal lane as a stranger finds it: a stream of Redis, or a queue of RabbitMQ.

use anyhow::Context;
use assay_core::kind::{self, JobKind};
use assay_core::route;

use crate::chaos::services::audit;
use crate::chaos::services::scene::{Broker, Scene};

/// The kind of every job here.
const KIND: JobKind = JobKind::ContentVerification;
/// The field of an entry of a stream that holds an envelope.
const ENVELOPE: &str = "e";

/// Where deliveries are kept.
pub(super) enum Lane {
    Streams {
        stream: String,
        later: String,
        dead: String,
    },
    Queue(String),
}

impl Lane {
    /// By what the traffic before has made.
    pub(super) fn find(scene: &Scene) -> anyhow::Result<Self> {
        if scene.broker.is_some() {
            return Ok(Self::Queue(Broker::lane(kind::Lane::Normal)));
        }
        let name = format!(":s:{}", route::queue(KIND, kind::Lane::Normal));
        let found = audit::keys(&mut scene.redis.client()?)?
            .into_iter()
            .find(|key| key.ends_with(&name));
        let stream = found.context("find the stream of the normal lane")?;
        let base = stream.trim_end_matches(name.as_str()).to_owned();
        Ok(Self::Streams {
            later: format!("{base}:later:{KIND}"),
            dead: format!("{base}:dead:{KIND}"),
            stream,
        })
    }

    /// Puts text where an envelope should be.
    pub(super) async fn put(&self, scene: &Scene, envelope: &str) -> anyhow::Result<()> {
        match (self, &scene.broker) {
            (Self::Queue(name), Some(broker)) => broker.put(name, envelope.as_bytes()).await,
            (Self::Streams { stream, .. }, _) => {
                let mut client = scene.redis.client()?;
                let words = ["XADD", stream, "*", ENVELOPE, envelope];
                client.run(&words).map(drop)
            }
            (Self::Queue(_), None) => Ok(()),
        }
    }

    /// How many envelopes are kept for people.
    pub(super) async fn dead(&self, scene: &Scene) -> anyhow::Result<u64> {
        match (self, &scene.broker) {
            (_, Some(broker)) => broker.dead_letters().await,
            (Self::Streams { dead, .. }, None) => count(scene, &["XLEN", dead]),
            (Self::Queue(_), None) => Ok(0),
        }
    }

    /// How many deliveries come again later.
    pub(super) async fn waiting(&self, scene: &Scene) -> anyhow::Result<u64> {
        match (self, &scene.broker) {
            (_, Some(broker)) => broker.delayed().await,
            (Self::Streams { later, .. }, None) => count(scene, &["ZCARD", later]),
            (Self::Queue(_), None) => Ok(0),
        }
    }

    /// Throws away what would come again later.
    pub(super) async fn take_away(&self, scene: &Scene) -> anyhow::Result<()> {
        match (self, &scene.broker) {
            (_, Some(broker)) => broker.purge_delayed().await,
            (Self::Streams { later, .. }, None) => {
                scene.redis.client()?.run(&["DEL", later]).map(drop)
            }
            (Self::Queue(_), None) => Ok(()),
        }
    }
}

/// A number that Redis answers.
fn count(scene: &Scene, words: &[&str]) -> anyhow::Result<u64> {
    let number = scene.redis.client()?.run(words)?.integer();
    let number = number.with_context(|| format!("read the answer to {words:?}"))?;
    Ok(u64::try_from(number)?)
}
