//! One thing that was looked at.

use assay_api::v1::{GetHealthResponse, HealthStatus, ServerInfo, ServerMode};
use assay_service::config;
use serde_json::{Value, json};

use crate::server::Server;
use crate::terminal::{Terminal, Tone, plain};

/// How a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Well.
    Ok,
    /// Assay works, but not as well as it could, or not yet.
    Warn,
    /// Assay does not work.
    Fail,
}

/// A thing, how it is, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Check {
    name: &'static str,
    /// How it is.
    pub(crate) status: Status,
    finding: String,
    /// What to do; empty when nothing is to be done, or the finding says so.
    mend: String,
}

impl Check {
    /// All is well with it.
    pub(crate) fn ok(name: &'static str, finding: &str) -> Self {
        Self::new(name, Status::Ok, finding, "")
    }

    /// It could be better.
    pub(crate) fn warn(name: &'static str, finding: &str, mend: &str) -> Self {
        Self::new(name, Status::Warn, finding, mend)
    }

    /// It must be mended.
    pub(crate) fn fail(name: &'static str, finding: &str, mend: &str) -> Self {
        Self::new(name, Status::Fail, finding, mend)
    }

    fn new(name: &'static str, status: Status, finding: &str, mend: &str) -> Self {
        Self {
            name,
            status,
            finding: finding.to_owned(),
            mend: mend.to_owned(),
        }
    }

    /// The line that a person sees.
    pub(crate) fn line(&self, terminal: Terminal) -> String {
        let tone = match self.status {
            Status::Ok => Tone::Good,
            Status::Warn => Tone::Warning,
            Status::Fail => Tone::Bad,
        };
        let status = terminal.paint(tone, &format!("{:<4}", self.status.word()));
        let mend = match self.mend.as_str() {
            "" => String::new(),
            mend => format!(": {mend}"),
        };
        format!("{status}  {:<14} {}{mend}", self.name, self.finding)
    }

    /// The same for programs.
    pub(crate) fn json(&self) -> Value {
        json!({
            "name": self.name,
            "status": self.status.word(),
            "finding": self.finding,
            "mend": Some(&self.mend).filter(|mend| !mend.is_empty()),
        })
    }
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// The configuration, as far as it can be checked without using it.
pub(crate) fn configuration(usable: Result<(), &config::Error>) -> Check {
    let name = "configuration";
    match usable {
        Ok(()) => Check::ok(name, "usable; `assay dev --print-config` shows it"),
        Err(error) => {
            let sentences: Vec<String> = error.to_string().lines().map(plain).collect();
            Check::fail(name, &sentences.join("; "), "")
        }
    }
}

/// A server that answers, and what it says of its parts.
pub(crate) fn health(server: &Server, info: &ServerInfo, health: &GetHealthResponse) -> Check {
    let name = "server";
    let ill = health.components.iter();
    let ill = ill.filter(|part| part.status != i32::from(HealthStatus::Healthy));
    let ill = ill.map(|part| format!("{}: {}", plain(&part.name), plain(&part.message)));
    let ill: Vec<String> = ill.collect();
    match HealthStatus::try_from(health.status) {
        Ok(HealthStatus::Healthy) => {
            let (mode, promise) = (mode(info), plain(&info.durability));
            let finding = format!(
                "{server} answers and is healthy ({mode}); a job, once answered: {promise}"
            );
            Check::ok(name, &finding)
        }
        Ok(HealthStatus::Degraded) => {
            Check::warn(name, &format!("{server} is degraded"), &ill.join("; "))
        }
        Ok(HealthStatus::Unhealthy | HealthStatus::Unspecified) | Err(_) => {
            Check::fail(name, &format!("{server} is unhealthy"), &ill.join("; "))
        }
    }
}

/// Whether a server speaks what this program speaks.
pub(crate) fn version(info: &ServerInfo) -> Check {
    let (name, ours) = ("version", env!("CARGO_PKG_VERSION"));
    let theirs = plain(&info.version);
    if theirs == ours {
        return Check::ok(name, &format!("server and program are {ours}"));
    }
    Check::warn(
        name,
        &format!("the server is {theirs}, this program {ours}"),
        "use programs of one version: the older one does not know all calls",
    )
}

/// What a server keeps its jobs in.
fn mode(info: &ServerInfo) -> &'static str {
    match info.mode() {
        ServerMode::Embedded => "embedded mode",
        ServerMode::Redis => "redis mode",
        ServerMode::Full => "full mode",
        ServerMode::Unspecified => "a mode unknown here",
    }
}

#[cfg(test)]
mod tests {
    use assay_api::v1::ComponentHealth;

    use super::*;

    const PLAIN: Terminal = Terminal {
        colours: false,
        bars: false,
    };

    #[test]
    fn a_line_says_how_to_mend_it() {
        let check = Check::fail("disk space", "3 MiB are left", "make room");
        assert_eq!(
            check.line(PLAIN),
            "fail  disk space     3 MiB are left: make room"
        );
        assert_eq!(
            Check::ok("clock", "sane").line(PLAIN),
            "ok    clock          sane"
        );
    }

    #[test]
    fn json_has_no_mend_where_there_is_nothing_to_mend() {
        let check = Check::warn("disk space", "3 MiB are left", "make room").json();
        let wanted = json!({
            "name": "disk space", "status": "warn", "finding": "3 MiB are left", "mend": "make room",
        });
        assert_eq!(check, wanted);
        assert!(Check::ok("clock", "sane").json()["mend"].is_null());
    }

    #[test]
    fn a_server_of_another_version_is_told() {
        let info = |version: &str| ServerInfo {
            version: version.to_owned(),
            ..ServerInfo::default()
        };
        let same = version(&info(env!("CARGO_PKG_VERSION")));
        assert_eq!(same.status, Status::Ok);
        let other = version(&info("9.9.9\u{1b}"));
        assert_eq!(other.status, Status::Warn);
        assert!(
            other.finding.contains("the server is 9.9.9\\u{1b},"),
            "{other:?}"
        );
    }

    #[test]
    fn a_server_that_is_not_well_names_the_part() {
        let store = ComponentHealth {
            name: "store".to_owned(),
            status: HealthStatus::Unhealthy.into(),
            message: "the disk is full".to_owned(),
        };
        let answer = |status: HealthStatus| GetHealthResponse {
            status: status.into(),
            components: vec![store.clone()],
        };
        let server = Server::at(([127, 0, 0, 1], 1).into());
        let info = ServerInfo {
            mode: ServerMode::Redis.into(),
            durability: "it survives".to_owned(),
            ..ServerInfo::default()
        };
        let check = health(&server, &info, &answer(HealthStatus::Unhealthy));
        assert_eq!(check.status, Status::Fail);
        assert!(
            check
                .line(PLAIN)
                .ends_with("is unhealthy: store: the disk is full")
        );
        assert_eq!(
            health(&server, &info, &answer(HealthStatus::Degraded)).status,
            Status::Warn
        );
        let well = health(&server, &info, &answer(HealthStatus::Healthy)).line(PLAIN);
        assert!(
            well.ends_with("healthy (redis mode); a job, once answered: it survives"),
            "{well}"
        );
    }
}
