//! Watchers of jobs, over both ways, each with its own account of what it was told.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context;
use assay_api::v1;
use assay_api::v1::watch_job_response::Message;
use assay_probe::journal::now_us;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tonic::Streaming;

use crate::client::Client;
use crate::http::events::{Events, Opened, Told};
use crate::watched::{Heard, Watched};

/// Watchers that come in at a time.
const DOORS: usize = 64;
/// Between two looks at whether all are there.
const LOOK_PERIOD: Duration = Duration::from_millis(20);

/// How a watcher watches.
#[derive(Clone, Debug)]
pub enum Way {
    /// A stream among others of one connection.
    Grpc(Box<Client>),
    /// A connection of its own.
    Http(SocketAddr),
}

/// What one watcher was told.
#[derive(Debug, Default)]
pub struct Account {
    /// Held against what is promised.
    pub watched: Watched,
    /// Of each update: when it was reported (microseconds since the epoch), and how long it took to come here.
    pub updates: Vec<Update>,
}

/// One update, as one watcher saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Update {
    /// When the handler reported it, in microseconds since the epoch.
    pub reported_us: u64,
    /// From then until it was read here.
    pub latency_us: u64,
}

/// Everybody who watches. They leave when this is dropped.
#[derive(Debug)]
pub struct Audience {
    watchers: JoinSet<anyhow::Result<Account>>,
    doors: Arc<Semaphore>,
    seated: Arc<AtomicUsize>,
}

impl Default for Audience {
    fn default() -> Self {
        Self {
            watchers: JoinSet::new(),
            doors: Arc::new(Semaphore::new(DOORS)),
            seated: Arc::default(),
        }
    }
}

impl Audience {
    /// Lets one more in, to watch a job to its end.
    pub fn seat(&mut self, way: Way, job_id: String) {
        let (doors, seated) = (Arc::clone(&self.doors), Arc::clone(&self.seated));
        self.watchers.spawn(async move {
            let door = doors.acquire_owned().await.context("come in")?;
            let mut account = Account::default();
            let mut stream = Stream::open(&way, &job_id).await?;
            // A job has happened to be submitted: something is told at once.
            let first = stream.next().await?.context("be told anything")?;
            account.take(first);
            drop(door);
            seated.fetch_add(1, Ordering::Relaxed);
            while let Some(heard) = stream.next().await? {
                account.take(heard);
            }
            Ok(account)
        });
    }

    /// Waits until everybody is in.
    ///
    /// # Errors
    /// When somebody is not let in, has left, or takes too long.
    pub async fn all_seated(&mut self, within: Duration) -> anyhow::Result<()> {
        let (wanted, start) = (self.watchers.len(), Instant::now());
        loop {
            let seated = self.seated.load(Ordering::Relaxed);
            if let Some(left) = self.watchers.try_join_next() {
                let account = left.context("wait for a watcher")??;
                anyhow::bail!(
                    "a watcher left behind event {} before all were in",
                    account.watched.seen()
                );
            }
            if seated == wanted {
                return Ok(());
            }
            anyhow::ensure!(
                start.elapsed() < within,
                "{seated} of {wanted} watchers are in after {within:?}"
            );
            sleep(LOOK_PERIOD).await;
        }
    }

    /// Waits until everybody has seen the end, and has the accounts.
    ///
    /// # Errors
    /// When that takes too long, a stream breaks, or somebody was not told what is promised.
    pub async fn until_the_end(mut self, within: Duration) -> anyhow::Result<Vec<Account>> {
        let wanted = self.watchers.len();
        let mut accounts = Vec::with_capacity(wanted);
        let join = async {
            while let Some(watcher) = self.watchers.join_next().await {
                accounts.push(watcher.context("wait for a watcher")??);
            }
            anyhow::Ok(())
        };
        match timeout(within, join).await {
            Ok(joined) => joined?,
            Err(_) => anyhow::bail!(
                "{} of {wanted} watchers saw the end within {within:?}",
                accounts.len()
            ),
        }
        for account in &accounts {
            let broken = account.watched.broken();
            anyhow::ensure!(broken.is_empty(), "a watcher says: {}", broken.join("; "));
            let (ended, seen) = (account.watched.has_ended(), account.watched.seen());
            anyhow::ensure!(ended, "a stream ended behind event {seen}, before its job");
        }
        Ok(accounts)
    }
}

