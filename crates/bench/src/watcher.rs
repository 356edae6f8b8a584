//! A client that watches a job over HTTP and comes back, as browsers do, whenever its stream breaks.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::{Instant, sleep, timeout_at};

use crate::http::events::{Events, Opened};
use crate::watched::{Heard, Watched};

/// How long it waits before it comes back: less than browsers, to be there for more of what goes wrong.
const COME_BACK: Duration = Duration::from_millis(50);
/// The longest that a client that lets go by itself keeps a stream, in events.
const KEPT_EVENTS: std::ops::Range<usize> = 1..6;
/// How long it stays away once it has let go, in milliseconds: what happens meanwhile is to be made good.
const AWAY_MS: std::ops::Range<u64> = 0..400;
/// What a client is answered that saw the end: there is nothing more.
const NOTHING_MORE: u16 = 204;
/// What is called an error of the server, from here on.
const SERVER_ERRORS: u16 = 500;

/// Who watches.
#[derive(Clone, Debug)]
pub struct Watcher {
    /// Where HTTP is served.
    pub address: SocketAddr,
    /// What is watched.
    pub job_id: String,
    /// Lets go of its streams by itself at random, by this seed.
    pub lets_go: Option<u64>,
    /// Counts what this and others have heard.
    pub heard: Arc<AtomicUsize>,
}

/// Why a stream was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    /// It was let go of.
    LetGo,
    /// It broke, or there was none.
    Broke,
}

impl Watcher {
    /// Watches until the end was told and nothing more is to come, or for so long; the account of it.
    pub async fn until_the_end(self, within: Duration) -> Watched {
        let mut watched = Watched::default();
        let end = timeout_at(Instant::now() + within, self.watch(&mut watched)).await;
        if end.is_err() && watched.has_ended() {
            watched.complain(format!(
                "was not answered that there is nothing more for {within:?}"
            ));
        } else if end.is_err() {
            let seen = watched.seen();
            watched.complain(format!(
                "was not told the end for {within:?}, only up to event {seen}"
            ));
        }
        watched
    }

    async fn watch(&self, watched: &mut Watched) {
        let mut chance = self.lets_go.map(StdRng::seed_from_u64);
        let mut last = String::new();
        while !watched.has_ended() {
            let kept = chance
                .as_mut()
                .map(|chance| chance.random_range(KEPT_EVENTS));
            let over = self.listen(kept, &mut last, watched).await;
            let away = match (over, &mut chance) {
                (Ok(Over::LetGo), Some(chance)) => {
                    Duration::from_millis(chance.random_range(AWAY_MS))
                }
                // A stream that breaks is what this is about.
                _ => COME_BACK,
            };
            sleep(away).await;
        }
        while !self.has_nothing_more(&last, watched).await {
            sleep(COME_BACK).await;
        }
    }

    /// Takes what one stream tells, at most so much.
    async fn listen(
        &self,
        kept: Option<usize>,
        last: &mut String,
        watched: &mut Watched,
    ) -> anyhow::Result<Over> {
        let mut events = match Events::open(self.address, &self.job_id, last).await? {
            Opened::Events(events) => events,
            Opened::Answer(answer) => {
                if answer.status < SERVER_ERRORS {
                    let said = String::from_utf8_lossy(&answer.body);
                    watched.complain(format!("was answered {}: {said}", answer.status));
                }
                return Ok(Over::Broke);
            }
        };
        watched.opens();
        let mut left = kept.unwrap_or(usize::MAX);
        while left > 0 {
            let Some(told) = events.next().await? else {
                return Ok(Over::Broke);
            };
            if told.name == "problem" {
                return Ok(Over::Broke);
            }
            match Heard::over_http(&told) {
                Ok(heard) => watched.take(heard),
                Err(error) => watched.complain(format!("{error:#}")),
            }
            *last = told.id;
            self.heard.fetch_add(1, Ordering::Relaxed);
            left -= 1;
            // Whatever comes behind the end is counted against the server.
            if watched.has_ended() {
                left = usize::MAX;
            }
        }
        Ok(Over::LetGo)
    }

