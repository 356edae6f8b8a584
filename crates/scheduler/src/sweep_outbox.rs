//! Publishes what was recorded and never published.

use async_trait::async_trait;

use crate::activity::{Activity, ActivityName, Error, Report};
use crate::outlet::Outlet;

/// Publishes jobs that were recorded and are not known to be in a queue: their submitter died in between, or the queue could not be reached.
pub struct SweepOutbox {
    outlet: Outlet,
    limit: usize,
}

impl SweepOutbox {
    /// Publishes at most `limit` jobs at a time.
    #[must_use]
    pub fn new(outlet: Outlet, limit: usize) -> Self {
        Self { outlet, limit }
    }
}

#[async_trait]
impl Activity for SweepOutbox {
    fn name(&self) -> ActivityName {
        ActivityName::SweepOutbox
    }

    async fn activate(&self) -> Result<Report, Error> {
        if self.outlet.is_shut() {
            return Ok(Report::default());
        }
        let swept = self.outlet.store.sweep_outbox(self.limit).await;
        let swept = swept.map_err(|source| Error::Store {
            step: "read the outbox",
            source,
        })?;
        let report = Report::of(&swept, self.limit);
        self.outlet.publish(swept.publish).await?;
        Ok(report)
    }
}
