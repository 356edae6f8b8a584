//! The servers of a fleet, and how its processes are told of them.

use std::net::SocketAddr;

use super::plan::{Broker, Plan, Records};
use crate::rabbit::{Prefix, RabbitServer};
use crate::redis::RedisServer;

/// What every name on a fleet's own broker begins with.
const OWN_PREFIX: &str = "fleet";

/// A `section.key` and its value.
pub(super) type Setting = (String, String);

/// Those that are the fleet's own.
#[derive(Debug)]
pub(super) struct Servers {
    pub(super) redis: Option<RedisServer>,
    pub(super) rabbit: Option<RabbitServer>,
}

impl Servers {
    /// Starts what the fleet is to have of its own; with it come the settings of every process.
    pub(super) async fn start(plan: &Plan) -> anyhow::Result<(Self, Vec<Setting>)> {
        let redis = start_redis(&plan.records);
        // Beside each other: RabbitMQ takes seconds.
        let ((redis, mut settings), (rabbit, more)) =
            tokio::try_join!(redis, start_rabbit(plan.broker.as_ref()))?;
        settings.extend(more);
        Ok((Self { redis, rabbit }, settings))
    }
}

async fn start_redis(records: &Records) -> anyhow::Result<(Option<RedisServer>, Vec<Setting>)> {
    Ok(match records {
        Records::Own(options) => {
            let server = RedisServer::start(options.clone()).await?;
            let settings = redis_settings(server.address(), 0, options.wanted_password());
            (Some(server), settings)
        }
        Records::Shared(database) => {
            let settings = redis_settings(database.address, database.number, None);
            (None, settings)
        }
    })
}

async fn start_rabbit(
    broker: Option<&Broker>,
) -> anyhow::Result<(Option<RabbitServer>, Vec<Setting>)> {
    Ok(match broker {
        None => (None, Vec::new()),
        Some(Broker::Own(options)) => {
            let server = RabbitServer::start(options.clone()).await?;
            let settings = rabbit_settings(&server.url(), OWN_PREFIX);
            (Some(server), settings)
        }
        Some(Broker::Shared(Prefix { url, name })) => (None, rabbit_settings(url, name)),
    })
}

fn redis_settings(address: SocketAddr, database: u32, password: Option<&str>) -> Vec<Setting> {
    let mut settings = vec![
        ("redis.host".to_owned(), address.ip().to_string()),
        ("redis.port".to_owned(), address.port().to_string()),
        ("redis.db".to_owned(), database.to_string()),
    ];
    if let Some(password) = password {
        settings.push(("redis.password".to_owned(), password.to_owned()));
    }
    settings
}

fn rabbit_settings(url: &str, prefix: &str) -> Vec<Setting> {
    vec![
        ("rabbitmq.url".to_owned(), url.to_owned()),
        ("rabbitmq.prefix".to_owned(), prefix.to_owned()),
    ]
}
