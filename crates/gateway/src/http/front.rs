//! What is wrong with a request whatever it asks for: found out before any route is looked at.

use std::net::{Ipv4Addr, Ipv6Addr};

use axum::http::uri::Authority;
use axum::http::{HeaderMap, Request, StatusCode, Uri, header};

use super::problem::Problem;
use crate::config::Settings;

const WRONG_HOST: &str = "WRONG_HOST";
const URL_TOO_LONG: &str = "URL_TOO_LONG";
const TOO_MANY_HEADERS: &str = "TOO_MANY_HEADERS";

/// The stable reasons, as they are counted.
pub(crate) const FRONT_REASONS: [&str; 3] = [WRONG_HOST, URL_TOO_LONG, TOO_MANY_HEADERS];

/// What every request is held against.
#[derive(Debug)]
pub(super) struct Front {
    url_bytes_max: usize,
    headers_max: usize,
    // None if callers show tokens: then it does not matter what they call this server.
    hosts: Option<Vec<String>>,
}

/// Why a request is answered by no route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    Host,
    Url { limit: usize },
    Headers { limit: usize },
}

impl Wrong {
    /// The stable reason.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Host => WRONG_HOST,
            Self::Url { .. } => URL_TOO_LONG,
            Self::Headers { .. } => TOO_MANY_HEADERS,
        }
    }

    /// What the client is told.
    pub(super) fn problem(self) -> Problem {
        let (status, detail) = match self {
            Self::Host => (
                StatusCode::MISDIRECTED_REQUEST,
                "the header Host names another server: ask for localhost, 127.0.0.1 or [::1], or have \
                 gateway.http_hosts hold the name by which this one is reached"
                    .to_owned(),
            ),
            Self::Url { limit } => (
                StatusCode::URI_TOO_LONG,
                format!(
                    "the address is over the bound of {limit} bytes (gateway.http_url_bytes_max)"
                ),
            ),
            Self::Headers { limit } => (
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                format!("there are over {limit} headers (gateway.http_headers_max): send fewer"),
            ),
        };
        Problem::new(status, self.reason(), detail)
    }
}

impl Front {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            url_bytes_max: settings.http_url_bytes_max,
            headers_max: settings.http_headers_max,
            hosts: settings
                .tokens_file()
                .is_none()
                .then(|| settings.http_hosts.clone()),
        }
    }

    /// Refuses a request that is out of bounds or means another server.
    pub(super) fn check<B>(&self, request: &Request<B>) -> Result<(), Wrong> {
        let (limit, headers) = (self.headers_max, request.headers());
        if headers.len() > limit {
            return Err(Wrong::Headers { limit });
        }
        let limit = self.url_bytes_max;
        if url_bytes(request.uri()) > limit {
            return Err(Wrong::Url { limit });
        }
        if !self.is_meant(request.uri(), headers) {
            return Err(Wrong::Host);
        }
        Ok(())
    }

    /// A browser that shows a stranger's page lets it ask the server that the page's name points to, and that name can be
    /// made to point here ("DNS rebinding"). What it cannot do is to have the browser say another name. Programs that
    /// name nothing are no browsers.
    fn is_meant(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let Some(hosts) = &self.hosts else {
            return true;
        };
        let named = headers.get_all(header::HOST).iter();
        let named = named.map(|host| host.to_str().unwrap_or_default());
        let mut named = named.chain(uri.authority().map(Authority::as_str));
        named.all(|host| is_ours(host, hosts))
    }
}

fn url_bytes(uri: &Uri) -> usize {
    uri.path_and_query()
        .map_or(0, |address| address.as_str().len())
}

/// Whether a host, with or without a port, is this machine or one of `hosts`.
fn is_ours(host: &str, hosts: &[String]) -> bool {
    let Some(name) = without_port(host) else {
        return false;
    };
    if let Some(address) = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        let address: Result<Ipv6Addr, _> = address.parse();
        if address.is_ok_and(|address| address.is_loopback()) {
            return true;
        }
    }
    let address: Result<Ipv4Addr, _> = name.parse();
    address.is_ok_and(|address| address.is_loopback())
        || name.eq_ignore_ascii_case("localhost")
        || hosts.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// The name or address; none if what follows it is no port.
