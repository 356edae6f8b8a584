//! Section `[gateway]` of the configuration.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use assay_core::kind::JobKind;
use assay_service::config::{Config, Error};
use assay_service::listen::{self, Guard};
use serde::Deserialize;

use crate::access::{self, FileError, Held, Scope, Tokens};
use crate::limits::Quota;

mod ranges;

pub(crate) use ranges::HEADER_BYTES_MOST;

/// Documented defaults of the section.
pub const DEFAULTS: &str = include_str!("defaults.toml");

/// The key of the address.
pub(crate) const LISTEN: &str = "gateway.listen";
/// The key of the address of HTTP/JSON.
pub(crate) const HTTP_LISTEN: &str = "gateway.http_listen";

/// The key of the file of tokens.
const TOKENS_FILE: &str = "gateway.tokens_file";

/// The most names under which people reach the HTTP port, and the longest of them in bytes.
const HTTP_HOSTS_MAX: usize = 64;
const HTTP_HOST_BYTES_MAX: usize = 253;

/// What `[gateway]` holds; `defaults.toml` says what each value means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    listen: String,
    http_listen: String,
    tokens_file: String,
    tokens_reread_ms: u64,
    pub(crate) http_hosts: Vec<String>,
    pub(crate) http_body_bytes_max: usize,
    pub(crate) header_bytes_max: u32,
    pub(crate) http_headers_max: usize,
    pub(crate) http_url_bytes_max: usize,
    pub(crate) kinds: Vec<JobKind>,
    pub(crate) content_bytes_max: u64,
    pub(crate) uploads_max: usize,
    upload_idle_ms: u64,
    pub(crate) upload_bytes_per_s_min: u64,
    pub(crate) watchers_max: usize,
    pub(crate) submits_in_flight_max: usize,
    pub(crate) submit_bytes_max: usize,
    pub(crate) message_bytes_max: usize,
    pub(crate) connections_max: usize,
    pub(crate) streams_per_connection_max: u32,
    pub(crate) calls_max: usize,
    greeting_ms: u64,
    http_head_ms: u64,
    http_idle_ms: u64,
    write_idle_ms: u64,
    keepalive_ms: u64,
    keepalive_timeout_ms: u64,
    connection_age_ms: u64,
    rate_limits: RateLimits,
    health_ms: u64,
}

/// How often each caller may call.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RateLimits {
    read: RateLimit,
    submit: RateLimit,
    admin: RateLimit,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RateLimit {
    per_minute: u64,
    burst: u64,
}

impl Settings {
    /// Reads and checks the section.
    pub(crate) fn read(config: &Config) -> Result<Self, Error> {
        let settings: Self = config.section("gateway")?;
        settings.address(config)?;
        settings.http_address(config)?;
        match settings.fault() {
            Some((key, must)) => Err(config.refuse(key, &must)),
            None => Ok(settings),
        }
    }

    /// The first key that can't be used, and what it must be.
    fn fault(&self) -> Option<(&'static str, String)> {
        if self.kinds.is_empty() {
            return Some(("gateway.kinds", "hold at least one kind".to_owned()));
        }
        if self.http_hosts.len() > HTTP_HOSTS_MAX {
            let must = format!("hold at most {HTTP_HOSTS_MAX} names");
            return Some(("gateway.http_hosts", must));
        }
        if !self.http_hosts.iter().all(|host| is_host(host)) {
            let must = "hold names or addresses without a port, such as assay.example or [::1]";
            return Some(("gateway.http_hosts", must.to_owned()));
        }
        let mut ranges = self.ranges().into_iter();
        let (key, _, range) = ranges.find(|(_, value, range)| !range.contains(value))?;
        let (least, most) = range.into_inner();
        Some((key, format!("be between {least} and {most}")))
    }

    /// Where to listen.
    pub(crate) fn address(&self, config: &Config) -> Result<SocketAddr, Error> {
        let unset = self.listen.is_empty();
        if unset {
            return Err(config.refuse(LISTEN, "be an address with a port such as 127.0.0.1:7400"));
        }
        listen::address(config, LISTEN, self.guard())
    }

