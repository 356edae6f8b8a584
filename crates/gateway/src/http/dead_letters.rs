//! Dead letters, for people: look at them, and put them back, one or all that match.

use std::time::Duration;

use assay_api::v1 as pb;
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::ask::{Ask, wrong};
use super::problem::Problem;
use super::{answer, jobs, view};
use crate::convert;
use crate::edge::Edge;

mod filter;

use filter::Plan;

/// How long one request may put back. What is left is there for the next.
const REDRIVE_TIME_MAX: Duration = Duration::from_secs(20);
/// How many dead letters are looked at, at a time.
const PAGE_SIZE: i32 = 100;

/// A page of dead letters, newest first. One that is filtered by reason may be short and not the last.
pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    let request = pb::ListJobsRequest {
        states: vec![pb::JobState::DeadLettered.into()],
        ..jobs::request(&ask.query)?
    };
    let mut reasons = Vec::new();
    for word in ask.query.all("reason") {
        let reason = view::dead_letter_reason(word);
        reasons.push(reason.ok_or_else(|| wrong("reason", filter::REASONS))?);
    }
    let page = ask.edge.list_jobs(&request, &ask.caller.tenant).await?;
    let matching = page
        .jobs
        .iter()
        .filter(|job| reasons.is_empty() || reasons.contains(&job.dead_letter_reason()));
    let token = &page.next_page_token;
    Ok(jobs::respond_page("deadLetters", matching, token))
}

/// One dead letter.
pub(super) async fn get(ask: Ask) -> Result<Response, Problem> {
    let job = find(&ask).await?;
    Ok(answer::json(StatusCode::OK, &view::job(&job)))
}

/// Puts one back into its queue.
pub(super) async fn redrive(ask: Ask) -> Result<Response, Problem> {
    find(&ask).await?;
    jobs::retry(ask).await
}

async fn find(ask: &Ask) -> Result<pb::Job, Problem> {
    let job = convert::job(ask.edge.find(&ask.caller.tenant, ask.job_id()?).await?);
    if job.state() == pb::JobState::DeadLettered {
        return Ok(job);
    }
    let detail = "the job is no dead letter: look at it as a job";
    let status = StatusCode::NOT_FOUND;
    Err(Problem::new(status, "DEAD_LETTER_NOT_FOUND", detail))
}

/// Puts all back that match, as fast as asked and no faster; or only counts them.
pub(super) async fn redrive_all(ask: Ask, body: Body) -> Result<Response, Problem> {
    let held = super::body::object(&ask.edge, &ask.headers, body).await?;
    let plan = filter::plan(held.members)?;
    let mut redriving = Redriving::begin(plan);
    let mut request = pb::ListJobsRequest {
        page_size: PAGE_SIZE,
        ..redriving.plan.filter.request()
    };
    loop {
        let page = match ask.edge.list_jobs(&request, &ask.caller.tenant).await {
            Ok(page) => page,
            Err(refusal) => return redriving.stopped(refusal.into()),
        };
        for job in &page.jobs {
            if let Err(stop) = redriving.take(&ask.edge, &ask.caller.tenant, job).await {
                return stop.map_or_else(
                    || Ok(redriving.respond(true)),
                    |problem| redriving.stopped(problem),
                );
            }
        }
        if page.next_page_token.is_empty() {
            return Ok(redriving.respond(false));
        }
        request.page_token = page.next_page_token;
    }
}

/// What came of it so far.
struct Redriving {
    plan: Plan,
    began: Instant,
    pace: tokio::time::Interval,
    matched: u32,
    redriven: u32,
    refused: Vec<Value>,
}

impl Redriving {
    fn begin(plan: Plan) -> Self {
        let mut pace = interval(Duration::from_secs(1) / plan.per_second);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            plan,
            began: Instant::now(),
            pace,
            matched: 0,
            redriven: 0,
            refused: Vec::new(),
        }
    }

    /// Puts one back if it matches. An error means that it is time to stop: with a problem, or because it is enough.
    async fn take(
        &mut self,
        edge: &Edge,
        tenant: &assay_core::id::Tenant,
        job: &pb::Job,
    ) -> Result<(), Option<Problem>> {
        if !self.plan.filter.matches(job) {
            return Ok(());
        }
        if self.matched >= self.plan.limit || self.began.elapsed() >= REDRIVE_TIME_MAX {
            return Err(None);
        }
        if self.plan.dry_run {
            self.matched += 1;
            return Ok(());
        }
        self.pace.tick().await;
        let request = pb::RetryJobRequest {
            job_id: job.id.clone(),
        };
        match edge
            .retry_job(&request, tenant)
            .await
            .map_err(Problem::from)
        {
            Ok(_) => self.redriven += 1,
            // Somebody else put it back or removed it, or its content is gone.
            Err(problem) if problem.status.is_client_error() => {
                let refused = json!({"jobId": job.id, "reason": problem.reason()});
                self.refused.push(refused);
            }
            Err(problem) => return Err(Some(problem)),
        }
        self.matched += 1;
        Ok(())
    }

    fn respond(&self, more: bool) -> Response {
        answer::json(StatusCode::OK, &self.outcome(more))
    }

    /// The server can't go on. What was put back is told all the same.
    fn stopped(&self, problem: Problem) -> Result<Response, Problem> {
        if self.redriven == 0 {
            return Err(problem);
        }
        let mut outcome = self.outcome(true);
        outcome["stopped"] = problem.reason().into();
        Ok(answer::json(StatusCode::OK, &outcome))
    }

    fn outcome(&self, more: bool) -> Value {
        json!({
            "dryRun": self.plan.dry_run,
            "matched": self.matched,
            "redriven": self.redriven,
            "refused": self.refused,
            "more": more,
        })
    }
}
