//! What one watcher of a job was told, held against what every watcher is promised: each event once and in order, or a
//! snapshot that says that some are gone; the end last, and nothing behind it.
//!
//! The server is believed in nothing that the sequence of events can tell.

use anyhow::Context;
use assay_api::v1;
use assay_api::v1::watch_job_response::Message;
use assay_core::event::EventId;
use serde_json::Value;

use crate::http::events::Told;

/// Complaints about one watcher that are kept: the first ones tell most.
const COMPLAINTS_MAX: usize = 8;
/// Ends the id of the last thing that a watcher over HTTP is told.
const END: &str = "-end";

/// One thing that a watcher was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Something happened.
    Event {
        /// Its place in the history of the job, from 1.
        sequence: u64,
    },
    /// How the job is.
    Snapshot {
        /// The latest event that it knows of.
        sequence: u64,
        /// Whether it stands for events that are gone.
        reset: bool,
        /// Whether the job has ended.
        ended: bool,
    },
}

impl Heard {
    /// What a message over gRPC says.
    ///
    /// # Errors
    /// When it is not what the API says.
    pub fn over_grpc(message: &v1::WatchJobResponse) -> anyhow::Result<Self> {
        match &message.message {
            Some(Message::Event(event)) => Ok(Self::Event {
                sequence: sequence(&event.event_id)?,
            }),
            Some(Message::Snapshot(snapshot)) => {
                let job = snapshot
                    .job
                    .as_ref()
                    .context("find the job of a snapshot")?;
                Ok(Self::Snapshot {
                    sequence: sequence(&job.event_id)?,
                    reset: snapshot.reset,
                    ended: job.finish_time.is_some(),
                })
            }
            None => anyhow::bail!("a message of a watch is empty"),
        }
    }

    /// What an event over HTTP says.
    ///
    /// # Errors
    /// When it is not what the API says.
    pub fn over_http(told: &Told) -> anyhow::Result<Self> {
        let data: Value = serde_json::from_str(&told.data).context("read the data of an event")?;
        let id = told.id.strip_suffix(END).unwrap_or(&told.id);
        let sequence = sequence(id)?;
        match told.name.as_str() {
            "progress" => {
                anyhow::ensure!(
                    data["eventId"] == told.id.as_str(),
                    "event {} says that it is {}",
                    told.id,
                    data["eventId"]
                );
                Ok(Self::Event { sequence })
            }
            "snapshot" => {
                let ended = !data["job"]["finishedAt"].is_null();
                anyhow::ensure!(
                    ended == told.id.ends_with(END),
                    "the id {} does not fit the job: {}",
                    told.id,
                    data["job"]["state"]
                );
                Ok(Self::Snapshot {
                    sequence,
                    reset: data["reset"] == true,
                    ended,
                })
            }
            other => anyhow::bail!("an event is called {other}: {}", told.data),
        }
    }
}

/// The place of an event in the history of its job.
///
/// # Errors
/// When it is no id of an event.
pub fn sequence(event_id: &str) -> anyhow::Result<u64> {
    let id: EventId = event_id.parse()?;
    Ok(id.sequence)
}

/// The account of one watcher, over all streams that it had.
#[derive(Clone, Debug, Default)]
pub struct Watched {
    seen: u64,
    events: usize,
    resets: usize,
    streams: usize,
    ended: bool,
    broken: Vec<String>,
}

impl Watched {
    /// A stream begins.
    pub fn opens(&mut self) {
        self.streams += 1;
    }

    /// Something is told.
    pub fn take(&mut self, heard: Heard) {
        let seen = self.seen;
        if self.ended {
            self.complain(format!("{heard:?} came behind the end"));
            return;
        }
        match heard {
            Heard::Event { sequence } => {
                self.events += 1;
                self.seen = seen.max(sequence);
                if sequence <= seen {
                    self.complain(format!("event {sequence} came again, behind {seen}"));
                } else if sequence != seen + 1 {
                    self.complain(undeclared(seen, sequence));
                }
            }
            Heard::Snapshot {
                sequence,
                reset,
                ended,
            } => {
                self.seen = seen.max(sequence);
                self.ended = ended;
                self.resets += usize::from(reset);
                if sequence < seen {
                    self.complain(format!("a snapshot of event {sequence} came behind {seen}"));
                } else if sequence != seen && !reset {
                    self.complain(undeclared(seen, sequence));
                }
            }
        }
    }

    /// Something else is not as promised.
    pub fn complain(&mut self, what: String) {
        if self.broken.len() < COMPLAINTS_MAX {
            self.broken.push(what);
        }
    }

