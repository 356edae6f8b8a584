//! Questions about one job: its record, its result, its events.

use assay_core::envelope::Envelope;
use assay_core::event::{EventId, HISTORY_EVENTS_MAX, JobEvent};
use assay_core::id::{JobId, Tenant};
use assay_core::job::{Job, ResultRef};
use assay_core::port::{History, StoreError};
use redis::Value;

use super::RedisStore;
use super::keys::field;
use super::link::LinkError;
use super::record::{Unreadable, bytes, into_bytes, read_job};
use crate::form::decode;

impl RedisStore {
    /// The record of a job of this tenant.
    pub(super) async fn read_record(
        &self,
        tenant: &Tenant,
        id: JobId,
    ) -> Result<Option<Job>, StoreError> {
        let fields = self.fields(id, &[field::JOB, field::CHANGED]).await?;
        owned(&fields, tenant)
    }

    /// The record and the latest envelope of a job of this tenant.
    pub(super) async fn read_with_envelope(
        &self,
        tenant: &Tenant,
        id: JobId,
    ) -> Result<Option<(Job, Envelope)>, StoreError> {
        let read = self.reader.find(id).await.map_err(LinkError::of_read)?;
        let (found, _) = read?;
        let owned = found.job().filter(|known| known.job.tenant == *tenant);
        Ok(owned.map(|known| (Job::clone(&known.job), Envelope::clone(&known.envelope))))
    }

    /// The result that is kept with the record of a job of this tenant.
    pub(super) async fn read_result(
        &self,
        tenant: &Tenant,
        id: JobId,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let names = [field::JOB, field::CHANGED, field::RESULT];
        let mut fields = self.fields(id, &names).await?;
        let job = owned(&fields, tenant)?;
        let kept = job.filter(|job| matches!(job.result, Some(ResultRef::Inline { .. })));
        Ok(kept.and_then(|_| fields.pop()).and_then(into_bytes))
    }

    /// The retained events of a job of this tenant behind `after`.
    pub(super) async fn read_history(
        &self,
        tenant: &Tenant,
        id: JobId,
        after: Option<EventId>,
    ) -> Result<Option<History>, StoreError> {
        let Some(job) = self.read_record(tenant, id).await? else {
            return Ok(None);
        };
        let places = places(job.event_id.sequence, after);
        let names: Vec<_> = places.map(|sequence| sequence.to_string()).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let mut events = Vec::with_capacity(names.len());
        for field in self.fields(id, &names).await? {
            // Others may have come meanwhile, and these gone.
            if let Some(event) = bytes(&field) {
                let event: JobEvent =
                    decode(event).map_err(|error| Unreadable::Malformed(error.0))?;
                events.push(event);
            }
        }
        Ok(Some(History::behind(after, &events)))
    }

    async fn fields(&self, id: JobId, names: &[&str]) -> Result<Vec<Value>, StoreError> {
        let mut command = redis::cmd("HMGET");
        command.arg(self.keys.of(id).record(id)).arg(names);
        let answer = self.link.read(&command).await;
        let Value::Array(fields) = answer.map_err(LinkError::of_read)? else {
            return Err(Unreadable::Malformed("it is no hash").into());
        };
        Ok(fields)
    }
}

/// The events that are to be read: from the one that was seen, if it is still kept, so that gaps show.
fn places(newest: u64, after: Option<EventId>) -> std::ops::RangeInclusive<u64> {
    let oldest = newest.saturating_sub(HISTORY_EVENTS_MAX as u64) + 1;
    let seen = after.map_or(0, |id| id.sequence);
    seen.clamp(oldest.min(newest), newest)..=newest
}

/// The job that fields begin with, if it is of this tenant.
fn owned(fields: &[Value], tenant: &Tenant) -> Result<Option<Job>, StoreError> {
    let [job, changed, ..] = fields else {
        return Ok(None);
    };
    let Some(job) = bytes(job) else {
        return Ok(None);
    };
    let job = read_job(job, bytes(changed))?;
    Ok(Some(job).filter(|job| job.tenant == *tenant))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_read_from_the_event_that_was_seen() {
        let seen = |sequence| Some(EventId { token: 0, sequence });
        assert_eq!(places(3, None), 1..=3);
        assert_eq!(places(3, seen(2)), 2..=3);
        assert_eq!(places(3, seen(u64::MAX)), 3..=3);
        assert_eq!(places(200, None), 1..=200);
        assert_eq!(places(201, None), 2..=201);
        assert_eq!(places(201, seen(100)), 100..=201);
    }
}
