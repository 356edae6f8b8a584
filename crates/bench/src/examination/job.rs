//! A photograph as a job: sent in, waited for, its result read.

use std::time::Duration;

use anyhow::Context;
use assay_api::v1;
use assay_api::v1::submit_job_request::Payload;
use serde_json::Value;
use tokio::time::Instant;

use crate::client::Client;

/// How long a job may take from its submit to its end.
const ENDS_WITHIN: Duration = Duration::from_secs(900);

/// A job that was submitted.
#[derive(Clone, Debug)]
pub(super) struct Job {
    id: String,
    until: Instant,
}

/// One stage of an examination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stage {
    pub(super) name: String,
    pub(super) is_given_up: bool,
    pub(super) cost_ms: u64,
}

impl Job {
    /// Submits a job over content that is stored.
    pub(super) async fn submit(client: &mut Client, content_id: &str) -> anyhow::Result<Self> {
        let payload = v1::ContentVerification {
            content_id: content_id.to_owned(),
            file_name: "photo.jpg".to_owned(),
            ..v1::ContentVerification::default()
        };
        let request = v1::SubmitJobRequest {
            payload: Some(Payload::ContentVerification(payload)),
            ..v1::SubmitJobRequest::default()
        };
        let submitted = client.jobs.submit_job(request).await;
        let submitted = submitted.context("submit a job")?.into_inner();
        Ok(Self {
            id: submitted.job.unwrap_or_default().id,
            until: Instant::now() + ENDS_WITHIN,
        })
    }

    /// Whether it has succeeded. One that ends in another way, or takes too long, is an error.
    pub(super) async fn is_done(&self, client: &mut Client) -> anyhow::Result<bool> {
        let request = v1::GetJobRequest {
            job_id: self.id.clone(),
        };
        let job = client.jobs.get_job(request).await?.into_inner();
        match job.state() {
            v1::JobState::Succeeded => return Ok(true),
            v1::JobState::Failed | v1::JobState::DeadLettered | v1::JobState::Cancelled => {
                let why = job.failure.unwrap_or_default().message;
                anyhow::bail!("job {} has failed: {why}", self.id);
            }
            v1::JobState::Unspecified
            | v1::JobState::Accepted
            | v1::JobState::Scheduled
            | v1::JobState::Queued
            | v1::JobState::Running
            | v1::JobState::Retrying
            | v1::JobState::Waiting
            | v1::JobState::Cancelling => {}
        }
        let in_time = Instant::now() < self.until;
        anyhow::ensure!(in_time, "job {} has not ended in time", self.id);
        Ok(false)
    }

    /// The stages of its result.
    pub(super) async fn stages(&self, client: &mut Client) -> anyhow::Result<Vec<Stage>> {
        let request = v1::GetJobResultRequest {
            job_id: self.id.clone(),
        };
        let result = client.jobs.get_job_result(request).await?.into_inner();
        let result: Value = serde_json::from_slice(&result.json).context("read a result")?;
        stages_in(&result).context("find the stages of a result")
    }
}

fn stages_in(result: &Value) -> Option<Vec<Stage>> {
    let stages = result.get("stages")?.as_array()?.iter();
    let stage = |stage: &Value| {
        Some(Stage {
            name: stage.get("stage")?.as_str()?.to_owned(),
            is_given_up: stage.get("status")?.as_str()? != "ok",
            cost_ms: stage.get("cost_ms")?.as_u64()?,
        })
    };
    stages.map(stage).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn stages_are_read_from_a_result_and_a_stranger_form_is_none() {
        let result = json!({ "stages": [
            { "stage": "sniff", "status": "ok", "reason": null, "cost_ms": 3 },
            { "stage": "grid", "status": "aborted", "reason": "timeout", "cost_ms": 9_000 },
        ] });
        let stages = stages_in(&result).unwrap();
        let stages: Vec<_> = stages
            .iter()
            .map(|stage| (stage.name.as_str(), stage.is_given_up, stage.cost_ms))
            .collect();
        assert_eq!(stages, [("sniff", false, 3), ("grid", true, 9_000)]);
        assert_eq!(
            stages_in(&json!({ "stages": [{ "stage": "sniff" }] })),
            None
        );
        assert_eq!(stages_in(&json!({})), None);
    }
}
