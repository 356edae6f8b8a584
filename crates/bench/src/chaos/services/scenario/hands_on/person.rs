//! Somebody at work: every call is made as an operator would make it, and asked again when its answer is lost.

use std::time::Duration;

use assay_api::v1;
use assay_probe::journal::now_us;
use assay_probe::{SCRIPT_OPTION, Script};
use assay_test_support::fleet::Role;
use rand::rngs::StdRng;
use tonic::{Code, Response, Status};

use super::KIND;
use super::account::{Account, Deed, Heard, Note, Outcome, Told};
use super::crew::{Crew, Strike};
use super::group::Group;
use crate::chaos::services::Scale;
use crate::chaos::services::scene::{SOON, Scene};
use crate::chaos::services::until::until;
use crate::client::Client;

/// How long an answer may take: twice as long as a call works that is about many.
const ANSWERED_WITHIN: Duration = Duration::from_secs(40);
/// How often something is asked for whose answer is lost each time.
const ASKED_MAX: usize = 40;
/// Dead letters that are put back in a second, when many are.
const PER_SECOND: u32 = 1_000;

/// Who works, with whom, and what came of it.
pub(super) struct Person {
    pub(super) crew: Crew,
    pub(super) chance: StdRng,
    pub(super) account: Account,
    scale: Scale,
}

/// What came of asking until there was an answer.
#[derive(Debug)]
pub(super) struct Answers<T> {
    /// Every answer, the last one whole.
    pub(super) told: Vec<T>,
    /// How many were lost.
    pub(super) lost: usize,
    /// When the first was asked for and the last one had, in microseconds since the epoch.
    pub(super) asked_us: u64,
    pub(super) told_us: u64,
}

impl Person {
    pub(super) fn new(crew: Crew, chance: StdRng, scale: Scale) -> Self {
        Self {
            crew,
            chance,
            account: Account::default(),
            scale,
        }
    }

    /// Makes one call; somebody may die in it.
    async fn call<T>(
        &mut self,
        scene: &mut Scene,
        strike: Option<Strike>,
        ask: &impl AsyncFn(Client) -> Result<Response<T>, Status>,
    ) -> anyhow::Result<Heard<T>> {
        let gateway = scene.gateway;
        let connect = async || Ok(Client::connect(gateway).await.ok());
        let client = until("the gateway is there", SOON, connect).await?;
        let asked_us = now_us();
        let answered = async {
            let answer = tokio::time::timeout(ANSWERED_WITHIN, ask(client)).await;
            Heard::now(told(answer.ok()), asked_us)
        };
        match strike {
            Some(strike) => self.crew.struck(strike, scene, answered).await,
            None => Ok(answered.await),
        }
    }

    /// Does something to `jobs`, once, and notes what is known of it: it is done where the answer is whole.
    async fn once<T>(
        &mut self,
        scene: &mut Scene,
        (deed, jobs): (Option<Deed>, &[String]),
        strike: Option<Strike>,
        ask: &impl AsyncFn(Client) -> Result<Response<T>, Status>,
        is_whole: fn(&T) -> bool,
    ) -> anyhow::Result<(Heard<T>, Outcome)> {
        let heard = self.call(scene, strike, ask).await?;
        let outcome = heard.outcome(is_whole);
        if let Some(deed) = deed {
            let note = Note {
                deed,
                outcome,
                asked_us: heard.asked_us,
                told_us: heard.told_us,
            };
            self.account.note(jobs, note);
        }
        Ok((heard, outcome))
    }

    /// The same, until the answer is whole, or says that there is nothing to be done.
    async fn until_told<T>(
        &mut self,
        scene: &mut Scene,
        deed: (Option<Deed>, &[String]),
        ask: impl AsyncFn(Client) -> Result<Response<T>, Status>,
        is_whole: fn(&T) -> bool,
    ) -> anyhow::Result<Answers<T>> {
        let mut answers = Answers {
            told: Vec::new(),
            lost: 0,
            asked_us: now_us(),
            told_us: 0,
        };
        for _ in 0..ASKED_MAX {
            let strike = Strike::at_random(self.scale, &mut self.chance);
            let (heard, outcome) = self.once(scene, deed, strike, &ask, is_whole).await?;
            answers.told_us = heard.told_us;
            match heard.told {
                Told::Done(answer) => answers.told.push(answer),
                Told::Left(_) => {}
                Told::Nothing => answers.lost += 1,
            }
            if outcome != Outcome::Unknown {
                return Ok(answers);
            }
        }
        anyhow::bail!("{:?} was asked for {ASKED_MAX} times in vain", deed.0)
    }

