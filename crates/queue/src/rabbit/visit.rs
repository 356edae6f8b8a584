//! A short look at a broker, for people who want to know whether it will do.
//!
//! What a broker is it tells before anybody has logged in, and the library keeps it to itself; so the greeting is
//! read here once more.

use std::time::Duration;

use assay_tls::Roots;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use super::address::Address;
use super::config::{RabbitConfig, RabbitConfigError};
use super::dial::encrypted;
use super::link::{Link, Role};
use super::supervisor::Supervisor;

/// The lowest version whose quorum queues know a time to live and dead letters that are not lost.
pub const VERSION_MIN: (u32, u32) = (3, 10);

/// How long the broker may take to say good-bye.
const GOODBYE: Duration = Duration::from_secs(1);
/// What a client says first: the name of the protocol and its version.
const HEADER: &[u8] = b"AMQP\x00\x00\x09\x01";
/// A frame begins with its type, its channel and its length.
const FRAME_BEGIN_BYTES: usize = 7;
/// The longest greeting that is read.
const GREETING_BYTES_MAX: usize = 64 * 1024;
/// How the version stands in a greeting: the name of the property and the sort of its value.
const VERSION_KEY: &[u8] = b"\x07versionS";

/// A broker that lets this process in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visited {
    /// Host, port and vhost.
    pub address: String,
    /// What it says its version is, if it says so.
    pub version: Option<String>,
    /// Whether what is sent to it is encrypted.
    pub is_encrypted: bool,
}

/// Why no broker lets this process in.
#[derive(Debug, thiserror::Error)]
pub enum VisitError {
    /// A setting is wrong.
    #[error(transparent)]
    Config(#[from] RabbitConfigError),
    /// None of them can be reached, or takes user and password.
    #[error("connect to RabbitMQ: {why}")]
    Closed {
        /// Each, and what is wrong with it.
        why: String,
    },
}

impl Visited {
    /// Whether its version is new enough; yes, if it does not tell.
    #[must_use]
    pub fn is_new_enough(&self) -> bool {
        let parts = self.version.as_deref().and_then(|version| {
            let mut parts = version.split('.').map(str::parse);
            Some((parts.next()?.ok()?, parts.next()?.ok()?))
        });
        parts.is_none_or(|parts: (u32, u32)| parts >= VERSION_MIN)
    }
}

/// Logs in to the first broker that lets this process in, and leaves again. Declares nothing.
///
/// # Errors
/// When a setting is wrong, or there is none.
pub async fn visit(config: &RabbitConfig) -> Result<Visited, VisitError> {
    config.validate()?;
    let addresses = config.addresses().map_err(RabbitConfigError::from)?;
    let roots = config.roots()?;
    let (_open, stop) = watch::channel(false);
    let visitor = Supervisor {
        role: Role::Consume,
        link: Link::new(),
        addresses: addresses.clone(),
        roots: roots.clone(),
        config: config.clone(),
        stop,
    };
    let mut troubles = Vec::new();
    for address in &addresses {
        match visitor.connect(address).await {
            Ok(live) => {
                let goodbye = live.connection.close(200, "good-bye".into());
                drop(timeout(GOODBYE, goodbye).await);
                return Ok(Visited {
                    address: address.to_string(),
                    version: version_at(address, config, roots.as_ref()).await,
                    is_encrypted: roots.is_some(),
                });
            }
            Err(why) => troubles.push(format!("{address}: {why}")),
        }
    }
    Err(VisitError::Closed {
        why: troubles.join("; "),
    })
}

async fn version_at(
    address: &Address,
    config: &RabbitConfig,
    roots: Option<&Roots>,
) -> Option<String> {
    let at = address.uri(config.heartbeat_s()).authority;
    let place = (at.host.as_str(), at.port);
    let read = async {
        match roots {
            Some(roots) => greeting(encrypted(place, &at.host, roots).await?).await,
            None => greeting(TcpStream::connect(place).await?).await,
        }
    };
    let greeting = timeout(config.answer_timeout(), read).await.ok()?.ok()?;
    version(&greeting)
}

async fn greeting(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<Vec<u8>> {
    stream.write_all(HEADER).await?;
    stream.flush().await?;
    let frame = first_frame(&mut stream).await;
    // One that is not told that an encrypted connection ends waits for more.
    drop(stream.shutdown().await);
    frame
}

/// What the first frame holds.
async fn first_frame(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Vec<u8>> {
    let mut begin = [0; FRAME_BEGIN_BYTES];
    stream.read_exact(&mut begin).await?;
    let [.., a, b, c, d] = begin;
    let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
    if length > GREETING_BYTES_MAX {
        return Err(std::io::Error::other("this is not how a broker greets"));
    }
    let mut content = vec![0; length];
    stream.read_exact(&mut content).await?;
    Ok(content)
}

/// The version that a greeting tells.
fn version(greeting: &[u8]) -> Option<String> {
    let mut places = greeting.windows(VERSION_KEY.len());
    let at = places.position(|window| window == VERSION_KEY)?;
    let rest = greeting.get(at + VERSION_KEY.len()..)?;
    let (length, rest) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let version = std::str::from_utf8(rest.get(..length)?).ok()?;
    Some(version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_tells_a_version() {
        let greeting = |length: u32| {
            let length = length.to_be_bytes();
            let before = &b"\x00\x0a\x00\x0a\x00\x09\x07productS\x00\x00\x00\x08RabbitMQ"[..];
            [before, VERSION_KEY, &length, b"3.10.8"].concat()
        };
        assert_eq!(version(&greeting(6)).as_deref(), Some("3.10.8"));
        assert_eq!(version(&greeting(7)), None);
        assert_eq!(version(b"HTTP/1.1 400 Bad Request"), None);
    }

    #[tokio::test]
    async fn the_longest_greeting_is_read_and_one_byte_more_is_not() {
        for (length, is_read) in [(GREETING_BYTES_MAX, true), (GREETING_BYTES_MAX + 1, false)] {
            let announced = u32::try_from(length).unwrap().to_be_bytes();
            let frame = [&[1, 0, 0][..], &announced, &vec![0; length]].concat();
            let read = first_frame(&mut frame.as_slice()).await;
            assert_eq!(read.is_ok_and(|read| read.len() == length), is_read);
        }
    }

    #[test]
    fn an_old_broker_will_not_do() {
        let of = |version: Option<&str>| Visited {
            address: "mq:5672/".to_owned(),
            version: version.map(str::to_owned),
            is_encrypted: false,
        };
        for (version, new_enough) in [
            (Some("3.9.29"), false),
            (Some("3.10.0"), true),
            (Some("4.0.5"), true),
            (Some("next"), true),
            (None, true),
        ] {
            assert_eq!(of(version).is_new_enough(), new_enough, "{version:?}");
        }
    }
}
