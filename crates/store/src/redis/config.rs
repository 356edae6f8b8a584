//! The settings of the connection to Redis. `defaults.toml` explains each.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use assay_tls::{Roots, RootsError};
use redis::io::tcp::TcpSettings;
use redis::{
    ConnectionAddr, ErrorKind, IntoConnectionInfo as _, RedisConnectionInfo, TlsCertificates,
};
use serde::Deserialize;

/// The documented defaults, section `[redis]`.
pub const DEFAULTS_TOML: &str = include_str!("defaults.toml");

/// Unacknowledged bytes end a connection after this long: a peer that vanished is noticed.
const USER_TIMEOUT: Duration = Duration::from_secs(10);

/// Where Redis is and how it is spoken to.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedisConfig {
    /// Its host name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The number of the database in it.
    pub db: i64,
    /// Who logs in; empty for the default user.
    pub username: String,
    /// The password; empty for none.
    pub password: String,
    /// What every key and channel begins with.
    pub prefix: String,
    /// Whether what is sent is encrypted.
    pub tls: bool,
    /// The file of the certificates that are trusted then; empty for the system's.
    pub ca_file: String,
    /// Connections that commands share.
    pub connections: usize,
    /// How long making a connection may take, in milliseconds.
    pub connect_timeout_ms: u64,
    /// How long an answer may take, in milliseconds.
    pub response_timeout_ms: u64,
}

impl Default for RedisConfig {
    /// The same values as [`DEFAULTS_TOML`]; a test compares them.
    fn default() -> Self {
        Self {
            host: "127.0.0.1".into(),
            port: 6379,
            db: 0,
            username: String::new(),
            password: String::new(),
            prefix: "assay".into(),
            tls: false,
            ca_file: String::new(),
            connections: 2,
            connect_timeout_ms: 2_000,
            response_timeout_ms: 2_000,
        }
    }
}

impl fmt::Debug for RedisConfig {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("RedisConfig")
            .field("address", &self.address())
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// A setting that no connection can work with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RedisConfigError {
    /// A number that must not be zero.
    #[error("set redis.{setting} to 1 or more, not 0")]
    Zero {
        /// Which setting.
        setting: &'static str,
    },
    /// A prefix that would mix up tags or names.
    #[error("set redis.prefix to letters, digits, '-', '_', '.' and ':', not '{prefix}'")]
    Prefix {
        /// What it is.
        prefix: String,
    },
    /// Nobody can be trusted.
    #[error("set redis.ca_file to a file of certificates in PEM form: {0}")]
    Roots(#[from] RootsError),
    /// Who is trusted is named, and nobody would be asked for it.
    #[error("set redis.tls (REDIS_TLS) to true, or leave redis.ca_file empty")]
    Unencrypted,
    /// No host.
    #[error("set redis.host to the host name or address of Redis")]
    NoHost,
}

impl RedisConfig {
    /// Host, port and database, as messages name them.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}:{}/{}", self.host, self.port, self.db)
    }

    /// Checks every setting, and reads the file of certificates if they are needed.
    ///
    /// # Errors
    /// The first that no connection can work with.
    pub fn validate(&self) -> Result<(), RedisConfigError> {
        if self.host.is_empty() {
            return Err(RedisConfigError::NoHost);
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        if self.prefix.is_empty() || !self.prefix.chars().all(plain) {
            return Err(RedisConfigError::Prefix {
                prefix: self.prefix.clone(),
            });
        }
        let zero = [
            ("connections", self.connections == 0),
            ("connect_timeout_ms", self.connect_timeout_ms == 0),
            ("response_timeout_ms", self.response_timeout_ms == 0),
        ];
        match zero.into_iter().find(|(_, is_zero)| *is_zero) {
            Some((setting, _)) => Err(RedisConfigError::Zero { setting }),
            None => self.roots().map(drop),
        }
    }

    /// Who is trusted to be Redis; `None` where what is sent is not encrypted.
    fn roots(&self) -> Result<Option<Roots>, RedisConfigError> {
        let file = Some(Path::new(&self.ca_file)).filter(|path| !path.as_os_str().is_empty());
        match (self.tls, file) {
            (true, file) => Ok(Some(Roots::read(file)?)),
            (false, Some(_)) => Err(RedisConfigError::Unencrypted),
            (false, None) => Ok(None),
        }
    }

    pub(crate) fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }

    pub(crate) fn response_timeout(&self) -> Duration {
        Duration::from_millis(self.response_timeout_ms)
    }

    /// What the client library is told. Small writes are not held back.
    pub(crate) fn client(&self) -> Result<redis::Client, redis::RedisError> {
        let mut settings = RedisConnectionInfo::default().set_db(self.db);
        if !self.username.is_empty() {
            settings = settings.set_username(&self.username);
        }
        if !self.password.is_empty() {
            settings = settings.set_password(&self.password);
        }
        let tcp = TcpSettings::default()
            .set_nodelay(true)
            .set_user_timeout(USER_TIMEOUT);
        let roots = self.roots().map_err(|error| {
            let what = "use the certificates";
            (ErrorKind::InvalidClientConfig, what, error.to_string())
        })?;
        let address = match roots {
            Some(_) => ConnectionAddr::TcpTls {
                host: self.host.clone(),
                port: self.port,
                insecure: false,
                tls_params: None,
            },
            None => ConnectionAddr::Tcp(self.host.clone(), self.port),
        };
        let info = address
            .into_connection_info()?
            .set_redis_settings(settings)
            .set_tcp_settings(tcp);
        match roots {
            // Without certificates of its own the library reads the system's, as we do.
            Some(roots) => redis::Client::build_with_tls(
                info,
                TlsCertificates {
                    client_tls: None,
                    root_cert: roots.file().map(<[u8]>::to_vec),
                },
            ),
            None => redis::Client::open(info),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_defaults_are_the_defaults() {
        let file = config::File::from_str(DEFAULTS_TOML, config::FileFormat::Toml);
        let documented = config::Config::builder().add_source(file).build().unwrap();
        let documented: RedisConfig = documented.get("redis").unwrap();
        assert_eq!(documented, RedisConfig::default());
        assert_eq!(documented.validate(), Ok(()));
    }

    #[test]
    fn what_cannot_work_is_named() {
        type Change = fn(&mut RedisConfig);
        let changes: [(Change, &str); 7] = [
            (|config| config.host.clear(), "redis.host"),
            (|config| config.prefix = "a{b".into(), "redis.prefix"),
            (|config| config.connections = 0, "redis.connections"),
            (
                |config| config.ca_file = "/nowhere/ca.pem".into(),
                "redis.tls (REDIS_TLS) to true",
            ),
            (
                |config| {
                    config.tls = true;
                    config.ca_file = "/nowhere/ca.pem".into();
                },
                "redis.ca_file to a file of certificates in PEM form: cannot read /nowhere/ca.pem",
            ),
            (
                |config| config.connect_timeout_ms = 0,
                "redis.connect_timeout_ms",
            ),
            (
                |config| config.response_timeout_ms = 0,
                "redis.response_timeout_ms",
            ),
        ];
        for (change, name) in changes {
            let mut config = RedisConfig::default();
            change(&mut config);
            let message = config.validate().unwrap_err().to_string();
            assert!(message.contains(name), "{message}");
        }
    }

    #[test]
    fn nothing_shows_the_password() {
        let config = RedisConfig {
            password: "opensesame".into(),
            ..RedisConfig::default()
        };
        assert!(!format!("{config:?}").contains("opensesame"));
    }
}