    /// Has a worker die at once.
    pub(super) async fn kills_a_worker(&mut self, scene: &mut Scene) -> anyhow::Result<()> {
        let strike = Strike::on(Role::Worker, &mut self.chance);
        self.crew.struck(strike, scene, async {}).await
    }

    /// Has the workers hold back; when that was answered, in microseconds since the epoch.
    pub(super) async fn pause(&mut self, scene: &mut Scene) -> anyhow::Result<u64> {
        let ask = async |mut client: Client| {
            let kind = KIND.as_str().to_owned();
            let request = v1::PauseQueueRequest { kind };
            client.admin.pause_queue(request).await
        };
        let answers = self.until_told(scene, (None, &[]), ask, |_| true).await?;
        Ok(answers.told_us)
    }

    /// Lets the workers go on; when that was first asked for, in microseconds since the epoch.
    pub(super) async fn resume(&mut self, scene: &mut Scene) -> anyhow::Result<u64> {
        let ask = async |mut client: Client| {
            let kind = KIND.as_str().to_owned();
            let request = v1::ResumeQueueRequest { kind };
            client.admin.resume_queue(request).await
        };
        let answers = self.until_told(scene, (None, &[]), ask, |_| true).await?;
        Ok(answers.asked_us)
    }

    /// Gives a dead letter another payload.
    pub(super) async fn edit(
        &mut self,
        scene: &mut Scene,
        (job_id, request): (&String, &v1::SubmitJobRequest),
        script: &Script,
        deed: Deed,
    ) -> anyhow::Result<()> {
        let payload = edited(request, script);
        let ask = async |mut client: Client| {
            let request = v1::UpdateDeadLetterRequest {
                job_id: job_id.clone(),
                etag: String::new(),
                payload: payload.clone(),
            };
            client.admin.update_dead_letter(request).await
        };
        let jobs = std::slice::from_ref(job_id);
        let deed = (Some(deed), jobs);
        self.until_told(scene, deed, ask, |_| true).await.map(drop)
    }

    /// Puts a dead letter back.
    pub(super) async fn redrive(
        &mut self,
        scene: &mut Scene,
        job_id: &String,
    ) -> anyhow::Result<()> {
        let ask = async |mut client: Client| {
            let job_id = job_id.clone();
            let request = v1::RedriveDeadLetterRequest { job_id };
            client.admin.redrive_dead_letter(request).await
        };
        let deed = (Some(Deed::Redriven), std::slice::from_ref(job_id));
        self.until_told(scene, deed, ask, |_| true).await.map(drop)
    }

    /// Puts all of a group back.
    pub(super) async fn redrive_all(
        &mut self,
        scene: &mut Scene,
        group: &Group,
    ) -> anyhow::Result<Answers<v1::RedriveDeadLettersResponse>> {
        let ask = async |mut client: Client| {
            let request = v1::RedriveDeadLettersRequest {
                filter: Some(group.filter.clone()),
                per_second: PER_SECOND,
                ..v1::RedriveDeadLettersRequest::default()
            };
            client.admin.redrive_dead_letters(request).await
        };
        let deed = (Some(Deed::RedrivenWithOthers), group.jobs.as_slice());
        self.until_told(scene, deed, ask, |answer| !answer.more)
            .await
    }

    /// Has a dead letter forgotten.
    pub(super) async fn forget(
        &mut self,
        scene: &mut Scene,
        job_id: &String,
    ) -> anyhow::Result<()> {
        let ask = async |mut client: Client| {
            let request = v1::DeleteDeadLetterRequest {
                job_id: job_id.clone(),
                etag: String::new(),
            };
            client.admin.delete_dead_letter(request).await
        };
        let deed = (Some(Deed::Forgotten), std::slice::from_ref(job_id));
        self.until_told(scene, deed, ask, |_| true).await.map(drop)
    }