impl Account {
    fn take(&mut self, (heard, reported_us): (Heard, Option<u64>)) {
        self.watched.take(heard);
        self.updates.extend(reported_us.map(|reported_us| Update {
            reported_us,
            latency_us: now_us().saturating_sub(reported_us),
        }));
    }
}

/// What a watcher listens to.
#[derive(Debug)]
enum Stream {
    Grpc(Box<Streaming<v1::WatchJobResponse>>),
    Http(Box<Events>),
}

impl Stream {
    async fn open(way: &Way, job_id: &str) -> anyhow::Result<Self> {
        match way {
            Way::Grpc(client) => {
                let request = v1::WatchJobRequest {
                    job_id: job_id.to_owned(),
                    ..v1::WatchJobRequest::default()
                };
                let stream = client.clone().jobs.watch_job(request).await;
                let stream = stream.context("watch over gRPC")?.into_inner();
                Ok(Self::Grpc(Box::new(stream)))
            }
            Way::Http(address) => match Events::open(*address, job_id, "").await? {
                Opened::Events(events) => Ok(Self::Http(Box::new(events))),
                Opened::Answer(answer) => anyhow::bail!(
                    "watch over HTTP: {} {}",
                    answer.status,
                    String::from_utf8_lossy(&answer.body)
                ),
            },
        }
    }

    /// The next thing that is told and, of an update, when it was reported.
    async fn next(&mut self) -> anyhow::Result<Option<(Heard, Option<u64>)>> {
        match self {
            Self::Grpc(stream) => {
                let message = stream.message().await.context("listen over gRPC")?;
                let told = message.map(|message| over_grpc(&message));
                told.transpose()
            }
            Self::Http(events) => {
                let told = events.next().await?;
                told.map(|told| over_http(&told)).transpose()
            }
        }
    }
}

fn over_grpc(message: &v1::WatchJobResponse) -> anyhow::Result<(Heard, Option<u64>)> {
    let heard = Heard::over_grpc(message)?;
    let reported_us = match &message.message {
        Some(Message::Event(event)) if event.state() == v1::JobState::Running => {
            event.message.parse().ok()
        }
        Some(Message::Event(_) | Message::Snapshot(_)) | None => None,
    };
    Ok((heard, reported_us))
}

fn over_http(told: &Told) -> anyhow::Result<(Heard, Option<u64>)> {
    let heard = Heard::over_http(told)?;
    let data: serde_json::Value = serde_json::from_str(&told.data)?;
    let message = (data["state"] == "running").then(|| data["message"].as_str());
    let reported_us = message.flatten().and_then(|message| message.parse().ok());
    Ok((heard, reported_us))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_ways_tell_when_an_update_was_reported() {
        let event = v1::JobEvent {
            event_id: "7-3".to_owned(),
            state: v1::JobState::Running.into(),
            message: "1700".to_owned(),
            ..v1::JobEvent::default()
        };
        let grpc = |event| {
            let message = v1::WatchJobResponse {
                message: Some(Message::Event(event)),
            };
            over_grpc(&message).unwrap()
        };
        let http = |state: &str, message: &str| {
            let data = json!({"eventId": "7-3", "state": state, "message": message});
            let told = Told {
                name: "progress".to_owned(),
                id: "7-3".to_owned(),
                data: data.to_string(),
            };
            over_http(&told).unwrap()
        };
        let heard = Heard::Event { sequence: 3 };
        assert_eq!(grpc(event.clone()), (heard, Some(1_700)));
        assert_eq!(http("running", "1700"), (heard, Some(1_700)));
        assert_eq!(http("running", "for people"), (heard, None));
        assert_eq!(http("succeeded", "1700"), (heard, None));
        let ended = v1::JobEvent {
            state: v1::JobState::Succeeded.into(),
            ..event
        };
        assert_eq!(grpc(ended), (heard, None));
    }
}
