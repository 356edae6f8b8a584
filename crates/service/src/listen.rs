//! Listening sockets, with errors that say which setting to change.

use std::net::SocketAddr;

use tokio::net::TcpListener;

use crate::config::{Config, Error as ConfigError, VARIABLE_PREFIX};

/// A listener could not be opened.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot listen on {address}: {reason}; stop what listens there or set `{key}` ({variable}) to another address"
)]
pub struct Error {
    /// The address that was asked for.
    pub address: SocketAddr,
    /// The configuration key that named it.
    pub key: String,
    /// The environment variable of that key.
    pub variable: String,
    /// What the system said.
    pub reason: String,
}

/// Opens a listener on the address that `key` names.
///
/// # Errors
/// When the address is taken, not of this machine, or not permitted.
pub async fn bind(key: &str, address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|error| {
        let taken = error.kind() == std::io::ErrorKind::AddrInUse;
        let reason = if taken {
            "the address is already in use".to_owned()
        } else {
            error.to_string()
        };
        Error {
            address,
            key: key.to_owned(),
            variable: variable_of(key),
            reason,
        }
    })
}

/// What keeps strangers out.
#[derive(Clone, Copy, Debug)]
pub struct Guard {
    /// The key that holds it.
    pub key: &'static str,
    /// Whether it is set.
    pub is_set: bool,
}

/// Reads the address at `key`, and refuses one beyond loopback unless callers must show a token.
///
/// # Errors
/// When the value is no address, or would serve strangers.
pub fn address(config: &Config, key: &str, guard: Guard) -> Result<SocketAddr, ConfigError> {
    let text: String = config.section(key)?;
    let address: SocketAddr = text
        .parse()
        .map_err(|_| config.refuse(key, "be an address with a port such as 127.0.0.1:9090"))?;
    if !guard.is_set && !address.ip().is_loopback() {
        let must = format!("be a loopback address unless `{}` is set", guard.key);
        return Err(config.refuse(key, &must));
    }
    Ok(address)
}

/// The environment variable that sets `key`.
#[must_use]
pub fn variable_of(key: &str) -> String {
    format!("{VARIABLE_PREFIX}{}", key.to_uppercase().replace('.', "__"))
}