fn without_port(host: &str) -> Option<&str> {
    let name_ends = match host.strip_prefix('[') {
        Some(rest) => rest.find(']')? + 2,
        None => host.find(':').unwrap_or(host.len()),
    };
    let (name, rest) = host.split_at_checked(name_ends)?;
    let is_port = match rest.strip_prefix(':') {
        Some(port) => port.bytes().all(|byte| byte.is_ascii_digit()),
        None => rest.is_empty(),
    };
    is_port.then_some(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn front(hosts: Option<&[&str]>) -> Front {
        Front {
            url_bytes_max: 20,
            headers_max: 3,
            hosts: hosts.map(|hosts| hosts.iter().map(ToString::to_string).collect()),
        }
    }

    fn request(url: &str, hosts: &[&str]) -> Request<()> {
        let builder = Request::builder().uri(url);
        let named =
            |builder: axum::http::request::Builder, host: &&str| builder.header("Host", *host);
        hosts.iter().fold(builder, named).body(()).unwrap()
    }

    fn reason(front: &Front, request: &Request<()>) -> &'static str {
        front.check(request).err().map_or("", Wrong::reason)
    }

    #[test]
    fn this_machine_and_names_that_are_configured_are_ours() {
        let hosts = Some(&["assay.example", "[2001:db8::1]"][..]);
        for ours in [
            "localhost",
            "localhost:7401",
            "LocalHost:1",
            "127.0.0.1",
            "127.0.0.1:7401",
            "127.9.9.9:7401",
            "[::1]",
            "[::1]:7401",
            "assay.example",
            "Assay.Example:443",
            "[2001:db8::1]:7401",
        ] {
            assert_eq!(reason(&front(hosts), &request("/", &[ours])), "", "{ours}");
        }
        for theirs in [
            "",
            "evil.example",
            "evil.example:7401",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "0.0.0.0",
            "10.0.0.1:7401",
            "[::]",
            "[2001:db8::2]",
            "[::1",
            "[::1]x",
            "[::1]80",
            "localhost:80:80",
            "localhost:x",
            "evil.example/localhost",
        ] {
            let refused = reason(&front(hosts), &request("/", &[theirs]));
            assert_eq!(refused, WRONG_HOST, "{theirs}");
        }
    }

    #[test]
    fn every_name_that_is_given_must_be_ours() {
        let front = front(Some(&[]));
        let both = request("/", &["localhost", "evil.example"]);
        assert_eq!(reason(&front, &both), WRONG_HOST);
        let whole = request("http://evil.example/", &["localhost"]);
        assert_eq!(reason(&front, &whole), WRONG_HOST);
        let none = request("/", &[]);
        assert_eq!(reason(&front, &none), "", "no browser asks like this");
    }

    #[test]
    fn where_callers_show_tokens_names_do_not_matter() {
        let front = front(None);
        assert_eq!(reason(&front, &request("/", &["evil.example"])), "");
    }

    #[test]
    fn bounds_hold_at_n_and_n_plus_one() {
        let front = front(Some(&[]));
        let url = |bytes: usize| request(&format!("/{}?a=b", "u".repeat(bytes - 5)), &[]);
        assert_eq!(reason(&front, &url(20)), "");
        assert_eq!(reason(&front, &url(21)), URL_TOO_LONG);
        let hosts = ["localhost"; 4];
        assert_eq!(reason(&front, &request("/", &hosts[..3])), "");
        assert_eq!(reason(&front, &request("/", &hosts)), TOO_MANY_HEADERS);
    }

    proptest! {
        #[test]
        fn no_host_does_harm(host in "\\PC{0,40}", known in "\\PC{0,10}") {
            let ours = is_ours(&host, std::slice::from_ref(&known));
            let name = without_port(&host).unwrap_or("").to_lowercase();
            let is_known = name == known.to_lowercase() || name == "localhost";
            prop_assert!(!ours || is_known || name.starts_with("127.") || name.starts_with('['));
        }
    }
}
