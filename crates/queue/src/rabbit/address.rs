//! Where a broker is, read from a URL. Nothing here shows a password.

use std::fmt;
use std::net::IpAddr;

use lapin::uri::{AMQPScheme, AMQPUri};

/// The user that every broker has, and whose password everybody knows.
const GUEST: &str = "guest";

/// A broker, and who logs in.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Address(AMQPUri);

/// Why a URL leads nowhere. The URL itself holds a password and is not shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// There is none.
    #[error("it is empty")]
    Empty,
    /// It can't be read.
    #[error(
        "it is no URL of a broker (characters of a password that divide a URL must be percent-encoded)"
    )]
    Malformed,
    /// Some of them are spoken to in the open.
    #[error("begin each of them with amqps://, or none")]
    Mixed,
    /// The broker's own user, from far.
    #[error(
        "user '{GUEST}' may log in on loopback only; make a user for this system ('{host}' is elsewhere)"
    )]
    GuestFromFar {
        /// Where.
        host: String,
    },
}

impl Address {
    pub(super) fn parse(url: &str) -> Result<Self, AddressError> {
        if url.is_empty() {
            return Err(AddressError::Empty);
        }
        // What the library says of a bad URL may quote it.
        let mut uri: AMQPUri = url.parse().map_err(|_| AddressError::Malformed)?;
        // The library reads only names of hosts, and takes the default for anything else.
        let host = host_of(url).ok_or(AddressError::Malformed)?;
        uri.authority.host = host.to_owned();
        // "/" after the host and nothing more is the default vhost for everybody but the library.
        if uri.vhost.is_empty() {
            uri.vhost = "/".into();
        }
        if uri.authority.userinfo.username == GUEST && !is_loopback(host) {
            let host = host.to_owned();
            return Err(AddressError::GuestFromFar { host });
        }
        Ok(Self(uri))
    }

    /// Whether what is sent there is encrypted.
    pub(super) fn is_encrypted(&self) -> bool {
        self.0.scheme == AMQPScheme::AMQPS
    }

    /// What a connection is made with: two heartbeats missed end it.
    pub(super) fn uri(&self, heartbeat_s: u16) -> AMQPUri {
        let mut uri = self.0.clone();
        uri.query.heartbeat.get_or_insert(heartbeat_s);
        uri
    }
}

/// Host, port and vhost, as messages name them.
impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = &self.0.authority;
        write!(
            out,
            "{}:{}/{}",
            at.host,
            at.port,
            self.0.vhost.trim_start_matches('/')
        )
    }
}

/// The host of a URL that can be read: between the user and the port.
fn host_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let place = authority
        .rsplit_once('@')
        .map_or(authority, |(_, place)| place);
    let host = match place.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once(']')?.0,
        None => place.split(':').next()?,
    };
    (!host.is_empty()).then_some(host)
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_and_not_with_what_password() {
        for (url, shown) in [
            (
                "amqp://assay:secret@mq.example:5673/jobs",
                "mq.example:5673/jobs",
            ),
            ("amqp://assay:secret@10.0.0.7", "10.0.0.7:5672/"),
            ("amqp://assay:secret@mq/", "mq:5672/"),
            ("amqp://assay:secret@mq/%2f", "mq:5672/"),
            (
                "amqp://assay:a%40b@[fd00::1]:5672/x?heartbeat=3",
                "fd00::1:5672/x",
            ),
            ("amqps://assay:secret@mq", "mq:5671/"),
            ("amqps://assay:secret@mq:5673/jobs", "mq:5673/jobs"),
            ("amqp://guest:guest@127.0.0.1:5672", "127.0.0.1:5672/"),
            ("amqp://localhost", "localhost:5672/"),
        ] {
            let address = Address::parse(url).unwrap();
            assert_eq!(address.to_string(), shown, "{url}");
            assert_eq!(address.is_encrypted(), url.starts_with("amqps"), "{url}");
        }
        let vhost = |url| Address::parse(url).unwrap().uri(10).vhost;
        assert_eq!(vhost("amqp://a:b@mq/"), "/");
        assert_eq!(vhost("amqp://a:b@mq/%2f"), "/");
        let heartbeat = |url| Address::parse(url).unwrap().uri(10).query.heartbeat;
        assert_eq!(heartbeat("amqp://a:b@mq"), Some(10));
        assert_eq!(heartbeat("amqp://a:b@mq?heartbeat=3"), Some(3));
    }

    #[test]
    fn what_leads_nowhere_is_refused_without_showing_it() {
        for url in [
            "",
            "mq",
            "http://a:secret@mq",
            "amqp://a:sec/ret@mq",
            "amqp://a:secret@",
            "amqp://a:secret@mq:x",
            "amqps://a:secret@",
            "amqp://guest:secret@mq",
            "amqps://guest:secret@mq",
            "amqp://:secret@mq",
        ] {
            let error = Address::parse(url)
                .err()
                .unwrap_or_else(|| panic!("{url} was taken"));
            assert!(!error.to_string().contains("sec"), "{error}");
        }
        let far = Address::parse("amqp://guest:guest@mq:5672").err().unwrap();
        assert!(far.to_string().contains("loopback only"), "{far}");
    }
}
