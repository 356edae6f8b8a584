//! Server-sent events, as the HTML standard has them (section 9.2).

use std::net::SocketAddr;

use anyhow::Context;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{Answer, BODY_BYTES_MAX, Head, connect};

/// The longest line of a stream, in bytes.
const LINE_BYTES_MAX: u64 = 1024 * 1024;
/// What is read ahead of a stream, in bytes: little, because there are thousands of streams.
const READ_AHEAD_BYTES: usize = 2 * 1024;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// What sort of event it is.
    pub name: String,
    /// Where to go on behind it; empty if it says nothing of that.
    pub id: String,
    /// What it says.
    pub data: String,
}

/// What came of asking for a stream.
#[derive(Debug)]
pub enum Opened {
    /// A stream.
    Events(Events),
    /// Something else.
    Answer(Answer),
}

/// A stream of the events of one job.
#[derive(Debug)]
pub struct Events {
    stream: BufReader<TcpStream>,
    line: String,
    lines: Lines,
}

impl Events {
    /// Asks for the events of a job behind the one of the id `last`, or for all if it is empty.
    ///
    /// # Errors
    /// When nobody listens, or the connection breaks.
    pub async fn open(address: SocketAddr, job_id: &str, last: &str) -> anyhow::Result<Opened> {
        let stream = connect(address).await?;
        let mut stream = BufReader::with_capacity(READ_AHEAD_BYTES, stream);
        let last = match last {
            "" => String::new(),
            last => format!("Last-Event-ID: {last}\r\n"),
        };
        // HTTP/1.0 knows no chunks: nothing but events comes behind the head.
        let request = format!(
            "GET /api/async/jobs/{job_id}/events HTTP/1.0\r\nHost: localhost\r\nAccept: text/event-stream\r\n{last}\r\n"
        );
        let sent = stream.get_mut().write_all(request.as_bytes()).await;
        sent.context("ask for events")?;
        let status = Head::read(&mut stream).await?.status;
        if status == 200 {
            return Ok(Opened::Events(Self {
                stream,
                line: String::new(),
                lines: Lines::default(),
            }));
        }
        let mut body = Vec::new();
        let mut stream = stream.take(BODY_BYTES_MAX as u64);
        let read = stream.read_to_end(&mut body).await;
        read.context("read an answer")?;
        Ok(Opened::Answer(Answer { status, body }))
    }

    /// The next event; none where the stream ends. An event that breaks off is none.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn next(&mut self) -> anyhow::Result<Option<Told>> {
        loop {
            self.line.clear();
            let mut stream = (&mut self.stream).take(LINE_BYTES_MAX);
            let read = stream.read_line(&mut self.line).await;
            read.context("read an event")?;
            let Some(line) = self.line.strip_suffix('\n') else {
                return Ok(None);
            };
            let told = self.lines.take(line.strip_suffix('\r').unwrap_or(line));
            if told.is_some() {
                return Ok(told);
            }
        }
    }
}

/// Puts lines together to events. Pure.
#[derive(Debug, Default)]
struct Lines {
    told: Told,
    has_data: bool,
}

impl Lines {
    /// Takes a line without its end; the event that it completes.
    fn take(&mut self, line: &str) -> Option<Told> {
        if line.is_empty() {
            let (told, has_data) = (std::mem::take(&mut self.told), self.has_data);
            self.has_data = false;
            return has_data.then_some(told);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.told.name),
            "id" => value.clone_into(&mut self.told.id),
            "data" => {
                if self.has_data {
                    self.told.data.push('\n');
                }
                self.told.data.push_str(value);
                self.has_data = true;
            }
            // Comments have no name; others are for later.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn events(text: &str) -> Vec<Told> {
        let mut lines = Lines::default();
        text.lines().filter_map(|line| lines.take(line)).collect()
    }

    fn told(name: &str, id: &str, data: &str) -> Told {
        Told {
            name: name.to_owned(),
            id: id.to_owned(),
            data: data.to_owned(),
        }
    }

    #[test]
    fn an_event_is_what_stands_before_an_empty_line() {
        let text = "event: progress\nid:7-1\ndata: {\ndata: }\n\n\
                    : still here\n\n\
                    retry: 1000\nevent: problem\ndata\n\n\
                    event: cut off\ndata: by the";
        let expected = [told("progress", "7-1", "{\n}"), told("problem", "", "")];
        assert_eq!(events(text), expected);
    }

    #[test]
    fn one_without_data_is_none_and_leaves_nothing_behind() {
        let text = "event: a\nid: 7-1\n\ndata:  b\n\n";
        assert_eq!(events(text), [told("", "", " b")]);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(event|id|data|:|\n|.){0,40}") {
            events(&text);
        }
    }
}
