//! Group commit: steps that come while others are on their way go together, in one call of one script.
//!
//! Alone, a step costs one round trip. Under load, calls fill up by themselves: only so many are on their way
//! at a time, and whatever came meanwhile is in the next one. Before a call goes, tasks that are ready may add to it.
//! Each step of a call is judged by itself.

use std::sync::Arc;
use std::time::Instant;

use assay_core::port::StoreError;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use redis::Value;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::clock::{CLOCK_SKEW_MS_MAX, StoreClock};
use super::keys::Keys;
use super::link::{Link, LinkError};
use super::script::{self, Room};
use super::write::Step;
use crate::StoreConfig;
use crate::metric_definitions::redis::Call;
use crate::metric_definitions::{self, CommitOutcome};

/// Calls with many steps that are on their way at a time.
const CALLS_MAX: usize = 3;
/// Steps that are on their way at a time, if calls hold few.
const STEPS_ON_THE_WAY: usize = 128;

/// What became of a step.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    /// It happened; with the checkpoint, if it asked for it and there is one.
    Done(Option<Vec<u8>>),
    /// The record is not the one that it was decided on. These are its fields now; none if it is absent.
    Changed(Option<Vec<Value>>),
    /// The limit is reached.
    Limit,
    /// The outbox is full.
    OutboxFull,
}

/// Why nobody knows what became of a step, or nothing did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CommitError {
    /// It was decided too far off Redis's time: nothing happened, decide again.
    Late,
    /// There is no answer.
    Link(LinkError),
}

impl CommitError {
    /// What it means for whoever does not decide again.
    pub(crate) fn of_write(self) -> StoreError {
        match self {
            Self::Late => StoreError::Unavailable {
                why: "its clock runs apart from this machine's".into(),
            },
            Self::Link(error) => error.of_write(),
        }
    }
}

type Outcome = Result<Answer, CommitError>;

struct Waiting {
    step: Step,
    answer: oneshot::Sender<Outcome>,
}

/// Takes steps; one lane for each group of keys.
#[derive(Clone)]
pub(crate) struct Committer {
    lanes: Arc<[mpsc::Sender<Waiting>]>,
}

impl Committer {
    /// Starts the lanes in `tasks`. They end when the last committer is gone, after what was asked before.
    pub(crate) fn start(
        link: &Link,
        keys: &Arc<Keys>,
        clock: &StoreClock,
        config: &StoreConfig,
        tasks: &mut JoinSet<()>,
    ) -> Self {
        let lanes = (0..keys.groups().len()).map(|group| {
            let (sender, receiver) = mpsc::channel(config.pending_operations_max);
            let calls_max = STEPS_ON_THE_WAY / config.redis_batch_max;
            let lane = Lane {
                link: link.labelled(Call::Commit),
                keys: Arc::clone(keys),
                clock: clock.clone(),
                group,
                batch_max: config.redis_batch_max,
                calls_max: calls_max.max(CALLS_MAX),
            };
            tasks.spawn(lane.run(receiver));
            sender
        });
        Self {
            lanes: lanes.collect(),
        }
    }

    /// Has a step done, with whatever else goes at the same time.
    ///
    /// # Errors
    /// [`CommitError`] says whether it may have happened.
    pub(crate) async fn commit(&self, step: Step) -> Outcome {
        let closed = || CommitError::Link(LinkError::Unsent("it was closed".into()));
        let (answer, receiver) = oneshot::channel();
        let lane = self.lanes.get(step.group).ok_or_else(closed)?;
        let waiting = Waiting { step, answer };
        lane.send(waiting).await.map_err(|_| closed())?;
        let lost = || CommitError::Link(LinkError::Lost("it was closed".into()));
        receiver.await.unwrap_or_else(|_| Err(lost()))
    }
}

struct Lane {
    link: Link,
    keys: Arc<Keys>,
    clock: StoreClock,
    group: usize,
    batch_max: usize,
    calls_max: usize,
}

