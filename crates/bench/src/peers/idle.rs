//! What our services hold in memory when they have nothing to do.

use std::time::Duration;

use anyhow::Context;

use super::contender::Programs;
use super::servers::Servers;
use super::services::Site;
use crate::process;

/// How long they stand idle before it is looked at.
const STAND: Duration = Duration::from_secs(10);

/// Name and resident bytes of each service.
///
/// # Errors
/// When one can't be started.
pub async fn measure(programs: &Programs) -> anyhow::Result<Vec<(&'static str, u64)>> {
    let folder = tempfile::tempdir().context("make a folder for the run")?;
    let servers = Servers::start(programs.mode).await?;
    let site = Site::new(&programs.ours, &servers, folder.path())?;
    let services = [
        ("gateway", site.gateway().await?),
        ("scheduler", site.scheduler().await?),
        ("verification-worker", site.verification_worker().await?),
    ];
    tokio::time::sleep(STAND).await;
    let bytes = |(name, service): &(&'static str, _)| {
        let service: &super::services::Service = service;
        Ok((*name, process::resident_bytes(service.pid()?)?))
    };
    services.iter().map(bytes).collect()
}
