//! `assay jobs list`.

use assay_api::v1;
use assay_api::v1::JobState;
use assay_gateway::json;

use crate::client::Client;
use crate::exit;
use crate::output::{Listing, OutputArgs};
use crate::server::ServerArgs;
use crate::terminal::Terminal;
use crate::view::{job, state};

/// Jobs that are listed unless told otherwise.
const LIMIT_DEFAULT: u32 = 50;
/// Most jobs that one list shows.
const LIMIT_MAX: u32 = 100_000;
/// Most jobs of one page; the contract of `ListJobs`.
const PAGE_SIZE_MAX: u32 = 1_000;

/// Options of `assay jobs list`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only jobs in this state; may be repeated
    #[arg(long = "state", value_name = "STATE", value_parser = state::parse)]
    states: Vec<JobState>,
    /// Only jobs of this kind, such as content-verification; may be repeated
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<String>,
    /// At most so many
    #[arg(long, default_value_t = LIMIT_DEFAULT, value_parser = clap::value_parser!(u32).range(1..=i64::from(LIMIT_MAX)))]
    limit: u32,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// Lists jobs, page by page.
pub(crate) async fn run(args: Args, terminal: Terminal) -> anyhow::Result<u8> {
    let client = Client::connect(&args.server.server).await?;
    let mut left = args.limit;
    let mut token = String::new();
    let mut listing = Listing::new(args.output.format, terminal, "jobs", json::job);
    while left > 0 {
        let page = client.jobs(args.page(left, token)).await?;
        left = left.saturating_sub(u32::try_from(page.jobs.len()).unwrap_or(u32::MAX));
        token = page.next_page_token;
        listing.add(page.jobs)?;
        if token.is_empty() {
            break;
        }
    }
    listing.finish(
        job::rows,
        "no job is on record that is like that",
        !token.is_empty(),
    )?;
    Ok(exit::OK)
}

impl Args {
    fn page(&self, left: u32, page_token: String) -> v1::ListJobsRequest {
        v1::ListJobsRequest {
            page_size: i32::try_from(left.min(PAGE_SIZE_MAX)).unwrap_or(i32::MAX),
            page_token,
            kinds: self.kinds.clone(),
            states: self.states.iter().map(|state| i32::from(*state)).collect(),
            ..v1::ListJobsRequest::default()
        }
    }
}
