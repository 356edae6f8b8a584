//! Who does the work: a server that runs, or one of our own for as long as this command lasts.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::client::Client;
use crate::command::dev::private::Private;
use crate::server::{self, Server};

/// For a server at the default address to say what it is, before we do the work ourselves.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);

/// Who does the work.
#[derive(Debug)]
pub(crate) struct Host {
    client: Client,
    own: Option<Private>,
}

impl Host {
    /// The server that was named; else one at the default address; else one of our own, which alone weighs by a calibration
    /// that is given.
    ///
    /// # Errors
    /// When the named server does not answer, or our own does not start.
    pub(crate) async fn find(
        named: Option<&Server>,
        in_process: bool,
        calibration: Option<&Path>,
        variables: BTreeMap<String, String>,
    ) -> anyhow::Result<Self> {
        if let Some(server) = named {
            let client = Client::connect(server).await?;
            return Ok(Self { client, own: None });
        }
        let in_process = in_process || calibration.is_some();
        if !in_process && let Some(client) = probe().await {
            return Ok(Self { client, own: None });
        }
        let own = Private::start(calibration, variables).await?;
        let client = Client::connect(&own.server()).await?;
        Ok(Self {
            client,
            own: Some(own),
        })
    }

    /// The connection to it.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// What to say about jobs of a command that was stopped.
    pub(crate) fn left_behind(&self) -> &'static str {
        match self.own {
            Some(_) => "",
            None => "; what was submitted goes on, see `assay jobs list`",
        }
    }

    /// Ends what was started for this command.
    pub(crate) async fn close(self) {
        if let Some(own) = self.own {
            drop(self.client);
            own.stop().await;
        }
    }
}

/// A server of ours at the default address.
async fn probe() -> Option<Client> {
    let default: Server = server::DEFAULT.parse().ok()?;
    let asked = async {
        let client = Client::connect(&default).await.ok()?;
        client.info().await.ok().map(|_| client)
    };
    tokio::time::timeout(PROBE_TIMEOUT, asked)
        .await
        .ok()
        .flatten()
}
