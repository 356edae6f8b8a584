//! The server around the probe: `assay dev` with another worker.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use assay_embedded::{Embedded, Workers};
use assay_service::bootstrap;
use assay_service::{BoxError, Config, Context, Service, config};
use clap::Parser;

use crate::handler::Probe;
use crate::journal::Journal;

const SERVICE: Service = Service {
    name: "probe",
    version: env!("CARGO_PKG_VERSION"),
    defaults: &[],
    instruments: &assay_embedded::INSTRUMENTS,
    check: assay_embedded::check,
};

/// Assay in one process, with a worker that does as each job's script says.
#[derive(Debug, Parser)]
struct Arguments {
    /// The folder that holds all jobs.
    #[arg(long)]
    data_dir: String,
    /// Address of the API.
    #[arg(long)]
    listen: String,
    /// Address of /live, /ready and /metrics.
    #[arg(long)]
    admin: String,
    /// File that the worker notes its doings in.
    #[arg(long)]
    journal: Option<PathBuf>,
    /// Takes jobs and runs none.
    #[arg(long)]
    without_worker: bool,
}

/// Runs until a signal.
pub fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<u8> {
    let loader = Config::loader(&assay_embedded::DEFAULTS).environment(config::environment());
    let loader = loader.set("embedded.data_dir", arguments.data_dir.as_str());
    let loader = loader.set("gateway.listen", arguments.listen.as_str());
    let loader = loader.set("gateway.http_listen", "");
    let config = loader
        .set("admin.listen", arguments.admin.as_str())
        .load()?;
    bootstrap::check(&SERVICE, &config)?;
    let journal = match &arguments.journal {
        Some(path) => Journal::append(path).context("open the journal")?,
        None => Journal::none(),
    };
    let probe = Probe::new(Arc::new(journal))?;
    let probe = (!arguments.without_worker).then_some(probe);
    let exit = bootstrap::run_configured(&SERVICE, config, |context| serve(context, probe))?;
    Ok(exit.code())
}

async fn serve(context: Context, probe: Option<Probe>) -> anyhow::Result<()> {
    let add = |workers: &mut Workers| -> Result<(), BoxError> {
        Ok(probe.map_or(Ok(()), |probe| workers.add(probe))?)
    };
    let embedded = Embedded::start(&context, add).await?;
    say_where(embedded.address(), context.admin_address);
    embedded.finished().await;
    Ok(())
}

/// In the words of `assay dev`, so that whoever starts servers reads both alike.
#[expect(
    clippy::print_stdout,
    reason = "a program tells the person who started it where it listens"
)]
fn say_where(address: SocketAddr, admin: Option<SocketAddr>) {
    println!("  API          http://{address} (gRPC)");
    if let Some(admin) = admin {
        println!("  admin port   http://{admin} (/live, /ready, /metrics)");
    }
}

#[expect(
    clippy::print_stderr,
    reason = "a program tells the person who started it what went wrong"
)]
fn complain(error: &anyhow::Error) {
    eprintln!("probe: {error:#}");
}
