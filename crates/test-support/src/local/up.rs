//! Starts what is missing for an installation on this machine.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use super::environment::{Environment, Sections};
use super::launch::Launch;
use super::state::{Record, State};
use super::{Mode, servers};
use crate::admin;
use crate::port;

/// The services, in the order of their start.
const SERVICES: [&str; 3] = ["gateway", "scheduler", "verification-worker"];
/// What stands in the gateway's log behind the address of the API.
const BEHIND_ADDRESS: &str = " (gRPC)";
/// What stands there before the address of HTTP/JSON, if that is served.
const BEFORE_HTTP: &str = "serving HTTP/JSON on ";

/// `mode` is what was asked for; without it, a RabbitMQ that the environment names makes full mode.
pub(super) async fn run(folder: PathBuf, mode: Option<Mode>) -> anyhow::Result<String> {
    let state = State::open(&folder)?;
    let folder = folder.canonicalize().context("find the folder")?;
    if state.records().iter().any(Record::runs) {
        return already_up(&state);
    }
    let mut launch = Launch::new(state, &folder);
    match start(&mut launch, &folder, mode).await {
        Ok(report) => Ok(report),
        Err(error) => {
            launch.take_back()?;
            Err(error)
        }
    }
}

fn already_up(state: &State) -> anyhow::Result<String> {
    let running = state.records().iter().filter(|record| record.runs());
    let named = running.map(|record| format!("{} (process {})", record.name, record.pid));
    let running = named.collect::<Vec<_>>().join(", ");
    let started = state.records().iter().map(|record| record.name.as_str());
    let wanted: BTreeSet<&str> = started.chain(SERVICES).collect();
    let runs = |name: &&str| {
        let mut records = state.records().iter();
        records.any(|record| record.name == *name && record.runs())
    };
    let missing: Vec<&str> = wanted.into_iter().filter(|name| !runs(name)).collect();
    anyhow::ensure!(
        missing.is_empty(),
        "{running} runs without {}: run `make down`, then `make up`",
        missing.join(" and ")
    );
    Ok(format!(
        "Assay is up already: {running}.\n`make down` stops it."
    ))
}

async fn start(launch: &mut Launch, folder: &Path, mode: Option<Mode>) -> anyhow::Result<String> {
    launch.state.clear()?;
    let environment = Environment::inherited();
    let named = || environment.rabbit().map_or(Mode::Redis, |_| Mode::Full);
    let mode = mode.unwrap_or_else(named);
    let (environment, records) = with_redis(launch, folder, environment).await?;
    let mut lines = vec![records];
    let environment = match mode {
        Mode::Redis => environment.without_rabbit(),
        Mode::Full => {
            let (environment, line) = with_rabbit(launch, folder, environment).await?;
            lines.push(line);
            environment
        }
    };
    let blobs = folder.join("blobs").display().to_string();
    let environment = environment.or_set("ASSAY__BLOB__FOLDER", &blobs);
    let sections = SERVICES.map(sections);
    let sections: Vec<Sections> = sections.into_iter().collect::<anyhow::Result<_>>()?;
    for (name, own) in SERVICES.into_iter().zip(&sections) {
        let environment = environment.clone().of_service(own, &sections);
        let admin = start_service(launch, name, environment).await?;
        let log = launch.log(name);
        lines.push(format!(
            "  {name:<20} http://{admin} (/live, /ready, /metrics), log in {}",
            log.display()
        ));
    }
    let log = fs::read_to_string(launch.log("gateway")).context("read the gateway's log")?;
    let api = api_address(&log).context("find the API's address in the gateway's log")?;
    Ok(report(mode, &api, http_address(&log), &lines))
}

/// The Redis that is named, or a private one; and the line that tells of it.
async fn with_redis(
    launch: &mut Launch,
    folder: &Path,
    environment: Environment,
) -> anyhow::Result<(Environment, String)> {
    if let Some(host) = environment.redis() {
        let line = format!("  Redis        {} (yours)", host.to_string_lossy());
        return Ok((environment, line));
    }
    let data = folder.join("redis");
    let address = servers::start_redis(launch, &data).await?;
    let line = server_line("Redis", address, &data);
    Ok((environment.with_redis(address), line))
}

