//! `assay dead-letters redrive`: those that are named, or all that match, no faster than asked.

use anyhow::ensure;
use assay_api::v1;
use assay_core::clock::{Clock as _, SystemClock};
use assay_gateway::json;

use super::filter::FilterArgs;
use super::many;
use super::sum::{Answer, Deed, Sum};
use crate::client::{Client, Fault};
use crate::exit;
use crate::output::{Listing, OutputArgs};
use crate::server::ServerArgs;
use crate::terminal::{Terminal, plain};
use crate::view::job;

/// How many are put back unless told otherwise.
const MAX_DEFAULT: u32 = 100;
/// Most that one command puts back.
const MAX_MAX: u32 = 100_000;
/// Most that one call puts back; the contract of `RedriveDeadLetters`.
const CALL_MAX: u32 = 1_000;
/// How many a second unless told otherwise.
const RATE_DEFAULT: u32 = 50;
/// Most a second; the contract of `RedriveDeadLetters`.
const RATE_MAX: u32 = 1_000;

/// Options of `assay dead-letters redrive`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which jobs
    #[arg(value_name = "JOB_ID", conflicts_with_all = ["kinds", "reasons", "since", "until", "all", "max", "rate", "dry_run"])]
    job_ids: Vec<String>,
    #[command(flatten)]
    filter: FilterArgs,
    /// All dead letters, where no filter is given
    #[arg(long)]
    all: bool,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = MAX_DEFAULT, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_MAX)))]
    max: u32,
    /// At most so many a second
    #[arg(long, value_name = "N/s", default_value_t = RATE_DEFAULT, value_parser = rate)]
    rate: u32,
    /// Only count them
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// Puts them back.
pub(crate) async fn run(args: Args, terminal: Terminal) -> anyhow::Result<u8> {
    if !args.job_ids.is_empty() {
        return named(&args, terminal).await;
    }
    ensure!(
        args.all || !args.filter.is_empty(),
        "say which dead letters: name their jobs, or give --kind, --reason, --since or --until, or --all for all"
    );
    let client = Client::connect(&args.server.server).await?;
    let request = v1::RedriveDeadLettersRequest {
        filter: Some(args.filter.wire(SystemClock.now_ms())),
        dry_run: args.dry_run,
        per_second: args.rate,
        ..v1::RedriveDeadLettersRequest::default()
    };
    let call = async |limit: u32| -> Result<Answer, Fault> {
        let request = v1::RedriveDeadLettersRequest {
            limit: limit.min(CALL_MAX),
            ..request.clone()
        };
        Ok(client.redrive_dead_letters(request).await?.into())
    };
    let none = Sum::of(Deed::Redrive, args.dry_run);
    let sum = many::go_through(none, args.max, terminal, call).await?;
    let format = args.output.format;
    format.print(terminal, || sum.json(), || sum.lines())?;
    Ok(sum.code())
}

/// Trouble with one is told, and the others go on; without a server nothing more is tried.
async fn named(args: &Args, terminal: Terminal) -> anyhow::Result<u8> {
    let client = Client::connect(&args.server.server).await?;
    let mut listing = Listing::new(args.output.format, terminal, "jobs", json::job);
    let mut code = exit::OK;
    for job_id in &args.job_ids {
        match client.redrive_dead_letter(job_id).await {
            Ok(job) => listing.add(vec![job])?,
            Err(fault) => {
                code = exit::TROUBLE;
                terminal.note(&format!("assay: {}: {fault}", plain(job_id)));
                if fault.is_silence() {
                    break;
                }
            }
        }
    }
    listing.finish(job::rows, "nothing was put back", false)?;
    Ok(code)
}

/// Reads how many a second, such as `50` or `50/s`.
fn rate(text: &str) -> Result<u32, String> {
    let number = text.strip_suffix("/s").unwrap_or(text);
    let rate = number.parse().ok();
    rate.filter(|rate| (1..=RATE_MAX).contains(rate))
        .ok_or_else(|| format!("it must be a number from 1 to {RATE_MAX}, such as 50/s"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_has_its_bounds_and_may_have_its_unit() {
        assert_eq!([rate("50"), rate("50/s")], [Ok(50), Ok(50)]);
        assert_eq!([rate("1"), rate("1000/s")], [Ok(1), Ok(RATE_MAX)]);
        for wrong in ["0", "1001", "", "/s", "50/m", "-1", "1.5"] {
            let said = rate(wrong).unwrap_err();
            assert_eq!(
                said, "it must be a number from 1 to 1000, such as 50/s",
                "{wrong}"
            );
        }
    }
}
