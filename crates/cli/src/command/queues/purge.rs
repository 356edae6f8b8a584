//! `assay queues purge`: the jobs of a kind that wait are cancelled.

use assay_api::v1;
use assay_core::clock::{Clock as _, SystemClock};
use assay_gateway::json;
use serde_json::Value;

use crate::client::{Client, Fault};
use crate::command::submit::Lane;
use crate::confirm::ConfirmArgs;
use crate::exit;
use crate::moment::Moment;
use crate::output::OutputArgs;
use crate::server::ServerArgs;
use crate::terminal::{Terminal, plain};

/// Options of `assay queues purge`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which kind of jobs, such as content-verification
    kind: String,
    /// Only this lane; may be repeated
    #[arg(long = "lane", value_name = "LANE", value_enum)]
    lanes: Vec<Lane>,
    /// Only jobs submitted before this time, such as 2026-01-31T12:00:00Z, or 12h for so long ago
    #[arg(long, value_name = "TIME")]
    until: Option<Moment>,
    /// Also the jobs that wait for their time or for others: scheduled, retrying and waiting
    #[arg(long)]
    include_delayed: bool,
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

/// Counts, asks, and cancels what was counted.
pub(crate) async fn run(args: Args, terminal: Terminal) -> anyhow::Result<u8> {
    if !args.dry_run {
        args.confirm.ready()?;
    }
    let client = Client::connect(&args.server.server).await?;
    let counted = client.purge_queue(args.request()).await?;
    let sum = if args.dry_run || counted.matched == 0 {
        Sum {
            dry_run: args.dry_run,
            total: counted,
        }
    } else {
        let count = count(counted.matched, counted.more);
        let question = format!("cancel {count} of kind {}?", plain(&args.kind));
        if !args.confirm.allows(&question, terminal)? {
            return Ok(exit::TROUBLE);
        }
        // Up to the same time: what was submitted since was not asked about.
        let request = v1::PurgeQueueRequest {
            dry_run: false,
            created_before: counted.created_before,
            ..args.request()
        };
        cancel_all(&client, request, terminal).await?
    };
    let format = args.output.format;
    format.print(terminal, || sum.json(), || sum.lines())?;
    Ok(sum.code())
}

impl Args {
    /// Asks how many there are.
    fn request(&self) -> v1::PurgeQueueRequest {
        let until = self.until.map(|until| until.time(SystemClock.now_ms()));
        v1::PurgeQueueRequest {
            kind: self.kind.clone(),
            lanes: self.lanes.iter().map(|lane| lane.wire().into()).collect(),
            dry_run: true,
            include_delayed: self.include_delayed,
            created_before: until,
        }
    }
}

/// Calls until there are no more. What was done is told, also if a later call fails.
async fn cancel_all(
    client: &Client,
    mut request: v1::PurgeQueueRequest,
    terminal: Terminal,
) -> Result<Sum, Fault> {
    let mut sum = Sum::default();
    loop {
        match client.purge_queue(request.clone()).await {
            Ok(answer) => {
                request.created_before = answer.created_before.or(request.created_before);
                if !sum.add(answer) {
                    return Ok(sum);
                }
            }
            Err(fault) if sum.total.cancelled > 0 => {
                terminal.note(&format!("assay: {fault}"));
                fault.word().clone_into(&mut sum.total.stopped);
                sum.total.more = true;
                return Ok(sum);
            }
            Err(fault) => return Err(fault),
        }
    }
}

/// What all calls came to.
#[derive(Clone, Debug, Default, PartialEq)]
struct Sum {
    dry_run: bool,
    total: v1::PurgeQueueResponse,
}

impl Sum {
    /// Adds what a call came to. Whether it makes sense to call again.
    fn add(&mut self, answer: v1::PurgeQueueResponse) -> bool {
        let goes_on = answer.more && answer.cancelled > 0 && answer.stopped.is_empty();
        let total = &mut self.total;
        total.matched = total.matched.saturating_add(answer.matched);
        total.cancelled = total.cancelled.saturating_add(answer.cancelled);
        total.skipped = total.skipped.saturating_add(answer.skipped);
        total.more = answer.more;
        total.created_before = answer.created_before;
        total.stopped = answer.stopped;
        goes_on
    }

