//! A bad network in front of a server: a loopback TCP proxy that delays, resets, holds or swallows what passes.
//!
//! The [`Weather`] may change at any time and reaches connections that are open. Chance comes from a seed, one stream
//! of it per connection and direction, so the n-th connection has the same luck in every run.
//!
//! Not here: any protocol. Bytes go by in the chunks in which they arrive.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

mod link;

/// What happens to bytes on their way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weather {
    /// How long a chunk takes, in each direction; chunks behind it do not wait for it.
    pub latency: Duration,
    /// How likely a chunk takes its connection down with it, 0 to 1.
    pub reset_chance: f64,
    /// Whether bytes arrive at all.
    pub flow: Flow,
}

/// Whether bytes arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// They do.
    Open,
    /// Later: they are kept, in order, until the flow is open again.
    Held,
    /// Never, and nobody is told. A connection that lost bytes is reset when the weather changes.
    Swallowed,
}

impl Weather {
    /// As if there were no proxy.
    pub const CLEAR: Self = Self {
        latency: Duration::ZERO,
        reset_chance: 0.0,
        flow: Flow::Open,
    };
}

/// A running proxy; it ends with all of its connections when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    weather: watch::Sender<Weather>,
    storms: watch::Sender<u64>,
    counts: Arc<Counts>,
    _tasks: JoinSet<()>,
}

/// What a proxy has done so far.
#[derive(Debug, Default)]
struct Counts {
    connections: AtomicU64,
    resets: AtomicU64,
}

impl Proxy {
    /// Listens on any loopback port and carries what comes to `upstream`, which need not be there yet.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(upstream: SocketAddr, seed: u64) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let weather = watch::Sender::new(Weather::CLEAR);
        let storms = watch::Sender::new(0);
        let counts = Arc::new(Counts::default());
        let sky = Sky {
            weather: weather.subscribe(),
            storms: storms.subscribe(),
            counts: Arc::clone(&counts),
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, upstream, seed, sky));
        Ok(Self {
            address,
            weather,
            storms,
            counts,
            _tasks: tasks,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the weather, for open connections too.
    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    /// Resets every connection that is open now.
    pub fn reset_all(&self) {
        self.storms.send_modify(|storms| *storms += 1);
    }

    /// How many connections were made through it.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.counts.connections.load(Ordering::Relaxed)
    }

    /// How many connections it has reset.
    #[must_use]
    pub fn resets(&self) -> u64 {
        self.counts.resets.load(Ordering::Relaxed)
    }
}

/// What a connection sees of its proxy.
#[derive(Clone, Debug)]
struct Sky {
    weather: watch::Receiver<Weather>,
    storms: watch::Receiver<u64>,
    counts: Arc<Counts>,
}

async fn accept(listener: TcpListener, upstream: SocketAddr, seed: u64, sky: Sky) {
    let mut links = JoinSet::new();
    // Nobody can be told of a failed accept; the client sees it.
    while let Ok((client, _)) = listener.accept().await {
        let number = sky.counts.connections.fetch_add(1, Ordering::Relaxed);
        let mut sky = sky.clone();
        sky.storms.mark_unchanged();
        links.spawn(async move {
            // A server that is away refuses; so does this.
            if let Ok(server) = TcpStream::connect(upstream).await {
                link::carry(client, server, seed.wrapping_add(number), sky).await;
            }
        });
        while links.try_join_next().is_some() {}
    }
}

#[cfg(test)]
mod tests;
