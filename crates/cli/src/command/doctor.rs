//! `assay doctor`: what on this machine would keep Assay from working, one line each.

mod check;
mod folder;
mod machine;
mod models;
mod place;
mod probe;
mod shared;
mod skew;

use std::collections::BTreeMap;
use std::time::Duration;

use assay_core::clock::{Clock as _, SystemClock};
use assay_service::bootstrap;

use crate::client::{Client, Fault};
use crate::command::dev::local::{LocalArgs, SERVICE};
use crate::exit;
use crate::output::{Listing, OutputArgs};
use crate::server::{self, Server};
use crate::terminal::{Terminal, plain};

use check::{Check, Status};
use probe::Sort;
use skew::Seen;

/// What the line about the server that should answer is called.
const SERVER: &str = "server";

/// For a server to say how it is; it promises to within a second or so.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(4);

/// Options of `assay doctor`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    local: LocalArgs,
    /// Server that should answer [default: the one that `assay dev` would start here]
    #[arg(long, value_name = "URL")]
    server: Option<Server>,
    #[command(flatten)]
    output: OutputArgs,
}

/// Looks, and prints a line for each thing; answers 1 if one of them is broken.
pub(crate) async fn run(
    args: Args,
    variables: BTreeMap<String, String>,
    terminal: Terminal,
) -> anyhow::Result<u8> {
    let checks = look(&args, variables).await;
    let broken = checks.iter().any(|check| check.status == Status::Fail);
    let lines = |checks: &[Check]| -> Vec<String> {
        let lines = checks.iter().map(|check| check.line(terminal));
        lines.collect()
    };
    let listing = Listing::new(args.output.format, terminal, "checks", Check::json);
    listing.print(checks, lines, "")?;
    Ok(if broken { exit::TROUBLE } else { exit::OK })
}

async fn look(args: &Args, variables: BTreeMap<String, String>) -> Vec<Check> {
    let mut checks = vec![machine::clock(&SystemClock), machine::open_files()];
    checks.extend(shared::named(&variables).await);
    let config = match args.local.load(variables) {
        Ok(config) => config,
        Err(error) => {
            checks.insert(0, check::configuration(Err(&error)));
            return checks;
        }
    };
    let usable = bootstrap::check(&SERVICE, &config);
    checks.insert(0, check::configuration(usable.as_ref().map(drop)));
    checks.extend(models::of_detectors(&config));
    let text = |key: &str| config.section::<String>(key).unwrap_or_default();
    let listen = text("gateway.listen");
    let server = server_of(args.server.clone(), &listen);
    let answer = ask(&server).await;
    let data_dir = text("embedded.data_dir");
    checks.push(place::data_folder(data_dir.as_ref(), answer.runs));
    checks.push(place::disk_space(data_dir.as_ref()));
    let http = text("gateway.http_listen");
    let admin = text("admin.listen");
    for (name, address, option, sort) in [
        ("API port", &listen, "--listen", Sort::Api),
        ("HTTP port", &http, "--http", Sort::Http),
        ("admin port", &admin, "--admin", Sort::Admin),
    ] {
        checks.push(place::port(name, address, option, |address| sort.is_at(address)).await);
    }
    checks.extend(answer.checks);
    checks
}

/// The server that should answer.
fn server_of(named: Option<Server>, listen: &str) -> Server {
    let local = || listen.parse().ok().map(Server::at);
    let default = || server::DEFAULT.parse().ok();
    named
        .or_else(local)
        .or_else(default)
        .unwrap_or_else(|| Server::at(([127, 0, 0, 1], 7400).into()))
}

/// What became of asking a server.
struct Answer {
    checks: Vec<Check>,
    /// Whether one answered.
    runs: bool,
}

async fn ask(server: &Server) -> Answer {
    match tokio::time::timeout(ANSWER_TIMEOUT, told(server)).await {
        Ok(Ok(checks)) => Answer { checks, runs: true },
        Ok(Err(fault)) => {
            let finding = plain(&Fault::to_string(&fault));
            Answer {
                checks: vec![Check::warn(SERVER, &finding, "")],
                // One that refuses to say more is there all the same.
                runs: fault.is_of_assay(),
            }
        }
        Err(_) => {
            let finding = format!("{server} takes connections and says nothing");
            Answer {
                checks: vec![Check::warn(SERVER, &finding, "see what listens there")],
                runs: false,
            }
        }
    }
}

/// What a server that answers says of its parts, of itself and of its clock.
async fn told(server: &Server) -> Result<Vec<Check>, Fault> {
    let client = Client::connect(server).await?;
    let asked_ms = SystemClock.now_ms();
    let (info, shown_ms) = client.info_and_time().await?;
    let answered_ms = SystemClock.now_ms();
    let health = client.health().await?;
    let clocks = shown_ms.map(|shown_ms| {
        skew::clocks(Seen {
            asked_ms,
            answered_ms,
            shown_ms,
        })
    });
    let checks = [check::health(server, &info, &health), check::version(&info)];
    Ok(checks.into_iter().chain(clocks).collect())
}