    /// The exit code that it stands for. A job that a worker was quicker to take is as it should be.
    fn code(&self) -> u8 {
        if self.total.stopped.is_empty() {
            exit::OK
        } else {
            exit::TROUBLE
        }
    }

    /// For people.
    fn lines(&self) -> Vec<String> {
        let total = &self.total;
        if self.dry_run {
            return vec![format!(
                "{} would be cancelled",
                count(total.matched, total.more)
            )];
        }
        let mut lines = vec![format!("{} cancelled", count(total.cancelled, false))];
        if total.skipped > 0 {
            let left = count(total.skipped, false);
            lines.push(format!(
                "{left} left alone: a worker was quicker, or they had ended"
            ));
        }
        if !total.stopped.is_empty() {
            lines.push(format!("stopped: {}", plain(&total.stopped)));
        }
        if total.more {
            lines.push("there are more; repeat the command".to_owned());
        }
        lines
    }

    /// For programs: the names of the API over HTTP.
    fn json(&self) -> Value {
        let total = &self.total;
        let mut told = serde_json::json!({
            "dryRun": self.dry_run,
            "matched": total.matched,
            "cancelled": total.cancelled,
            "skipped": total.skipped,
            "more": total.more,
            "createdBefore": json::time(total.created_before),
        });
        if !total.stopped.is_empty() {
            told["stopped"] = total.stopped.as_str().into();
        }
        told
    }
}

fn count(jobs: u64, more: bool) -> String {
    match (jobs, more) {
        (1, false) => "1 job".to_owned(),
        (jobs, false) => format!("{jobs} jobs"),
        (jobs, true) => format!("{jobs} or more jobs"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(cancelled: u64, skipped: u64, more: bool) -> v1::PurgeQueueResponse {
        v1::PurgeQueueResponse {
            matched: cancelled + skipped,
            cancelled,
            skipped,
            more,
            ..v1::PurgeQueueResponse::default()
        }
    }

    #[test]
    fn calls_add_up_until_there_are_no_more() {
        let mut sum = Sum::default();
        assert!(sum.add(answer(10, 1, true)));
        assert!(!sum.add(answer(1, 0, false)));
        assert_eq!(
            sum.lines(),
            [
                "11 jobs cancelled",
                "1 job left alone: a worker was quicker, or they had ended"
            ]
        );
        assert_eq!(sum.code(), exit::OK);
        let json = sum.json();
        assert_eq!(
            (&json["matched"], &json["cancelled"]),
            (&12.into(), &11.into())
        );
        assert!(json["stopped"].is_null() && json["createdBefore"].is_null());
    }

    #[test]
    fn it_ends_where_nothing_more_is_done() {
        let mut sum = Sum::default();
        assert!(!sum.add(answer(0, 3, true)));
        let mut sum = Sum::default();
        let stopped = v1::PurgeQueueResponse {
            stopped: "STORE_UNAVAILABLE".to_owned(),
            ..answer(2, 0, true)
        };
        assert!(!sum.add(stopped));
        assert_eq!(sum.code(), exit::TROUBLE);
        assert_eq!(
            sum.lines().last().unwrap(),
            "there are more; repeat the command"
        );
    }

    #[test]
    fn a_dry_run_says_what_would_be_done() {
        let sum = |matched, more| Sum {
            dry_run: true,
            total: v1::PurgeQueueResponse {
                matched,
                more,
                ..v1::PurgeQueueResponse::default()
            },
        };
        assert_eq!(sum(1, false).lines(), ["1 job would be cancelled"]);
        assert_eq!(sum(9, true).lines(), ["9 or more jobs would be cancelled"]);
        assert_eq!(sum(0, false).code(), exit::OK);
    }
}
