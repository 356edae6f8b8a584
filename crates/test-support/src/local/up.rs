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
use crate::admin;
use crate::port;
use crate::redis::{Appendfsync, Client, RedisOptions, ensure_program};

/// The services, in the order of their start.
const SERVICES: [&str; 3] = ["gateway", "scheduler", "verification-worker"];
/// What stands in the gateway's log behind the address of the API.
const BEHIND_ADDRESS: &str = " (gRPC)";

pub(super) async fn run(folder: PathBuf) -> anyhow::Result<String> {
    let state = State::open(&folder)?;
    let folder = folder.canonicalize().context("find the folder")?;
    if state.records().iter().any(Record::runs) {
        return already_up(&state);
    }
    let mut launch = Launch::new(state, &folder);
    match start(&mut launch, &folder).await {
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

async fn start(launch: &mut Launch, folder: &Path) -> anyhow::Result<String> {
    launch.state.clear()?;
    let environment = Environment::inherited();
    let (environment, records) = match environment.redis() {
        Some(host) => {
            let records = format!("  Redis        {} (yours)", host.to_string_lossy());
            (environment, records)
        }
        None => {
            let address = start_redis(launch, folder).await?;
            let data = folder.join("redis");
            let records = format!(
                "  Redis        {address}, its data stays in {}",
                data.display()
            );
            (environment.with_redis(address), records)
        }
    };
    let blobs = folder.join("blobs").display().to_string();
    let environment = environment.or_set("ASSAY__BLOB__FOLDER", &blobs);
    let mut lines = vec![records];
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
    Ok(report(&api, &lines))
}

async fn start_redis(launch: &mut Launch, folder: &Path) -> anyhow::Result<SocketAddr> {
    let program = ensure_program()?;
    let data = folder.join("redis");
    fs::create_dir_all(&data).with_context(|| format!("make {}", data.display()))?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port::free()?));
    let file = data.join("redis.conf");
    let text = RedisOptions::new(Appendfsync::Always).file(&data, address.port());
    fs::write(&file, text).context("write redis.conf")?;
    launch.start("redis", address.to_string(), program.command().arg(&file))?;
    let answers = || Client::connect(address).ok()?.run(&["PING"]).ok();
    launch.ready("redis", answers).await?;
    Ok(address)
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
    let ready = || admin::is_ready(address).then_some(());
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

fn report(api: &str, lines: &[String]) -> String {
    format!(
        "Assay is up, in redis mode:\n  API          http://{api} (gRPC)\n{}\n\n\
         Next: target/debug/assay submit --server http://{api} PHOTO\n\
         `make down` stops all of it.",
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
}
