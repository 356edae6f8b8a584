//! `assay dead-letters purge`: those that are named, or all that match, are gone for good.

use anyhow::ensure;
use assay_api::v1;
use assay_core::clock::{Clock as _, SystemClock};

use super::filter::FilterArgs;
use super::many;
use super::sum::{Answer, Deed, Sum};
use crate::client::{Client, Fault};
use crate::confirm::ConfirmArgs;
use crate::exit;
use crate::output::OutputArgs;
use crate::server::ServerArgs;
use crate::terminal::{Terminal, plain};

/// Most that one call forgets; the contract of `PurgeDeadLetters`.
const CALL_MAX: u32 = 10_000;

/// Options of `assay dead-letters purge`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which jobs
    #[arg(value_name = "JOB_ID", conflicts_with_all = ["kinds", "reasons", "since", "until", "all", "max", "dry_run"])]
    job_ids: Vec<String>,
    #[command(flatten)]
    filter: FilterArgs,
    /// All dead letters, where no filter is given
    #[arg(long)]
    all: bool,
    /// At most so many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max: Option<u32>,
    /// Only count them
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    confirm: ConfirmArgs,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// Counts, asks, and forgets them.
pub(crate) async fn run(args: Args, terminal: Terminal) -> anyhow::Result<u8> {
    if !args.dry_run {
        args.confirm.ready()?;
    }
    if !args.job_ids.is_empty() {
        return named(&args, terminal).await;
    }
    ensure!(
        args.all || !args.filter.is_empty(),
        "say which dead letters: name their jobs, or give --kind, --reason, --since or --until, or --all for all"
    );
    let purge = Purge {
        client: Client::connect(&args.server.server).await?,
        request: v1::PurgeDeadLettersRequest {
            filter: Some(args.filter.wire(SystemClock.now_ms())),
            all: args.all,
            ..v1::PurgeDeadLettersRequest::default()
        },
    };
    let counted = purge.count(args.max.unwrap_or(CALL_MAX)).await?;
    let sum = if args.dry_run {
        counted
    } else if counted.matched() == 0 {
        Sum::of(Deed::Purge, false)
    } else {
        let question = format!(
            "forget {} for good, with payload and history?",
            counted.words()
        );
        if !args.confirm.allows(&question, terminal)? {
            return Ok(exit::TROUBLE);
        }
        purge.all(most(args.max, &counted), terminal).await?
    };
    let format = args.output.format;
    format.print(terminal, || sum.json(), || sum.lines())?;
    Ok(sum.code())
}

/// How many to forget: no more than was counted and asked about, unless there are more than are ever counted.
fn most(max: Option<u32>, counted: &Sum) -> u32 {
    let known = if counted.has_more() {
        u32::MAX
    } else {
        counted.matched()
    };
    max.unwrap_or(u32::MAX).min(known)
}

/// The calls of one purge.
struct Purge {
    client: Client,
    request: v1::PurgeDeadLettersRequest,
}

impl Purge {
    async fn call(&self, dry_run: bool, limit: u32) -> Result<Answer, Fault> {
        let request = v1::PurgeDeadLettersRequest {
            dry_run,
            limit: limit.min(CALL_MAX),
            ..self.request.clone()
        };
        Ok(self.client.purge_dead_letters(request).await?.into())
    }

    async fn count(&self, limit: u32) -> Result<Sum, Fault> {
        let mut sum = Sum::of(Deed::Purge, true);
        sum.add(self.call(true, limit).await?);
        Ok(sum)
    }

    async fn all(&self, most: u32, terminal: Terminal) -> Result<Sum, Fault> {
        let call = async |limit: u32| -> Result<Answer, Fault> { self.call(false, limit).await };
        many::go_through(Sum::of(Deed::Purge, false), most, terminal, call).await
    }
}

/// Trouble with one is told, and the others go on.
async fn named(args: &Args, terminal: Terminal) -> anyhow::Result<u8> {
    let client = Client::connect(&args.server.server).await?;
    let question = match args.job_ids.as_slice() {
        [one] => format!("forget {} for good, with payload and history?", plain(one)),
        all => format!(
            "forget {} dead letters for good, with payload and history?",
            all.len()
        ),
    };
    if !args.confirm.allows(&question, terminal)? {
        return Ok(exit::TROUBLE);
    }
    let mut sum = Sum::of(Deed::Purge, false);
    for job_id in &args.job_ids {
        let fault = match client.delete_dead_letter(job_id).await {
            Ok(()) => {
                sum.add(Answer::one());
                continue;
            }
            Err(fault) => fault,
        };
        terminal.note(&format!("assay: {}: {fault}", plain(job_id)));
        sum.add(Answer::left(job_id, fault.word()));
        if fault.is_silence() {
            break;
        }
    }
    let format = args.output.format;
    format.print(terminal, || sum.json(), || sum.lines())?;
    Ok(sum.code())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_forgotten_than_was_asked_about() {
        let counted = |matched, more| {
            let mut sum = Sum::of(Deed::Purge, true);
            sum.add(
                v1::PurgeDeadLettersResponse {
                    matched,
                    more,
                    ..v1::PurgeDeadLettersResponse::default()
                }
                .into(),
            );
            sum
        };
        assert_eq!(most(None, &counted(12, false)), 12);
        assert_eq!(most(Some(7), &counted(12, false)), 7);
        assert_eq!(most(Some(70_000), &counted(10_000, true)), 70_000);
        assert_eq!(most(None, &counted(10_000, true)), u32::MAX);
    }
}