    /// Has all of a group forgotten.
    pub(super) async fn forget_all(
        &mut self,
        scene: &mut Scene,
        group: &Group,
    ) -> anyhow::Result<Answers<v1::PurgeDeadLettersResponse>> {
        let ask = async |mut client: Client| {
            let request = v1::PurgeDeadLettersRequest {
                filter: Some(group.filter.clone()),
                ..v1::PurgeDeadLettersRequest::default()
            };
            client.admin.purge_dead_letters(request).await
        };
        let deed = (Some(Deed::Forgotten), group.jobs.as_slice());
        self.until_told(scene, deed, ask, |answer| !answer.more)
            .await
    }

    /// Makes the request of a forgotten job again. Nobody dies meanwhile.
    pub(super) async fn submit_again(
        &mut self,
        scene: &mut Scene,
        (job_id, request): (&String, &v1::SubmitJobRequest),
    ) -> anyhow::Result<()> {
        let asked_us = now_us();
        let again = scene.accept(vec![request.clone()]).await?;
        anyhow::ensure!(
            again.contains(job_id),
            "the request of job {job_id} is that of {again:?} now"
        );
        let note = Note {
            deed: Deed::Submitted,
            outcome: Outcome::Done,
            asked_us,
            told_us: now_us(),
        };
        self.account.note([job_id], note);
        Ok(())
    }

    /// Wants a job stopped.
    pub(super) async fn cancel(
        &mut self,
        scene: &mut Scene,
        job_id: &String,
    ) -> anyhow::Result<()> {
        let ask = async |mut client: Client| {
            let job_id = job_id.clone();
            client
                .jobs
                .cancel_job(v1::CancelJobRequest { job_id })
                .await
        };
        let deed = (Some(Deed::Cancelled), std::slice::from_ref(job_id));
        self.until_told(scene, deed, ask, |_| true).await.map(drop)
    }

    /// Purges lanes of a queue until it is answered that nothing is left of what was in them.
    pub(super) async fn purge(
        &mut self,
        scene: &mut Scene,
        purge: &v1::PurgeQueueRequest,
        jobs: &[String],
    ) -> anyhow::Result<Answers<v1::PurgeQueueResponse>> {
        let ask = async |mut client: Client| client.admin.purge_queue(purge.clone()).await;
        let deed = (Some(Deed::Purged), jobs);
        self.until_told(scene, deed, ask, |answer| !answer.more)
            .await
    }

    /// Purges lanes of a queue, once, and has the gateway die in the middle of it.
    pub(super) async fn purge_half(
        &mut self,
        scene: &mut Scene,
        purge: &v1::PurgeQueueRequest,
        jobs: &[String],
    ) -> anyhow::Result<()> {
        let ask = async |mut client: Client| client.admin.purge_queue(purge.clone()).await;
        let deed = (Some(Deed::Purged), jobs);
        let strike = Strike::on(Role::Gateway, &mut self.chance);
        let purged = self.once(scene, deed, Some(strike), &ask, |answer| !answer.more);
        purged.await.map(drop)
    }
}

/// What an answer says. Whatever came from between us and the server, or says that it does not know, says nothing.
fn told<T>(answer: Option<Result<Response<T>, Status>>) -> Told<T> {
    match answer {
        Some(Ok(answer)) => Told::Done(answer.into_inner()),
        Some(Err(status)) if is_refusal(status.code()) => Told::Left(status.message().to_owned()),
        Some(Err(_)) | None => Told::Nothing,
    }
}

fn is_refusal(code: Code) -> bool {
    matches!(
        code,
        Code::NotFound | Code::FailedPrecondition | Code::Aborted | Code::InvalidArgument
    )
}

/// The payload of a request, with another script.
fn edited(
    request: &v1::SubmitJobRequest,
    script: &Script,
) -> Option<v1::update_dead_letter_request::Payload> {
    use v1::submit_job_request::Payload;
    let Payload::ContentVerification(mut payload) = request.payload.clone()?;
    let script = script.to_string();
    payload.options.insert(SCRIPT_OPTION.to_owned(), script);
    Some(v1::update_dead_letter_request::Payload::ContentVerification(payload))
}
