//! `assay jobs`: find jobs, look at them, stop them, put them back.

mod list;

use clap::Subcommand;

use crate::args::Output;
use crate::client::Client;
use crate::exit;
use crate::server::ServerArgs;
use crate::terminal::Terminal;
use crate::view::job;
use crate::view::report::Report;

/// Options of `assay jobs`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List jobs, newest first
    List(list::Args),
    /// Show one job
    Get(One),
    /// Print the result of a job that succeeded
    Result(One),
    /// Stop a job
    Cancel(One),
    /// Put a failed or dead-lettered job back into its queue
    Retry(One),
}

/// Options of a command about one job.
#[derive(Debug, clap::Args)]
struct One {
    /// Which job
    job_id: String,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
    #[command(flatten)]
    server: ServerArgs,
}

/// Asks the server, and prints its answer.
pub(crate) async fn run(args: Args, terminal: Terminal) -> anyhow::Result<u8> {
    match args.command {
        Command::List(args) => return list::run(args, terminal).await,
        Command::Get(one) => {
            let job = one.client().await?.job(&one.job_id).await?;
            one.print(&job, terminal)?;
        }
        Command::Result(one) => {
            let result = one.client().await?.result(&one.job_id).await?;
            one.print_result(&result, terminal)?;
        }
        Command::Cancel(one) => {
            let job = one.client().await?.cancel(&one.job_id).await?;
            one.print(&job, terminal)?;
        }
        Command::Retry(one) => {
            let job = one.client().await?.retry(&one.job_id).await?;
            one.print(&job, terminal)?;
        }
    }
    Ok(exit::OK)
}

impl One {
    async fn client(&self) -> anyhow::Result<Client> {
        Ok(Client::connect(&self.server.server).await?)
    }

    fn print(&self, job: &assay_api::v1::Job, terminal: Terminal) -> anyhow::Result<()> {
        match self.output {
            Output::Json => terminal.say(&job::json(job).to_string())?,
            Output::Table => terminal.say(&job::lines(job, terminal).join("\n"))?,
        }
        Ok(())
    }

    fn print_result(&self, result: &[u8], terminal: Terminal) -> anyhow::Result<()> {
        match self.output {
            Output::Json => terminal.say(&String::from_utf8_lossy(result))?,
            Output::Table => {
                let lines = Report::read(result)?.lines(&self.job_id, terminal);
                terminal.say(&lines.join("\n"))?;
            }
        }
        Ok(())
    }
}