    /// Where to listen for HTTP, if anywhere.
    pub(crate) fn http_address(&self, config: &Config) -> Result<Option<SocketAddr>, Error> {
        if self.http_listen.is_empty() {
            return Ok(None);
        }
        listen::address(config, HTTP_LISTEN, self.guard()).map(Some)
    }

    /// What callers from elsewhere must show.
    fn guard(&self) -> Guard {
        Guard {
            key: TOKENS_FILE,
            is_set: self.tokens_file().is_some(),
        }
    }

    /// The file of tokens, if there is one.
    pub(crate) fn tokens_file(&self) -> Option<&Path> {
        Some(Path::new(&self.tokens_file)).filter(|path| !path.as_os_str().is_empty())
    }

    /// Reads the file of tokens, if there is one.
    pub(crate) fn tokens(&self, now_ms: u64) -> Result<Option<(Tokens, Held)>, Error> {
        let Some(path) = self.tokens_file() else {
            return Ok(None);
        };
        let read = access::read(path, now_ms).map_err(|error| unusable(path, &error))?;
        Ok(Some(read))
    }

    /// How often the file of tokens is looked at.
    pub(crate) fn tokens_reread(&self) -> Duration {
        Duration::from_millis(self.tokens_reread_ms)
    }

    pub(crate) fn upload_idle(&self) -> Duration {
        Duration::from_millis(self.upload_idle_ms)
    }

    pub(crate) fn health_patience(&self) -> Duration {
        Duration::from_millis(self.health_ms)
    }

    pub(crate) fn greeting(&self) -> Duration {
        Duration::from_millis(self.greeting_ms)
    }

    pub(crate) fn http_head(&self) -> Duration {
        Duration::from_millis(self.http_head_ms)
    }

    pub(crate) fn http_idle(&self) -> Duration {
        Duration::from_millis(self.http_idle_ms)
    }

    pub(crate) fn write_idle(&self) -> Duration {
        Duration::from_millis(self.write_idle_ms)
    }

    pub(crate) fn keepalive(&self) -> Duration {
        Duration::from_millis(self.keepalive_ms)
    }

    pub(crate) fn keepalive_timeout(&self) -> Duration {
        Duration::from_millis(self.keepalive_timeout_ms)
    }

    /// After how long a connection takes no more calls, if ever.
    pub(crate) fn connection_age(&self) -> Option<Duration> {
        let age = Duration::from_millis(self.connection_age_ms);
        (!age.is_zero()).then_some(age)
    }

    /// How often each caller may make calls that ask for a scope, if there is a limit.
    pub(crate) fn quota(&self, scope: Scope) -> Option<Quota> {
        let limit = match scope {
            Scope::Read => self.rate_limits.read,
            Scope::Submit => self.rate_limits.submit,
            Scope::Admin => self.rate_limits.admin,
        };
        Quota::new(limit.per_minute, limit.burst)
    }
}

