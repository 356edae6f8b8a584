use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::wait::{wait_until, within};

/// A server that says back what it hears, and a proxy before it.
struct World {
    proxy: Proxy,
    _server: JoinSet<()>,
}

async fn world(seed: u64) -> World {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let proxy = Proxy::start(listener.local_addr().unwrap(), seed)
        .await
        .unwrap();
    let mut server = JoinSet::new();
    server.spawn(async move {
        let mut echoes = JoinSet::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            echoes.spawn(async move {
                let (mut from, mut to) = stream.split();
                drop(tokio::io::copy(&mut from, &mut to).await);
            });
        }
    });
    World {
        proxy,
        _server: server,
    }
}

impl World {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.proxy.address()).await.unwrap()
    }
}

async fn echo(stream: &mut TcpStream, word: &[u8]) -> io::Result<Vec<u8>> {
    stream.write_all(word).await?;
    let mut heard = vec![0; word.len()];
    within("the word comes back", stream.read_exact(&mut heard)).await?;
    Ok(heard)
}

#[tokio::test]
async fn in_clear_weather_everything_passes_and_an_end_is_an_end() {
    let world = world(1).await;
    let mut stream = world.connect().await;
    let word: Vec<u8> = (0..200_000_u32)
        .flat_map(|number| number.to_le_bytes())
        .collect();
    let (mut from, mut to) = stream.split();
    let mut heard = vec![0; word.len()];
    let (sent, read) = tokio::join!(to.write_all(&word), from.read_exact(&mut heard));
    assert!(sent.is_ok() && read.is_ok() && heard == word);
    stream.shutdown().await.unwrap();
    let ended = within("the end comes back", stream.read(&mut [0; 1])).await;
    assert_eq!(ended.unwrap(), 0);
    assert_eq!((world.proxy.connections(), world.proxy.resets()), (1, 0));
}

#[tokio::test]
async fn latency_holds_in_both_directions_and_chunks_do_not_wait_for_each_other() {
    const LATENCY: Duration = Duration::from_millis(60);
    let world = world(1).await;
    let mut stream = world.connect().await;
    echo(&mut stream, b"before").await.unwrap();
    world.proxy.set(Weather {
        latency: LATENCY,
        ..Weather::CLEAR
    });
    let start = Instant::now();
    for _ in 0..20 {
        stream.write_all(b"chunk").await.unwrap();
        tokio::task::yield_now().await;
    }
    let mut heard = [0; 100];
    within("all chunks come back", stream.read_exact(&mut heard))
        .await
        .unwrap();
    let took = start.elapsed();
    assert!(took >= 2 * LATENCY, "{took:?}");
    assert!(
        took < 20 * LATENCY,
        "one after the other they would take 40 latencies: {took:?}"
    );
}

#[tokio::test]
async fn what_is_held_arrives_later() {
    let world = world(1).await;
    let mut stream = world.connect().await;
    echo(&mut stream, b"before").await.unwrap();
    world.proxy.set(Weather {
        flow: Flow::Held,
        ..Weather::CLEAR
    });
    stream.write_all(b"later").await.unwrap();
    let mut heard = [0; 5];
    let early =
        tokio::time::timeout(Duration::from_millis(50), stream.read_exact(&mut heard)).await;
    assert!(early.is_err(), "it came although the flow is held");
    world.proxy.set(Weather::CLEAR);
    within("it arrives", stream.read_exact(&mut heard))
        .await
        .unwrap();
    assert_eq!(&heard, b"later");
}

#[tokio::test]
async fn what_is_swallowed_costs_the_connection_once_the_weather_changes() {
    let world = world(1).await;
    let mut stream = world.connect().await;
    echo(&mut stream, b"before").await.unwrap();
    world.proxy.set(Weather {
        flow: Flow::Swallowed,
        ..Weather::CLEAR
    });
    stream.write_all(b"never").await.unwrap();
    let mut heard = [0; 5];
    let silent = tokio::time::timeout(Duration::from_millis(50), stream.read(&mut heard)).await;
    assert!(silent.is_err(), "a black hole says nothing");
    world.proxy.set(Weather::CLEAR);
    let cut = within("the connection is cut", stream.read(&mut heard)).await;
    assert_eq!(cut.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(world.proxy.resets(), 1);
    let mut again = world.connect().await;
    assert_eq!(echo(&mut again, b"clear").await.unwrap(), b"clear");
}

#[tokio::test]
async fn a_storm_resets_what_is_open_and_nothing_else() {
    let world = world(1).await;
    let mut stream = world.connect().await;
    echo(&mut stream, b"before").await.unwrap();
    world.proxy.reset_all();
    let cut = within("the connection is cut", stream.read(&mut [0; 1])).await;
    assert_eq!(cut.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    let mut again = world.connect().await;
    assert_eq!(echo(&mut again, b"calm").await.unwrap(), b"calm");
    assert_eq!(world.proxy.resets(), 1);
}

/// How many words go through a fresh connection before it is reset.
async fn words_before_reset(seed: u64) -> usize {
    let world = world(seed).await;
    world.proxy.set(Weather {
        reset_chance: 0.05,
        ..Weather::CLEAR
    });
    let mut stream = world.connect().await;
    let mut words = 0;
    while echo(&mut stream, b"word").await.is_ok() {
        words += 1;
    }
    wait_until("the reset is counted", || async {
        world.proxy.resets() == 1
    })
    .await;
    words
}

#[tokio::test]
async fn the_same_seed_resets_at_the_same_word() {
    let first = words_before_reset(7).await;
    assert_eq!(words_before_reset(7).await, first);
    assert!(first > 0, "a chance of 5 % is not certainty");
}

#[tokio::test]
async fn a_server_that_is_away_looks_away() {
    let nobody = {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        listener.local_addr().unwrap()
    };
    let proxy = Proxy::start(nobody, 1).await.unwrap();
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    let ended = within("the connection ends", stream.read(&mut [0; 1])).await;
    assert!(matches!(ended, Ok(0) | Err(_)));
}