impl Lane {
    async fn run(self, mut receiver: mpsc::Receiver<Waiting>) {
        let mut calls = FuturesUnordered::new();
        let mut batch = Vec::new();
        let mut open = true;
        while open || !calls.is_empty() {
            tokio::select! {
                Some(()) = calls.next() => {}
                taken = receiver.recv_many(&mut batch, self.batch_max), if open && calls.len() < self.calls_max => {
                    open = taken > 0;
                    let_others_come(&mut receiver, &mut batch, self.batch_max).await;
                    let (bound, free): (Vec<_>, Vec<_>) =
                        batch.drain(..).partition(|waiting: &Waiting| waiting.step.room == Room::Needed);
                    for (room, steps) in [(Room::NotNeeded, free), (Room::Needed, bound)] {
                        if !steps.is_empty() {
                            calls.push(self.call(room, steps));
                        }
                    }
                }
            }
        }
    }

    /// Runs the steps in one call, and answers each.
    async fn call(&self, room: Room, batch: Vec<Waiting>) {
        let (steps, answers): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .map(|waiting| (waiting.step, waiting.answer))
            .unzip();
        let sent = Instant::now();
        let call = self.compose(room, &steps);
        let answered = self.link.run(script::commit(room), &call).await;
        let outcomes = self.read(answered, steps.len(), sent);
        let outcome = match outcomes {
            Ok(_) => CommitOutcome::Done,
            Err(_) => CommitOutcome::Failed,
        };
        metric_definitions::committed(outcome, steps.len(), sent.elapsed().as_secs_f64());
        match outcomes {
            // A caller that went away needs no answer.
            Ok(outcomes) => answers
                .into_iter()
                .zip(outcomes)
                .for_each(|(answer, outcome)| drop(answer.send(Ok(outcome)))),
            Err(error) => answers
                .into_iter()
                .for_each(|answer| drop(answer.send(Err(error.clone())))),
        }
    }

    fn compose(&self, room: Room, steps: &[Step]) -> redis::Cmd {
        let group = &self.keys.groups()[self.group];
        let parts: Vec<_> = steps.iter().flat_map(|step| &step.parts).collect();
        let records: Vec<_> = std::iter::once(group.counts.as_str())
            .chain(parts.iter().map(|part| part.record()))
            .collect();
        let mut call = script::commit(room).call(records.into_iter());
        call.arg(self.clock.stamp_ms().unwrap_or(0))
            .arg(CLOCK_SKEW_MS_MAX)
            .arg(&group.events)
            .arg(&group.stops);
        for part in parts {
            part.write(&mut call);
        }
        call
    }

    fn read(
        &self,
        answered: Result<Value, LinkError>,
        steps: usize,
        sent: Instant,
    ) -> Result<Vec<Answer>, CommitError> {
        let malformed =
            || CommitError::Link(LinkError::Lost("an answer that no script gives".into()));
        let Value::Array(answers) = answered.map_err(CommitError::Link)? else {
            return Err(malformed());
        };
        let mut answers = answers.into_iter();
        let now_ms = match answers.next() {
            Some(Value::Int(now_ms)) => u64::try_from(now_ms).map_err(|_| malformed())?,
            _ => return Err(malformed()),
        };
        self.clock.learn(now_ms, sent);
        if answers.len() == 0 && steps > 0 {
            return Err(CommitError::Late);
        }
        if answers.len() != steps {
            return Err(malformed());
        }
        answers
            .map(|answer| read_one(answer).ok_or_else(malformed))
            .collect()
    }
}

/// Lets tasks run that are ready, and takes in what they bring: it can go along, and costs far less that way. Nobody
/// waits for it; when nothing is ready this returns at once.
pub(crate) async fn let_others_come<T>(
    receiver: &mut mpsc::Receiver<T>,
    came: &mut Vec<T>,
    most: usize,
) {
    tokio::task::yield_now().await;
    while came.len() < most
        && let Ok(next) = receiver.try_recv()
    {
        came.push(next);
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the script gives answers of few forms; any other is none"
)]
fn read_one(answer: Value) -> Option<Answer> {
    match answer {
        Value::Int(1) => Some(Answer::Done(None)),
        Value::Int(2) => Some(Answer::Limit),
        Value::Int(3) => Some(Answer::OutboxFull),
        Value::Nil => Some(Answer::Changed(None)),
        Value::Array(mut fields) => match fields.first()? {
            Value::Int(1) => match fields.pop()? {
                Value::BulkString(checkpoint) => Some(Answer::Done(Some(checkpoint))),
                _ => Some(Answer::Done(None)),
            },
            _ => Some(Answer::Changed(Some(fields))),
        },
        _ => None,
    }
}
