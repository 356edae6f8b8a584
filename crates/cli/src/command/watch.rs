//! `assay watch`: a job to its end.

use std::io;

use assay_api::v1;
use assay_gateway::json;

use crate::client::{Client, Seen};
use crate::exit;
use crate::output::{Format, OutputArgs};
use crate::server::ServerArgs;
use crate::terminal::Terminal;
use crate::view::job;
use crate::view::progress::{Progress, silence};
use crate::view::report::Report;

/// Options of `assay watch`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Job to follow
    job_id: String,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// Watches; prints each event as a line of JSON, or progress and then what the job came to.
pub(crate) async fn run(args: Args, terminal: Terminal) -> anyhow::Result<u8> {
    let client = Client::connect(&args.server.server).await?;
    let ended = match args.output.format {
        Format::Jsonl => watch_lines(&client, &args.job_id, terminal).await?,
        Format::Json => {
            let ended = watch_live(&client, &args.job_id, terminal).await?;
            terminal.say(&json::job(&ended).to_string())?;
            ended
        }
        Format::Table => {
            let ended = watch_live(&client, &args.job_id, terminal).await?;
            print(&client, &ended, terminal).await?;
            ended
        }
    };
    Ok(code(&ended))
}

/// The exit code that an ended job stands for.
fn code(job: &v1::Job) -> u8 {
    if job.state == i32::from(v1::JobState::Succeeded) {
        exit::OK
    } else {
        exit::JOB_FAILED
    }
}

async fn watch_live(client: &Client, job_id: &str, terminal: Terminal) -> anyhow::Result<v1::Job> {
    let progress = Progress::new(terminal, false);
    let mut shown = progress.job(job_id);
    Ok(client.watch(job_id, |seen| shown.see(&seen)).await?)
}

async fn watch_lines(client: &Client, job_id: &str, terminal: Terminal) -> anyhow::Result<v1::Job> {
    let mut written = Ok(());
    let see = |seen: Seen<'_>| match line(&seen) {
        Ok(line) if written.is_ok() => written = terminal.say(&line.to_string()),
        Ok(_) => {}
        Err(note) => terminal.note(&format!("assay: {note}")),
    };
    let ended = client.watch(job_id, see).await?;
    written?;
    Ok(ended)
}

/// What was seen, as a document; or as a note, if it is nothing about the job.
fn line(seen: &Seen<'_>) -> Result<serde_json::Value, String> {
    match seen {
        Seen::Event(event) => Ok(serde_json::json!({ "event": json::event(event) })),
        Seen::Snapshot(snapshot) => Ok(serde_json::json!({
            "snapshot": { "job": snapshot.job.as_ref().map(json::job), "reset": snapshot.reset },
        })),
        Seen::Silence(seconds) => Err(silence(*seconds)),
    }
}

/// Prints what an ended job came to: its verdict, or how it failed.
async fn print(client: &Client, job: &v1::Job, terminal: Terminal) -> anyhow::Result<()> {
    let lines = if job.result.is_some() {
        let result = client.result(&job.id).await?;
        Report::read(&result)?.lines(&job.id, terminal)
    } else {
        job::lines(job, terminal)
    };
    say_all(&lines, terminal)?;
    Ok(())
}

/// Prints lines of a result.
///
/// # Errors
/// When standard output is closed or full.
pub(crate) fn say_all(lines: &[String], terminal: Terminal) -> io::Result<()> {
    terminal.say(&lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_away_is_a_note_and_no_document() {
        let note = line(&Seen::Silence(36)).unwrap_err();
        assert_eq!(
            note,
            "the server does not answer, trying again for about 36 s"
        );
        let snapshot = v1::JobSnapshot::default();
        assert!(line(&Seen::Snapshot(&snapshot)).is_ok());
    }
}
