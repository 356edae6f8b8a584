//! Looks at what the configuration names, for people who have not started anything yet.

use assay_core::port::Durability;
use assay_queue::{RABBIT_VERSION_MIN, Visited, visit_rabbit};
use assay_service::Config;
use assay_store::RedisStore;

use crate::carriage::carrier;
use crate::check::Settings;
use crate::open::Error;

/// A Redis that will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Records {
    /// Host, port and number of the database.
    pub address: String,
    /// Its version.
    pub version: String,
    /// Whether what is sent to it is encrypted.
    pub is_encrypted: bool,
    /// What an acknowledged job survives in it.
    pub durability: Durability,
}

/// A RabbitMQ that lets processes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    /// Host, port and vhost.
    pub address: String,
    /// Its version, if it tells.
    pub version: Option<String>,
    /// Whether what is sent to it is encrypted.
    pub is_encrypted: bool,
    /// The lowest version that will do, if its own is lower.
    pub needed: Option<String>,
}

impl Broker {
    /// What holds for an envelope that it has confirmed, as a sentence for people.
    #[must_use]
    pub fn promise() -> &'static str {
        "on the disks of most of its nodes"
    }
}

/// Looks at Redis once, as a process that starts would, and says what it promises. Nothing is written.
///
/// # Errors
/// When a setting is wrong, or Redis cannot be reached or will not do.
pub async fn look(config: &Config) -> Result<Records, Error> {
    let Settings {
        redis,
        store,
        rabbit,
        ..
    } = Settings::read(config)?;
    let carrier = carrier(rabbit.as_ref());
    let (address, is_encrypted) = (redis.address(), redis.tls);
    // Boxed: a connection in the making is large, and every layer of a task would move it.
    let seen = Box::pin(RedisStore::look(&redis, &store, carrier)).await?;
    Ok(Records {
        address,
        version: seen.version,
        is_encrypted,
        durability: seen.durability,
    })
}

/// Logs in once to the RabbitMQ that the configuration names; `None` if it names none.
///
/// # Errors
/// When a setting is wrong, or the broker cannot be reached or does not let this process in.
pub async fn look_at_broker(config: &Config) -> Result<Option<Broker>, Error> {
    let Some(rabbit) = Settings::read(config)?.rabbit else {
        return Ok(None);
    };
    let visited = Box::pin(visit_rabbit(&rabbit)).await?;
    let (major, minor) = RABBIT_VERSION_MIN;
    let needed = (!visited.is_new_enough()).then(|| format!("{major}.{minor}"));
    let Visited {
        address,
        version,
        is_encrypted,
    } = visited;
    Ok(Some(Broker {
        address,
        version,
        is_encrypted,
        needed,
    }))
}
