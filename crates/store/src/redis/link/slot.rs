//! One shared connection, made again when it is lost.

use std::time::Duration;

use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, Pipeline, Value};
use tokio::time::Instant;

use super::{LinkError, unconnected};
use crate::metric_definitions::redis::{Connection, reconnected};
use crate::redis::config::RedisConfig;

/// How long a caller waits for a connection before it is told that there is none.
const PATIENCE: Duration = Duration::from_secs(1);
/// The longest pause before the second try to connect. Each pause may be twice the one before.
const PAUSE_MIN: Duration = Duration::from_millis(20);
/// The longest pause of all.
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// A place for a connection.
pub(super) struct Slot {
    client: redis::Client,
    config: AsyncConnectionConfig,
    encrypted: bool,
    current: Mutex<Current>,
    dialling: tokio::sync::Mutex<Dialling>,
}

#[derive(Default)]
struct Current {
    connection: Option<MultiplexedConnection>,
    /// Tells connections apart: who lost one must not drop the next.
    serial: u64,
}

struct Dialling {
    failures: u32,
    next: Instant,
    why: String,
}

impl Slot {
    pub(super) fn new(client: redis::Client, config: &RedisConfig) -> Self {
        Self {
            client,
            config: AsyncConnectionConfig::new()
                .set_connection_timeout(Some(config.connect_timeout()))
                .set_response_timeout(Some(config.response_timeout())),
            encrypted: config.tls,
            current: Mutex::default(),
            dialling: tokio::sync::Mutex::new(Dialling {
                failures: 0,
                next: Instant::now(),
                why: String::new(),
            }),
        }
    }

    pub(super) async fn ask(&self, command: &Cmd) -> Result<Value, LinkError> {
        let (mut connection, serial) = self.connection().await?;
        let answer = command.query_async(&mut connection).await;
        self.judge(answer, serial)
    }

    pub(super) async fn ask_all(&self, commands: &Pipeline) -> Result<Vec<Value>, LinkError> {
        let (mut connection, serial) = self.connection().await?;
        let answers = commands.query_async(&mut connection).await;
        self.judge(answers, serial)
    }

    fn judge<T>(&self, answer: redis::RedisResult<T>, serial: u64) -> Result<T, LinkError> {
        answer.map_err(|error| {
            let (failure, useless) = LinkError::of(&error);
            if useless {
                self.lose(serial);
            }
            failure
        })
    }

    fn lose(&self, serial: u64) {
        let mut current = self.current.lock();
        if current.serial == serial {
            current.connection = None;
        }
    }

    fn current(&self) -> Option<(MultiplexedConnection, u64)> {
        let current = self.current.lock();
        let connection = current.connection.clone()?;
        Some((connection, current.serial))
    }

    /// The connection, made if need be.
    async fn connection(&self) -> Result<(MultiplexedConnection, u64), LinkError> {
        if let Some(current) = self.current() {
            return Ok(current);
        }
        let until = Instant::now() + PATIENCE;
        loop {
            let mut dialling = self.dialling.lock().await;
            // Somebody else may have made it meanwhile.
            if let Some(current) = self.current() {
                return Ok(current);
            }
            if dialling.next <= Instant::now() {
                match self.dial().await {
                    Ok(connection) => {
                        dialling.failures = 0;
                        return Ok(self.keep(connection));
                    }
                    Err(error) => dialling.failed(unconnected(&error, self.encrypted)),
                }
            }
            if dialling.next >= until {
                return Err(LinkError::Unsent(dialling.why.clone()));
            }
            let next = dialling.next;
            drop(dialling);
            tokio::time::sleep_until(next).await;
        }
    }

    fn keep(&self, connection: MultiplexedConnection) -> (MultiplexedConnection, u64) {
        let mut current = self.current.lock();
        current.serial += 1;
        if current.serial > 1 {
            reconnected(Connection::Commands);
        }
        current.connection = Some(connection.clone());
        (connection, current.serial)
    }

    /// A connection to a Redis that is ready: one that still loads its file does not answer a ping.
    async fn dial(&self) -> redis::RedisResult<MultiplexedConnection> {
        let dialled = self
            .client
            .get_multiplexed_async_connection_with_config(&self.config);
        let mut connection = dialled.await?;
        redis::cmd("PING")
            .query_async::<Value>(&mut connection)
            .await?;
        Ok(connection)
    }
}

impl Dialling {
    fn failed(&mut self, why: String) {
        self.next = Instant::now() + pause(self.failures);
        self.failures = self.failures.saturating_add(1);
        self.why = why;
    }
}

/// The pause behind that many failures. Half of it is chance, so that not all come back at once.
pub(super) fn pause(failures: u32) -> Duration {
    let longest = PAUSE_MIN
        .saturating_mul(1 << failures.min(10))
        .min(PAUSE_MAX);
    longest.mul_f64(rand::random_range(0.5..1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_bound() {
        for (failures, longest) in [(0, PAUSE_MIN), (3, PAUSE_MIN * 8), (40, PAUSE_MAX)] {
            for _ in 0..100 {
                let pause = pause(failures);
                assert!(pause >= longest / 2 && pause < longest, "{pause:?}");
            }
        }
    }
}
