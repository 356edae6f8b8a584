//! Connections to Redis: shared ones for commands and scripts, one more for channels.
//!
//! What could not be sent is told apart from what was sent without an answer: the second may have been
//! done.

mod ear;
mod failure;
mod slot;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use redis::{Cmd, Pipeline, Value};
use tokio::task::JoinSet;

pub(crate) use ear::{Heard, Subscription};
pub(crate) use failure::{LinkError, store_full, unanswered, unconnected};

use super::config::RedisConfig;
use super::script::Script;
use crate::metric_definitions::redis::{Call, CallOutcome, called};
use ear::Ear;
use slot::Slot;

/// A way to Redis. Clones share the connections.
#[derive(Clone)]
pub(crate) struct Link {
    slots: Arc<[Slot]>,
    next: Arc<AtomicUsize>,
    ear: Ear,
    /// What its round trips are counted as.
    call: Call,
}

impl Link {
    /// Prepares connections as `config` says; each is made when it is needed. The one for channels lives in
    /// `tasks`, where it keeps up to `lag_max` messages for each slow listener.
    ///
    /// # Errors
    /// When the settings make no address.
    pub(crate) fn new(
        config: &RedisConfig,
        lag_max: usize,
        tasks: &mut JoinSet<()>,
    ) -> Result<Self, LinkError> {
        let client = config
            .client()
            .map_err(|error| LinkError::Unsent(error.to_string()))?;
        let slots = (0..config.connections.max(1)).map(|_| Slot::new(client.clone(), config));
        Ok(Self {
            slots: slots.collect(),
            next: Arc::default(),
            ear: Ear::start(client, config, lag_max, tasks),
            call: Call::Read,
        })
    }

    /// The same connections, whose round trips are counted as `call`.
    pub(crate) fn labelled(&self, call: Call) -> Self {
        Self {
            call,
            ..self.clone()
        }
    }

    /// Sends a command.
    ///
    /// # Errors
    /// [`LinkError`] says whether it may have been done.
    pub(crate) async fn ask(&self, command: &Cmd) -> Result<Value, LinkError> {
        let sent = Instant::now();
        let answer = self.slot().ask(command).await;
        self.count(&answer, sent);
        answer
    }

    /// Sends commands together; answers them one by one.
    ///
    /// # Errors
    /// [`LinkError`] says whether they may have been done.
    pub(crate) async fn ask_all(&self, commands: &Pipeline) -> Result<Vec<Value>, LinkError> {
        let sent = Instant::now();
        let answers = self.slot().ask_all(commands).await;
        self.count(&answers, sent);
        answers
    }

    /// Asks what changes nothing, so again if the answer is lost.
    ///
    /// # Errors
    /// When there is still none.
    pub(crate) async fn read(&self, question: &Cmd) -> Result<Value, LinkError> {
        let mut answer = self.ask(question).await;
        for _ in 1..self.reads_max() {
            if !matches!(answer, Err(LinkError::Lost(_))) {
                break;
            }
            answer = self.ask(question).await;
        }
        answer
    }

    /// Asks what changes nothing, together, so again if the answers are lost.
    ///
    /// # Errors
    /// When there are still none.
    pub(crate) async fn read_all(&self, questions: &Pipeline) -> Result<Vec<Value>, LinkError> {
        let mut answers = self.ask_all(questions).await;
        for _ in 1..self.reads_max() {
            if !matches!(answers, Err(LinkError::Lost(_))) {
                break;
            }
            answers = self.ask_all(questions).await;
        }
        answers
    }

    /// Once on each connection, and once more: what broke one may have broken all, and new ones are made.
    fn reads_max(&self) -> usize {
        self.slots.len() + 1
    }

    /// Sends a call of `script`, which Redis is given first if it does not know it.
    ///
    /// # Errors
    /// [`LinkError`] says whether it may have run.
    pub(crate) async fn run(&self, script: &Script, call: &Cmd) -> Result<Value, LinkError> {
        let slot = self.slot();
        let sent = Instant::now();
        let mut answer = slot.ask(call).await;
        if answer == Err(LinkError::NoScript) {
            let mut load = redis::cmd("SCRIPT");
            load.arg("LOAD").arg(script.code());
            slot.ask(&load).await.map_err(LinkError::unsent)?;
            answer = slot.ask(call).await;
        }
        self.count(&answer, sent);
        match answer {
            // A command that fails inside a script may have others before it.
            Err(LinkError::Refused(why)) => Err(LinkError::Lost(why)),
            answered => answered,
        }
    }

    /// Listens to a channel. It is heard from the moment that this returns.
    ///
    /// # Errors
    /// When Redis can't be reached.
    pub(crate) async fn subscribe(&self, channel: &str) -> Result<Subscription, LinkError> {
        self.ear.subscribe(channel).await
    }

    fn count<T>(&self, answer: &Result<T, LinkError>, sent: Instant) {
        let outcome = match answer {
            Ok(_) => CallOutcome::Done,
            Err(LinkError::Unsent(_)) => CallOutcome::Unavailable,
            Err(LinkError::Lost(_)) => CallOutcome::Unknown,
            Err(LinkError::Full | LinkError::NoScript | LinkError::Refused(_)) => {
                CallOutcome::Refused
            }
        };
        called(self.call, outcome, sent.elapsed().as_secs_f64());
    }

    fn slot(&self) -> &Slot {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        &self.slots[turn % self.slots.len()]
    }
}
