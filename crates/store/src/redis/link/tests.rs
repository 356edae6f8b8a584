//! The link against a server that follows a script.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use assay_test_support::wait::{wait_until, within};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// Answers each command with what `answer` says to its name.
async fn serve(stream: TcpStream, answer: impl Fn(&str) -> String) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let words = number(&mut stream).await?;
        let mut name = String::new();
        for place in 0..words {
            let length = number(&mut stream).await?;
            let mut word = vec![0; length + 2];
            stream.read_exact(&mut word).await?;
            if place == 0 {
                name = String::from_utf8_lossy(&word[..length]).to_uppercase();
            }
        }
        stream.write_all(answer(&name).as_bytes()).await?;
    }
}

async fn number(stream: &mut BufReader<TcpStream>) -> std::io::Result<usize> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line[1..].trim_end().parse().unwrap())
}

/// A server whose first `loading` pings find it loading its file.
async fn loading_server(loading: u32, tasks: &mut JoinSet<()>) -> (RedisConfig, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = RedisConfig {
        port: listener.local_addr().unwrap().port(),
        connections: 1,
        ..RedisConfig::default()
    };
    let pings = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&pings);
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let pings = Arc::clone(&counted);
            connections.spawn(async move {
                let answer = |name: &str| match name {
                    "PING" if pings.fetch_add(1, Ordering::SeqCst) < loading => {
                        "-LOADING Redis is loading the dataset in memory\r\n".to_owned()
                    }
                    "PING" => "+PONG\r\n".to_owned(),
                    "READ" => "-READONLY You can't write against a read only replica.\r\n".into(),
                    _ => "+OK\r\n".to_owned(),
                };
                drop(serve(stream, answer).await);
            });
        }
    });
    (config, pings)
}

#[tokio::test]
async fn a_redis_that_is_loading_is_waited_for() {
    let mut tasks = JoinSet::new();
    let (config, pings) = loading_server(3, &mut tasks).await;
    let link = Link::new(&config, 8, &mut tasks).unwrap();
    let answer = within("it answers", link.ask(&redis::cmd("ANY"))).await;
    assert_eq!(answer, Ok(Value::Okay));
    assert_eq!(pings.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn one_that_goes_on_loading_is_not_waited_for_for_ever() {
    let mut tasks = JoinSet::new();
    let (config, _) = loading_server(u32::MAX, &mut tasks).await;
    let link = Link::new(&config, 8, &mut tasks).unwrap();
    let answer = within("it gives up", link.ask(&redis::cmd("ANY"))).await;
    let Err(LinkError::Unsent(why)) = answer else {
        panic!("{answer:?}");
    };
    assert!(why.to_uppercase().contains("LOADING"), "{why}");
}

#[tokio::test]
async fn a_connection_to_one_that_became_read_only_is_given_up() {
    let mut tasks = JoinSet::new();
    let (config, pings) = loading_server(0, &mut tasks).await;
    let link = Link::new(&config, 8, &mut tasks).unwrap();
    for connections in 1..=2 {
        let refused = within("it answers", link.ask(&redis::cmd("READ"))).await;
        assert!(matches!(refused, Err(LinkError::Unsent(_))), "{refused:?}");
        assert_eq!(pings.load(Ordering::SeqCst), connections);
    }
}

/// A server whose first connection for channels, and no later one, does not answer who subscribes.
async fn silent_server(tasks: &mut JoinSet<()>) -> RedisConfig {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = RedisConfig {
        port: listener.local_addr().unwrap().port(),
        connect_timeout_ms: 100,
        response_timeout_ms: 100,
        ..RedisConfig::default()
    };
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        let mut first = true;
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let silent = std::mem::take(&mut first);
            connections.spawn(async move {
                let answer = |name: &str| match name {
                    "SUBSCRIBE" if silent => String::new(),
                    "SUBSCRIBE" => "*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n".to_owned(),
                    _ => "+OK\r\n".to_owned(),
                };
                drop(serve(stream, answer).await);
            });
        }
    });
    config
}

#[tokio::test]
async fn one_that_does_not_answer_who_subscribes_is_left() {
    let mut tasks = JoinSet::new();
    let config = silent_server(&mut tasks).await;
    let link = Link::new(&config, 8, &mut tasks).unwrap();
    let first = within("it gives up", link.subscribe("news")).await;
    assert!(matches!(first, Err(LinkError::Unsent(_))), "{first:?}");
    wait_until("the next connection is better", || async {
        link.subscribe("news").await.is_ok()
    })
    .await;
}
