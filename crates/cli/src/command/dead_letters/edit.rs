//! `assay dead-letters edit`: another payload for a dead letter, from an editor or a file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail, ensure};
use assay_api::v1;
use assay_api::v1::update_dead_letter_request::Payload as Wire;
use assay_gateway::json;

use super::editor::Edited;
use crate::client::Client;
use crate::exit;
use crate::output::OutputArgs;
use crate::server::{Server, ServerArgs};
use crate::terminal::{Terminal, plain};
use crate::view::dead_letter;
use crate::view::payload::Payload;

/// The longest text of a payload that is read, in bytes; the server's bound on what it says is lower.
const TEXT_BYTES_MAX: u64 = 1024 * 1024;

/// What names standard input.
const STDIN: &str = "-";

/// Options of `assay dead-letters edit`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which job
    job_id: String,
    /// Take all of the new payload from this JSON file, or from standard input with -, and open no editor
    #[arg(long, value_name = "FILE")]
    payload: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// Edits; sends what was changed, and nothing if nothing was.
pub(crate) async fn run(
    args: Args,
    variables: &BTreeMap<String, String>,
    terminal: Terminal,
) -> anyhow::Result<u8> {
    let server = &args.server.server;
    let letter = Client::connect(server)
        .await?
        .dead_letter(&args.job_id)
        .await?;
    let before = dead_letter::payload(&letter);
    let sent = match &args.payload {
        Some(path) => {
            let text = text_of(path)?;
            let after = Payload::read(&text)
                .with_context(|| format!("{} is no payload", plain(&path.display().to_string())))?;
            send(server, &letter, before, after).await?
        }
        None => {
            let Some(before) = before else {
                bail!(
                    "this server cannot read the payload of {}: give all of a new one with --payload FILE",
                    plain(&args.job_id)
                );
            };
            let edited = Edited::of(&before.text()?, variables)?;
            match send_edited(server, &letter, before, &edited.text).await {
                Ok(sent) => sent,
                Err(error) => return Err(anyhow!("{error:#}; {}", edited.keep())),
            }
        }
    };
    let Some(letter) = sent else {
        terminal.note("the payload is the same as before, so nothing was sent");
        return Ok(exit::OK);
    };
    let document = || json::letter(&letter);
    let lines = || dead_letter::lines(&letter, terminal);
    args.output.format.print(terminal, document, lines)?;
    terminal.note(&format!(
        "it waits for you: put it back with `assay dead-letters redrive{} {}`",
        server.option(),
        plain(&args.job_id)
    ));
    Ok(exit::OK)
}

async fn send_edited(
    server: &Server,
    letter: &v1::DeadLetter,
    before: Payload,
    text: &str,
) -> anyhow::Result<Option<v1::DeadLetter>> {
    let after = Payload::read(text).context("what you wrote is no payload")?;
    send(server, letter, Some(before), after).await
}

/// Sends a payload that is another than before. Over a connection of its own: an editor may be open for hours.
async fn send(
    server: &Server,
    letter: &v1::DeadLetter,
    before: Option<Payload>,
    after: Payload,
) -> anyhow::Result<Option<v1::DeadLetter>> {
    if before.as_ref() == Some(&after) {
        return Ok(None);
    }
    let job = letter.job.as_ref();
    let request = v1::UpdateDeadLetterRequest {
        job_id: job.map_or_else(String::new, |job| job.id.clone()),
        etag: letter.etag.clone(),
        payload: Some(Wire::ContentVerification(after.into())),
    };
    let client = Client::connect(server).await?;
    Ok(Some(client.update_dead_letter(request).await?))
}

fn text_of(path: &Path) -> anyhow::Result<String> {
    if path.as_os_str() == STDIN {
        return read(io::stdin().lock()).context("read the payload from standard input");
    }
    let name = || format!("read {}", plain(&path.display().to_string()));
    let file = File::open(path).with_context(name)?;
    read(file).with_context(name)
}

fn read(source: impl Read) -> anyhow::Result<String> {
    let mut text = String::new();
    let read = source.take(TEXT_BYTES_MAX + 1).read_to_string(&mut text)?;
    ensure!(
        read as u64 <= TEXT_BYTES_MAX,
        "it has more than {TEXT_BYTES_MAX} bytes: a payload names content and does not hold it"
    );
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_to_its_bound_and_no_further() {
        let bytes = usize::try_from(TEXT_BYTES_MAX).unwrap();
        let fits = vec![b' '; bytes];
        assert_eq!(read(fits.as_slice()).unwrap().len(), bytes);
        let too_long = vec![b' '; bytes + 1];
        let error = read(too_long.as_slice()).unwrap_err();
        assert!(error.to_string().contains("does not hold it"), "{error}");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = text_of(Path::new("/nowhere/x.json")).unwrap_err();
        assert!(
            format!("{error:#}").starts_with("read /nowhere/x.json: "),
            "{error:#}"
        );
    }
}
