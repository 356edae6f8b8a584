//! What the platform asks of a process, on a port of its own.
//!
//! - `/live`: the process answers. It never looks at anything outside, or one blip of a broker would
//!   restart every process that uses it.
//! - `/ready`: 200 or 503; `/ready?verbose` says what is missing. Probes need no token, names of
//!   dependencies do.
//! - `/metrics`: for Prometheus.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use tokio::net::TcpListener;

use crate::config::{self, Config};
use crate::listen::{self, Guard};
use crate::prometheus::Metrics;
use crate::readiness::{Line, Need, Readiness, Report};

/// The key of the address.
pub const LISTEN_KEY: &str = "admin.listen";
/// The key of the token.
const TOKEN_KEY: &str = "admin.bearer_token";

const METRICS_CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Where the admin port listens and who may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The address; nothing is served without one.
    pub listen: Option<SocketAddr>,
    /// The token that all but the probes must show.
    pub bearer_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    listen: String,
    bearer_token: String,
}

impl Settings {
    /// Reads section `admin`.
    ///
    /// # Errors
    /// When the address is none, or would serve strangers without a token.
    pub fn read(config: &Config) -> Result<Self, config::Error> {
        let section: Section = config.section("admin")?;
        let bearer_token = Some(section.bearer_token).filter(|token| !token.is_empty());
        let listen = match section.listen.as_str() {
            "" => None,
            _ => {
                let guard = Guard {
                    key: TOKEN_KEY,
                    is_set: bearer_token.is_some(),
                };
                Some(listen::address(config, LISTEN_KEY, guard)?)
            }
        };
        Ok(Self {
            listen,
            bearer_token,
        })
    }
}

/// A listening admin port.
#[derive(Debug)]
pub struct Admin {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
}

#[derive(Clone, Debug)]
struct Answers {
    readiness: Readiness,
    metrics: Metrics,
    bearer_token: Option<String>,
}

impl Admin {
    /// Listens, if the settings name an address.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn bind(
        settings: &Settings,
        readiness: Readiness,
        metrics: Metrics,
    ) -> Result<Option<Self>, listen::Error> {
        let Some(wanted) = settings.listen else {
            return Ok(None);
        };
        let listener = listen::bind(LISTEN_KEY, wanted).await?;
        let address = listener.local_addr().unwrap_or(wanted);
        let bearer_token = settings.bearer_token.clone();
        let router = router(Answers {
            readiness,
            metrics,
            bearer_token,
        });
        Ok(Some(Self {
            listener,
            address,
            router,
        }))
    }

    /// Where it listens, with the port that was really taken.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop` ends; answers under way are finished.
    ///
    /// # Errors
    /// When the listener breaks.
    pub async fn serve(
        self,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        axum::serve(self.listener, self.router)
            .with_graceful_shutdown(stop)
            .await
    }
}

fn router(answers: Answers) -> Router {
    Router::new()
        .route("/live", get(|| async { "live\n" }))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .fallback(|| async {
            (
                StatusCode::NOT_FOUND,
                "there are /live, /ready and /metrics\n",
            )
        })
        .with_state(answers)
}

async fn ready(
    State(answers): State<Answers>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let report = answers.readiness.report();
    let status = if report.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let verbose =
        query.is_some_and(|query| query.split('&').any(|word| word.starts_with("verbose")));
    if !verbose {
        return (
            status,
            if report.ready {
                "ready\n"
            } else {
                "not ready\n"
            },
        )
            .into_response();
    }
    if !answers.admits(&headers) {
        return refusal();
    }
    (status, describe(&report)).into_response()
}

async fn metrics(State(answers): State<Answers>, headers: HeaderMap) -> Response {
    if !answers.admits(&headers) {
        return refusal();
    }
    let text = answers.metrics.render(&answers.readiness);
    ([(header::CONTENT_TYPE, METRICS_CONTENT_TYPE)], text).into_response()
}

impl Answers {
    fn admits(&self, headers: &HeaderMap) -> bool {
        let Some(wanted) = &self.bearer_token else {
            return true;
        };
        let shown = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let shown = shown.and_then(|value| value.strip_prefix("Bearer "));
        shown.is_some_and(|shown| same(shown.as_bytes(), wanted.as_bytes()))
    }
}

fn refusal() -> Response {
    let ask = [(header::WWW_AUTHENTICATE, "Bearer")];
    (
        StatusCode::UNAUTHORIZED,
        ask,
        "show the admin token: Authorization: Bearer ...\n",
    )
        .into_response()
}

/// Compares in a time that does not tell how much of the token was right.
fn same(shown: &[u8], wanted: &[u8]) -> bool {
    let differences = shown
        .iter()
        .zip(wanted)
        .fold(0, |sum, (a, b)| sum | (a ^ b));
    shown.len() == wanted.len() && std::hint::black_box(differences) == 0
}

fn describe(report: &Report) -> String {
    let mut text = String::new();
    for (sort, lines) in [
        ("latch", &report.latches),
        ("dependency", &report.dependencies),
    ] {
        for line in lines {
            text.push_str(&describe_line(sort, line));
        }
    }
    if report.stopping {
        text.push_str("[-] shutdown: begun\n");
    }
    text.push_str(if report.ready {
        "ready\n"
    } else {
        "not ready\n"
    });
    text
}

fn describe_line(sort: &str, line: &Line) -> String {
    let Some(problem) = &line.problem else {
        return format!("[+] {sort} {}: ok\n", line.name);
    };
    let mark = if line.need == Need::Required {
        '-'
    } else {
        '~'
    };
    format!("[{mark}] {sort} {}: {problem}\n", line.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(listen: &str, token: &str) -> Result<Settings, config::Error> {
        let loader = Config::loader(&[])
            .set(LISTEN_KEY, listen)
            .set("admin.bearer_token", token);
        Settings::read(&loader.load()?)
    }

    #[test]
    fn strangers_are_served_only_with_a_token() {
        assert!(settings("127.0.0.1:9090", "").is_ok());
        assert!(settings("[::1]:9090", "").is_ok());
        assert!(settings("0.0.0.0:9090", "t").is_ok());
        assert_eq!(
            settings("0.0.0.0:9090", "").unwrap_err().to_string(),
            "`admin.listen` must be a loopback address unless `admin.bearer_token` is set, but the program \
             holds \"0.0.0.0:9090\""
        );
    }

    #[test]
    fn an_empty_address_serves_nothing_and_a_wrong_one_is_refused() {
        assert_eq!(settings("", "").unwrap().listen, None);
        assert!(
            settings("localhost", "")
                .unwrap_err()
                .to_string()
                .contains("such as 127.0.0.1:9090")
        );
    }

    #[test]
    fn a_token_must_be_the_same_to_the_last_byte() {
        assert!(same(b"secret", b"secret"));
        assert!(!same(b"secre", b"secret"));
        assert!(!same(b"secrets", b"secret"));
        assert!(!same(b"secreT", b"secret"));
    }
}
