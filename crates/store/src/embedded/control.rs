//! Kinds that are paused: a row of the file, written like everything else.

use std::collections::BTreeSet;

use assay_core::kind::JobKind;
use assay_core::port::{QueueControl, StoreError};
use async_trait::async_trait;

use super::EmbeddedStore;
use super::batch::Batch;
use super::parts::Malformed;
use super::steps::disk_full;

/// Between two names of the row; no name holds it.
const SEPARATOR: &str = ",";

#[async_trait]
impl QueueControl for EmbeddedStore {
    async fn pause(&self, kind: JobKind) -> Result<(), StoreError> {
        let step = move |batch: &mut Batch<'_>| {
            batch.change_paused(|paused| paused.insert(kind));
            Ok(())
        };
        self.change(step, disk_full).await
    }

    async fn resume(&self, kind: JobKind) -> Result<(), StoreError> {
        let step = move |batch: &mut Batch<'_>| {
            batch.change_paused(|paused| paused.remove(&kind));
            Ok(())
        };
        self.change(step, disk_full).await
    }

    async fn paused(&self) -> Result<BTreeSet<JobKind>, StoreError> {
        self.read(|shelf, _| Ok(shelf.paused().clone()))
    }
}

impl Batch<'_> {
    /// `change` answers whether it changed anything: else nothing is written.
    fn change_paused(&mut self, change: impl FnOnce(&mut BTreeSet<JobKind>) -> bool) {
        let before = self.changes.paused.as_ref();
        let before = before.unwrap_or_else(|| self.ground.shelf.paused());
        let mut paused = before.clone();
        if change(&mut paused) {
            self.changes.paused = Some(paused);
        }
    }
}

/// The kinds as a row of the file.
pub(super) fn row(paused: &BTreeSet<JobKind>) -> String {
    let names: Vec<&str> = paused.iter().map(|kind| kind.as_str()).collect();
    names.join(SEPARATOR)
}

/// Reads a row. A kind of a newer version is passed over: nobody works on it here.
pub(super) fn of_row(row: &[u8]) -> Result<BTreeSet<JobKind>, Malformed> {
    let names = std::str::from_utf8(row);
    let names = names.map_err(|_| Malformed("the paused kinds are no text"))?;
    let kinds = names.split(SEPARATOR);
    Ok(kinds.filter_map(|name| name.parse().ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_gives_back_the_kinds_that_are_known() {
        let all = BTreeSet::from(JobKind::ALL);
        assert_eq!(of_row(row(&all).as_bytes()).unwrap(), all);
        assert_eq!(of_row(row(&BTreeSet::new()).as_bytes()).unwrap(), [].into());
        let newer = of_row(b"virus-scan,batch").unwrap();
        assert_eq!(newer, [JobKind::Batch].into());
        assert!(of_row(&[0xff]).is_err());
    }
}
