//! Forgets old jobs.

use async_trait::async_trait;

use crate::activity::{Activity, ActivityName, Error, Report};
use crate::outlet::Outlet;

/// Forgets jobs that ended longer ago than their retention. The store counts the dead letters among them.
pub struct Expire {
    outlet: Outlet,
    limit: usize,
}

impl Expire {
    /// Forgets at most `limit` jobs at a time.
    #[must_use]
    pub fn new(outlet: Outlet, limit: usize) -> Self {
        Self { outlet, limit }
    }
}

#[async_trait]
impl Activity for Expire {
    fn name(&self) -> ActivityName {
        ActivityName::Expire
    }

    async fn activate(&self) -> Result<Report, Error> {
        let swept = self.outlet.store.expire(self.limit).await;
        let swept = swept.map_err(|source| Error::Store {
            step: "forget old jobs",
            source,
        })?;
        let report = Report::of(&swept, self.limit);
        self.outlet.publish(swept.publish).await?;
        Ok(report)
    }
}
