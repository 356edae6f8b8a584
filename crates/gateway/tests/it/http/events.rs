//! A job's events, whatever happens to the connection.

use assay_service::shutdown::{Drained, Pace, Reason};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;

use super::JOBS;
use crate::fixture::Fixture;
use crate::worker::inline;

/// More reports than the history holds events.
const HISTORY_OVER: u16 = 205;

/// A stream of events. It speaks HTTP/1.0, so that nothing but events comes after the headers.
struct Events {
    status: u16,
    lines: Lines<BufReader<TcpStream>>,
}

#[derive(Debug, Default)]
struct Event {
    name: String,
    id: String,
    data: Value,
}

impl Events {
    async fn open(fixture: &Fixture, job: &str, last: &str) -> Self {
        let mut stream = TcpStream::connect(fixture.http).await.unwrap();
        let last = match last {
            "" => String::new(),
            last => format!("Last-Event-ID: {last}\r\n"),
        };
        let request = format!("GET {JOBS}/{job}/events HTTP/1.0\r\n{last}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut lines = BufReader::new(stream).lines();
        let status = lines.next_line().await.unwrap().unwrap();
        let status = status.split(' ').nth(1).unwrap().parse().unwrap();
        while !lines.next_line().await.unwrap().unwrap().is_empty() {}
        Self { status, lines }
    }

    async fn next(&mut self) -> Option<Event> {
        let mut event = Event::default();
        while let Some(line) = self.lines.next_line().await.unwrap() {
            match line.split_once(": ") {
                Some(("event", name)) => name.clone_into(&mut event.name),
                Some(("id", id)) => id.clone_into(&mut event.id),
                Some(("data", data)) => event.data = serde_json::from_str(data).unwrap(),
                Some(_) => {}
                None if line.is_empty() && !event.name.is_empty() => return Some(event),
                None => {}
            }
        }
        None
    }
}

/// What a client has seen over all of its connections.
#[derive(Debug, Default)]
struct Seen {
    last: String,
    sequences: Vec<u64>,
    resets: usize,
    ended: bool,
}

impl Seen {
    fn take(&mut self, event: Event) {
        assert!(!self.ended, "nothing comes after the end");
        match event.name.as_str() {
            "progress" => {
                assert_eq!(event.data["eventId"], event.id.as_str());
                self.sequences.push(sequence(&event.id));
            }
            "snapshot" => {
                self.ended = event.data["job"]["status"] == "completed";
                assert_eq!(self.ended, event.id.ends_with("-end"));
                self.resets += usize::from(event.data["reset"] == true);
            }
            other => panic!("{other}: {}", event.data),
        }
        self.last = event.id;
    }
}

fn sequence(id: &str) -> u64 {
    id.split('-').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_client_that_reconnects_sees_every_event_once_and_then_nothing() {
    let fixture = Fixture::new().await;
    let id = fixture.verify().await;
    let worker = async {
        let work = fixture.work().await;
        work.report(20).await;
        work.succeed(inline("{}")).await;
    };
    let client = async {
        let mut seen = Seen::default();
        for connection in 0.. {
            let mut events = Events::open(&fixture, &id, &seen.last).await;
            assert_eq!(events.status, 200);
            // Cut off after a few events, more each time.
            for _ in 0..=connection % 7 {
                match events.next().await {
                    Some(event) => seen.take(event),
                    None => break,
                }
            }
            if seen.ended {
                break;
            }
        }
        seen
    };
    let ((), seen) = tokio::join!(worker, client);
    assert_eq!(seen.resets, 0, "all events are retained");
    let last = *seen.sequences.last().unwrap();
    assert!(last > 20);
    assert_eq!(seen.sequences, (1..=last).collect::<Vec<_>>());
    let nothing = Events::open(&fixture, &id, &seen.last).await;
    assert_eq!(nothing.status, 204, "browsers come back no more");
}

#[tokio::test]
async fn one_that_saw_the_last_event_still_gets_the_end() {
    let fixture = Fixture::new().await;
    let id = fixture.verify().await;
    fixture.work().await.succeed(inline("{}")).await;
    let mut seen = Seen::default();
    let mut events = Events::open(&fixture, &id, "").await;
    let mut before = String::new();
    while let Some(event) = events.next().await {
        before.clone_from(&seen.last);
        seen.take(event);
    }
    assert!(seen.ended);
    let mut again = Seen::default();
    let mut events = Events::open(&fixture, &id, &before).await;
    while let Some(event) = events.next().await {
        again.take(event);
    }
    assert!(again.ended && again.sequences.is_empty() && again.resets == 0);
}

#[tokio::test]
async fn one_that_comes_too_late_is_told_so() {
    let fixture = Fixture::new().await;
    let id = fixture.verify().await;
    let work = fixture.work().await;
    work.report(HISTORY_OVER).await;
    let mut events = Events::open(&fixture, &id, "").await;
    let first = events.next().await.unwrap();
    assert_eq!(first.name, "snapshot");
    assert_eq!(first.data["reset"], true);
    assert!(!first.id.ends_with("-end"));
    work.succeed(inline("{}")).await;
    let mut seen = Seen::default();
    seen.take(first);
    while let Some(event) = events.next().await {
        seen.take(event);
    }
    assert!(seen.ended && seen.resets == 1);
}

#[tokio::test]
async fn a_stream_hears_of_the_shutdown_and_the_server_ends_in_time() {
    const PACE: Pace = Pace {
        not_ready_ms: 0,
        drain_ms: 10_000,
        hand_back_ms: 1_000,
    };
    let fixture = Fixture::new().await;
    let id = fixture.verify().await;
    let mut events = Events::open(&fixture, &id, "").await;
    assert_eq!(events.next().await.unwrap().name, "progress");
    let context = &fixture.context;
    context.shutdown.begin(Reason::Finished);
    let drain = context
        .shutdown
        .drain(PACE, &context.readiness, context.tasks.joined());
    let heard = async {
        let mut last = Event::default();
        while let Some(event) = events.next().await {
            last = event;
        }
        last
    };
    let (drained, last) = tokio::join!(drain, heard);
    assert_eq!(drained, Drained::InTime);
    assert_eq!(last.name, "problem");
    assert_eq!(last.data["reason"], "SHUTTING_DOWN");
    assert!(TcpStream::connect(fixture.http).await.is_err());
}
