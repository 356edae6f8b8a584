//! One connection through the proxy.

use std::sync::atomic::Ordering;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::{Flow, Sky, Weather};

/// Largest chunk, in bytes.
const CHUNK_BYTES_MAX: usize = 16 * 1024;
/// Most chunks on their way in one direction: who sends faster than the latency lets through has to wait.
const CHUNKS_ON_THE_WAY_MAX: usize = 1_024;

/// A chunk, and when it arrives.
type OnTheWay = (Instant, Vec<u8>);

/// Why a connection ends before both sides closed it.
enum Cut {
    /// The weather took it.
    Weather,
    /// One of the ends is gone.
    End,
}

/// Carries bytes both ways until both ends are closed, or the connection is cut.
pub(super) async fn carry(mut client: TcpStream, mut server: TcpStream, seed: u64, mut sky: Sky) {
    // A proxy that gathers small writes would measure itself.
    drop(
        client
            .set_nodelay(true)
            .and_then(|()| server.set_nodelay(true)),
    );
    let mut luck = StdRng::seed_from_u64(seed);
    let cut = {
        let (client_in, client_out) = client.split();
        let (server_in, server_out) = server.split();
        let there = Pipe {
            luck: StdRng::from_rng(&mut luck),
            weather: sky.weather.clone(),
        };
        let back = Pipe {
            luck,
            weather: sky.weather.clone(),
        };
        let both = async {
            tokio::try_join!(
                there.run(client_in, server_out),
                back.run(server_in, client_out)
            )
        };
        tokio::select! {
            ended = both => ended.err(),
            _ = sky.storms.changed() => Some(Cut::Weather),
        }
    };
    let Some(cut) = cut else { return };
    if matches!(cut, Cut::Weather) {
        sky.counts.resets.fetch_add(1, Ordering::Relaxed);
    }
    // Closed without lingering, a socket sends a reset and forgets what it held.
    drop(
        client
            .set_zero_linger()
            .and_then(|()| server.set_zero_linger()),
    );
}

/// One direction.
struct Pipe {
    luck: StdRng,
    weather: watch::Receiver<Weather>,
}

impl Pipe {
    async fn run(self, from: ReadHalf<'_>, to: WriteHalf<'_>) -> Result<(), Cut> {
        let (sender, receiver) = mpsc::channel(CHUNKS_ON_THE_WAY_MAX);
        let weather = self.weather.clone();
        tokio::try_join!(self.read(from, sender), write(to, receiver, weather)).map(drop)
    }

    async fn read(
        mut self,
        mut from: ReadHalf<'_>,
        sender: mpsc::Sender<OnTheWay>,
    ) -> Result<(), Cut> {
        let mut buffer = vec![0; CHUNK_BYTES_MAX];
        loop {
            let bytes = from.read(&mut buffer).await.map_err(|_| Cut::End)?;
            let Some(chunk) = buffer.get(..bytes).filter(|chunk| !chunk.is_empty()) else {
                return Ok(());
            };
            let weather = *self.weather.borrow();
            if weather.flow == Flow::Swallowed {
                return self.vanish().await;
            }
            if weather.reset_chance > 0.0 && self.luck.random_bool(weather.reset_chance.min(1.0)) {
                return Err(Cut::Weather);
            }
            let arrives_at = Instant::now() + weather.latency;
            let sent = sender.send((arrives_at, chunk.to_vec())).await;
            sent.map_err(|_| Cut::End)?;
        }
    }

    /// What was swallowed can't be made good: the connection stays silent, and goes with the weather.
    async fn vanish(&mut self) -> Result<(), Cut> {
        // A proxy that is gone changes no weather any more.
        drop(
            self.weather
                .wait_for(|weather| weather.flow != Flow::Swallowed)
                .await,
        );
        Err(Cut::Weather)
    }
}

async fn write(
    mut to: WriteHalf<'_>,
    mut receiver: mpsc::Receiver<OnTheWay>,
    mut weather: watch::Receiver<Weather>,
) -> Result<(), Cut> {
    while let Some((arrives_at, chunk)) = receiver.recv().await {
        tokio::time::sleep_until(arrives_at).await;
        let passes = weather.wait_for(|weather| weather.flow != Flow::Held).await;
        passes.map(drop).map_err(|_| Cut::End)?;
        to.write_all(&chunk).await.map_err(|_| Cut::End)?;
    }
    to.shutdown().await.map_err(|_| Cut::End)
}