    /// The latest event that it knows of.
    #[must_use]
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// How many events it was told.
    #[must_use]
    pub fn events(&self) -> usize {
        self.events
    }

    /// How often it was told that some are gone.
    #[must_use]
    pub fn resets(&self) -> usize {
        self.resets
    }

    /// How many streams it had.
    #[must_use]
    pub fn streams(&self) -> usize {
        self.streams
    }

    /// Whether it was told the end.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// What was not as promised.
    #[must_use]
    pub fn broken(&self) -> &[String] {
        &self.broken
    }
}

fn undeclared(seen: u64, sequence: u64) -> String {
    format!("event {sequence} came behind {seen}: a gap that was not declared")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(sequence: u64) -> Heard {
        Heard::Event { sequence }
    }

    fn snapshot(sequence: u64, reset: bool, ended: bool) -> Heard {
        Heard::Snapshot {
            sequence,
            reset,
            ended,
        }
    }

    fn watched(heard: &[Heard]) -> Watched {
        let mut watched = Watched::default();
        for heard in heard {
            watched.take(*heard);
        }
        watched
    }

    #[test]
    fn every_event_once_and_then_the_end_is_as_promised() {
        let watched = watched(&[event(1), event(2), event(3), snapshot(3, false, true)]);
        assert!(watched.has_ended() && watched.broken().is_empty());
        assert_eq!((watched.events(), watched.resets()), (3, 0));
        assert_eq!(watched.seen(), 3);
    }

    #[test]
    fn a_declared_gap_is_as_promised() {
        let watched = watched(&[
            event(1),
            snapshot(7, true, false),
            event(8),
            snapshot(9, true, true),
        ]);
        assert!(watched.has_ended() && watched.broken().is_empty());
        assert_eq!(watched.resets(), 2);
    }

    #[test]
    fn every_broken_promise_is_told() {
        for (heard, says) in [
            ([event(1), event(3)], "event 3 came behind 1: a gap"),
            ([event(1), event(1)], "event 1 came again"),
            (
                [event(1), snapshot(2, false, true)],
                "event 2 came behind 1: a gap",
            ),
            (
                [event(1), snapshot(0, true, false)],
                "a snapshot of event 0 came behind 1",
            ),
            ([snapshot(0, false, true), event(1)], "came behind the end"),
            (
                [snapshot(0, false, true), snapshot(0, false, true)],
                "came behind the end",
            ),
        ] {
            let watched = watched(&heard);
            let [broken] = watched.broken() else {
                panic!("{heard:?}: {:?}", watched.broken());
            };
            assert!(broken.contains(says), "{broken}");
        }
    }

    #[test]
    fn as_many_complaints_as_the_bound_are_kept() {
        let mut watched = Watched::default();
        for number in 0..=COMPLAINTS_MAX {
            assert_eq!(watched.broken().len(), number.min(COMPLAINTS_MAX));
            watched.complain(number.to_string());
        }
        assert_eq!(watched.broken().len(), COMPLAINTS_MAX);
    }

    #[test]
    fn both_ways_tell_the_same() {
        let told = |name: &str, id: &str, data: Value| Told {
            name: name.to_owned(),
            id: id.to_owned(),
            data: data.to_string(),
        };
        let happened = told("progress", "7-3", json!({"eventId": "7-3"}));
        assert_eq!(Heard::over_http(&happened).unwrap(), event(3));
        let end = json!({"job": {"finishedAt": "2026-01-31T12:00:00Z"}, "reset": true});
        let end = told("snapshot", "7-4-end", end);
        assert_eq!(Heard::over_http(&end).unwrap(), snapshot(4, true, true));
        let job = v1::Job {
            event_id: "7-4".to_owned(),
            ..v1::Job::default()
        };
        let message = Message::Snapshot(v1::JobSnapshot {
            job: Some(job),
            reset: true,
        });
        let message = v1::WatchJobResponse {
            message: Some(message),
        };
        assert_eq!(
            Heard::over_grpc(&message).unwrap(),
            snapshot(4, true, false)
        );
        let open = json!({"job": {"finishedAt": null}, "reset": false});
        for wrong in [
            told("progress", "7-3", json!({"eventId": "7-4"})),
            told("snapshot", "7-4-end", open),
            told("progress", "nowhere", json!({})),
            told("rumour", "7-3", json!({})),
        ] {
            assert!(Heard::over_http(&wrong).is_err(), "{wrong:?}");
        }
        assert!(Heard::over_grpc(&v1::WatchJobResponse::default()).is_err());
    }
}
