//! Queues what is due.

use async_trait::async_trait;

use crate::activity::{Activity, ActivityName, Error, Report};
use crate::outlet::Outlet;

/// Queues scheduled, retrying and parked jobs whose time has come. Delays and retries are as precise as its period.
pub struct PromoteDue {
    outlet: Outlet,
    limit: usize,
}

impl PromoteDue {
    /// Queues at most `limit` jobs at a time.
    #[must_use]
    pub fn new(outlet: Outlet, limit: usize) -> Self {
        Self { outlet, limit }
    }
}

#[async_trait]
impl Activity for PromoteDue {
    fn name(&self) -> ActivityName {
        ActivityName::PromoteDue
    }

    async fn activate(&self) -> Result<Report, Error> {
        if self.outlet.is_shut() {
            return Ok(Report::default());
        }
        let swept = self.outlet.store.promote_due(self.limit).await;
        let swept = swept.map_err(|source| Error::Store {
            step: "queue what is due",
            source,
        })?;
        let report = Report::of(&swept, self.limit);
        self.outlet.publish(swept.publish).await?;
        Ok(report)
    }
}
