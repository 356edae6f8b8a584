//! A job's events to their end, over as many streams as it takes.

use assay_api::v1;
use assay_api::v1::watch_job_response::Message;

use super::{Client, Fault, Patience};
use crate::view::state::is_terminal;

/// Something that a watcher sees.
#[derive(Debug)]
pub(crate) enum Seen<'a> {
    /// Something happened.
    Event(&'a v1::JobEvent),
    /// How the job stands; with `reset`, events before it are missing.
    Snapshot(&'a v1::JobSnapshot),
    /// The server gives no answer, and is asked again for about so many seconds.
    Silence(u64),
}

/// Streams that must break in a row before a watcher is told: a server that is back at once is no news.
const SILENT_BREAKS: u32 = 2;

impl Client {
    /// Watches a job until it ended; answers it as it then is. A stream that breaks is taken up again
    /// behind the last event that was seen.
    ///
    /// # Errors
    /// When there is no such job, or the server stays away too long.
    pub(crate) async fn watch(
        &self,
        job_id: &str,
        mut see: impl FnMut(Seen<'_>),
    ) -> Result<v1::Job, Fault> {
        let mut place = Place::default();
        loop {
            let fault = match self.follow(job_id, &mut place, &mut see).await {
                Ok(job) => return Ok(job),
                Err(fault) => fault,
            };
            place.breaks += 1;
            if place.breaks == SILENT_BREAKS && fault.is_silence() {
                see(Seen::Silence(Patience::STREAM.seconds()));
            }
            match fault.wait(Patience::STREAM, place.breaks) {
                Some(delay) => tokio::time::sleep(delay).await,
                None => return Err(fault),
            }
        }
    }

    async fn follow(
        &self,
        job_id: &str,
        place: &mut Place,
        see: &mut impl FnMut(Seen<'_>),
    ) -> Result<v1::Job, Fault> {
        let request = v1::WatchJobRequest {
            job_id: job_id.to_owned(),
            after_event_id: place.after_event_id.clone(),
        };
        let mut stream = self.read(self.jobs.clone().watch_job(request).await)?;
        loop {
            let message = stream.message().await;
            let message = message.map_err(|status| self.fault(&status))?;
            let Some(response) = message else {
                return Err(Fault::Lost {
                    server: self.server.clone(),
                    why: "the stream ended before the job did".to_owned(),
                });
            };
            if let Some(job) = response
                .message
                .and_then(|message| place.take(message, see))
            {
                return Ok(job);
            }
        }
    }
}

/// How far a watcher is.
#[derive(Debug, Default)]
struct Place {
    after_event_id: String,
    /// Streams that broke since the last message.
    breaks: u32,
}

impl Place {
    /// Shows a message; answers the job when it has ended.
    fn take(&mut self, message: Message, see: &mut impl FnMut(Seen<'_>)) -> Option<v1::Job> {
        self.breaks = 0;
        match message {
            Message::Event(event) => {
                see(Seen::Event(&event));
                self.after_event_id = event.event_id;
                None
            }
            Message::Snapshot(snapshot) => {
                see(Seen::Snapshot(&snapshot));
                let job = snapshot.job?;
                self.after_event_id.clone_from(&job.event_id);
                is_terminal(job.state).then_some(job)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(state: v1::JobState, event_id: &str) -> Message {
        let job = v1::Job {
            state: state.into(),
            event_id: event_id.to_owned(),
            ..v1::Job::default()
        };
        Message::Snapshot(v1::JobSnapshot {
            job: Some(job),
            reset: false,
        })
    }

    #[test]
    fn the_place_follows_what_was_seen_and_ends_with_the_job() {
        let (mut place, mut seen) = (Place::default(), 0);
        place.breaks = 3;
        let mut see = |_: Seen<'_>| seen += 1;
        let event = v1::JobEvent {
            event_id: "7-2".to_owned(),
            ..v1::JobEvent::default()
        };
        assert!(place.take(Message::Event(event), &mut see).is_none());
        assert_eq!((place.after_event_id.as_str(), place.breaks), ("7-2", 0));
        assert!(
            place
                .take(snapshot(v1::JobState::Running, "7-5"), &mut see)
                .is_none()
        );
        assert_eq!(place.after_event_id, "7-5");
        let ended = place.take(snapshot(v1::JobState::Succeeded, "7-9"), &mut see);
        assert_eq!(ended.unwrap().event_id, "7-9");
        assert_eq!(seen, 3);
    }
}