/// Whether a text can be what a header `Host` names, without a port.
fn is_host(text: &str) -> bool {
    let bare = match text.strip_prefix('[') {
        Some(rest) => return rest.strip_suffix(']').is_some_and(is_ipv6),
        None => text,
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    !bare.is_empty() && bare.len() <= HTTP_HOST_BYTES_MAX && bare.bytes().all(plain)
}

fn is_ipv6(text: &str) -> bool {
    text.parse::<std::net::Ipv6Addr>().is_ok()
}

/// Checks the section without using it, for `--check-config`.
///
/// # Errors
/// The first value that the gateway can't work with.
pub fn check(config: &Config) -> Result<(), Error> {
    Settings::read(config)?.tokens(0).map(drop)
}

fn unusable(path: &Path, error: &FileError) -> Error {
    let path = path.display();
    Error::Invalid(vec![format!(
        "cannot use the file of tokens {path}, named by `{TOKENS_FILE}`: {error}"
    )])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(key: &str, value: &str) -> Result<Settings, Error> {
        let loader = Config::loader(&[DEFAULTS]).set(key, value);
        Settings::read(&loader.load().unwrap())
    }

    #[test]
    fn the_defaults_are_what_the_design_says() {
        let settings = read("gateway.listen", "127.0.0.1:7400").unwrap();
        assert_eq!(settings.watchers_max, 10_000);
        assert_eq!(settings.content_bytes_max, 64 * 1024 * 1024);
        assert_eq!(settings.kinds, [JobKind::ContentVerification]);
        assert_eq!(settings.upload_idle(), Duration::from_secs(30));
    }

    #[test]
    fn nobody_is_slowed_down_unless_it_is_configured() {
        let settings = read("gateway.health_ms", "1000").unwrap();
        assert!(
            Scope::ALL
                .iter()
                .all(|scope| settings.quota(*scope).is_none())
        );
        assert_eq!(settings.connection_age(), None);
        let limited = read("gateway.rate_limits.submit.per_minute", "60").unwrap();
        assert_eq!(limited.quota(Scope::Submit), Quota::new(60, 100));
        assert_eq!(limited.quota(Scope::Read), None);
    }

    #[test]
    fn names_of_the_http_port_are_names() {
        let longest = "n".repeat(HTTP_HOST_BYTES_MAX);
        for right in ["assay.example", "10.0.0.1", "[::1]", "a,b_c-d.e", &longest] {
            let settings = read("gateway.http_hosts", right).unwrap();
            assert_eq!(settings.http_hosts.join(","), right);
        }
        let most = vec!["a"; HTTP_HOSTS_MAX].join(",");
        assert!(read("gateway.http_hosts", &most).is_ok());
        let longer = format!("{longest}n");
        let more = format!("{most},a");
        for wrong in ["a:80", "http://a", "[a]", "::1", "a b", "*", &longer, &more] {
            let error = read("gateway.http_hosts", wrong).unwrap_err().to_string();
            assert!(error.contains("`gateway.http_hosts` must hold"), "{error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }

    #[test]
    fn an_address_that_cannot_work_is_refused_by_name() {
        for wrong in ["0.0.0.0:7400", "7400", ""] {
            let error = read("gateway.listen", wrong).unwrap_err().to_string();
            assert!(error.contains("gateway.listen"), "{error}");
        }
    }

    #[test]
    fn callers_from_elsewhere_must_show_a_token() {
        for key in [LISTEN, HTTP_LISTEN] {
            let error = read(key, "0.0.0.0:7400").unwrap_err().to_string();
            let expected = format!(
                "`{key}` must be a loopback address unless `{TOKENS_FILE}` is set, but the program holds \"0.0.0.0:7400\""
            );
            assert_eq!(error, expected);
            let loader = Config::loader(&[DEFAULTS]).set(key, "0.0.0.0:7400");
            let config = loader.set(TOKENS_FILE, "tokens").load().unwrap();
            assert!(Settings::read(&config).is_ok());
        }
    }

    #[test]
    fn a_file_of_tokens_that_can_t_be_used_is_refused_in_one_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        let check_it = || {
            let loader = Config::loader(&[DEFAULTS]).set(TOKENS_FILE, path.display().to_string());
            check(&loader.load().unwrap())
        };
        let said = |error: Error| {
            error
                .to_string()
                .replace(&path.display().to_string(), "PATH")
        };
        let missing = said(check_it().unwrap_err());
        assert!(
            missing.contains("PATH, named by `gateway.tokens_file`: No such file"),
            "{missing}"
        );
        std::fs::write(&path, "# ours\nname=ci\n").unwrap();
        let expected = "cannot use the file of tokens PATH, named by `gateway.tokens_file`: line 2: `tenant` is missing";
        assert_eq!(said(check_it().unwrap_err()), expected);
    }

    #[test]
    fn http_is_served_to_loopback_or_not_at_all() {
        let settings = read("gateway.http_listen", "").unwrap();
        let config = Config::loader(&[DEFAULTS]).load().unwrap();
        assert_eq!(settings.http_address(&config).unwrap(), None);
        for wrong in ["0.0.0.0:7401", "7401"] {
            let error = read("gateway.http_listen", wrong).unwrap_err().to_string();
            assert!(error.contains("`gateway.http_listen` must be"), "{error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }
}
