//! `assay dead-letters`: jobs that were given up. Look at them, mend them, put them back, or forget them.

mod edit;
mod editor;
mod filter;
mod full;
mod many;
mod purge;
mod redrive;
mod sum;

use std::collections::BTreeMap;

use anyhow::ensure;
use assay_api::v1;
use assay_core::clock::{Clock as _, SystemClock};
use assay_gateway::json;
use clap::Subcommand;

use crate::client::Client;
use crate::exit;
use crate::output::{Format, Listing, OutputArgs};
use crate::server::ServerArgs;
use crate::terminal::Terminal;
use crate::view::dead_letter;

use filter::FilterArgs;

/// Dead letters that are listed unless told otherwise.
const LIMIT_DEFAULT: u32 = 50;
/// Most dead letters that one list shows.
const LIMIT_MAX: u32 = 100_000;
/// Most dead letters of one page; the contract of `ListDeadLetters`.
const PAGE_SIZE_MAX: usize = 1_000;

/// Options of `assay dead-letters`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List them, newest first
    List(List),
    /// Show one, with its payload and what became of each attempt
    Show(One),
    /// Give one another payload; it stays a dead letter until it is redriven
    Edit(edit::Args),
    /// Put them back into their queues
    Redrive(redrive::Args),
    /// Forget them for good, with payload and history
    Purge(purge::Args),
}

/// Options of `assay dead-letters list`.
#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    filter: FilterArgs,
    /// At most so many
    #[arg(long, default_value_t = LIMIT_DEFAULT, value_parser = clap::value_parser!(u32).range(1..=i64::from(LIMIT_MAX)))]
    limit: u32,
    /// All of them, however many there are
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    /// With payload, trace and how each attempt ended, as `show` tells them: what to keep elsewhere
    #[arg(long)]
    full: bool,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// Options of a command about one dead letter.
#[derive(Debug, clap::Args)]
struct One {
    /// Which job
    job_id: String,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// Asks the server, and prints its answer.
pub(crate) async fn run(
    args: Args,
    variables: BTreeMap<String, String>,
    terminal: Terminal,
) -> anyhow::Result<u8> {
    match args.command {
        Command::List(args) => list(args, terminal).await,
        Command::Show(args) => show(args, terminal).await,
        Command::Edit(args) => edit::run(args, &variables, terminal).await,
        Command::Redrive(args) => redrive::run(args, terminal).await,
        Command::Purge(args) => purge::run(args, terminal).await,
    }
}

async fn list(args: List, terminal: Terminal) -> anyhow::Result<u8> {
    ensure!(
        !args.full || args.output.format != Format::Table,
        "a table has no room for all of it: with --full, add --output jsonl or --output json"
    );
    let client = Client::connect(&args.server.server).await?;
    let mut request = v1::ListDeadLettersRequest {
        filter: Some(args.filter.wire(SystemClock.now_ms())),
        ..v1::ListDeadLettersRequest::default()
    };
    let name = "deadLetters";
    let told = if args.full {
        json::letter
    } else {
        json::listed_letter
    };
    let mut listing = Listing::new(args.output.format, terminal, name, told);
    let mut left = if args.all {
        usize::MAX
    } else {
        args.limit as usize
    };
    // A page may be short, even empty, and not be the last.
    while left > 0 {
        request.page_size = i32::try_from(left.min(PAGE_SIZE_MAX)).unwrap_or(i32::MAX);
        let page = client.dead_letters(request.clone()).await?;
        left = left.saturating_sub(page.dead_letters.len());
        if args.full {
            full::tell(&client, page.dead_letters, |some| listing.add(some)).await?;
        } else {
            listing.add(page.dead_letters)?;
        }
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    let more = !request.page_token.is_empty();
    listing.finish(dead_letter::rows, "no dead letter is like that", more)?;
    Ok(exit::OK)
}

async fn show(args: One, terminal: Terminal) -> anyhow::Result<u8> {
    let client = Client::connect(&args.server.server).await?;
    let letter = client.dead_letter(&args.job_id).await?;
    let document = || json::letter(&letter);
    let lines = || dead_letter::lines(&letter, terminal);
    args.output.format.print(terminal, document, lines)?;
    Ok(exit::OK)
}
