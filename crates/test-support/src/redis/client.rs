//! A Redis client of one connection, for looking at a server from outside.
//!
//! It blocks, and its bounds are of real time: tests that pause tokio's clock may use it.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, bail};

/// How long connecting may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// How long an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// The longest string that is taken from a server.
const TEXT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How deep lists may be nested.
const DEPTH_MAX: u32 = 8;

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Nothing there.
    Nil,
    /// A number.
    Integer(i64),
    /// A status or a string; bytes that are no text are replaced.
    Text(String),
    /// Several answers.
    List(Vec<Reply>),
}

impl Reply {
    /// The text, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Nil | Self::Integer(_) | Self::List(_) => None,
        }
    }

    /// The number, if it is one.
    #[must_use]
    pub fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            Self::Nil | Self::Text(_) | Self::List(_) => None,
        }
    }
}

/// A connection.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens there.
    pub fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, CONNECT_WITHIN)
            .with_context(|| format!("connect to Redis at {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        stream.set_write_timeout(Some(ANSWER_WITHIN))?;
        Ok(Self {
            stream: BufReader::new(stream),
        })
    }

    /// Runs one command.
    ///
    /// # Errors
    /// What the server refused, or what broke on the way.
    pub fn run(&mut self, words: &[&str]) -> anyhow::Result<Reply> {
        let name = words.first().copied().unwrap_or_default();
        self.exchange(words)
            .with_context(|| format!("run {name} on Redis"))
    }

    /// One field of INFO.
    ///
    /// # Errors
    /// When the server does not have it.
    pub fn info(&mut self, field: &str) -> anyhow::Result<String> {
        let reply = self.run(&["INFO"])?;
        let lines = reply.text().unwrap_or_default().lines();
        let mut fields = lines.filter_map(|line| line.split_once(':'));
        let found = fields.find(|(name, _)| *name == field);
        let (_, value) = found.with_context(|| format!("INFO tells no {field}"))?;
        Ok(value.trim().to_owned())
    }

    fn exchange(&mut self, words: &[&str]) -> anyhow::Result<Reply> {
        let mut request = format!("*{}\r\n", words.len());
        for word in words {
            request.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
        self.stream.get_mut().write_all(request.as_bytes())?;
        read(&mut self.stream, 0)
    }
}

fn read(stream: &mut impl BufRead, depth: u32) -> anyhow::Result<Reply> {
    anyhow::ensure!(depth < DEPTH_MAX, "the answer is nested too deeply");
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let line = line.trim_end();
    let Some(kind) = line.chars().next() else {
        bail!("the server closed the connection");
    };
    let rest = line.get(1..).unwrap_or_default();
    match kind {
        '+' => Ok(Reply::Text(rest.to_owned())),
        '-' => bail!("{rest}"),
        ':' => Ok(Reply::Integer(rest.parse().context("read a number")?)),
        '$' => read_text(stream, rest),
        '*' => read_list(stream, rest, depth),
        _ => bail!("the answer begins with {kind:?}, which is not the Redis protocol"),
    }
}

fn read_text(stream: &mut impl BufRead, length: &str) -> anyhow::Result<Reply> {
    let Ok(length) = length.parse::<usize>() else {
        return Ok(Reply::Nil);
    };
    anyhow::ensure!(
        length <= TEXT_BYTES_MAX,
        "a string of {length} bytes is too long"
    );
    let mut text = vec![0; length];
    stream.read_exact(&mut text)?;
    let mut end = [0; 2];
    stream.read_exact(&mut end)?;
    Ok(Reply::Text(String::from_utf8_lossy(&text).into_owned()))
}

fn read_list(stream: &mut impl BufRead, length: &str, depth: u32) -> anyhow::Result<Reply> {
    let Ok(length) = length.parse::<usize>() else {
        return Ok(Reply::Nil);
    };
    let mut list = Vec::new();
    for _ in 0..length {
        list.push(read(stream, depth + 1)?);
    }
    Ok(Reply::List(list))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &str) -> anyhow::Result<Reply> {
        read(&mut bytes.as_bytes(), 0)
    }

    #[test]
    fn every_kind_of_answer_is_read() {
        let text = |text: &str| Reply::Text(text.to_owned());
        assert_eq!(parse("+OK\r\n").unwrap(), text("OK"));
        assert_eq!(parse(":-7\r\n").unwrap(), Reply::Integer(-7));
        assert_eq!(parse("$5\r\na\r\nbc\r\n").unwrap(), text("a\r\nbc"));
        assert_eq!(parse("$-1\r\n").unwrap(), Reply::Nil);
        assert_eq!(
            parse("*2\r\n$1\r\na\r\n*1\r\n:1\r\n").unwrap(),
            Reply::List(vec![text("a"), Reply::List(vec![Reply::Integer(1)])])
        );
    }

    #[test]
    fn what_the_server_refuses_is_told_in_its_words() {
        let error = parse("-LOADING it is\r\n").unwrap_err().to_string();
        assert_eq!(error, "LOADING it is");
        let error = parse("").unwrap_err().to_string();
        assert_eq!(error, "the server closed the connection");
    }

    #[test]
    fn bounds_hold_at_the_last_and_the_first_beyond() {
        let nested = |depth: usize| format!("{}:1\r\n", "*1\r\n".repeat(depth));
        assert!(parse(&nested(7)).is_ok());
        assert!(parse(&nested(8)).is_err());
        let longest = parse(&format!("${TEXT_BYTES_MAX}\r\n")).unwrap_err();
        assert!(!longest.to_string().contains("too long"), "{longest}");
        let longer = parse(&format!("${}\r\n", TEXT_BYTES_MAX + 1)).unwrap_err();
        assert!(longer.to_string().contains("too long"), "{longer}");
    }
}