/// The same for RabbitMQ.
async fn with_rabbit(
    launch: &mut Launch,
    folder: &Path,
    environment: Environment,
) -> anyhow::Result<(Environment, String)> {
    if let Some(place) = environment.rabbit() {
        let line = format!("  RabbitMQ     {place} (yours)");
        return Ok((environment, line));
    }
    let data = folder.join("rabbitmq");
    let broker = servers::start_rabbit(launch, &data).await?;
    let line = server_line("RabbitMQ", broker.address(), &data);
    Ok((environment.with_rabbit(&broker.url()), line))
}

fn server_line(name: &str, address: SocketAddr, data: &Path) -> String {
    let data = data.display();
    format!("  {name:<12} {address}, its data stays in {data}")
}

async fn start_service(
    launch: &mut Launch,
    name: &str,
    environment: Environment,
) -> anyhow::Result<SocketAddr> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port::free()?));
    let environment = environment.set("ASSAY__ADMIN__LISTEN", &address.to_string());
    let mut command = Command::new(program(name)?);
    command.env_clear().envs(environment.variables());
    launch.start(name, address.to_string(), &mut command)?;
    // A gateway is ready without its broker, and would refuse the first job.
    let ready = || admin::is_whole(address).then_some(());
    launch.ready(name, ready).await?;
    Ok(address)
}

/// Asks a service what can be set.
fn sections(name: &str) -> anyhow::Result<Sections> {
    let mut command = Command::new(program(name)?);
    let printed = command.arg("--print-config").env_clear().output();
    let printed = printed.with_context(|| format!("ask {name} for its settings"))?;
    Ok(Sections::parse(&String::from_utf8_lossy(&printed.stdout)))
}

/// The service built beside this program.
fn program(name: &str) -> anyhow::Result<PathBuf> {
    let here = std::env::current_exe().context("find this program")?;
    Ok(here.with_file_name(name))
}

/// The address that the gateway says it serves.
fn api_address(log: &str) -> Option<String> {
    let (before, _) = log.rsplit_once(BEHIND_ADDRESS)?;
    Some(before.rsplit("http://").next()?.to_owned())
}

/// The address of HTTP/JSON that it says it serves.
fn http_address(log: &str) -> Option<&str> {
    let (_, behind) = log.rsplit_once(BEFORE_HTTP)?;
    behind.split([' ', '"', '\n']).next()
}

fn report(mode: Mode, api: &str, http: Option<&str>, lines: &[String]) -> String {
    let http = http.map(|http| format!("  HTTP/JSON    http://{http}/api/async\n"));
    format!(
        "Assay is up, in {mode} mode:\n  API          http://{api} (gRPC)\n{}{}\n\n\
         Next: target/debug/assay submit --server http://{api} PHOTO\n\
         `make down` stops all of it.",
        http.unwrap_or_default(),
        lines.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_the_api_is_what_the_gateway_says() {
        let log =
            "INFO starting\nINFO ready: the API is at http://127.0.0.1:7400 (gRPC) address=...";
        assert_eq!(api_address(log).as_deref(), Some("127.0.0.1:7400"));
        assert_eq!(api_address("INFO starting"), None);
    }

    #[test]
    fn the_address_of_http_is_what_the_gateway_says() {
        for log in [
            "INFO serving HTTP/JSON on 127.0.0.1:7401 address=127.0.0.1:7401\nINFO ready",
            "{\"message\":\"serving HTTP/JSON on 127.0.0.1:7401\",\"address\":\"...\"}",
            "INFO serving HTTP/JSON on 127.0.0.1:7401\n",
        ] {
            assert_eq!(http_address(log), Some("127.0.0.1:7401"));
            let report = report(Mode::Redis, "127.0.0.1:7400", http_address(log), &[]);
            assert!(
                report.contains("http://127.0.0.1:7401/api/async"),
                "{report}"
            );
        }
        assert_eq!(http_address("INFO serving gRPC on 127.0.0.1:7400"), None);
    }
}
