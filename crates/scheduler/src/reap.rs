//! Takes jobs back from workers that fell silent.

use async_trait::async_trait;

use crate::activity::{Activity, ActivityName, Error, Report};
use crate::outlet::Outlet;

/// Takes jobs from workers whose leases lapsed, and ends jobs whose deadline passed.
pub struct Reap {
    outlet: Outlet,
    limit: usize,
}

impl Reap {
    /// Takes or ends at most `limit` jobs at a time.
    #[must_use]
    pub fn new(outlet: Outlet, limit: usize) -> Self {
        Self { outlet, limit }
    }
}

#[async_trait]
impl Activity for Reap {
    fn name(&self) -> ActivityName {
        ActivityName::Reap
    }

    async fn activate(&self) -> Result<Report, Error> {
        let swept = self.outlet.store.reap(self.limit).await;
        let swept = swept.map_err(|source| Error::Store {
            step: "take jobs from lapsed leases",
            source,
        })?;
        let report = Report::of(&swept, self.limit);
        self.outlet.publish(swept.publish).await?;
        Ok(report)
    }
}