    /// Whether one that saw the end is told so.
    async fn has_nothing_more(&self, last: &str, watched: &mut Watched) -> bool {
        match Events::open(self.address, &self.job_id, last).await {
            Ok(Opened::Answer(answer)) if answer.status == NOTHING_MORE => true,
            Ok(Opened::Answer(answer)) if answer.status >= SERVER_ERRORS => false,
            Err(_) => false,
            Ok(Opened::Answer(answer)) => {
                watched.complain(format!("was answered {} behind the end", answer.status));
                true
            }
            Ok(Opened::Events(_)) => {
                watched.complain("was given another stream behind the end".to_owned());
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    const STREAM: &str = "HTTP/1.0 200 OK\r\n\r\n";
    const NOTHING: &str = "HTTP/1.0 204 No Content\r\n\r\n";
    const WITHIN: Duration = Duration::from_secs(10);

    fn event(sequence: u64) -> String {
        let id = format!("7-{sequence}");
        format!("event: progress\nid: {id}\ndata: {{\"eventId\":\"{id}\"}}\n\n")
    }

    fn end(sequence: u64) -> String {
        let data = r#"{"job":{"finishedAt":"2026-01-31T12:00:00Z"},"reset":false}"#;
        format!("event: snapshot\nid: 7-{sequence}-end\ndata: {data}\n\n")
    }

    /// Gives each connection the next answer and closes it; the requests that came, and what the watcher made of it.
    async fn watch(answers: &[String], within: Duration) -> (Vec<String>, Watched) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let watcher = Watcher {
            address: listener.local_addr().unwrap(),
            job_id: "j".to_owned(),
            lets_go: None,
            heard: Arc::default(),
        };
        let serve = async move {
            let mut requests = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = vec![0; 1024];
                let bytes = stream.read(&mut request).await.unwrap();
                request.truncate(bytes);
                requests.push(String::from_utf8(request).unwrap());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            requests
        };
        tokio::join!(serve, watcher.until_the_end(within))
    }

    #[tokio::test]
    async fn it_goes_on_where_its_stream_broke() {
        let cut_off = event(3).replace("\n\n", "\n");
        let answers = [
            format!("{STREAM}{}{}{cut_off}", event(1), event(2)),
            "HTTP/1.0 503 Service Unavailable\r\n\r\n".to_owned(),
            format!("{STREAM}event: problem\ndata: {{}}\n\n"),
            format!("{STREAM}{}{}", event(3), end(3)),
            NOTHING.to_owned(),
        ];
        let (requests, watched) = watch(&answers, WITHIN).await;
        assert!(watched.broken().is_empty(), "{:?}", watched.broken());
        assert!(watched.has_ended());
        assert_eq!((watched.events(), watched.streams()), (3, 3));
        assert!(requests[0].starts_with("GET /api/async/jobs/j/events HTTP/1.0\r\n"));
        assert!(!requests[0].contains("Last-Event-ID"));
        for request in &requests[1..4] {
            assert!(request.contains("\r\nLast-Event-ID: 7-2\r\n"), "{request}");
        }
        assert!(requests[4].contains("\r\nLast-Event-ID: 7-3-end\r\n"));
    }

    /// The bug that all of this is there to find: an event is lost between two streams.
    #[tokio::test]
    async fn a_gap_between_two_streams_is_reported() {
        let answers = [
            format!("{STREAM}{}", event(1)),
            format!("{STREAM}{}{}", event(3), end(3)),
            NOTHING.to_owned(),
        ];
        let (_, watched) = watch(&answers, WITHIN).await;
        let gap = "event 3 came behind 1: a gap that was not declared";
        assert_eq!(watched.broken(), [gap]);
    }

    #[tokio::test]
    async fn what_comes_behind_the_end_is_reported() {
        let answers = [
            format!("{STREAM}{}{}{}", event(1), end(1), event(2)),
            format!("{STREAM}{}", end(1)),
        ];
        let (_, watched) = watch(&answers, WITHIN).await;
        let [behind, again] = watched.broken() else {
            panic!("{:?}", watched.broken());
        };
        assert!(behind.contains("came behind the end"), "{behind}");
        assert!(again.contains("another stream"), "{again}");
    }

    #[tokio::test]
    async fn a_job_that_is_no_longer_known_is_reported() {
        let answers = [
            "HTTP/1.0 404 Not Found\r\n\r\ngone".to_owned(),
            format!("{STREAM}{}{}", event(1), end(1)),
            NOTHING.to_owned(),
        ];
        let (_, watched) = watch(&answers, WITHIN).await;
        assert_eq!(watched.broken(), ["was answered 404: gone"]);
    }

    #[tokio::test]
    async fn an_end_that_does_not_come_is_reported() {
        let (_, watched) = watch(&[], Duration::from_millis(100)).await;
        let late = "was not told the end for 100ms, only up to event 0";
        assert_eq!(watched.broken(), [late]);
    }
}
