//! Services of our own for as long as one command lasts, over a folder that nobody else sees.

mod folder;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use assay_embedded::Embedded;
use assay_service::prometheus::Metrics;
use assay_service::shutdown::Pace;
use assay_service::tasks::OnEnd;
use assay_service::{BoxError, Context, bootstrap};

use folder::OwnFolder;

use super::local::{SERVICE, add_workers, calibration_setting, load};
use crate::server::Server;

/// Nothing here outlives the command, so little is waited for.
const PACE: Pace = Pace {
    not_ready_ms: 0,
    drain_ms: 0,
    hand_back_ms: 3_000,
};

/// Running services.
#[derive(Debug)]
pub(crate) struct Private {
    server: Server,
    context: Context,
    folder: OwnFolder,
}

impl Private {
    /// Starts all services on a free port of loopback, over a folder of their own. Folders that were left behind by
    /// processes that were killed are removed.
    ///
    /// # Errors
    /// When the configuration of the environment is wrong, or the folder cannot be made.
    pub(crate) async fn start(
        calibration: Option<&Path>,
        variables: BTreeMap<String, String>,
    ) -> anyhow::Result<Self> {
        let folder = tokio::task::spawn_blocking(|| OwnFolder::make(&std::env::temp_dir()));
        let folder = folder
            .await?
            .context("make a folder for temporary data (set TMPDIR to one that can be written)")?;
        let data_dir = folder.path().join("data").display().to_string();
        let given = [
            ("embedded.data_dir", data_dir),
            ("gateway.listen", "127.0.0.1:0".to_owned()),
            ("gateway.http_listen", String::new()),
            ("admin.listen", String::new()),
            // Nobody else finds it, and the command shows no token that a file of the user's would know.
            ("gateway.tokens_file", String::new()),
        ];
        let given = given.into_iter().chain(calibration_setting(calibration));
        let config = load(None, given, variables)?;
        bootstrap::check(&SERVICE, &config)?;
        let metrics = Metrics::new(SERVICE.name, SERVICE.version, SERVICE.instruments)?;
        let context = Context::detached(config, metrics);
        let embedded = Embedded::start(&context, add_workers).await?;
        let server = Server::at(embedded.address());
        context
            .tasks
            .spawn("embedded", OnEnd::Shutdown, async move {
                embedded.finished().await;
                Ok::<(), BoxError>(())
            });
        let (upkeep, shutdown) = (context.metrics.clone().upkeep(), context.shutdown.clone());
        context
            .tasks
            .spawn("metrics-upkeep", OnEnd::Log, async move {
                tokio::select! {
                    () = upkeep => {}
                    () = shutdown.begun() => {}
                }
                Ok::<(), BoxError>(())
            });
        Ok(Self {
            server,
            context,
            folder,
        })
    }

    /// Where they listen.
    pub(crate) fn server(&self) -> Server {
        self.server.clone()
    }

    /// Ends them, and removes their folder.
    pub(crate) async fn stop(self) {
        let Self {
            context, folder, ..
        } = self;
        let work = context.tasks.joined();
        context.shutdown.drain(PACE, &context.readiness, work).await;
        context.tasks.abort_all();
        folder.close();
    }
}
