//! Starts what the services need and nobody named: a Redis, a RabbitMQ.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::Context;

use super::launch::Launch;
use super::state::{BROKER, MAPPER, REDIS};
use crate::port;
use crate::rabbit::StandingBroker;
use crate::redis::{Appendfsync, Client, RedisOptions, ensure_program};

/// Starts a Redis over the data in a folder.
pub(super) async fn start_redis(launch: &mut Launch, data: &Path) -> anyhow::Result<SocketAddr> {
    let program = ensure_program()?;
    fs::create_dir_all(data).with_context(|| format!("make {}", data.display()))?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port::free()?));
    let file = data.join("redis.conf");
    let text = RedisOptions::new(Appendfsync::Always).file(data, address.port());
    fs::write(&file, text).context("write redis.conf")?;
    launch.start(REDIS, address.to_string(), program.command().arg(&file))?;
    let answers = || Client::connect(address).ok()?.run(&["PING"]).ok();
    launch.ready(REDIS, answers).await?;
    Ok(address)
}

/// Starts a RabbitMQ over the data in a folder, with a port mapper of its own.
pub(super) async fn start_rabbit(
    launch: &mut Launch,
    data: &Path,
) -> anyhow::Result<StandingBroker> {
    fs::create_dir_all(data).with_context(|| format!("make {}", data.display()))?;
    let broker = StandingBroker::prepare(data)?;
    let at = broker.mapper_address().to_string();
    launch.start(MAPPER, at, &mut broker.mapper())?;
    let listens = || broker.mapper_listens().then_some(());
    launch.ready(MAPPER, listens).await?;
    let at = broker.address().to_string();
    launch.start(BROKER, at, &mut broker.server())?;
    let greets = || broker.greets().then_some(());
    launch.ready(BROKER, greets).await?;
    Ok(broker)
}
