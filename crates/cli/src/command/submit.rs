//! `assay submit`: one file becomes a job.

use std::path::PathBuf;

use assay_api::v1;
use assay_gateway::json;
use clap::ValueEnum;

use crate::client::{Client, Fault, Media};
use crate::exit;
use crate::output::{Format, OutputArgs};
use crate::server::ServerArgs;
use crate::terminal::{Terminal, plain};

/// Options of `assay submit`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// File to verify
    path: PathBuf,
    /// How urgent it is
    #[arg(long, value_enum, default_value_t = Lane::Normal)]
    lane: Lane,
    /// Label of the job, as KEY=VALUE; may be repeated
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
    /// Your own id of the request: a repeat with the same id makes no second job
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// How urgent a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lane {
    /// Waits for the others
    Low,
    /// Neither
    Normal,
    /// Served first
    High,
}

/// Submits; prints the job's id, or the whole answer as JSON.
pub(crate) async fn run(args: Args, terminal: Terminal) -> anyhow::Result<u8> {
    let media = Media::open(&args.path).await?;
    let client = Client::connect(&args.server.server).await?;
    let request = v1::SubmitJobRequest {
        lane: args.lane.wire().into(),
        request_id: args.request_id.clone().unwrap_or_else(request_id),
        metadata: args.labels.iter().cloned().collect(),
        ..v1::SubmitJobRequest::default()
    };
    let submitted = submit(&client, &media, request).await?;
    let job = submitted.job.clone().unwrap_or_default();
    match args.output.format {
        Format::Json | Format::Jsonl => terminal.say(&answer(&submitted).to_string())?,
        Format::Table => {
            terminal.say(&plain(&job.id))?;
            let what = if submitted.already_existed {
                "it was submitted before"
            } else {
                "submitted"
            };
            terminal.note(&format!(
                "{what} ({}); follow it with `assay watch{} {}`",
                plain(&submitted.durability),
                args.server.server.option(),
                plain(&job.id)
            ));
        }
    }
    Ok(exit::OK)
}

/// Uploads a file and submits its verification; `request` holds everything but the payload.
///
/// # Errors
/// When the file cannot be read, or the server refuses.
pub(crate) async fn submit(
    client: &Client,
    media: &Media,
    request: v1::SubmitJobRequest,
) -> Result<v1::SubmitJobResponse, Fault> {
    let payload = v1::ContentVerification {
        content_id: client.upload(media).await?,
        file_name: media.file_name(),
        declared_mime: media.declared_mime().to_owned(),
        ..v1::ContentVerification::default()
    };
    let payload = v1::submit_job_request::Payload::ContentVerification(payload);
    let request = v1::SubmitJobRequest {
        payload: Some(payload),
        ..request
    };
    client.submit(request).await
}

/// An id for a request that nobody named: it makes a repeat after a lost answer safe.
pub(crate) fn request_id() -> String {
    format!("assay-cli-{:032x}", rand::random::<u128>())
}

fn answer(submitted: &v1::SubmitJobResponse) -> serde_json::Value {
    serde_json::json!({
        "job": submitted.job.as_ref().map(json::job),
        "alreadyExisted": submitted.already_existed,
        "durability": submitted.durability,
        "carrier": Some(&submitted.carrier).filter(|carrier| !carrier.is_empty()),
    })
}

fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        Some(_) | None => Err("write it as KEY=VALUE".to_owned()),
    }
}

impl Lane {
    /// The same on the wire.
    pub(crate) fn wire(self) -> v1::Lane {
        match self {
            Self::Low => v1::Lane::Low,
            Self::Normal => v1::Lane::Normal,
            Self::High => v1::Lane::High,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_has_a_key() {
        assert_eq!(label("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(label("=b").is_err() && label("a").is_err());
    }

    #[test]
    fn an_answer_says_what_carries_the_job_if_anything_does() {
        let mut submitted = v1::SubmitJobResponse {
            durability: "it survives".to_owned(),
            carrier: "redis".to_owned(),
            ..v1::SubmitJobResponse::default()
        };
        let told = answer(&submitted);
        assert_eq!(
            (&told["carrier"], &told["job"]),
            (&"redis".into(), &().into())
        );
        submitted.carrier.clear();
        assert!(answer(&submitted)["carrier"].is_null());
    }

    #[test]
    fn two_requests_have_two_ids() {
        assert_ne!(request_id(), request_id());
    }
}
