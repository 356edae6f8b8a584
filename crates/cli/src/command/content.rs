//! `assay content`: files on their way to a server, without a job.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};

use crate::client::{Client, Fault, Media};
use crate::exit;
use crate::output::{Listing, OutputArgs};
use crate::server::ServerArgs;
use crate::terminal::{Terminal, plain};

/// Options of `assay content`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Store files and print the content id of each, in the order of the files
    #[command(after_help = exit::MANY_HELP)]
    Upload(Upload),
}

/// Options of `assay content upload`.
#[derive(Debug, clap::Args)]
struct Upload {
    /// Files to store
    #[arg(required = true, value_name = "FILE")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// A file that the server has.
#[derive(Debug)]
struct Stored {
    path: String,
    content_id: String,
    size_bytes: u64,
}

/// Stores files.
pub(crate) async fn run(args: Args, terminal: Terminal) -> anyhow::Result<u8> {
    match args.command {
        Command::Upload(args) => upload_all(&args, terminal).await,
    }
}

/// Trouble with a file is told, and the others go on; without a server nothing more is tried.
async fn upload_all(args: &Upload, terminal: Terminal) -> anyhow::Result<u8> {
    let client = Client::connect(&args.server.server).await?;
    let mut listing = Listing::new(args.output.format, terminal, "contents", document);
    let mut code = exit::OK;
    for path in &args.paths {
        match upload(&client, path).await {
            Ok(stored) => listing.add(vec![stored])?,
            Err(fault) => {
                code = exit::TROUBLE;
                let is_over = fault.is_silence();
                let name = plain(&path.display().to_string());
                let why = anyhow::Error::from(fault);
                terminal.note(&format!("assay: {name}: {why:#}"));
                if is_over {
                    break;
                }
            }
        }
    }
    listing.finish(rows, "nothing was stored", false)?;
    Ok(code)
}

async fn upload(client: &Client, path: &Path) -> Result<Stored, Fault> {
    let media = Media::open(path).await?;
    Ok(Stored {
        content_id: client.upload(&media).await?,
        size_bytes: media.size_bytes(),
        path: path.display().to_string(),
    })
}

/// Ids and nothing else: other commands take them as they are.
fn rows(stored: &[Stored]) -> Vec<String> {
    stored.iter().map(|one| plain(&one.content_id)).collect()
}

fn document(stored: &Stored) -> Value {
    json!({
        "path": stored.path,
        "contentId": stored.content_id,
        "sizeBytes": stored.size_bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_an_id_and_a_document_says_of_what() {
        let stored = Stored {
            path: "a.png".to_owned(),
            content_id: "sha256:00".to_owned(),
            size_bytes: 7,
        };
        let wanted = json!({ "path": "a.png", "contentId": "sha256:00", "sizeBytes": 7 });
        assert_eq!(document(&stored), wanted);
        assert_eq!(rows(&[stored]), ["sha256:00"]);
    }
}
