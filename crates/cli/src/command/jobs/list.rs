//! `assay jobs list`.

use assay_api::v1;
use assay_api::v1::JobState;

use crate::args::Output;
use crate::client::Client;
use crate::exit;
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
    /// How they are printed: json is one job per line
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
    #[command(flatten)]
    server: ServerArgs,
}

/// Lists jobs, page by page.
pub(crate) async fn run(args: Args, terminal: Terminal) -> anyhow::Result<u8> {
    let client = Client::connect(&args.server.server).await?;
    let mut left = args.limit;
    let mut token = String::new();
    let mut jobs = Vec::new();
    while left > 0 {
        let page = client.jobs(args.page(left, token)).await?;
        left = left.saturating_sub(u32::try_from(page.jobs.len()).unwrap_or(u32::MAX));
        token = page.next_page_token;
        match args.output {
            // Rows of a table are as wide as the widest; lines need not wait for the last page.
            Output::Table => jobs.extend(page.jobs),
            Output::Json => {
                for job in &page.jobs {
                    terminal.say(&job::json(job).to_string())?;
                }
            }
        }
        if token.is_empty() {
            break;
        }
    }
    if args.output == Output::Table {
        terminal.say(&job::rows(&jobs).join("\n"))?;
        if !token.is_empty() {
            terminal.note("there are more; raise --limit to see them");
        }
    }
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
