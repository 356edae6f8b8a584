//! The bare commands on Redis, for the height of the ceiling: XADD by the producer; XREADGROUP, SET of a result and
//! XACK by the worker. All of it in pipelines, with nothing around. With a broker, the bare loop over that, and
//! records in Redis.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use assay_bench::peers::bare;
use assay_bench::peers::contender::QUEUE;
use assay_bench::peers::role::{self, Orders, Role};
use clap::Parser;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client};

/// The consumer group, and the only consumer in it.
const GROUP: &str = "workers";
/// How long a read may wait, in milliseconds.
const BLOCK_MS: usize = 50;
/// Streams, and of each its entries: id, and fields with values.
type Entries = Vec<(String, Vec<(String, Vec<String>)>)>;

/// What is stored of each job.
const RESULT: &str = r#"{"attempt":1,"token":1}"#;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let orders = Orders::parse();
    let config = AsyncConnectionConfig::new().set_response_timeout(Some(Duration::from_secs(30)));
    let client = Client::open(format!("redis://{}", orders.address)).context("read the address")?;
    let connection = client.get_multiplexed_async_connection_with_config(&config);
    let connection = connection.await.context("connect to Redis")?;
    if orders.broker.is_some() {
        return bare::run(&orders, Some(connection)).await;
    }
    match orders.role {
        Role::Producer => produce(&orders, connection).await,
        Role::Worker => work(&orders, connection).await,
    }
}

async fn produce(orders: &Orders, connection: MultiplexedConnection) -> anyhow::Result<()> {
    let payload: Arc<str> = "x".repeat(orders.payload_bytes).into();
    role::wait_for_go().await?;
    orders
        .submit_all(|jobs| {
            let (mut connection, payload) = (connection.clone(), Arc::clone(&payload));
            async move {
                let mut pipe = redis::pipe();
                for _ in 0..jobs {
                    let add = pipe.cmd("XADD").arg(QUEUE).arg("*");
                    add.arg("p").arg(&*payload).ignore();
                }
                pipe.query_async::<()>(&mut connection).await?;
                Ok(())
            }
        })
        .await?;
    role::say(role::SUBMITTED);
    role::hear().await?;
    Ok(())
}

async fn work(orders: &Orders, mut connection: MultiplexedConnection) -> anyhow::Result<()> {
    let mut make = redis::cmd("XGROUP");
    make.arg("CREATE")
        .arg(QUEUE)
        .arg(GROUP)
        .arg("0")
        .arg("MKSTREAM");
    let made = make.query_async::<()>(&mut connection);
    made.await.context("make the consumer group")?;
    role::say(role::READY);
    let mut ended = std::pin::pin!(role::hear());
    loop {
        tokio::select! {
            line = &mut ended => {
                line?;
                return Ok(());
            }
            taken = take(orders, &mut connection) => taken?,
        }
    }
}

async fn take(orders: &Orders, connection: &mut MultiplexedConnection) -> anyhow::Result<()> {
    let mut read = redis::cmd("XREADGROUP");
    read.arg("GROUP").arg(GROUP).arg(GROUP);
    read.arg("COUNT")
        .arg(orders.batch)
        .arg("BLOCK")
        .arg(BLOCK_MS);
    read.arg("STREAMS").arg(QUEUE).arg(">");
    let streams: Option<Entries> = read
        .query_async(connection)
        .await
        .context("read the stream")?;
    let streams = streams.unwrap_or_default();
    let mut pipe = redis::pipe();
    for (id, _) in streams.iter().flat_map(|(_, entries)| entries) {
        pipe.cmd("SET").arg(format!("r:{id}")).arg(RESULT).ignore();
        pipe.cmd("XACK").arg(QUEUE).arg(GROUP).arg(id).ignore();
    }
    if !pipe.is_empty() {
        let recorded = pipe.query_async::<()>(connection);
        recorded.await.context("record results")?;
    }
    Ok(())
}
