//! `assay dev`: all services in this process.

pub(crate) mod banner;
pub(crate) mod local;
pub(crate) mod private;

use std::collections::BTreeMap;

use assay_embedded::Embedded;
use assay_service::bootstrap::{self, Exit};
use assay_service::{Context, config};

use crate::exit;
use crate::terminal::Terminal;

use local::LocalArgs;

/// Options of `assay dev`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    local: LocalArgs,
    /// Say whether the configuration is usable, and exit
    #[arg(long)]
    check_config: bool,
    /// Print every setting, its value and where it came from, and exit
    #[arg(long, conflicts_with = "check_config")]
    print_config: bool,
}

/// Runs until a signal; answers the exit code.
pub(crate) fn run(args: &Args, variables: BTreeMap<String, String>, terminal: Terminal) -> u8 {
    let config = match args.local.load(variables) {
        Ok(config) => config,
        Err(error) => return refuse(&error, terminal),
    };
    if args.print_config {
        let lines: Vec<String> = config.explain().iter().map(ToString::to_string).collect();
        return say(&lines.join("\n"), terminal);
    }
    let config = if args.check_config {
        config.for_check()
    } else {
        config
    };
    if let Err(error) = bootstrap::check(&local::SERVICE, &config) {
        return refuse(&error, terminal);
    }
    if args.check_config {
        return say("the configuration is usable", terminal);
    }
    let serve = move |context| serve(context, terminal);
    match bootstrap::run_configured(&local::SERVICE, config, serve) {
        Ok(Exit::Failed(why)) => {
            terminal.note(&format!("assay: {why}"));
            exit::TROUBLE
        }
        Ok(exit) => exit.code(),
        Err(error) => {
            let code = error.code();
            terminal.note(&format!("assay: {:#}", anyhow::Error::from(error)));
            code
        }
    }
}

/// The program of the process: everything up, the banner, everything down.
async fn serve(context: Context, terminal: Terminal) -> anyhow::Result<()> {
    let embedded = Embedded::start(&context, local::add_workers).await?;
    let banner = banner::lines(&embedded, context.admin_address, terminal);
    // Whoever closed standard output does not want the banner, but the server.
    drop(terminal.say(&banner.join("\n")));
    embedded.finished().await;
    Ok(())
}

fn refuse(error: &config::Error, terminal: Terminal) -> u8 {
    for sentence in error.to_string().lines() {
        terminal.note(&format!("assay: {sentence}"));
    }
    bootstrap::EXIT_CONFIG
}

/// Prints what was asked for. A reader that had enough is no failure.
fn say(text: &str, terminal: Terminal) -> u8 {
    drop(terminal.say(text));
    exit::OK
}
