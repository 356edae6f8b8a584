//! `assay doctor`: what on this machine would keep Assay from working, one line each.

mod check;
mod folder;
mod machine;
mod place;
mod shared;

use std::collections::BTreeMap;
use std::time::Duration;

use assay_core::clock::SystemClock;
use assay_service::bootstrap;

use crate::client::{Client, Fault};
use crate::command::dev::local::{LocalArgs, SERVICE};
use crate::exit;
use crate::server::{self, Server};
use crate::terminal::{Terminal, plain};

use check::{Check, Status};

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
}

/// Looks, and prints a line for each thing; answers 1 if one of them is broken.
pub(crate) async fn run(
    args: Args,
    variables: BTreeMap<String, String>,
    terminal: Terminal,
) -> anyhow::Result<u8> {
    let checks = look(&args, variables).await;
    for check in &checks {
        terminal.say(&check.line(terminal))?;
    }
    let broken = checks.iter().any(|check| check.status == Status::Fail);
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
    let text = |key: &str| config.section::<String>(key).unwrap_or_default();
    let listen = text("gateway.listen");
    let server = server_of(args.server.clone(), &listen);
    let (answer, running) = server_line(&server).await;
    let data_dir = text("embedded.data_dir");
    checks.push(place::data_folder(data_dir.as_ref(), running));
    checks.push(place::disk_space(data_dir.as_ref()));
    checks.push(place::port("API port", &listen, "--listen", running));
    checks.push(place::port(
        "HTTP port",
        &text("gateway.http_listen"),
        "--http",
        running,
    ));
    checks.push(place::port(
        "admin port",
        &text("admin.listen"),
        "--admin",
        running,
    ));
    checks.push(answer);
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

/// What a server says, and whether one runs.
async fn server_line(server: &Server) -> (Check, bool) {
    let name = "server";
    let asked = async {
        let client = Client::connect(server).await?;
        Ok((client.info().await?, client.health().await?))
    };
    match tokio::time::timeout(ANSWER_TIMEOUT, asked).await {
        Ok(Ok((info, health))) => (check::health(server, &info, &health), true),
        Ok(Err(fault)) => (
            Check::warn(name, &plain(&Fault::to_string(&fault)), ""),
            false,
        ),
        Err(_) => {
            let finding = format!("{server} takes connections and says nothing");
            (Check::warn(name, &finding, "see what listens there"), false)
        }
    }
}
