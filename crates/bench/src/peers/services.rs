//! Our services as processes of their own, over the Redis of a measurement.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use assay_test_support::fleet::{Member, Start};
use assay_test_support::port;

use super::driver::last_words;
use super::servers::Servers;
use crate::server;

/// Most envelopes of a lane: more than are ever measured with.
const LANE_ENVELOPES_MAX: u32 = 10_000_000;

/// A running service that said it is ready. Killed when dropped.
#[derive(Debug)]
pub struct Service(Member);

/// Where services run: the same servers, one folder.
#[derive(Clone, Debug)]
pub struct Site {
    /// The folder of our programs.
    pub programs: PathBuf,
    /// Where Redis listens.
    pub redis: SocketAddr,
    /// The URL of RabbitMQ, in full mode.
    pub broker: Option<String>,
    /// For blobs and logs.
    pub folder: PathBuf,
    /// Where the gateway listens.
    pub gateway: SocketAddr,
}

impl Site {
    /// A site with a port for its gateway.
    ///
    /// # Errors
    /// When no port is free.
    pub fn new(programs: &Path, servers: &Servers, folder: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            programs: programs.to_owned(),
            redis: servers.redis.address(),
            broker: servers.broker_url(),
            folder: folder.to_owned(),
            gateway: ([127, 0, 0, 1], port::free()?).into(),
        })
    }

    /// Starts the gateway.
    ///
    /// # Errors
    /// When it is not ready in time.
    pub async fn gateway(&self) -> anyhow::Result<Service> {
        let listen = self.gateway.to_string();
        let settings = [
            ("gateway.listen", listen),
            ("gateway.http_listen", String::new()),
        ];
        self.start("gateway", &settings).await
    }

    /// Starts the scheduler.
    ///
    /// # Errors
    /// When it is not ready in time.
    pub async fn scheduler(&self) -> anyhow::Result<Service> {
        self.start("scheduler", &[]).await
    }

    /// Starts the probe's worker, which runs so many jobs at once.
    ///
    /// # Errors
    /// When it is not ready in time.
    pub async fn worker(
        &self,
        concurrency: usize,
        journal: Option<&Path>,
    ) -> anyhow::Result<Service> {
        let journal = journal.map(|path| path.display().to_string());
        let settings = [
            ("worker.concurrency", concurrency.to_string()),
            ("probe.journal", journal.unwrap_or_default()),
        ];
        self.start("probe-worker", &settings).await
    }

    /// Starts the worker that verifies media.
    ///
    /// # Errors
    /// When it is not ready in time.
    pub async fn verification_worker(&self) -> anyhow::Result<Service> {
        self.start("verification-worker", &[]).await
    }

    async fn start(&self, name: &str, more: &[(&str, String)]) -> anyhow::Result<Service> {
        let shared = [
            (
                "blob.folder",
                self.folder.join("blobs").display().to_string(),
            ),
            ("redis.host", self.redis.ip().to_string()),
            ("redis.port", self.redis.port().to_string()),
        ];
        let broker = self.broker.iter().flat_map(|url| {
            let room = LANE_ENVELOPES_MAX.to_string();
            [
                ("rabbitmq.url", url.clone()),
                ("rabbitmq.lane_envelopes_max", room),
            ]
        });
        let settings = shared.into_iter().chain(broker);
        let settings = settings.chain(more.iter().cloned());
        let mut member = Member::new(Start {
            program: self.programs.join(name),
            settings: settings
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
            admin: ([127, 0, 0, 1], port::free()?).into(),
            log: self.folder.join(format!("{name}.log")),
        });
        member.launch()?;
        member.ready().await?;
        Ok(Service(member))
    }
}

impl Service {
    /// The process id.
    ///
    /// # Errors
    /// When it was ended.
    pub fn pid(&self) -> anyhow::Result<u32> {
        self.0.pid().context("find the process of a service")
    }

    /// The sum over all series of a metric whose line holds `label`.
    ///
    /// # Errors
    /// When the admin port does not answer.
    pub async fn metric(&self, name: &str, label: &str) -> anyhow::Result<f64> {
        let page = server::get(self.0.admin(), "/metrics").await?;
        Ok(server::sum_of(&page, name, label))
    }

    /// The end of its log.
    #[must_use]
    pub fn complaints(&self) -> String {
        last_words(self.0.log())
    }

    /// Asks it to end and waits until it has.
    ///
    /// # Errors
    /// When it does not end, or failed.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        let code = self.0.terminate().await?;
        anyhow::ensure!(
            code == Some(0),
            "a service ended with {code:?}: {}",
            self.complaints()
        );
        Ok(())
    }
}
